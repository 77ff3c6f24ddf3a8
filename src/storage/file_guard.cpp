#include "storage/file_guard.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "storage/connection.h"

namespace invited::storage {

void FileGuard::watch(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    throw DatabaseFailure(FailureKind::damaged, path + " is gone: " + std::strerror(errno) + ".");
  files_.push_back({path, status.st_dev, status.st_ino});
}

void FileGuard::expect_in_place() const {
  for (const Watched& file : files_) {
    struct stat status{};
    if (::stat(file.path.c_str(), &status) != 0)
      throw DatabaseFailure(FailureKind::damaged, file.path + " was deleted, moved or made unreachable while in use (" +
                                                      std::strerror(errno) + "): bring it back before the next start.");
    if (status.st_dev != file.device || status.st_ino != file.inode)
      throw DatabaseFailure(
          FailureKind::damaged,
          file.path + " was replaced by another file while in use: stop the service before files are changed.");
  }
}

}  // namespace invited::storage
