// A commit is on disk when it returns (journal_mode=WAL, synchronous=FULL): seen at the system calls by which SQLite
// has its files synced, which this program puts itself in front of.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "support/temporary_directory.h"

namespace {

/// Told each file that this thread syncs.
thread_local std::function<void(int file)> on_sync;

int told(long call, int file) {
  if (on_sync) on_sync(file);
  return static_cast<int>(::syscall(call, file));
}

}  // namespace

extern "C" int fdatasync(int file) { return told(SYS_fdatasync, file); }
extern "C" int fsync(int file) { return told(SYS_fsync, file); }

namespace invited::storage {
namespace {

class SqliteDurabilityTest : public testing::Test {
 protected:
  SqliteDurabilityTest() {
    run("CREATE TABLE note (text TEXT)");
    on_sync = [this](int file) {
      struct stat synced{};
      struct stat log{};
      if (::fstat(file, &synced) != 0 || ::stat((path_ + "-wal").c_str(), &log) != 0 || synced.st_ino != log.st_ino)
        return;
      ++syncs_;
      std::ifstream stream(path_ + "-wal", std::ios::binary);
      synced_ = {std::istreambuf_iterator<char>(stream), {}};
    };
  }
  ~SqliteDurabilityTest() override { on_sync = {}; }

  void run(std::string_view sql) { Statement(connection_, sql).run(); }
  int syncs_during(std::string_view sql) {
    syncs_ = 0;
    run(sql);
    return syncs_;
  }
  bool synced_log_holds(std::string_view text) const { return synced_.find(text) != std::string::npos; }

  test::TemporaryDirectory folder_;
  const std::string path_{folder_ / "invited.db"};
  SqliteConnection connection_{path_, SqliteConnection::Role::writer};
  int syncs_ = 0;       ///< of the log
  std::string synced_;  ///< what was in the log at its last sync
};

TEST_F(SqliteDurabilityTest, EachCommitSyncsTheLogWithWhatItHolds) {
  for (const std::string text : {"the first", "the second", "the third"}) {
    EXPECT_EQ(syncs_during("INSERT INTO note VALUES ('" + text + "')"), 1);
    EXPECT_TRUE(synced_log_holds(text));
  }
  EXPECT_EQ(syncs_during("BEGIN IMMEDIATE"), 0);
  EXPECT_EQ(syncs_during("INSERT INTO note VALUES ('the fourth')"), 0);
  EXPECT_EQ(syncs_during("COMMIT"), 1);
  EXPECT_TRUE(synced_log_holds("the fourth"));
}

TEST_F(SqliteDurabilityTest, WithoutFullItWouldBeNoticed) {
  run("PRAGMA synchronous = NORMAL");
  EXPECT_EQ(syncs_during("INSERT INTO note VALUES ('lost')"), 0);
}

TEST_F(SqliteDurabilityTest, TheDatabaseSaysToEveryProgramThatItHasALog) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  std::string mode;
  const auto take = [](void* text, int, char** values, char**) {
    *static_cast<std::string*>(text) = values[0];
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(other, "PRAGMA journal_mode", take, &mode, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(mode, "wal");
}

}  // namespace
}  // namespace invited::storage
