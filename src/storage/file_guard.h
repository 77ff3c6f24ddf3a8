// Notices when files that are in use were deleted or replaced: what is written into a file without a name is gone when
// the process ends, however well it was synced. A statx for each file: cheap enough for every commit. Belongs to one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace invited::storage {

/// A file, by whatever name.
struct FileIdentity {
  std::uint32_t device_major;
  std::uint32_t device_minor;
  std::uint64_t inode;
  bool operator==(const FileIdentity&) const = default;
};

class FileGuard {
 public:
  /// Remembers which file `path` names now. Throws DatabaseFailure where there is none.
  void watch(const std::string& path);

  /// Throws DatabaseFailure (damaged) where a path no longer names the file that it named, with the remedy.
  void expect_in_place() const;

 private:
  struct Watched {
    std::string path;
    FileIdentity identity;
  };
  std::vector<Watched> files_;
};

}  // namespace invited::storage
