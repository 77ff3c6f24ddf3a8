#include "storage/migrator.h"

#include <algorithm>
#include <charconv>

#include "base/embedded_file.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "storage/statement.h"

namespace invited::storage::migrations {
std::span<const base::EmbeddedFile> files();
}

namespace invited::storage {
namespace {

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

domain::Result<void> migrate(Connection& connection, std::span<const Migration> migrations, base::Timestamp now,
                             OlderSchema older) {
  std::string_view doing = "schema_version";
  try {
    Statement(connection,
              "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
              " applied_at BIGINT NOT NULL)")
        .run();
    const int found = current_version(connection);
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
    for (const Migration& migration : migrations) {
      if (migration.version <= found) continue;
      doing = migration.name;
      apply(connection, migration, now);
      base::log::info("storage.migrated", {{"migration", migration.name}});
    }
    return {};
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(domain::ErrorCode::unavailable,
                          "The migration " + std::string(doing) + " failed and was undone: " + failure.what());
  }
}

}  // namespace invited::storage
