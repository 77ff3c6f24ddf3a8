#include "storage/sqlite_connection.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

namespace invited::storage {
namespace {

using namespace sqlite_api;

// Checkpoints' worth of log after which readers are waited for, so that the log can start from its beginning again.
constexpr int kLongLog = 8;

// "invt": tells our files from other programs' SQLite files.
constexpr int kApplicationId = 0x696e7674;

constexpr int kBusyTimeoutMilliseconds = 2'000;

FailureKind kind_of(int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return FailureKind::sync;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return FailureKind::no_space;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return FailureKind::busy;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return FailureKind::io;
    default:
      return FailureKind::statement;
  }
}

/// Once for the process and before its first connection. Each connection is used by one thread at a time, and nobody
/// asks for memory statistics: without the locks for both, a transaction is a sixth faster.
void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Where somebody in this process has opened SQLite before, these fail and change nothing but speed.
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
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
  int checkpoint_pages;
  soci::session session;
  sqlite3* handle = nullptr;
  int log_pages = 0;            // in the log as of the last commit
  int pages_at_checkpoint = 0;  // in it when it was last written back

  State(const std::string& path, int checkpoint_pages_in)
      : checkpoint_pages(checkpoint_pages_in), session(soci::sqlite3, connection_string(path)) {
    handle = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kBusyTimeoutMilliseconds);
  }

  void execute(const char* sql) const {
    if (const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
      throw DatabaseFailure(kind_of(code), sqlite3_errmsg(handle));
  }

  /// The first column of the only row.
  std::string ask(const char* sql) const {
    std::string answer;
    const auto take = [](void* target, int columns, char** values, char**) {
      if (columns > 0 && values[0] != nullptr) *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    if (const int code = sqlite3_exec(handle, sql, take, &answer, nullptr); code != SQLITE_OK)
      throw DatabaseFailure(kind_of(code), sqlite3_errmsg(handle));
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

  void checkpoint(int mode) const {
    int in_log = 0;
    int done = 0;
    const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, mode, &in_log, &done);
    // Busy: a reader still needs the log. The next one will do it.
    if (code != SQLITE_OK && code != SQLITE_BUSY) throw DatabaseFailure(kind_of(code), sqlite3_errmsg(handle));
  }
};

SqliteConnection::SqliteConnection(const std::string& path, Role role, int checkpoint_pages) {
  configure_library();
  if (role == Role::writer) create_file(path);
  try {
    state_ = std::make_unique<State>(path, checkpoint_pages);
  } catch (const soci::soci_error& error) {
    throw DatabaseFailure(classify(error), error.get_error_message());
  }
  State& state = *state_;

  state.execute("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;");
  if (role == Role::reader) {
    state.execute("PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 0;");
    give_up();
    return;
  }

  state.claim_file();
  if (state.ask("PRAGMA journal_mode = WAL") != "wal")
    throw DatabaseFailure(FailureKind::io, "The file system cannot hold a database with a write-ahead log.");
  state.execute(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;"
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;");
  sqlite3_wal_hook(
      state.handle,
      [](void* target, sqlite3*, const char*, int pages) {
        *static_cast<int*>(target) = pages;
        return SQLITE_OK;
      },
      &state.log_pages);
  // A first read makes the log's file; its name, too, must be on disk before anything is acknowledged.
  state.ask("SELECT count(*) FROM sqlite_master");
  sync_directory_of(path);
}

SqliteConnection::~SqliteConnection() = default;

soci::session& SqliteConnection::session() { return state_->session; }

FailureKind SqliteConnection::classify(const soci::soci_error& error) const {
  const auto* known = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  if (known == nullptr) return FailureKind::statement;
  const int code = state_ ? sqlite3_extended_errcode(state_->handle) : known->result();
  // The handle's code is the extended one, but only as long as it is still about this error.
  return kind_of((code & 0xff) == (known->result() & 0xff) ? code : known->result());
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(state_->handle) == 0; }

void SqliteConnection::maintain() {
  State& state = *state_;
  // The log starts from its beginning again once all of it was written back and no reader needed it.
  if (state.log_pages < state.pages_at_checkpoint) state.pages_at_checkpoint = 0;
  if (state.log_pages - state.pages_at_checkpoint < state.checkpoint_pages) return;
  state.pages_at_checkpoint = state.log_pages;
  state.checkpoint(state.log_pages < kLongLog * state.checkpoint_pages ? SQLITE_CHECKPOINT_PASSIVE
                                                                       : SQLITE_CHECKPOINT_RESTART);
}

void SqliteConnection::give_up() {
  // Else the last connection to close writes the log back, and syncs it.
  sqlite3_db_config(state_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace invited::storage
