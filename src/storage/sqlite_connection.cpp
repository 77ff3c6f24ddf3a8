#include "storage/sqlite_connection.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file_owner.h"
#include "storage/file_guard.h"
#include "storage/sqlite_digest.h"
#include "storage/sqlite_failure.h"
#include "storage/sqlite_kept_index.h"
#include "storage/sqlite_log_check.h"
#include "storage/sqlite_log_file.h"
#include "storage/sqlite_log_room.h"
#include "storage/sqlite_page_cache.h"
#include "storage/sqlite_statement.h"
#include "storage/sqlite_write_back.h"

namespace invited::storage {
namespace {

using namespace sqlite_api;

// Steps of SQLite's machine, some microseconds each, between two looks at the clock.
constexpr int kStepsBetweenLooks = 10'000;

// Of a log that cannot grow: with fewer each commit would have the database synced.
constexpr int kLeastPagesToWriteBack = 64;

constexpr std::int64_t kSmallestCacheKib = 16 << 10;
constexpr std::int64_t kLargestCacheKib = 64 << 10;

// "invt": tells our files from other programs' SQLite files.
constexpr int kApplicationId = 0x696e7674;

/// Once for the process and before its first connection. Each connection is used by one thread at a time, and nobody
/// asks for memory statistics: without the locks for both, a transaction is a sixth faster.
void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Where somebody in this process has opened SQLite before, these fail and change nothing but speed.
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    register_page_cache();
    register_log_files();
  });
}

[[noreturn]] void fail_system(const std::string& what, const std::string& path) {
  const int code = errno;
  throw DatabaseFailure(code == ENOSPC ? FailureKind::no_space : FailureKind::io,
                        what + " " + path + ": " + std::strerror(code));
}

void sync_path(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) fail_system("Cannot open", path);
  const int result = ::fsync(descriptor);
  const int code = errno;
  ::close(descriptor);
  errno = code;
  if (result != 0) fail_system("Cannot sync", path);
}

void sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  sync_path(directory.empty() ? "." : directory.string(), O_RDONLY | O_DIRECTORY);
}

/// Creates an empty file that only its owner may read: SQLite gives the log the same mode.
void create_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    if (errno == EEXIST) return;
    fail_system("Cannot create the database", path);
  }
  // SQLite gives log and index to the same user.
  const auto folder = std::filesystem::path(path).parent_path();
  base::give_to_owner_of_folder(descriptor, folder.empty() ? "." : folder.c_str());
  ::close(descriptor);
  sync_directory_of(path);
}

/// SOCI's connection string is split at blanks and '=' unless quoted; a quote cannot be escaped.
std::string connection_string(const std::string& path) {
  if (path.find('"') != std::string::npos)
    throw DatabaseFailure(FailureKind::io, "The database's path must not hold a quotation mark: " + path);
  return "dbname=\"" + path + "\"";
}

}  // namespace

struct SqliteConnection::State {
  const std::string path;
  soci::session session;
  sqlite3* handle = nullptr;
  FileGuard files;
  bool files_seen_by_commit = false;  // just now: no need to look again before the log is written back
  // The writer's.
  int log_pages = 0;  // in the log as of the last commit
  int log_pages_before = 0;
  std::int64_t cache_kib = 0;
  std::optional<SqliteWriteBack> write_back;
  std::optional<SqliteLogRoom> log_room;
  std::int64_t longest_log = 0;  // bytes that its file keeps when it begins anew
  std::int64_t log_limit = 0;    // as SQLite was told
  int index_regions = 0;         // that SQLite's index of the log surely has
  bool lacks_room = false;       // the log has little room, and the disk none for more
  std::chrono::milliseconds longest_read{};
  std::chrono::steady_clock::time_point read_ends;

