// Whether the disk has room for new work: free space of a file's file system against a mark, asked at most four times a
// second. Refusing early leaves room for what is owed (promises.md, 4). Thread-safe; cheap.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace invited::storage {

class DiskWatermark {
 public:
  /// `path`: any file or folder on the file system. A mark of 0: always room.
  DiskWatermark(std::string path, std::uint64_t bytes);

  bool has_room();

 private:
  const std::string path_;
  const std::uint64_t bytes_;
  std::atomic<std::int64_t> next_look_{0};  // steady clock, nanoseconds
  std::atomic<bool> has_room_{true};
};

}  // namespace invited::storage
