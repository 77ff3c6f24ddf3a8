#include "storage/sqlite_backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/file_owner.h"
#include "base/uuid.h"
#include "domain/incarnation.h"
#include "storage/migrator.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;
using domain::Result;

constexpr int kPagesInAStep = 256;  // 1 MiB
// What is written is sent to the disk so often: else its last sync, of gigabytes, would hold up the writer's.
constexpr std::uint64_t kPagesBetweenSyncs = 8'192;
// Steps of SQLite's machine, some microseconds each, between two questions whether to go on.
constexpr int kStepsBetweenQuestions = 100'000;
constexpr int kBusyTimeoutMilliseconds = 5'000;

struct Failed {
  std::string reason;
};

class Handle {
 public:
  Handle(const std::string& path, int flags) {
    const int code = sqlite3_open_v2(path.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) {
      Failed failed{path + ": " + sqlite3_errstr(code)};
      sqlite3_close(handle_);
      throw failed;
    }
    sqlite3_busy_timeout(handle_, kBusyTimeoutMilliseconds);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { sqlite3_close(handle_); }

  sqlite3* get() const { return handle_; }

  void execute(const std::string& sql) const {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      throw Failed{sqlite3_errmsg(handle_)};
  }

  /// The first column of the first row.
  std::string ask(const std::string& sql) const {
    std::string answer;
    const auto take = [](void* target, int columns, char** values, char**) {
      auto& text = *static_cast<std::string*>(target);
      if (columns > 0 && values[0] != nullptr && text.empty()) text = values[0];
      return 0;
    };
    if (sqlite3_exec(handle_, sql.c_str(), take, &answer, nullptr) != SQLITE_OK) throw Failed{sqlite3_errmsg(handle_)};
    return answer;
  }

 private:
  sqlite3* handle_ = nullptr;
};

void sync_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int code = errno;
  if (file >= 0) ::close(file);
  if (!synced) throw Failed{path + " cannot be synced: " + std::strerror(code)};
}

/// Closed to others from its first moment.
void create_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) throw Failed{path + " cannot be made: " + std::strerror(errno)};
  base::give_to_owner_of_folder(file, std::filesystem::path(path).parent_path().c_str());
  ::close(file);
}

void copy_pages(const SqliteBackup& backup) {
  const Handle source(backup.source, SQLITE_OPEN_READWRITE);
  // Neither reads nor the end of this connection may write the log back: only the service's writer may.
  sqlite3_db_config(source.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  source.execute("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0");
  // The snapshot. Without it each commit in the meantime would make the copy begin anew.
  source.execute("BEGIN");
  source.ask("SELECT count(*) FROM sqlite_master");
  const Handle target(backup.target, SQLITE_OPEN_READWRITE);
  target.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");

  const auto finish = [](sqlite3_backup* running) { sqlite3_backup_finish(running); };
  std::unique_ptr<sqlite3_backup, decltype(finish)> running(
      sqlite3_backup_init(target.get(), "main", source.get(), "main"), finish);
  if (!running) throw Failed{sqlite3_errmsg(target.get())};
  const std::uint64_t page = std::stoull(source.ask("PRAGMA page_size"));
  std::uint64_t synced = 0;
  // The first step copies nothing: it tells how much there is.
  for (int pages = 0;; pages = kPagesInAStep) {
    const int code = sqlite3_backup_step(running.get(), pages);
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(running.get()));
    const std::uint64_t done = total - static_cast<std::uint64_t>(sqlite3_backup_remaining(running.get()));
    if (code != SQLITE_OK && code != SQLITE_DONE) throw Failed{sqlite3_errstr(code)};
    if (!backup.go_on(BackupStage::copying, done * page, total * page)) throw Failed{"it was given up"};
    if (code == SQLITE_DONE) break;
    if (done - synced >= kPagesBetweenSyncs) {
      sync_file(backup.target);
      synced = done;
    }
  }
  if (sqlite3_backup_finish(running.release()) != SQLITE_OK) throw Failed{sqlite3_errmsg(target.get())};
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kCounts{{
    {"apps", "SELECT count(*) FROM app"},
    {"environments", "SELECT count(*) FROM environment"},
    {"accounts", "SELECT count(*) FROM account"},
    {"invitations", "SELECT count(*) FROM invitation"},
    {"pending_invitations", "SELECT count(*) FROM invitation WHERE state = 'pending'"},
    {"mails", "SELECT count(*) FROM outbox_message"},
    {"queued_mails", "SELECT count(*) FROM outbox_message WHERE state = 'queued'"},
    {"audit_events", "SELECT count(*) FROM audit_event"},
}};

CopiedDatabase mark_and_check(const SqliteBackup& backup, base::Timestamp now) {
  CopiedDatabase copied;
  const Handle target(backup.target, SQLITE_OPEN_READWRITE);
  // One file, without a log beside it.
  if (target.ask("PRAGMA journal_mode = DELETE") != "delete") throw Failed{"the copy cannot be taken out of its log"};
  copied.schema_version = std::stoi(target.ask("SELECT max(version) FROM schema_version"));
  // A backup that is made before an upgrade may be of a schema that cannot be marked.
  if (target.ask("SELECT count(*) FROM sqlite_master WHERE name = 'incarnation'") == "1")
    target.execute("BEGIN; DELETE FROM incarnation; INSERT INTO incarnation (instance, id, since) VALUES ('" +
                   std::string(domain::kBackupInstance) + "', '" + base::Uuid::random().to_string() + "', " +
                   std::to_string(now.time_since_epoch().count()) + "); COMMIT");
  sqlite3_progress_handler(
      target.get(), kStepsBetweenQuestions,
      [](void* asked) { return static_cast<const SqliteBackup*>(asked)->go_on(BackupStage::checking, 0, 0) ? 0 : 1; },
      const_cast<SqliteBackup*>(&backup));
  if (const std::string found = target.ask("PRAGMA integrity_check(1)"); found != "ok")
    throw Failed{"the copy contradicts itself, and so may the database: " + found + ". See invited check"};
  for (const auto& [name, sql] : kCounts) copied.counts.emplace_back(name, std::stoull(target.ask(std::string(sql))));
  return copied;
}

}  // namespace

Result<CopiedDatabase> copy_sqlite_database(const SqliteBackup& backup, base::Timestamp now) {
  try {
    create_file(backup.target);
    copy_pages(backup);
    CopiedDatabase copied = mark_and_check(backup, now);
    sync_file(backup.target);
    struct stat status{};
    if (::stat(backup.target.c_str(), &status) != 0) throw Failed{backup.target + ": " + std::strerror(errno)};
    copied.bytes = static_cast<std::uint64_t>(status.st_size);
    return copied;
  } catch (const Failed& failed) {
    return domain::refuse(ErrorCode::unavailable, "The database cannot be copied: " + failed.reason + ".");
  }
}

int newest_sqlite_schema() { return embedded_migrations("sqlite").back().version; }

}  // namespace invited::storage
