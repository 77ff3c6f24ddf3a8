// The log is copied into the database by a thread, beside commits: what must not happen meanwhile.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

constexpr int kDuePages = 64;

/// SQLite's access to files, but the sync of a database's file stops while it is told to; not that of the thread which
/// made this, whose test shall fail and not hang.
class StoppedSync {
 public:
  StoppedSync() {
    maker_ = std::this_thread::get_id();
    below_ = sqlite3_vfs_find(nullptr);
    vfs_ = *below_;
    vfs_.pNext = nullptr;
    vfs_.zName = "stopped-sync";
    vfs_.xOpen = &open;
    sqlite3_vfs_register(&vfs_, /*makeDflt=*/1);
  }
  ~StoppedSync() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(below_, /*makeDflt=*/1);
  }

  static void stop_next() { stops_ = true; }
  static bool is_stopped() { return stopped_; }
  static void go_on() {
    stops_ = false;
    stops_.notify_all();
  }

 private:
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const int code = below_->xOpen(below_, name, file, flags, out_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
      original_ = file->pMethods;
      methods_ = *original_;
      methods_.xSync = &sync;
      file->pMethods = &methods_;
    }
    return code;
  }
  static int sync(sqlite3_file* file, int flags) {
    if (stops_ && std::this_thread::get_id() != maker_) {
      stopped_ = true;
      stops_.wait(true);
      stopped_ = false;
    }
    return original_->xSync(file, flags);
  }

  static inline sqlite3_vfs* below_ = nullptr;
  static inline sqlite3_vfs vfs_{};
  static inline const sqlite3_io_methods* original_ = nullptr;
  static inline sqlite3_io_methods methods_{};
  static inline std::thread::id maker_;
  static inline std::atomic<bool> stops_{false};
  static inline std::atomic<bool> stopped_{false};
};

/// Whether this process holds one of the read marks of SQLite's index of the log that keep the log from beginning anew
/// (sqlite.org/walformat.html, "WAL locks": WAL_READ_LOCK(1) to (4)).
bool holds_a_read_mark(const std::string& index) {
  struct stat status{};
  if (::stat(index.c_str(), &status) != 0) return false;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, type, file;
    pid_t pid = 0;
    long first = 0;
    std::string last;
    words >> number >> kind >> mode >> type >> pid >> file >> first >> last;
    const bool is_ours = pid == ::getpid() && file.ends_with(":" + std::to_string(status.st_ino)) && type == "READ";
    if (is_ours && first <= 127 && std::stol(last) >= 124) return true;
  }
  return false;
}

/// They change when the log begins anew (sqlite.org/fileformat2.html, "WAL Header Format").
std::string salts_of(const std::string& log) {
  std::ifstream file(log, std::ios::binary);
  std::string header(24, '\0');
  file.read(header.data(), 24);
  return header.substr(16);
}

/// A connection whose copying thread stops where it syncs the database's file.
class SqliteCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::ifstream("/proc/locks")) GTEST_SKIP() << "/proc/locks cannot be read";
    Statement(connection_, "CREATE TABLE note (text TEXT)").run();
    insert_.emplace(connection_, "INSERT INTO note VALUES (printf('%3000s', 'x'))");
  }
  /// Before the connection waits for its thread.
  ~SqliteCopyTest() override { StoppedSync::go_on(); }

  void commit() {
    insert_->run();
    connection_.maintain();
  }
  void commit_until_the_copy_stops() {
    StoppedSync::stop_next();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!StoppedSync::is_stopped() && std::chrono::steady_clock::now() < end) commit();
    ASSERT_TRUE(StoppedSync::is_stopped());
  }
  std::string salts() const { return salts_of(path_ + "-wal"); }
  bool log_may_not_begin_anew() const { return holds_a_read_mark(path_ + "-shm"); }

  const test::TemporaryDirectory folder_;
  const std::string path_ = folder_ / "invited.db";
  StoppedSync files_;
  SqliteConnection connection_{path_, SqliteConnection::Role::writer, kDuePages};
  std::optional<Statement> insert_;
};

/// With SQLite before 3.51.3 a connection that copies the log while another one begins it anew may lose pages.
TEST_F(SqliteCopyTest, TheLogCannotBeginAnewUntilTheThreadIsDone) {
  EXPECT_FALSE(log_may_not_begin_anew());
  commit_until_the_copy_stops();
  const std::string before = salts();
  for (int i = 0; i < 3 * kDuePages; ++i) {
    ASSERT_TRUE(log_may_not_begin_anew());
    commit();
  }
  EXPECT_EQ(salts(), before);

  StoppedSync::go_on();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (salts() == before && std::chrono::steady_clock::now() < end) commit();
  EXPECT_NE(salts(), before) << "it begins anew afterwards";
}

TEST_F(SqliteCopyTest, OnAFullDiskTheThreadIsDoneBeforeTheLogIsWrittenBackAsAWhole) {
  commit_until_the_copy_stops();
  const std::string before = salts();
  for (int i = 0; i < 3; ++i) {
    connection_.make_space();
    ASSERT_TRUE(StoppedSync::is_stopped());
    ASSERT_TRUE(log_may_not_begin_anew());
    commit();
  }
  EXPECT_EQ(salts(), before);

  StoppedSync::go_on();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (log_may_not_begin_anew() && std::chrono::steady_clock::now() < end) {
    connection_.make_space();
    std::this_thread::yield();
  }
  commit();
  EXPECT_NE(salts(), before) << "no further pages need come before it is written back";
}

TEST(SqliteWriteBackTest, OnAFullDiskAReaderIsWaitedForNowAndThenAndTheLogBeginsAnewWhenItIsGone) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "invited.db";
  SqliteConnection connection(path, SqliteConnection::Role::writer, kDuePages);
  Statement(connection, "CREATE TABLE note (text TEXT)").run();
  Statement insert(connection, "INSERT INTO note VALUES ('x')");
  insert.run();
  connection.maintain();
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM note", nullptr, nullptr, nullptr), SQLITE_OK);
  insert.run();

  using Clock = std::chrono::steady_clock;
  Clock::duration held_up{};
  const auto until = Clock::now() + std::chrono::milliseconds(1'500);
  while (Clock::now() < until) {
    const auto began = Clock::now();
    connection.make_space();
    held_up += Clock::now() - began;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // others are answered
  }
  EXPECT_LT(held_up, std::chrono::milliseconds(500)) << "a wait of 100 ms for each second";

  sqlite3_close(reader);
  const std::string before = salts_of(path + "-wal");
  const auto end = Clock::now() + std::chrono::seconds(20);
  while (salts_of(path + "-wal") == before && Clock::now() < end) {
    connection.make_space();
    insert.run();
    std::this_thread::yield();
  }
  EXPECT_NE(salts_of(path + "-wal"), before);
}

}  // namespace
}  // namespace invited::storage
