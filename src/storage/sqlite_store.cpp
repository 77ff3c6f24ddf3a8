#include "storage/sqlite_store.h"

#include <filesystem>
#include <optional>

#include "base/log.h"
#include "storage/batch_writer.h"
#include "storage/call_statements.h"
#include "storage/disk_watermark.h"
#include "storage/group_commit.h"
#include "storage/lock_file.h"
#include "storage/migrator.h"
#include "storage/outbox_statements.h"
#include "storage/read_pool.h"
#include "storage/sqlite_connection.h"
#include "storage/sqlite_kept_index.h"
#include "storage/sqlite_log_check.h"
#include "storage/statement.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;

class SqliteStore final : public domain::Store {
 public:
  SqliteStore(LockFile lock, std::unique_ptr<Connection> writer, const ReadPool::Open& open_reader,
              const SqliteOptions& options, const std::string& folder)
      : lock_(std::move(lock)),
        connection_(std::move(writer)),
        disk_(folder, options.watermark_bytes),
        reads_(open_reader, options.readers),
        batches_(*connection_, options.on_fatal),
        writes_(batches_, {options.queue_limit, options.batch_limit, options.begun_limit}) {}

  domain::Result<void> write(Work work, domain::Urgency urgency, const domain::Foresight& foresight) override {
    if (is_short_of_disk(urgency)) return std::unexpected(short_of_disk());
    return writes_.submit(work, urgency, foresight);
  }

  void begin_write(Work work, domain::Urgency urgency, const domain::Foresight& foresight, Done done) override {
    if (is_short_of_disk(urgency)) return done(std::unexpected(short_of_disk()));
    writes_.begin(std::move(work), urgency, foresight, std::move(done));
  }

  domain::Result<void> read(Work work) override { return reads_.read(work); }

  bool is_ready() const override { return writes_.is_ready(); }

  void drain() override { writes_.drain(); }

 private:
  bool is_short_of_disk(domain::Urgency urgency) { return urgency == domain::Urgency::new_work && !disk_.has_room(); }
  static domain::Error short_of_disk() {
    return {
        ErrorCode::unavailable, "The service is short of disk space: try again later.", {}, std::chrono::seconds(60)};
  }

  // Destroyed from the last to the first: the writer thread ends, readers close, the writer's connection closes last
  // (and does the last checkpoint), then others may have the file.
  LockFile lock_;
  std::unique_ptr<Connection> connection_;
  DiskWatermark disk_;
  ReadPool reads_;
  BatchWriter batches_;
  GroupCommit writes_;
};

std::string explain(const std::string& path, const DatabaseFailure& failure) {
  if (failure.kind != FailureKind::damaged) return "The database " + path + " cannot be opened: " + failure.what();
  std::string what = failure.what();
  if (!what.ends_with('.')) what += '.';
  return "The database " + path + " is damaged: " + what + " Nothing was changed. Restore your newest backup; keep " +
         path + "* aside. To see what can be read, work on a copy of these files: sqlite3 COPY .recover";
}

/// A pending one whose digests (sqlite_digest.h) are not those of its texts.
std::optional<std::string> find_invitation_without_digests(Connection& connection) {
  Number is_known = 0;
  Statement(connection, "SELECT count(*) FROM pragma_table_info('invitation') WHERE name = 'mailbox_digest'", {},
            {&is_known})
      .find();
  Text id;
  if (is_known == 0 ||  // an older schema
      !Statement(connection,
                 "SELECT id FROM invitation WHERE state = 'pending' AND (mailbox_digest IS NOT digest(8, mailbox)"
                 " OR invitee_digest IS NOT digest(16, environment_id, invitee_key)) LIMIT 1",
                 {}, {&id})
           .find())
    return std::nullopt;
  return id;
}

// A start must not take long, however large the database is.
constexpr std::chrono::milliseconds kCheckAtStart{300};

std::unique_ptr<Connection> open_checked(const SqliteOptions& options, const std::string& lock_path) {
  auto writer =
      std::make_unique<SqliteConnection>(options.path, SqliteConnection::Role::writer, options.checkpoint_pages);
  writer->guard(lock_path);
  if (!writer->check(kCheckAtStart))
    base::log::info("storage.checked_in_part", {{"remedy", "invited check looks at all of the database"}});
  return writer;
}

}  // namespace

domain::Result<std::unique_ptr<domain::Store>> open_sqlite_store(const SqliteOptions& options,
                                                                 const base::Clock& clock) {
  const std::string lock_path = options.lock_path.empty() ? lock_path_of(options.path) : options.lock_path;
  auto lock = LockFile::take(lock_path, "the database " + options.path);
  if (!lock) return std::unexpected(std::move(lock.error()));
  try {
    std::unique_ptr<Connection> writer = open_checked(options, lock_path);
    if (auto migrated = migrate(*writer, embedded_migrations("sqlite"), clock.now(), options.older_schema); !migrated)
      return std::unexpected(std::move(migrated.error()));
    // We hold the lock, so whoever claimed a mail or a call is dead. With several instances this must not be done.
    const auto mails = OutboxStatements(*writer).end_all_leases(clock.now());
    const auto calls = CallStatements(*writer, domain::CallKind::refresh).end_all_leases(clock.now());
    const auto deliveries = CallStatements(*writer, domain::CallKind::webhook).end_all_leases(clock.now());
    if (mails + calls + deliveries > 0)
      base::log::info("storage.leases_ended",
                      {{"messages", mails}, {"refresh_calls", calls}, {"webhook_deliveries", deliveries}});
    const auto open_reader = [&]() -> std::unique_ptr<Connection> {
      return std::make_unique<SqliteConnection>(options.path, SqliteConnection::Role::reader);
    };
    const auto folder = std::filesystem::path(options.path).parent_path();
    return std::make_unique<SqliteStore>(*std::move(lock), std::move(writer), open_reader, options,
                                         folder.empty() ? std::string(".") : folder.string());
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(ErrorCode::unavailable, explain(options.path, failure));
  }
}

domain::Result<void> expect_whole_sqlite_log(const std::string& path) {
  try {
    expect_whole_log(path);
    distrust_kept_index(path);
    return {};
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(ErrorCode::unavailable, explain(path, failure));
  }
}

domain::Result<void> check_sqlite_database(const std::string& path) {
  try {
    SqliteConnection connection(path, SqliteConnection::Role::reader, 0, std::chrono::hours(24));
    connection.check(std::nullopt);
    if (const auto id = find_invitation_without_digests(connection))
      return domain::refuse(
          ErrorCode::unavailable,
          "In the database " + path + " the invitation " + *id +
              " was written by hand and is not found by whom it is for: revoke it (invited invitation "
              "revoke), and send another one.");
    return {};
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(ErrorCode::unavailable, explain(path, failure));
  }
}

}  // namespace invited::storage
