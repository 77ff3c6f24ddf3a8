#include "storage/sqlite_log_room.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/connection.h"

namespace invited::storage {
namespace {

// More than the largest batch writes.
constexpr std::int64_t kLeastRoom = 1 << 20;
// Where the disk is full; and between two looks at how much is free.
constexpr std::chrono::seconds kRetry{1};
constexpr std::int64_t kFreeForLongLog = 4;  // times its length

[[noreturn]] void fail(const char* what, int code, FailureKind kind = FailureKind::io) {
  throw DatabaseFailure(kind, std::string("Cannot ") + what + " the database's log: " + std::strerror(code));
}

}  // namespace

SqliteLogRoom::SqliteLogRoom(const std::string& path) : log_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (!log_.valid()) fail("open", errno);
}

void SqliteLogRoom::write_again() const {
  std::string bytes(256 << 10, '\0');
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(log_.get(), bytes.data(), bytes.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail("read", errno);
    if (size == 0) break;
    const std::string_view piece(bytes.data(), static_cast<std::size_t>(size));
    if (::lseek(log_.get(), at, SEEK_SET) != at || !base::write_all(log_.get(), piece)) fail("write", errno);
    at += size;
  }
  if (::fdatasync(log_.get()) != 0) fail("sync", errno, FailureKind::sync);
}

bool SqliteLogRoom::is_due(std::int64_t used) {
  if (used < used_) {  // it began anew, and may have been shortened
    size_ = 0;
    next_try_ = {};
  }
  used_ = used;
  return size_ - used < kLeastRoom && std::chrono::steady_clock::now() >= next_try_;
}

bool SqliteLogRoom::make(std::int64_t used) {
  size_ = size_of_file();
  if (size_ - used >= kLeastRoom) return true;
  if (!extend(size_, used + kRoom)) {
    next_try_ = std::chrono::steady_clock::now() + kRetry;
    return false;
  }
  size_ = used + kRoom;
  next_look_ = {};
  return true;
}

bool SqliteLogRoom::is_too_long() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return is_too_long_;
  next_look_ = now + kRetry;
  const std::int64_t size = size_of_file();
  is_too_long_ = size > kShortLog && free_bytes() < kFreeForLongLog * size;
  return is_too_long_;
}

std::int64_t SqliteLogRoom::free_bytes() const {
  struct statvfs disk{};
  if (::fstatvfs(log_.get(), &disk) != 0) fail("look at", errno);
  return static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
}

std::int64_t SqliteLogRoom::size_of_file() const {
  struct stat status{};
  if (::fstat(log_.get(), &status) != 0) fail("look at", errno);
  return status.st_size;
}

bool SqliteLogRoom::extend(std::int64_t from, std::int64_t to) const {
  // Nobody else shall find the disk full because of what we only try.
  if (free_bytes() < 2 * (to - from)) return false;

  const std::string zeros(static_cast<std::size_t>(to - from), '\0');
  const bool written = ::lseek(log_.get(), from, SEEK_SET) == from && base::write_all(log_.get(), zeros);
  if (written && ::fdatasync(log_.get()) == 0) return true;
  const int code = errno;
  if (::ftruncate(log_.get(), from) != 0) fail("shorten", errno);
  if (code == ENOSPC || code == EDQUOT) return false;
  fail("make room in", code, written ? FailureKind::sync : FailureKind::io);
}

}  // namespace invited::storage
