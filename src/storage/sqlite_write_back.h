// When and how a SQLite writer's log is written back into the database's file (a checkpoint), so that it can begin
// anew. Nobody is answered while that lasts, and its sync of many pages all over the file takes longest. So it is done
// in steps: most of the log is copied while a reader's snapshot keeps SQLite from calling it complete, which needs no
// sync; the file is then synced by a thread while commits go on; what they left in the log is little, and SQLite writes
// that back and syncs the file in one go, as always. Only SQLite decides what may be overwritten.
//
// Belongs to the writer's thread, as do all checkpoints of the database.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>

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
  /// Waits for a sync that is under way. Throws DatabaseFailure.
  void wait();

 private:
  class Snapshot;

  bool is_due(int pages);
  void hold(int pages);
  void let_go();
  void write_back_what_was_there(int pages);
  void write_back_all(int pages);
  /// False: somebody still needs the log.
  bool checkpoint(int mode);
  void warn_of_long_log(int pages);

  void* const connection_;
  const std::string path_;
  const int due_;
  std::unique_ptr<Snapshot> snapshot_;
  std::optional<int> held_at_;  // pages that were in the log when the snapshot was taken
  int rounds_ = 0;              // of writing back beside commits, since the log was last written back as a whole
  std::future<int> sync_;       // of the file, by the snapshot's connection: SQLite's code
  int written_ = 0;             // pages of the log that an attempt to write back was about
  int warned_at_ = 0;           // pages in it when its length was last complained of
  std::optional<std::chrono::steady_clock::time_point> owed_at_;  // as one has failed
};

}  // namespace invited::storage
