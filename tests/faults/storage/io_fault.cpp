// Preloaded into a process, makes chosen writes or syncs of its database fail. INVITED_IO_FAULT is
// `call,error,first,count[,mark]`: from the `first`-th call on, `count` of them, fail with `error`.
//   call   write (pwrite, write) or sync (fsync, fdatasync)
//   error  ENOSPC, EIO, HALF (half the bytes, no error), HALF_ENOSPC (half the bytes, the next call has no space), LIE
//   (no
//          error, and nothing is synced: of the log only)
//   mark   a file that is made when the first call fails
// Only files whose path holds "invited.db" count. Plain system calls: nothing of libc is asked on the way.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum class Call { none, write, sync };
enum class Fault { enospc, eio, half, half_enospc, lie };

struct Plan {
  Call call = Call::none;
  Fault fault = Fault::eio;
  long first = 0;
  long count = 0;
  char mark[512] = {};
  std::atomic<long> seen{0};
  std::atomic<bool> no_space_next{false};

  Plan() {
    const char* text = std::getenv("INVITED_IO_FAULT");
    char call_name[16];
    char fault_name[16];
    if (text == nullptr) return;
    if (std::sscanf(text, "%15[^,],%15[^,],%ld,%ld,%511s", call_name, fault_name, &first, &count, mark) < 4) return;
    call = std::strcmp(call_name, "sync") == 0 ? Call::sync : Call::write;
    fault = std::strcmp(fault_name, "ENOSPC") == 0        ? Fault::enospc
            : std::strcmp(fault_name, "HALF") == 0        ? Fault::half
            : std::strcmp(fault_name, "HALF_ENOSPC") == 0 ? Fault::half_enospc
            : std::strcmp(fault_name, "LIE") == 0         ? Fault::lie
                                                          : Fault::eio;
  }

  bool hits(Call what, int descriptor) {
    if (what != call) return false;
    char link[64];
    char path[512];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const auto size = ::readlink(link, path, sizeof path - 1);
    if (size <= 0) return false;
    path[size] = '\0';
    if (std::strstr(path, "invited.db") == nullptr || std::strstr(path, ".lock") != nullptr) return false;
    if (fault == Fault::lie && std::strstr(path, "-wal") == nullptr) return false;
    const long number = ++seen;
    if (number < first || number >= first + count) return false;
    if (mark[0] != '\0') {
      const long made = ::syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      if (made >= 0) ::syscall(SYS_close, made);
    }
    return true;
  }
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

/// How many of `size` bytes to write; negative: fail with that error.
ssize_t allowed(int descriptor, std::size_t size) {
  Plan& the_plan = plan();
  if (the_plan.no_space_next.exchange(false)) return -ENOSPC;
  if (!the_plan.hits(Call::write, descriptor)) return static_cast<ssize_t>(size);
  switch (the_plan.fault) {
    case Fault::enospc:
      return -ENOSPC;
    case Fault::eio:
      return -EIO;
    case Fault::half_enospc:
      the_plan.no_space_next = true;
      [[fallthrough]];
    case Fault::half:
    case Fault::lie:
      return static_cast<ssize_t>((size + 1) / 2);
  }
  return static_cast<ssize_t>(size);
}

ssize_t fail(ssize_t negative_error) {
  errno = static_cast<int>(-negative_error);
  return -1;
}

int fail_sync() { return plan().fault == Fault::lie ? 0 : static_cast<int>(fail(-EIO)); }

}  // namespace

extern "C" {

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  const ssize_t now = allowed(descriptor, size);
  return now < 0 ? fail(now) : ::syscall(SYS_pwrite64, descriptor, data, now, offset);
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  return pwrite(descriptor, data, size, offset);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  const ssize_t now = allowed(descriptor, size);
  return now < 0 ? fail(now) : ::syscall(SYS_write, descriptor, data, now);
}

int fsync(int descriptor) {
  if (plan().hits(Call::sync, descriptor)) return fail_sync();
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int fdatasync(int descriptor) {
  if (plan().hits(Call::sync, descriptor)) return fail_sync();
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

}  // extern "C"
