// Room behind the end of a SQLite write-ahead log: bytes that are on disk already, so that a commit writes over them
// and the file does not grow by it. A sync that makes a file longer rests on the file system's own log. Where ext4
// gives that up (a failing disk, errors=remount-ro) during such a sync, Linux may say that it succeeded, and what was
// acknowledged then is gone; of bytes that are written over it says the truth. PostgreSQL does the same
// (wal_init_zero). Belongs to one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/descriptor.h"

namespace invited::storage {

class SqliteLogRoom {
 public:
  static constexpr std::int64_t kRoom = 4 << 20;  ///< bytes that are made at once
  /// A log that is not longer is never too long.
  static constexpr std::int64_t kShortLog = 16 << 20;

  /// Of the log at `path`, which stays where it is. Throws DatabaseFailure (io) where it cannot be opened.
  explicit SqliteLogRoom(const std::string& path);

  /// Writes all of the log over itself, and syncs it: for a start, before anything is added to it. Where a sync failed,
  /// Linux goes on showing the pages and never writes them, so SQLite takes for committed what is not on the disk, and
  /// what were added behind it would be lost with it. Only while nobody else can write. Throws DatabaseFailure (io,
  /// sync).
  void write_again() const;
  /// After a commit, as of which the log's first `used` bytes are in use: whether to make() more room now.
  bool is_due(std::int64_t used);
  /// Makes room behind `used`, and syncs it. Only while nobody else can write (SQLite's write lock): another program's
  /// commit would be overwritten. False: the disk has no space for twice as much, and commits make the log longer
  /// themselves. Throws DatabaseFailure (io, sync).
  bool make(std::int64_t used);
  /// Whether the log's file takes more of the disk than being long is worth: with what is free, more than a fifth.
  /// Looks after it became longer, and once a second.
  bool is_too_long();
  /// Room included.
  std::int64_t size_of_file() const;

 private:
  std::int64_t free_bytes() const;
  /// False: the disk is too full, and the file as it was.
  bool extend(std::int64_t from, std::int64_t to) const;

  base::Descriptor log_;
  std::int64_t used_ = 0;
  std::int64_t size_ = 0;  // the file is no shorter
  std::chrono::steady_clock::time_point next_try_;
  std::chrono::steady_clock::time_point next_look_;
  bool is_too_long_ = false;
};

}  // namespace invited::storage
