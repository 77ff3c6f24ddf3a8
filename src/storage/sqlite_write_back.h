// When and how a SQLite writer's log is written back into the database's file (a checkpoint), so that it can begin
// anew. Nobody is answered while the writer does that itself. So most of the log is copied, and the file synced, by a
// thread with a connection of its own while commits go on; what they left in the log is little, and the writer has
// SQLite write that back and sync the file in one go, as always. A reader's snapshot is held all the while that the
// thread copies: it keeps SQLite from calling the log's checkpoint complete, and from beginning the log anew, on which
// a checkpoint of another connection could come to grief (sqlite.org/wal.html#walresetbug, SQLite before 3.51.3). Only
// SQLite decides what may be overwritten.
//
// Belongs to the writer's thread.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "storage/connection.h"

namespace invited::storage {

class SqliteWriteBack {
 public:
  /// `connection`: the writer's sqlite3* (a type of SOCI's own in its headers), which is in WAL mode and outlives this.
  /// `due`: pages in the log after which it is to be written back. Throws DatabaseFailure.
  SqliteWriteBack(void* connection, std::string path, int due);
  ~SqliteWriteBack();

  /// Between two commits, and now and then while there are none: the log holds `pages` now. Throws DatabaseFailure:
  /// where it is `sync`, nothing may be written any more; otherwise it is tried again soon.
  void step(int pages);
  /// The log cannot grow: it is written back at the next step, however short it is.
  void hasten();
  /// Waits for a copy that is under way. Throws DatabaseFailure as `step` does.
  void wait();

 private:
  class Beside;
  /// How the thread fared.
  struct Copied {
    std::optional<FailureKind> failure;
    std::string reason;
  };

  bool is_due(int pages);
  void hold(int pages);
  void let_go();
  void copy_what_was_there(int pages);
  void write_back_all(int pages);
  /// False: somebody still needs the log.
  bool checkpoint(int mode);
  void warn_of_long_log(int pages);

  void* const connection_;
  const std::string path_;
  const int due_;
  std::unique_ptr<Beside> snapshot_;
  std::unique_ptr<Beside> copier_;
  std::optional<int> held_at_;  // pages that were in the log when the snapshot was taken
  int rounds_ = 0;              // of writing back beside commits, since the log was last written back as a whole
  std::future<Copied> copying_;
  int written_ = 0;    // pages of the log that an attempt to write back was about
  int warned_at_ = 0;  // pages in it when its length was last complained of
  std::optional<std::chrono::steady_clock::time_point> owed_at_;  // as one has failed, or space is short
};

}  // namespace invited::storage
