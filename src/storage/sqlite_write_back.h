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
  /// The log shall grow no more: it is written back from the next step on, however short it is; `as_a_whole`, with
  /// nobody answered meanwhile, where it would fill the disk while it is copied beside commits.
  void hasten(bool as_a_whole);
  /// Waits for a copy that is under way. Throws DatabaseFailure as `step` does.
  void wait();

 private:
  class Beside;
  /// How the thread fared.
  struct Copied {
    std::optional<FailureKind> failure;
    std::string reason;
  };

  void hold(int pages);
  void let_go();
  void copy_what_was_there(int pages);
  void write_back_all(int pages);
  /// False, where readers are waited for: somebody still needs the log.
  bool checkpoint(bool waits_for_readers);
  void warn_of_long_log(int pages);

  void* const connection_;
  const std::string path_;
  const int due_;
  std::unique_ptr<Beside> snapshot_;
  std::unique_ptr<Beside> copier_;
  std::optional<int> held_at_;  // pages that were in the log when the snapshot was taken
  int rounds_ = 0;              // of writing back beside commits, since the log was last written back as a whole
  std::future<Copied> copying_;
  int written_ = 0;      // pages of the log that an attempt to write back was about
  int warned_at_ = 0;    // pages in it when its length was last complained of
  int waits_at_;         // pages in it from which on readers are waited for
  bool wanted_ = false;  // before it is due
  /// As a whole: one has failed, or the disk is full.
  std::optional<std::chrono::steady_clock::time_point> owed_at_;
};

}  // namespace invited::storage
