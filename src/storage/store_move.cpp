#include "storage/store_move.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "storage/lock_file.h"
#include "storage/migrator.h"
#include "storage/moved_table.h"
#include "storage/postgres_checks.h"
#include "storage/postgres_connection.h"
#include "storage/schema_lock.h"
#include "storage/sqlite_connection.h"
#include "storage/sqlite_log_check.h"
#include "storage/statement.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;
using domain::refuse;

// Of the SQLite file, what has no place in PostgreSQL.
constexpr std::string_view kNotMoved[] = {"schema_version", "writer_probe"};

void expect_schema(Connection& source) {
  Number version = 0;
  Statement(source, "SELECT COALESCE(MAX(version), 0) FROM schema_version", {}, {&version}).find();
  const auto known = embedded_migrations("sqlite").back().version;
  if (version < known)
    throw MoveRefused("The SQLite file has schema version " + std::to_string(version) + ", and this program needs " +
                      std::to_string(known) +
                      ": start this version of the service on it once, stop it, and try again.");
  if (version > known)
    throw MoveRefused("The SQLite file has schema version " + std::to_string(version) +
                      ", but this program knows only versions up to " + std::to_string(known) +
                      ": use the program version that wrote it, or a newer one.");
}

/// A table that is forgotten would be lost.
void expect_known_tables(Connection& source) {
  Text name;
  Statement(source, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", {}, {&name})
      .each([&] {
        if (std::ranges::find(MovedTable::all(), name, &MovedTable::Description::name) == MovedTable::all().end() &&
            std::ranges::find(kNotMoved, name) == std::end(kNotMoved))
          throw MoveRefused("The SQLite file has a table that this program does not know: " + name + ".");
      });
}

/// The server's side for as long as the move takes: no instance can start on it, and none may be running.
class Target {
 public:
  explicit Target(const std::string& url)
      : connection_({.url = url, .lock_timeout = std::chrono::milliseconds(2'000), .application_name = kName}) {}

  PostgresConnection& connection() { return connection_; }

  domain::Result<void> prepare() {
    if (auto checked = check_encoding(connection_); !checked) return checked;
    auto lock = SchemaLock::take(connection_, SchemaLock::Mode::exclusive, patience_);
    if (!lock) return std::unexpected(std::move(lock.error()));
    lock_.emplace(*std::move(lock));
    expect_nobody();
    connection_.ask("SELECT set_config('idle_in_transaction_session_timeout', '0', false)");
    return migrate(connection_, embedded_migrations("postgresql"), connection_.ask_clock().first, OlderSchema::migrate,
                   &patience_);
  }

 private:
  static constexpr const char* kName = "invited (moves)";
  static constexpr std::chrono::seconds kPatience{5};

  /// The server may take a moment to notice that a run which was killed is gone.
  void expect_nobody() {
    const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const std::string others = connection_.ask(
          "SELECT CAST(count(*) AS TEXT) FROM pg_stat_activity WHERE datname = current_database()"
          " AND pid <> pg_backend_pid() AND application_name LIKE 'invited%'");
      if (others == "0") return;
      if (std::chrono::steady_clock::now() >= patience_ends)
        throw MoveRefused("Another invited uses the PostgreSQL database (" + others +
                          " connections): stop every instance until the move is done.");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  Patience patience_;
  PostgresConnection connection_;
  std::optional<SchemaLock> lock_;
};

domain::Result<std::vector<MovedRows>> move_all(SqliteConnection& source, PostgresConnection& target,
                                                const StoreMove& move) {
  std::vector<MovedTable> tables;
  for (const auto& description : MovedTable::all()) tables.emplace_back(description, source, target);
  const auto telling = [&](std::string_view step, const MovedTable& table, std::uint64_t of) {
    return [&move, step, name = table.name(), of](std::uint64_t rows) {
      if (move.progress) move.progress(step, name, rows, of);
    };
  };
  // All of the target before anything is written.
  for (auto& table : tables)
    if (!table.is_target_empty()) table.expect_only_rows_of_source(telling("check", table, table.count_source()));

  std::vector<MovedRows> moved;
  for (auto& table : tables) {
    const auto count = table.count_source();
    const RowSum sent = table.copy(telling("copy", table, count));
    const RowSum arrived = table.sum_target(telling("verify", table, count));
    if (sent != arrived) {
      table.expect_only_rows_of_source([](std::uint64_t) {});
      return refuse(ErrorCode::unavailable,
                    "The table " + std::string(table.name()) + " has " + std::to_string(sent.rows()) +
                        " rows in the SQLite file and " + std::to_string(arrived.rows()) +
                        " in PostgreSQL. Somebody changes it meanwhile: see to it that nobody does, and move again.");
    }
    table.continue_sequence();
    moved.push_back({std::string(table.name()), sent.rows(), sent.digest()});
  }
  return moved;
}

}  // namespace

domain::Result<std::vector<MovedRows>> move_store(const StoreMove& move) try {
  std::error_code error;
  if (!std::filesystem::is_regular_file(move.sqlite_path, error))
    return refuse(ErrorCode::unavailable, "There is no SQLite file " + move.sqlite_path + ".");
  const std::string path = std::filesystem::canonical(move.sqlite_path).string();
  const auto lock = LockFile::take(lock_path_of(path), "the database " + move.sqlite_path);
  if (!lock) return std::unexpected(lock.error());
  expect_whole_log(path);
  SqliteConnection source(path, SqliteConnection::Role::reader, 0, std::chrono::hours(24 * 7));
  source.check(std::nullopt);
  expect_schema(source);
  expect_known_tables(source);

  Target target(move.postgres_url);
  PostgresConnection& connection = target.connection();
  if (auto checked = check_durability(connection, move.allow_unsafe); !checked)
    return std::unexpected(std::move(checked.error()));
  if (auto prepared = target.prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
  return move_all(source, connection, move);
} catch (const MoveRefused& refused) {
  return refuse(ErrorCode::unavailable, refused.what());
} catch (const DatabaseFailure& failure) {
  return refuse(ErrorCode::unavailable, std::string("The move was broken off: ") + failure.what() +
                                            ". What has arrived is recognised by the next run.");
}

}  // namespace invited::storage
