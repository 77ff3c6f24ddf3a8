// What the layer over SQLite's page cache must not spoil (what it is for is speed: ./dev bench), and how large the
// cache is.
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "storage/sqlite_connection.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

class SqlitePageCacheTest : public testing::Test {
 protected:
  // The first connection sets the library up.
  SqlitePageCacheTest() : connection_(folder_ / "invited.db", SqliteConnection::Role::writer) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open((folder_ / "plain.db").c_str(), &handle), SQLITE_OK);
    handle_.reset(handle);
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  }

  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle_.get());
  }
  std::string ask(const char* sql) {
    std::string answer;
    const auto take = [](void* target, int, char** values, char**) {
      *static_cast<std::string*>(target) = values[0] != nullptr ? values[0] : "";
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle_.get(), sql, take, &answer, nullptr), SQLITE_OK) << sqlite3_errmsg(handle_.get());
    return answer;
  }
  int cached_kib() {
    int used = 0;
    int highest = 0;
    sqlite3_db_status(handle_.get(), SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0);
    return used / 1024;
  }

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  SqliteConnection connection_;
  std::unique_ptr<sqlite3, Close> handle_;
};

TEST_F(SqlitePageCacheTest, PagesBehindTheEndOfAShorterDatabaseLeaveTheCache) {
  run("CREATE TABLE filling (bytes BLOB);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
      " INSERT INTO filling SELECT randomblob(3500) FROM n");
  EXPECT_GT(cached_kib(), 1'000);
  run("DELETE FROM filling WHERE rowid > 10; VACUUM");
  EXPECT_LT(std::stoi(ask("PRAGMA page_count")), 20);
  EXPECT_LT(cached_kib(), 200);
  EXPECT_EQ(ask("SELECT count(*) FROM filling"), "10");
}

TEST_F(SqlitePageCacheTest, KeysInRandomOrderAndTransactionsUndoneLeaveAWholeDatabase) {
  run("PRAGMA cache_size = 50; CREATE TABLE entry (key TEXT, number INTEGER); CREATE UNIQUE INDEX by_key ON entry "
      "(key)");
  std::mt19937 random(7);
  long stored = 0;
  for (int transaction = 0; transaction < 200; ++transaction) {
    run("BEGIN");
    for (int i = 0; i < 50; ++i)
      run("INSERT INTO entry VALUES ('" + std::to_string(random()) + std::string(80, 'k') + "', " +
          std::to_string(transaction) + ") ON CONFLICT DO NOTHING");
    const bool is_kept = transaction % 5 != 0;
    run(is_kept ? "COMMIT" : "ROLLBACK");
    const long found = std::stol(ask("SELECT count(*) FROM entry"));
    if (is_kept)
      EXPECT_GT(found, stored);
    else
      EXPECT_EQ(found, stored);
    stored = found;
  }
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
}

// SQLite's own cache, with its truncations counted.
sqlite3_pcache_methods2 counted{};
int truncations = 0;

TEST(SqlitePageCacheLayerTest, KeepsFromTheCacheWhatOnlyALentNumberAskedFor) {
  if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &counted) != SQLITE_OK)
    GTEST_SKIP() << "an earlier test of this process has set SQLite up; CTest runs each in a process of its own";
  auto counting = counted;
  counting.xTruncate = [](sqlite3_pcache* cache, unsigned limit) {
    ++truncations;
    counted.xTruncate(cache, limit);
  };
  ASSERT_EQ(sqlite3_config(SQLITE_CONFIG_PCACHE2, &counting), SQLITE_OK);
  const test::TemporaryDirectory folder{test::TemporaryDirectory::in_memory()};
  SqliteConnection connection(folder / "invited.db", SqliteConnection::Role::writer);
  connection.session() << "CREATE TABLE entry (key TEXT PRIMARY KEY) WITHOUT ROWID";
  truncations = 0;
  std::mt19937 random(7);
  for (int transaction = 0; transaction < 200; ++transaction) {
    connection.session() << "BEGIN";
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(random()) + std::string(80, 'k');
      connection.session() << "INSERT INTO entry VALUES (:key)", soci::use(key);
    }
    connection.session() << "COMMIT";
  }
  EXPECT_EQ(truncations, 0) << "each looks through all of the cache";
}

std::int64_t cache_kib(const std::string& path) {
  SqliteConnection connection(path, SqliteConnection::Role::writer);
  int size = 0;
  connection.session() << "PRAGMA cache_size", soci::into(size);
  return -size;
}

TEST(SqliteCacheSizeTest, FollowsTheDatabasesWithinItsBounds) {
  const test::TemporaryDirectory folder{test::TemporaryDirectory::in_memory()};
  const std::string path = folder / "invited.db";
  EXPECT_EQ(cache_kib(path), 16 << 10) << "new";
  // As if it had grown: its header says so ("In-header database size" of the file format), and the file is as long,
  // without content.
  for (const auto& [gibibytes, kib] : {std::pair{4, 32 << 10}, std::pair{16, 64 << 10}}) {
    const auto pages = static_cast<std::uint32_t>(gibibytes) << 18;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(28);
    for (const int shift : {24, 16, 8, 0}) file.put(static_cast<char>(pages >> shift));
    file.close();
    std::filesystem::resize_file(path, std::uintmax_t{pages} * 4096);
    EXPECT_EQ(cache_kib(path), kib) << gibibytes << " GiB";
  }
}

}  // namespace
}  // namespace invited::storage
