// Notices when files that are in use were deleted or replaced: what is written into a file without a name is gone when
// the process ends, however well it was synced. A stat for each file: cheap enough for every commit. Belongs to one
// thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace invited::storage {

class FileGuard {
 public:
  /// Remembers which file `path` names now. Throws DatabaseFailure where there is none.
  void watch(const std::string& path);

  /// Throws DatabaseFailure (damaged) where a path no longer names the file that it named, with the remedy.
  void expect_in_place() const;

 private:
  struct Watched {
    std::string path;
    dev_t device;
    ino_t inode;
  };
  std::vector<Watched> files_;
};

}  // namespace invited::storage