  explicit State(const std::string& path_in) : path(path_in), session(soci::sqlite3, connection_string(path_in)) {
    handle = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kBusyTimeoutMilliseconds);
  }

  void execute(const char* sql) const {
    if (const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
      throw DatabaseFailure(failure_kind_of(code), sqlite3_errmsg(handle));
  }

  /// The first column of the only row.
  std::string ask(const char* sql) const {
    std::string answer;
    const auto take = [](void* target, int columns, char** values, char**) {
      if (columns > 0 && values[0] != nullptr) *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    if (const int code = sqlite3_exec(handle, sql, take, &answer, nullptr); code != SQLITE_OK)
      throw DatabaseFailure(failure_kind_of(code), sqlite3_errmsg(handle));
    return answer;
  }

  void claim_file() const {
    const std::string ours = std::to_string(kApplicationId);
    const std::string found = ask("PRAGMA application_id");
    if (found == ours) return;
    if (found != "0" || ask("SELECT count(*) FROM sqlite_master") != "0")
      throw DatabaseFailure(FailureKind::io, "The file is another program's database.");
    execute(("PRAGMA application_id = " + ours).c_str());
  }

  /// Large enough for the inner pages of the database's indexes, less than a hundredth of it, and as small as it can
  /// be: the pages of a small database come from the system's cache as fast.
  void fit_cache() {
    const std::int64_t database_kib = std::stoll(ask("PRAGMA page_count")) * kPage / 1'024;
    const std::int64_t wanted = std::clamp(database_kib / 128, kSmallestCacheKib, kLargestCacheKib);
    if (wanted == cache_kib) return;
    execute(("PRAGMA cache_size = -" + std::to_string(wanted)).c_str());
    cache_kib = wanted;
  }

  /// Lengthens the log where it is time to; where the disk has no room for a longer one, it shall begin anew. Another
  /// program (an sqlite3 shell) may be writing to it right now: not before that is over.
  void keep_log_room() {
    const std::int64_t used = log_pages * kPageInLog;
    const bool is_indexed = make_index_room(used + 2 * SqliteLogRoom::kRoom);
    if (!is_indexed) {
      lacks_room = true;
    } else if (log_room->is_due(used)) {
      lacks_room = false;
      while_nobody_writes(/*patience=*/0, [&] { lacks_room = !log_room->make(used); });
    }
    if (lacks_room && log_pages >= kLeastPagesToWriteBack) write_back->hasten(/*as_a_whole=*/true);
    if (log_room->is_too_long()) {
      limit_log(SqliteLogRoom::kShortLog);
      write_back->hasten(/*as_a_whole=*/false);
    } else {
      limit_log(longest_log);
    }
  }

  /// For a log of so many bytes. SQLite makes its index of the log longer (32 KiB for 4,096 pages) when the pages of a
  /// commit are synced already: without space nobody could tell any more what became of it. False: there is none now.
  bool make_index_room(std::int64_t log_bytes) {
    constexpr int kRegion = 32'768;  // sqlite.org/walformat.html, "Hash Tables"; the first is shorter by a header
    const auto last = static_cast<int>((log_bytes / kPageInLog + 33) / 4'096);
    if (last < index_regions) return true;
    sqlite3_file* file = nullptr;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
    for (; index_regions <= last; ++index_regions) {
      void volatile* region = nullptr;
      if (file->pMethods->xShmMap(file, index_regions, kRegion, /*extend=*/1, &region) != SQLITE_OK) return false;
    }
    return true;
  }

  /// What the log's file has grown beyond it goes back to the disk when the log begins anew.
  void limit_log(std::int64_t bytes) {
    if (std::exchange(log_limit, bytes) != bytes)
      execute(("PRAGMA journal_size_limit = " + std::to_string(bytes)).c_str());
  }

  /// False: another program writes, and did so for `patience` milliseconds.
  template <class Work>
  bool while_nobody_writes(int patience, Work work) {
    sqlite3_busy_timeout(handle, patience);
    const int code = sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    sqlite3_busy_timeout(handle, kBusyTimeoutMilliseconds);
    if ((code & 0xff) == SQLITE_BUSY) return false;
    if (code != SQLITE_OK) throw DatabaseFailure(failure_kind_of(code), sqlite3_errmsg(handle));
    try {
      work();
    } catch (...) {
      sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
    execute("ROLLBACK");
    return true;
  }

  /// Whether the last connection to close writes the log back, and syncs it.
  void checkpoint_on_close(bool wanted) const {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
  }

  /// From its BEGIN on, a transaction has `longest_read`.
  void limit_reads() {
    sqlite3_trace_v2(
        handle, SQLITE_TRACE_STMT,
        [](unsigned, void* target, void*, void*) {
          auto& state = *static_cast<State*>(target);
          if (sqlite3_get_autocommit(state.handle) != 0)
            state.read_ends = std::chrono::steady_clock::now() + state.longest_read;
          return 0;
        },
        this);
    sqlite3_progress_handler(
        handle, kStepsBetweenLooks,
        [](void* target) {
          const auto& state = *static_cast<const State*>(target);
          return static_cast<int>(std::chrono::steady_clock::now() > state.read_ends);
        },
        this);
  }
};

SqliteConnection::SqliteConnection(const std::string& path, Role role, int checkpoint_pages,
                                   std::chrono::milliseconds longest_read) {
  configure_library();
  if (role == Role::writer) {
    expect_whole_log(path);
    distrust_kept_index(path);
    create_file(path);
  }
  try {
    state_ = std::make_unique<State>(path);
  } catch (const soci::soci_error& error) {
    throw failure_of(error);
  }
  State& state = *state_;
  // Closing changes nothing until all is known to have gone well (end_maintenance): a sync that failed is not tried
  // again, and what is damaged stays as it is.
  state.checkpoint_on_close(false);

  add_digest_function(state.handle);
  state.execute("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;");
  if (role == Role::reader) {
    state.execute("PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 0;");
    state.longest_read = longest_read;
    state.limit_reads();
    return;
  }

  state.claim_file();
  if (state.ask("PRAGMA journal_mode = WAL") != "wal")
    throw DatabaseFailure(FailureKind::io, "The file system cannot hold a database with a write-ahead log.");
  state.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0;");
  state.fit_cache();
  state.longest_log = 2 * checkpoint_pages * kPageInLog + SqliteLogRoom::kRoom;
  state.limit_log(state.longest_log);
  sqlite3_wal_hook(
      state.handle,
      [](void* target, sqlite3*, const char*, int pages) {
        *static_cast<int*>(target) = pages;
        return SQLITE_OK;
      },
      &state.log_pages);
  // A first read makes the log's file; its name, too, must be on disk before anything is acknowledged.
  state.ask("SELECT count(*) FROM sqlite_master");
  gather_log_writes(state.handle);
  state.write_back.emplace(state.handle, path, checkpoint_pages);
  state.log_room.emplace(path + "-wal");
  if (!state.while_nobody_writes(kBusyTimeoutMilliseconds, [&] { state.log_room->write_again(); }))
    throw DatabaseFailure(FailureKind::busy, "Another program is writing to it (an sqlite3 shell?): end it first.");
  state.make_index_room(state.log_room->size_of_file());
  sync_directory_of(path);
  for (const char* ending : {"", "-wal", "-shm"}) guard(path + ending);
}

SqliteConnection::~SqliteConnection() = default;

soci::session& SqliteConnection::session() { return state_->session; }

std::unique_ptr<PreparedStatement> SqliteConnection::prepare(const std::string& sql, const Parameters& parameters,
                                                             const Columns& columns) {
  return std::make_unique<SqliteStatement>(*this, sql, parameters, columns);
}

/// Without SOCI's `what`, which would tell parameters' values: they are no business of a log.
DatabaseFailure SqliteConnection::failure_of(const soci::soci_error& error) const {
  FailureKind kind = FailureKind::statement;
  if (const auto* known = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    const int code = state_ ? sqlite3_extended_errcode(state_->handle) : known->result();
    // The handle's code is the extended one, but only as long as it is still about this error.
    kind = failure_kind_of((code & 0xff) == (known->result() & 0xff) ? code : known->result());
  }
  return {kind, error.get_error_message()};
}

DatabaseFailure SqliteConnection::failure_of(int code) const {
  return {failure_kind_of(code), sqlite3_errmsg(state_->handle)};
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(state_->handle) == 0; }

void SqliteConnection::maintain() {
  State& state = *state_;
  if (!std::exchange(state.files_seen_by_commit, false)) state.files.expect_in_place();
  state.write_back->step(state.log_pages);
  // Whatever becomes of this: what is in the log is written back first.
  state.keep_log_room();
  if (state.log_pages < std::exchange(state.log_pages_before, state.log_pages)) state.fit_cache();
}

void SqliteConnection::make_space() {
  state_->write_back->hasten(/*as_a_whole=*/true);
  maintain();
}

void SqliteConnection::end_maintenance() {
  state_->write_back->wait();
  state_->checkpoint_on_close(true);
}

void SqliteConnection::expect_large_work(bool expected) {
  const std::string folder = expected ? std::filesystem::absolute(state_->path).parent_path().string() : std::string();
  char* const sql = sqlite3_mprintf("PRAGMA temp_store_directory = %Q", folder.c_str());
  const std::unique_ptr<char, decltype(&sqlite3_free)> owner(sql, &sqlite3_free);
  state_->execute(sql);
  state_->execute(expected ? "PRAGMA temp_store = FILE" : "PRAGMA temp_store = MEMORY");
}

void SqliteConnection::expect_in_place() {
  state_->files.expect_in_place();
  state_->files_seen_by_commit = true;
}

void SqliteConnection::guard(const std::string& path) { state_->files.watch(path); }

bool SqliteConnection::check(std::optional<std::chrono::milliseconds> limit) {
  sqlite3* handle = state_->handle;
  std::string found;
  int code = SQLITE_OK;
  {
    std::mutex mutex;
    std::condition_variable_any done;
    const std::jthread timer([&](const std::stop_token& stop) {
      std::unique_lock lock(mutex);
      if (limit && !done.wait_for(lock, stop, *limit, [] { return false; }) && !stop.stop_requested())
        sqlite3_interrupt(handle);
    });
    const auto take = [](void* target, int, char** values, char**) {
      if (values[0] != nullptr) *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    code = sqlite3_exec(handle, "PRAGMA integrity_check(1)", take, &found, nullptr);
  }
  // A row that refers to nothing can be mended while the service runs: no reason to refuse the start.
  if (code == SQLITE_OK && found == "ok" && !limit)
    if (const std::string table = state_->ask("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1"); !table.empty())
      found = "a row of " + table + " refers to one that is not there";
  if (code == SQLITE_INTERRUPT) return false;
  if (code != SQLITE_OK) throw failure_of(code);
  std::ranges::replace(found, '\n', ' ');
  if (found != "ok") throw DatabaseFailure(FailureKind::damaged, found);
  return true;
}

}  // namespace invited::storage
