// SQLite's log as the writer uses it: how commits get into it, and how it gets back into the database's file.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kDuePages = 64;

/// System calls that write, of the whole process.
long write_calls() {
  std::ifstream file("/proc/self/io");
  std::string name;
  long number = 0;
  while (file >> name >> number)
    if (name == "syscw:") return number;
  throw std::runtime_error("/proc/self/io does not tell");
}

/// Of the log of the database at `path`, as SQLite's index of the log says it.
std::uint32_t frames_written_back(const std::string& path) {
  std::ifstream file(path + "-shm", std::ios::binary);
  std::uint32_t frames = 0;
  file.seekg(96).read(reinterpret_cast<char*>(&frames), sizeof frames);
  return frames;
}

class SqliteLogTest : public testing::Test {
 protected:
  SqliteLogTest() { run("CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"); }

  void run(std::string_view sql) { Statement(connection_, sql).run(); }

  /// `count` rows that fill a page each, numbered on.
  void insert(int count) {
    Number number = 0;
    Text text(3'000, 'x');
    Statement insert(connection_, "INSERT INTO note VALUES (:number, :text)", {{"number", number}, {"text", text}});
    for (int i = 0; i < count; ++i) {
      number = ++stored_;
      insert.run();
    }
  }
  /// Writes to pages all over the table, as an index on addresses does.
  void touch(Number number) {
    Statement(connection_, "UPDATE note SET text = text || 'y' WHERE number = :number", {{"number", number}}).run();
    ++touched_;
  }
  Number count() {
    Number rows = 0;
    Statement(connection_, "SELECT count(*) FROM note", {}, {&rows}).find();
    return rows;
  }

  /// Which run of the log it is: it changes when the log begins anew.
  std::string log_run() const {
    std::ifstream file(path_ + "-wal", std::ios::binary);
    std::string header(32, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    return header.substr(16, 8);
  }

  struct Contents {
    Number rows = -1;
    Number touched = -1;
    std::string state;
    bool operator==(const Contents&) const = default;
  };
  Contents expected() const { return {stored_, touched_, "ok"}; }
  /// What another process would find in a database and a log.
  Contents contents(const fs::path& database, const fs::path& log) const {
    const fs::path copy = folder_ / "copy.db";
    for (const char* ending : {"", "-wal", "-shm"}) fs::remove(copy.string() + ending);
    fs::copy_file(database, copy);
    fs::copy_file(log, copy.string() + "-wal");
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(copy.c_str(), &handle), SQLITE_OK);
    Contents found;
    const auto ask = [&](const char* sql, auto take) {
      sqlite3_stmt* statement = nullptr;
      EXPECT_EQ(sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
      if (sqlite3_step(statement) == SQLITE_ROW) take(statement);
      sqlite3_finalize(statement);
    };
    ask("SELECT count(*), sum(length(text) - 3000) FROM note", [&](sqlite3_stmt* row) {
      found.rows = sqlite3_column_int64(row, 0);
      found.touched = sqlite3_column_int64(row, 1);
    });
    ask("PRAGMA integrity_check",
        [&](sqlite3_stmt* row) { found.state = reinterpret_cast<const char*>(sqlite3_column_text(row, 0)); });
    sqlite3_close(handle);
    return found;
  }

  test::TemporaryDirectory folder_;
  const std::string path_{folder_ / "invited.db"};
  SqliteConnection connection_{path_, SqliteConnection::Role::writer, kDuePages};
  Number stored_ = 0;
  Number touched_ = 0;
};

TEST_F(SqliteLogTest, ACommitOfManyPagesIsOneOrTwoWrites) {
  insert(1);
  const long before = write_calls();
  run("BEGIN");
  insert(12);
  run("COMMIT");
  EXPECT_LE(write_calls() - before, 2);
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

TEST_F(SqliteLogTest, ACommitThatIsLongerThanWhatIsGatheredIsWhole) {
  run("BEGIN");
  insert(1'000);  // 4 MiB
  run("COMMIT");
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

TEST_F(SqliteLogTest, WhatATransactionWroteIntoTheLogItReadsFromThere) {
  run("PRAGMA cache_size = 10");  // all but ten pages go to the log before the commit, and come back from it
  run("BEGIN");
  insert(200);
  for (Number number = 1; number <= stored_; number += 7) touch(number);
  EXPECT_EQ(count(), stored_);
  EXPECT_EQ(contents(path_, path_ + "-wal").rows, 0) << "seen before its commit";
  run("COMMIT");
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

TEST_F(SqliteLogTest, WhatATransactionTookBackIsNotInTheLog) {
  run("PRAGMA cache_size = 10");  // what is taken back was in the log already
  insert(5);
  run("BEGIN");
  insert(50);
  run("ROLLBACK");
  stored_ -= 50;
  run("BEGIN");
  insert(20);
  run("SAVEPOINT one");
  insert(50);
  run("ROLLBACK TO one");
  stored_ -= 50;
  insert(20);
  run("COMMIT");
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

// Pages of a large transaction, gathered and not written when it was taken back, were written over what another program
// committed in their place: "file is not a database".
TEST_F(SqliteLogTest, WhatATransactionTookBackIsNotWrittenOverAnotherProgramsCommit) {
  run("PRAGMA cache_size = 10");
  run("PRAGMA wal_checkpoint(TRUNCATE)");  // nothing of the log is read when it is taken back
  run("BEGIN");
  insert(100);
  run("ROLLBACK");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(other, "INSERT INTO note VALUES (1, printf('%3000s', 'x'))", nullptr, nullptr, nullptr),
            SQLITE_OK);
  stored_ = 1;
  EXPECT_EQ(count(), 1) << "and whatever is left is written before this reads";
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
  insert(1);
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
  sqlite3_close(other);
}

// Where a sync failed, Linux shows pages that it will never write. A start that took them for stored went on behind a
// hole: after a power cut, everything since was out of reach.
TEST_F(SqliteLogTest, AStartWritesTheLogThatItFindsAgain) {
  insert(20);
  const fs::path left = folder_ / "left.db";
  fs::copy_file(path_, left);
  fs::copy_file(path_ + "-wal", left.string() + "-wal");
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(left.string() + "-wal", long_ago);
  const auto size = fs::file_size(left.string() + "-wal");
  const SqliteConnection next(left.string(), SqliteConnection::Role::writer, kDuePages);
  EXPECT_GT(fs::last_write_time(left.string() + "-wal"), long_ago);
  EXPECT_EQ(fs::file_size(left.string() + "-wal"), size);
  EXPECT_EQ(contents(left, left.string() + "-wal"), expected());
}

TEST_F(SqliteLogTest, TheLogIsWrittenBackWhileCommitsGoOnAndBeginsAnew) {
  std::set<std::string> runs;
  std::uintmax_t longest = 0;
  for (int i = 0; i < 1'000; ++i) {
    insert(1);
    connection_.maintain();
    runs.insert(log_run());
    longest = std::max(longest, fs::file_size(path_ + "-wal"));
  }
  EXPECT_GT(runs.size(), 3u);
  EXPECT_LT(longest, std::uintmax_t{10} << 20) << "room of 4 MiB included";
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

/// Nobody should write into a running service's database, but an operator may, in an sqlite3 shell. The writer once
/// overwrote such commits with the zeros of the log's room: "file is not a database", and what was in it gone.
TEST_F(SqliteLogTest, TheLogIsNotMadeLongerWhileAnotherProgramWritesToIt) {
  const auto size = [&] { return fs::file_size(path_ + "-wal"); };
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  const auto run_other = [&](const char* sql) {
    EXPECT_EQ(sqlite3_exec(other, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(other);
  };
  run_other("BEGIN IMMEDIATE; INSERT INTO note VALUES (1, printf('%3000s', 'x'))");
  const auto before = size();
  connection_.maintain();
  EXPECT_EQ(size(), before) << "it may be writing behind the log's end right now";
  run_other("COMMIT");
  stored_ = 1;
  sqlite3_close(other);

  connection_.maintain();
  EXPECT_GT(size(), before) << "time for it now";
  insert(1);
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

TEST_F(SqliteLogTest, CommitsGoOnWhereTheLogCannotBeMadeLonger) {
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_THROW(connection_.maintain(), DatabaseFailure);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_FALSE(connection_.in_transaction()) << "the one that kept others from writing";
  run("BEGIN IMMEDIATE");
  insert(1);
  run("COMMIT");
  EXPECT_EQ(contents(path_, path_ + "-wal"), expected());
}

/// Were the power cut, the file might be as it was at its last sync, whatever was written since: SQLite syncs it before
/// it lets the log begin anew (faults.power cuts the power, to see that it does). Until then the log must hold
/// everything that is not in that old file.
TEST_F(SqliteLogTest, WhatMayNotBeOnDiskYetIsStillInTheLog) {
  const fs::path synced = folder_ / "synced.db";
  const auto remember = [&] { fs::copy_file(path_, synced, fs::copy_options::overwrite_existing); };
  run("BEGIN");
  insert(200);
  run("COMMIT");
  remember();
  std::string run_of_log = log_run();
  int begun_anew = 0;
  int written_back = 0;
  std::uint32_t frames = 0;
  const auto look_at_copies = [&] {
    const std::uint32_t now = frames_written_back(path_);
    if (std::exchange(frames, now) == now) return;
    if (now != 0) ++written_back;
    ASSERT_EQ(contents(synced, path_ + "-wal"), expected());
  };
  // On a busy machine the thread waits for its turn, and the log for the thread.
  for (int i = 0; i < 600 || (begun_anew <= 2 && i < 20'000); ++i) {
    touch(1 + (i * 37) % 200);
    if (log_run() != run_of_log) {
      run_of_log = log_run();
      ++begun_anew;
      remember();
    }
    // A thread copies, and then the writer.
    ASSERT_NO_FATAL_FAILURE(look_at_copies()) << "after commit " << i;
    connection_.maintain();
    ASSERT_NO_FATAL_FAILURE(look_at_copies()) << "after commit " << i;
  }
  EXPECT_GT(begun_anew, 2);
  EXPECT_GT(written_back, begun_anew) << "in steps";
}

/// A sync may have failed, the process ended, and somebody's sqlite3 shell kept the index of the log alive.
TEST(SqliteKeptIndexTest, WhatAnotherProcessKeptOfTheLogsIndexIsNotTrusted) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "invited.db";
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t shell = ::fork();
  if (shell == 0) {
    sqlite3* handle = nullptr;
    const auto execute = [&](sqlite3* on, const char* sql) {
      if (sqlite3_exec(on, sql, nullptr, nullptr, nullptr) != SQLITE_OK) ::_exit(1);
    };
    if (sqlite3_open(path.c_str(), &handle) != SQLITE_OK) ::_exit(1);
    // An application_id as ours; then a log that is written back but for one commit, so that it does not begin anew.
    execute(handle,
            "PRAGMA application_id = 0x696e7674; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
            "CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('one')");
    sqlite3* reader = nullptr;
    if (sqlite3_open(path.c_str(), &reader) != SQLITE_OK) ::_exit(1);
    execute(reader, "BEGIN; SELECT * FROM note");
    execute(handle, "INSERT INTO note VALUES ('two'); PRAGMA wal_checkpoint(PASSIVE)");
    execute(reader, "COMMIT");
    if (::write(told[1], "!", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char ready = 0;
  ASSERT_EQ(::read(told[0], &ready, 1), 1);
  EXPECT_GT(frames_written_back(path), 0u);
  {
    SqliteConnection connection(path, SqliteConnection::Role::writer);
    EXPECT_EQ(frames_written_back(path), 0u);
    Number rows = 0;
    Statement(connection, "SELECT count(*) FROM note", {}, {&rows}).find();
    EXPECT_EQ(rows, 2);
    EXPECT_TRUE(connection.check(std::nullopt));
  }
  ::kill(shell, SIGKILL);
  ::waitpid(shell, nullptr, 0);
  for (const int end : told) ::close(end);
}

}  // namespace
}  // namespace invited::storage
