#include "storage/sqlite_kept_index.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/descriptor.h"
#include "base/log.h"
#include "storage/connection.h"

namespace invited::storage {
namespace {

// Where SQLite has them in the index: how many frames were written back, and the byte that everybody who has it open
// holds a lock on.
constexpr off_t kWrittenBack = 96;
constexpr off_t kOpenLock = 128;

[[noreturn]] void fail(const std::string& path) {
  throw DatabaseFailure(FailureKind::io, "The index of the log, " + path + ", cannot be used: " + std::strerror(errno));
}

}  // namespace

void distrust_kept_index(const std::string& path) {
  const std::string index = path + "-shm";
  const base::Descriptor file(::open(index.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return;
    fail(index);
  }
  struct flock holder{};
  holder.l_type = F_WRLCK;
  holder.l_whence = SEEK_SET;
  holder.l_start = kOpenLock;
  holder.l_len = 1;
  if (::fcntl(file.get(), F_GETLK, &holder) != 0) fail(index);
  if (holder.l_type == F_UNLCK) return;
  base::log::info("storage.open_elsewhere", {{"path", path}, {"pid", holder.l_pid}});
  constexpr std::uint32_t kNothing = 0;
  if (::pwrite(file.get(), &kNothing, sizeof kNothing, kWrittenBack) != sizeof kNothing) fail(index);
}

}  // namespace invited::storage
