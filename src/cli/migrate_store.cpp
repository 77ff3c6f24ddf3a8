#include "cli/migrate_store.h"

#include <chrono>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "config_values.h"
#include "storage/store_move.h"

namespace invited::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kSqlite = "sqlite:";

bool is_postgresql(std::string_view url) { return url.starts_with("postgresql://") || url.starts_with("postgres://"); }

/// Without what must not be shown: the password, wherever it stands.
std::string without_password(std::string url) {
  const auto host = url.find("://") + 3;
  const auto at = url.find('@', host);
  const auto colon = url.find(':', host);
  if (at != std::string::npos && colon < at) url.erase(colon, at - colon);
  if (const auto key = url.find("password="); key != std::string::npos) {
    const auto end = url.find('&', key);
    url.erase(key, end == std::string::npos ? end : end - key + 1);
    if (url.ends_with('?') || url.ends_with('&')) url.pop_back();
  }
  return url;
}

domain::Error wrong(std::string message) { return {domain::ErrorCode::invalid_parameter, std::move(message), {}, {}}; }

void print_moved(const std::vector<storage::MovedRows>& moved, const MigrateStoreOptions& options) {
  if (options.json) {
    admin::Json list = admin::Json::array();
    for (const auto& table : moved)
      list.push_back({{"table", table.table}, {"rows", table.rows}, {"digest", table.digest}});
    print_json(list);
    return;
  }
  for (const auto& table : moved)
    std::cout << std::left << std::setw(20) << table.table << std::right << std::setw(12) << table.rows << "   digest "
              << table.digest << '\n';
  const std::filesystem::path file(options.from.substr(kSqlite.size()));
  std::cout
      << "\nEverything is there: counts and digests of every table are the same on both sides.\n\n"
         "Now, before the service starts again, in the configuration of every instance:\n"
         "  database = \""
      << without_password(options.to)
      << "\"   # with the password, if it needs one\n"
         "Give every instance the same keys.json, that of "
      << std::filesystem::absolute(file).parent_path().string()
      << ": without it no link and\nno environment password works. Never start the service on the SQLite file "
         "again: what it owed, PostgreSQL owes now,\nand mails would go out twice. Keep the file until you have a "
         "backup of PostgreSQL.\n";
}

}  // namespace

int run_migrate_store(const MigrateStoreOptions& options) {
  if (!options.from.starts_with(kSqlite) || options.from.size() == kSqlite.size())
    return print_error(wrong("--from must name a SQLite file: sqlite:/var/lib/invited/invited.db"));
  if (!is_postgresql(options.to))
    return print_error(wrong("--to must name a PostgreSQL database: postgresql://invited@db.example.org/invited"));
  if (const auto url = parse_database_url(options.to); !url) return print_error(wrong("--to " + url.error() + "."));
  auto told_at = steady_clock::now();
  const auto tell = [&](std::string_view step, std::string_view table, std::uint64_t rows, std::uint64_t of) {
    if (steady_clock::now() - told_at < std::chrono::seconds(2)) return;
    told_at = steady_clock::now();
    std::cerr << step << ' ' << table << ": " << rows << " of " << of << '\n';
  };
  const auto moved = storage::move_store({.sqlite_path = options.from.substr(kSqlite.size()),
                                          .postgres_url = options.to,
                                          .allow_unsafe = {options.allow_unsafe.begin(), options.allow_unsafe.end()},
                                          .progress = tell});
  if (!moved) return print_error(moved.error());
  print_moved(*moved, options);
  return 0;
}

}  // namespace invited::cli
