#include "storage/migrator.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/embedded_file.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "storage/statement.h"

namespace invited::storage::migrations {
std::span<const base::EmbeddedFile> files();
}

namespace invited::storage {
namespace {

/// Others use the table meanwhile.
constexpr std::chrono::seconds kPauseForOthers{1};

class LargeWork {
 public:
  explicit LargeWork(Connection& connection) : connection_(connection) { connection.expect_large_work(true); }
  ~LargeWork() {
    try {
      connection_.expect_large_work(false);
    } catch (const DatabaseFailure& failure) {  // what was migrated is
      base::log::error("storage.maintenance_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
    }
  }
  LargeWork(const LargeWork&) = delete;
  LargeWork& operator=(const LargeWork&) = delete;

 private:
  Connection& connection_;
};

std::vector<std::string_view> split_statements(std::string_view sql) {
  std::vector<std::string_view> statements;
  while (!sql.empty()) {
    const auto end = sql.find(";\n");
    const std::string_view statement = sql.substr(0, end);
    if (statement.find_first_not_of(" \n") != std::string_view::npos) statements.push_back(statement);
    if (end == std::string_view::npos) break;
    sql.remove_prefix(end + 2);
  }
  return statements;
}

int current_version(Connection& connection) {
  Number version = 0;
  Statement(connection, "SELECT COALESCE(MAX(version), 0) FROM schema_version", {}, {&version}).find();
  return static_cast<int>(version);
}

void apply(Connection& connection, const Migration& migration, base::Timestamp now) {
  Statement(connection, connection.begin_write_sql()).run();
  try {
    for (const std::string_view sql : split_statements(migration.sql)) Statement(connection, sql).run();
    Number version = migration.version;
    Text name(migration.name);
    Number applied_at = now.time_since_epoch().count();
    Statement(connection,
              "INSERT INTO schema_version (version, name, applied_at) VALUES (:version, :name, :applied_at)",
              {{"version", version}, {"name", name}, {"applied_at", applied_at}})
        .run();
    base::failpoint("migration_before_commit");
    Statement(connection, "COMMIT").run();
  } catch (const DatabaseFailure&) {
    if (connection.in_transaction()) Statement(connection, "ROLLBACK").run();
    throw;
  }
}

/// False: others use what it changes; it was undone.
bool try_apply(Connection& connection, const Migration& migration, base::Timestamp now) try {
  apply(connection, migration, now);
  return true;
} catch (const DatabaseFailure& failure) {
  if (failure.kind != FailureKind::busy) throw;
  return false;
}

domain::Result<void> judge_version(int found, std::span<const Migration> migrations, OlderSchema older) {
  const int known = migrations.empty() ? 0 : migrations.back().version;
  if (found > known)
    return domain::refuse(domain::ErrorCode::unavailable,
                          "The database has schema version " + std::to_string(found) +
                              ", but this program knows only versions up to " + std::to_string(known) +
                              ": start the program version that wrote it, or a newer one.");
  if (found > 0 && found < known && older == OlderSchema::refuse)
    return domain::refuse(domain::ErrorCode::unavailable,
                          "The database has schema version " + std::to_string(found) + ", and this program's is " +
                              std::to_string(known) +
                              ": the service brings it there when it starts, and older programs cannot use it then. "
                              "Make a backup first (invited backup), then start the service.",
                          std::string(kSchemaParameter));
  return {};
}

}  // namespace

std::vector<Migration> embedded_migrations(std::string_view dialect) {
  const std::string ending = "." + std::string(dialect) + ".sql";
  std::vector<Migration> found;
  for (const base::EmbeddedFile& file : migrations::files()) {
    if (!file.name.ends_with(ending)) continue;
    Migration migration{0, file.name, file.content};
    std::from_chars(file.name.data(), file.name.data() + file.name.size(), migration.version);
    found.push_back(migration);
  }
  std::ranges::sort(found, {}, &Migration::version);
  return found;
}

domain::Result<bool> is_migrated(Connection& connection, std::span<const Migration> migrations, OlderSchema older) {
  Number exists = 0;
  Statement(connection,
            by_dialect(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'",
                       "SELECT CASE WHEN to_regclass('schema_version') IS NULL THEN 0 ELSE 1 END"),
            {}, {&exists})
      .find();
  const int found = exists == 0 ? 0 : current_version(connection);
  if (auto judged = judge_version(found, migrations, older); !judged) return std::unexpected(std::move(judged.error()));
  return !migrations.empty() && found == migrations.back().version;
}

domain::Result<void> migrate(Connection& connection, std::span<const Migration> migrations, base::Timestamp now,
                             OlderSchema older, Patience* patience) {
  std::string_view doing = "schema_version";
  try {
    Statement(connection,
              "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
              " applied_at BIGINT NOT NULL)")
        .run();
    const int found = current_version(connection);
    if (auto judged = judge_version(found, migrations, older); !judged) return judged;
    std::optional<LargeWork> large_work;
    for (const Migration& migration : migrations) {
      if (migration.version <= found) continue;
      doing = migration.name;
      if (!large_work) large_work.emplace(connection);
      while (!try_apply(connection, migration, now))
        if (patience == nullptr || !patience->allows(kPauseForOthers, "whoever uses a table that is to be changed"))
          return domain::refuse(domain::ErrorCode::unavailable,
                                "The migration " + std::string(doing) +
                                    " was undone, because somebody used a table that it changes (a backup? an open "
                                    "transaction?): see that it ends, then start again.");
      base::log::info("storage.migrated", {{"migration", migration.name}});
    }
    return {};
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(domain::ErrorCode::unavailable,
                          "The migration " + std::string(doing) + " failed and was undone: " + failure.what());
  }
}

}  // namespace invited::storage
