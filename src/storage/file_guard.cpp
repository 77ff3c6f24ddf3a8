#include "storage/file_guard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "storage/connection.h"

namespace invited::storage {

namespace {

/// Which file it is, and no more: since Linux 6.13 the next write to a file whose times somebody asked for gives it new
/// ones to the nanosecond, where one in the same tick of the clock (4 ms) leaves them alone; and new times cost a write
/// of their own where ext4 has no journal, at each commit.
std::optional<FileIdentity> identify(const std::string& path) {
  struct statx status{};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_SYNC_AS_STAT, STATX_INO, &status) != 0) return std::nullopt;
  return FileIdentity{status.stx_dev_major, status.stx_dev_minor, status.stx_ino};
}

}  // namespace

void FileGuard::watch(const std::string& path) {
  const auto identity = identify(path);
  if (!identity) throw DatabaseFailure(FailureKind::damaged, path + " is gone: " + std::strerror(errno) + ".");
  files_.push_back({path, *identity});
}

void FileGuard::expect_in_place() const {
  for (const Watched& file : files_) {
    const auto identity = identify(file.path);
    if (!identity)
      throw DatabaseFailure(FailureKind::damaged, file.path + " was deleted, moved or made unreachable while in use (" +
                                                      std::strerror(errno) + "): bring it back before the next start.");
    if (*identity != file.identity)
      throw DatabaseFailure(
          FailureKind::damaged,
          file.path + " was replaced by another file while in use: stop the service before files are changed.");
  }
}

}  // namespace invited::storage
