#include "storage/sqlite_write_back.h"

#include <sqlite3.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "storage/sqlite_connection.h"
#include "storage/sqlite_failure.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// What is left to be written back as a whole, while nobody is answered: a part of what is due, if three rounds beside
// commits come down to it.
constexpr int kLittle = 32;
constexpr int kMostRounds = 3;
// Times the due length, after which readers are waited for, so that the log can start from its beginning again.
constexpr int kLongLog = 4;
// For so long: our own readers are done by then, and others' must not hold up whoever waits to be answered.
constexpr int kReaderPatienceMilliseconds = 100;
constexpr std::chrono::milliseconds kRetry{100};
constexpr int kRestBetweenTries = 10;  // times as long as one took

sqlite3* handle_of(void* connection) { return static_cast<sqlite3*>(connection); }

[[noreturn]] void fail(int code, sqlite3* handle) {
  throw DatabaseFailure(failure_kind_of(code), handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

}  // namespace

/// A connection beside the writer's. It was open before anything was written, so that an error of the disk is told to
/// its file, too.
class SqliteWriteBack::Beside {
 public:
  explicit Beside(const std::string& path) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code, nullptr);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    execute("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 8");
    // It learns from a first look that the database has a log.
    execute("SELECT 1 FROM sqlite_master LIMIT 1");
  }

  /// The first read takes a snapshot.
  void take_snapshot() const {
    try {
      execute("BEGIN; SELECT 1 FROM sqlite_master LIMIT 1");
    } catch (const DatabaseFailure&) {
      release_snapshot();
      throw;
    }
  }
  /// It has written nothing.
  void release_snapshot() const {
    if (sqlite3_get_autocommit(handle_.get()) == 0) execute("ROLLBACK");
  }

  /// Copies what a snapshot keeps from being all of the log, and syncs the database's file. Blocking.
  Copied copy_and_sync() const {
    sqlite3* const handle = handle_.get();
    if (const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        code != SQLITE_OK && code != SQLITE_BUSY)
      return {failure_kind_of(code), sqlite3_errmsg(handle)};
    if (const int code = sync(); code != SQLITE_OK) return {FailureKind::sync, sqlite3_errstr(code)};
    return {};
  }

 private:
  int sync() const {
    sqlite3_file* file = nullptr;
    const int code = sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
    if (code != SQLITE_OK) return code;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  }

  void execute(const char* sql) const {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, handle_.get());
  }

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

SqliteWriteBack::SqliteWriteBack(void* connection, std::string path, int due)
    : connection_(connection),
      path_(std::move(path)),
      due_(due),
      snapshot_(std::make_unique<Beside>(path_)),
      copier_(std::make_unique<Beside>(path_)),
      waits_at_(kLongLog * due_) {}

SqliteWriteBack::~SqliteWriteBack() = default;

void SqliteWriteBack::step(int pages) {
  // The log starts from its beginning again once all of it was written back and no reader needed it.
  if (pages < written_) {
    written_ = warned_at_ = 0;
    waits_at_ = kLongLog * due_;
    wanted_ = false;
    owed_at_.reset();
  }
  if (copying_.valid()) {
    if (copying_.wait_for(0s) != std::future_status::ready) return;
    wait();
    if (pages - written_ > due_ / kLittle && rounds_ < kMostRounds && !owed_at_)
      hold(pages);
    else
      write_back_all(pages);
  } else if (held_at_) {
    // Without a commit since, the snapshot keeps nothing back; nor does anybody wait to be answered.
    if (pages > *held_at_ && !owed_at_)
      copy_what_was_there(pages);
    else
      write_back_all(pages);
  } else if (owed_at_ && steady_clock::now() >= *owed_at_) {
    write_back_all(pages);
  } else if (pages - written_ >= (wanted_ ? 1 : due_)) {
    hold(pages);
  }
}

void SqliteWriteBack::hasten(bool as_a_whole) {
  wanted_ = true;
  if (as_a_whole && !owed_at_) owed_at_ = steady_clock::now();
}

void SqliteWriteBack::hold(int pages) {
  wanted_ = false;
  try {
    snapshot_->take_snapshot();
  } catch (const DatabaseFailure& failure) {
    if (failure.kind == FailureKind::damaged) throw;
    write_back_all(pages);
    return;
  }
  held_at_ = pages;
}

void SqliteWriteBack::let_go() {
  if (std::exchange(held_at_, std::nullopt)) snapshot_->release_snapshot();
}

void SqliteWriteBack::copy_what_was_there(int pages) {
  written_ = *held_at_;
  ++rounds_;
  try {
    copying_ = std::async(std::launch::async, [this] { return copier_->copy_and_sync(); });
  } catch (const std::system_error&) {  // no thread to be had
    write_back_all(pages);
  }
}

void SqliteWriteBack::write_back_all(int pages) {
  let_go();
  wanted_ = false;
  rounds_ = 0;
  written_ = pages;
  const bool was_owed = owed_at_.has_value();
  const bool waits_for_readers = was_owed || pages >= waits_at_;
  if (pages >= waits_at_) waits_at_ = pages + due_;
  const auto began = steady_clock::now();
  // Soon again, or a log that waits for its next thousands of pages takes more of a full disk each time, until nothing
  // but the log is on it; but not so soon that nobody is answered for most of the time.
  const auto try_again = [&] {
    const auto now = steady_clock::now();
    owed_at_ = now + std::max<steady_clock::duration>(kRetry, kRestBetweenTries * (now - began));
  };
  bool done = false;
  try {
    done = checkpoint(waits_for_readers);
  } catch (const DatabaseFailure&) {
    try_again();
    throw;
  }
  owed_at_.reset();
  if (done) return;
  warn_of_long_log(pages);
  if (was_owed) try_again();
}

void SqliteWriteBack::wait() {
  if (!copying_.valid()) return;
  const Copied copied = copying_.get();
  let_go();
  if (!copied.failure) return;
  owed_at_ = steady_clock::now() + kRetry;
  throw DatabaseFailure(*copied.failure, copied.reason);
}

bool SqliteWriteBack::checkpoint(bool waits_for_readers) {
  sqlite3* const handle = handle_of(connection_);
  const int mode = waits_for_readers ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  sqlite3_busy_timeout(handle, kReaderPatienceMilliseconds);
  const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, mode, nullptr, nullptr);
  sqlite3_busy_timeout(handle, SqliteConnection::kBusyTimeoutMilliseconds);
  if (code != SQLITE_OK && code != SQLITE_BUSY) fail(code, handle);
  return code == SQLITE_OK || !waits_for_readers;
}

/// Some other program's transaction keeps the log growing: nothing that we could end.
void SqliteWriteBack::warn_of_long_log(int pages) {
  if (pages < std::max(kLongLog * due_, 2 * warned_at_)) return;
  warned_at_ = pages;
  base::log::warning("storage.log_grows",
                     {{"bytes", pages * SqliteConnection::kPageInLog},
                      {"remedy",
                       "something reads the database without an end, so its log cannot start again: find "
                       "it with fuser -v " +
                           path_ + " and end it (an sqlite3 shell, a backup that hangs)"}});
}

}  // namespace invited::storage
