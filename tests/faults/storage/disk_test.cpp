// Disks that are full, that write half, that cannot sync: each write and each sync of a short life fails once, from the
// first to the last.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "faults/storage/fixed_world.h"
#include "faults/storage/store_process.h"
#include "storage/sqlite_log_room.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace invited::test {
namespace {

using namespace std::chrono_literals;
using domain::ErrorCode;
using domain::Transaction;

constexpr int kCannotOpen = 2;
constexpr int kBroken = 3;

/// Where a life begins.
enum class Start { nothing, database };

/// A database as a first life leaves it, to be copied.
const std::string& prepared_database() {
  static const TemporaryDirectory folder(TemporaryDirectory::in_memory());
  static const std::string path = [] {
    const StoreProcessOptions options{folder / "invited.db", folder / "notes", 1, 0, 1, {}, {}};
    EXPECT_EQ(StoreProcess(options).wait(), 0);
    return options.database;
  }();
  return path;
}

/// One life of the process with one fault in it.
struct Life {
  int exit = 0;
  bool met_the_fault = false;
  bool met_it_before_the_end = false;  ///< before the file was closed, that is
  Notes notes;
  std::map<long, StoredRows> rows;

  /// Answers from the first one on that was not "ok".
  std::vector<std::string> after_the_fault() const {
    const auto first =
        std::ranges::find_if(notes.lines, [](const std::string& line) { return !line.starts_with("ok"); });
    return {first, notes.lines.end()};
  }
};

constexpr long kInvitations = 12;

Life live(Start start, const std::string& call, const std::string& error, long first, long count,
          long invitations = kInvitations) {
  const TemporaryDirectory folder(TemporaryDirectory::in_memory());
  StoreProcessOptions options{folder / "invited.db", folder / "notes", 1, 0, 1, {}, {}};
  if (start == Start::database) std::filesystem::copy_file(prepared_database(), options.database);
  const std::string mark = folder / "mark";
  options.count = invitations;
  options.io_fault = call + ',' + error + ',' + std::to_string(first) + ',' + std::to_string(count) + ',' + mark;
  Life life;
  life.exit = StoreProcess(options).wait();
  life.met_the_fault = std::filesystem::exists(mark);
  life.met_it_before_the_end = std::filesystem::exists(options.notes + ".met");
  life.notes = read_notes(options.notes);
  life.rows = inspect(options.database);
  expect_consistent(life.notes, life.rows);
  return life;
}

/// Lets the first, the second, … call fail until a life ends before it comes to that.
template <class Check>
void sweep(Start start, const std::string& call, const std::string& error, long count, Check check) {
  long first = 1;
  for (; !testing::Test::HasFailure(); ++first) {
    SCOPED_TRACE(call + " " + std::to_string(first) + " fails with " + error);
    const Life life = live(start, call, error, first, count);
    if (!life.met_the_fault) {
      EXPECT_EQ(life.exit, 0);
      EXPECT_EQ(life.notes.ok.size(), static_cast<std::size_t>(kInvitations));
      break;
    }
    check(life);
  }
  std::printf("%ld %ss failed with %s, one at a time\n", first - 1, call.c_str(), error.c_str());
  EXPECT_GT(first, 10);
}

void expect_alive_or_never_open(const Life& life) {
  EXPECT_TRUE(life.notes.unknown.empty());
  if (life.exit == kCannotOpen) {
    EXPECT_TRUE(life.notes.lines.empty());
    return;
  }
  EXPECT_EQ(life.exit, 0);
  EXPECT_LE(life.notes.no.size(), 1u);
  EXPECT_GE(life.notes.ok.size(), static_cast<std::size_t>(kInvitations - 1));
}

/// Whatever was answered after the sync that failed, it was not "ok". While the file is being closed nobody is left to
/// be told, and the log stays.
void expect_the_end(const Life& life) {
  if (life.exit == 0) {
    EXPECT_FALSE(life.met_it_before_the_end);
    EXPECT_EQ(life.notes.ok.size(), static_cast<std::size_t>(kInvitations));
    return;
  }
  EXPECT_TRUE(life.exit == kBroken || life.exit == kCannotOpen) << life.exit;
  EXPECT_LE(life.notes.unknown.size(), 1u);
  EXPECT_THAT(life.after_the_fault(), testing::Each(testing::Not(testing::StartsWith("ok"))));
}

TEST(DiskTest, D11NoSpaceOnAnyWriteIsRefusedAndTheServiceGoesOn) {
  sweep(Start::nothing, "write", "ENOSPC", 1, expect_alive_or_never_open);
}

TEST(DiskTest, D12AShortWriteThatGoesOnIsNoFault) {
  sweep(Start::database, "write", "HALF", 1, [](const Life& life) {
    EXPECT_EQ(life.exit, 0);
    EXPECT_EQ(life.notes.ok.size(), static_cast<std::size_t>(kInvitations));
  });
}

TEST(DiskTest, D12AShortWriteThatEndsThereIsRefusedAndTheServiceGoesOn) {
  sweep(Start::database, "write", "HALF_ENOSPC", 1, expect_alive_or_never_open);
}

TEST(DiskTest, AWriteErrorIsRefusedOrUnknownAndThenTheProcessEnds) {
  sweep(Start::database, "write", "EIO", 1, [](const Life& life) {
    // Where it hits the commit's own write, nobody knows.
    if (life.exit == 0)
      expect_alive_or_never_open(life);
    else
      expect_the_end(life);
  });
}

TEST(DiskTest, D09ASyncThatFailsOnceIsTheEndAndItsOutcomeUnknown) {
  sweep(Start::nothing, "sync", "EIO", 1, expect_the_end);
}

TEST(DiskTest, D10WhenEverySyncFailsNothingIsAcknowledgedAnyMore) {
  sweep(Start::nothing, "sync", "EIO", 1'000'000, expect_the_end);
}

TEST(DiskTest, D11NoSpaceForAWhileRefusesForAWhile) {
  // Calls that fail until the disk "has space again": with a probe each second that is soon.
  const Life life = live(Start::database, "write", "ENOSPC", 60, 40, 200);
  EXPECT_TRUE(life.met_the_fault);
  EXPECT_EQ(life.exit, 0);
  EXPECT_FALSE(life.notes.no.empty());
  EXPECT_TRUE(life.notes.ok.contains(200)) << "it recovered";
}

/// A file system of a few megabytes, for the length of a test.
class SmallDisk {
 public:
  explicit SmallDisk(const char* options) {
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
    reason_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  /// Printed, and returned.
  std::string not_tested(const std::string& what) const {
    const std::string text =
        "!!! NOT TESTED: " + what + ", because tmpfs cannot be mounted here (" + reason_ + "). Run as root.";
    std::fprintf(stderr, "%s\n", text.c_str());
    return text;
  }
  const TemporaryDirectory& folder() const { return folder_; }

 private:
  TemporaryDirectory folder_;
  bool mounted_ = false;
  std::string reason_;
};

TEST(DiskTest, D11OnADiskOfTwoMegabytesTheStoreRefusesSurvivesAndRecovers) {
  const SmallDisk disk("size=2m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a full disk of 2 MiB");
  const std::string ballast = disk.folder() / "ballast";
  std::ofstream(ballast) << std::string(600'000, 'x');

  const ManualClock clock;
  const SampleWorld world = fixed_world();
  storage::SqliteOptions options;
  options.path = disk.folder() / "invited.db";
  options.watermark_bytes = 0;
  long stored = 0;
  const auto invite = [&](domain::Store& store) {
    const auto done =
        store.write([&](Transaction& t) { return world.send_invite(t, numbered_address(stored + 1), clock.now()); });
    if (done) ++stored;
    return done;
  };
  {
    auto store = storage::open_sqlite_store(options, clock);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->write([&](Transaction& t) -> domain::Result<void> {
      world.insert_into(t);
      return {};
    }));

    auto answer = invite(**store);
    while (answer) answer = invite(**store);
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_GT(stored, 10);
    EXPECT_FALSE((*store)->is_ready());
    EXPECT_FALSE(invite(**store)) << "still no space";
    EXPECT_TRUE((*store)->read([](Transaction&) -> domain::Result<void> { return {}; }));

    std::filesystem::remove(ballast);
    for (int i = 0; i < 100 && !(*store)->is_ready(); ++i) std::this_thread::sleep_for(100ms);
    EXPECT_TRUE((*store)->is_ready()) << "it finds out by itself that there is space again";
    EXPECT_TRUE(invite(**store));
  }
  const auto rows = inspect(options.path);
  EXPECT_EQ(static_cast<long>(rows.size()), stored);
  expect_consistent({}, rows);
}

/// Found by a long run of the service's own test: each time the log was to be written back while the disk was full, it
/// waited for as many pages again, until nothing but the log was on the disk.
TEST(DiskTest, D11ALogThatCouldNotBeWrittenBackIsSoonAfterThereIsSpace) {
  const SmallDisk disk("size=16m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a log on a full disk of 16 MiB");
  const ManualClock clock;
  const SampleWorld world = fixed_world();
  storage::SqliteOptions options;
  options.path = disk.folder() / "invited.db";
  options.watermark_bytes = 0;
  options.checkpoint_pages = 400;
  constexpr std::uintmax_t kPageInLog = 4'096 + 24;
  constexpr std::uintmax_t kRoom = 4 << 20;  // written ahead of what is used
  auto store = storage::open_sqlite_store(options, clock);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->write([&](Transaction& t) -> domain::Result<void> {
    world.insert_into(t);
    return {};
  }));
  long tried = 0;
  const auto invite = [&] {
    ++tried;
    return (*store)
        ->write([&](Transaction& t) { return world.send_invite(t, numbered_address(tried), clock.now()); })
        .has_value();
  };
  const auto log_size = [&] { return std::filesystem::file_size(options.path + "-wal"); };
  const auto at_first = std::filesystem::file_size(options.path);
  while (std::filesystem::file_size(options.path) == at_first) ASSERT_TRUE(invite());  // until it is written back

  const std::string ballast = disk.folder() / "ballast";
  for (int round = 0; round < 8; ++round) {
    std::ofstream(ballast) << std::string(16 << 20, 'x');  // all that is left
    while (invite()) {
      // What the log has room for, which is where it is to be written back.
    }
    const auto written_back = std::filesystem::file_size(options.path);
    std::filesystem::remove(ballast);
    for (int i = 0; i < 200 && std::filesystem::file_size(options.path) == written_back; ++i) {
      invite();
      std::this_thread::sleep_for(50ms);
    }
    EXPECT_GT(std::filesystem::file_size(options.path), written_back);
    // The room was used while the disk was full, and made again.
    EXPECT_LT(log_size(), 3 * options.checkpoint_pages * kPageInLog + 2 * kRoom) << "round " << round;
  }
}

/// What a thousand invitations, each in a commit of its own, write to the log is some sixty times what they need.
TEST(DiskTest, D11ALogForWhichTheDiskIsTooSmallBeginsAnewBeforeItIsDue) {
  const SmallDisk disk("size=12m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a disk smaller than the log may become");
  const ManualClock clock;
  const SampleWorld world = fixed_world();
  storage::SqliteOptions options;
  options.path = disk.folder() / "invited.db";
  options.watermark_bytes = 0;
  auto store = storage::open_sqlite_store(options, clock);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->write([&](Transaction& t) -> domain::Result<void> {
    world.insert_into(t);
    return {};
  }));
  for (int i = 1; i <= 1'000; ++i) {
    const auto invited =
        (*store)->write([&](Transaction& t) { return world.send_invite(t, numbered_address(i), clock.now()); });
    ASSERT_TRUE(invited) << i << ": " << invited.error().message;
  }
}

TEST(DiskTest, D11TheLogTakesNoRoomOfADiskThatIsNearlyFull) {
  const SmallDisk disk("size=6m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a disk that is nearly full");
  const std::string log = disk.folder() / "log";
  std::ofstream(log) << "transactions";
  storage::SqliteLogRoom room(log);
  ASSERT_TRUE(room.is_due(12));
  EXPECT_FALSE(room.make(12));
  EXPECT_EQ(std::filesystem::file_size(log), 12u);
  EXPECT_FALSE(room.is_due(12)) << "tried again at once";
}

TEST(DiskTest, D11ALogIsTooLongWhereItTakesMoreThanAFifthOfTheSpace) {
  const SmallDisk disk("size=90m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a long log on a small disk");
  constexpr std::int64_t kMiB = 1 << 20;
  const std::string log = disk.folder() / "log";
  std::ofstream(log) << "transactions";
  storage::SqliteLogRoom room(log);
  ASSERT_TRUE(room.make(12 * kMiB));
  EXPECT_EQ(std::filesystem::file_size(log), 16 * kMiB);
  EXPECT_FALSE(room.is_too_long());
  ASSERT_TRUE(room.make(16 * kMiB));
  EXPECT_TRUE(room.is_too_long()) << "70 MiB are free beside 20";
}

/// One store with a row that may be written again and again: the log grows by it and the database does not.
class OneRow {
 public:
  explicit OneRow(const std::string& path) {
    options_.path = path;
    options_.watermark_bytes = 0;
    auto store = storage::open_sqlite_store(options_, clock_);
    if (store) store_ = *std::move(store);
  }
  domain::Result<void> write() {
    ++written_;
    return store_->write([&](Transaction& t) -> domain::Result<void> {
      t.set_key_binding({"digest", written_, clock_.now()});
      return {};
    });
  }
  domain::Store* operator->() { return store_.get(); }
  std::uintmax_t log_size() const { return std::filesystem::file_size(options_.path + "-wal"); }
  /// Of SQLite's index of the log (sqlite.org/walformat.html, "mxFrame").
  std::uint32_t frames() const {
    std::ifstream index(options_.path + "-shm", std::ios::binary);
    std::uint32_t frames = 0;
    index.seekg(16).read(reinterpret_cast<char*>(&frames), sizeof frames);
    return frames;
  }

 private:
  const ManualClock clock_;
  storage::SqliteOptions options_;
  std::unique_ptr<domain::Store> store_;
  std::uint32_t written_ = 0;
};

/// To the last byte.
void fill(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  for (const std::size_t size : {std::size_t{1} << 16, std::size_t{4'096}, std::size_t{1}}) {
    file.clear();
    const std::string bytes(size, 'x');
    while (file.write(bytes.data(), static_cast<std::streamsize>(size)).flush()) {
    }
  }
}

TEST(DiskTest, D11ALogThatIsTooLongForTheDiskBeginsAnewAndGivesBackWhatItTook) {
  const SmallDisk disk("size=150m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a long log on a small disk");
  OneRow store(disk.folder() / "invited.db");
  std::uintmax_t longest = 0;
  for (int i = 0; i < 25'000; ++i) {
    ASSERT_TRUE(store.write());
    longest = std::max(longest, store.log_size());
  }
  EXPECT_LT(longest, 60u << 20) << "25,000 pages are 100 MiB";

  // What was right for an empty disk is too much when it fills up.
  const std::string ballast = disk.folder() / "ballast";
  std::ofstream(ballast) << std::string(100 << 20, 'x');
  for (int i = 0; i < 300 && store.log_size() > 17u << 20; ++i) {
    ASSERT_TRUE(store.write());
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_LE(store.log_size(), 17u << 20);
}

/// Another program's transaction that does not end: it keeps the log from beginning anew.
class EndlessReader {
 public:
  explicit EndlessReader(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &reader_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(reader_, "BEGIN; SELECT count(*) FROM invitation", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~EndlessReader() { sqlite3_close(reader_); }

 private:
  sqlite3* reader_ = nullptr;
};

TEST(DiskTest, D11AFullDiskIsNoEndWhereTheLogCanBeWrittenBack) {
  const SmallDisk disk("size=16m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a full disk of 16 MiB");
  const std::string path = disk.folder() / "invited.db";
  {
    ASSERT_TRUE(OneRow(path).write());
  }
  // What a store that has failed tries to write: room for it is there from now on.
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &shell), SQLITE_OK);
  constexpr const char* kTwice =
      "INSERT INTO writer_probe VALUES (1, 7, randomblob(65536));"
      "UPDATE writer_probe SET tries = 1000, ballast = randomblob(65536)";
  EXPECT_EQ(sqlite3_exec(shell, kTwice, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(shell);
  OneRow store(path);
  while (store.log_size() < storage::SqliteLogRoom::kRoom) ASSERT_TRUE(store.write());
  {
    const EndlessReader reader(path);
    fill(disk.folder() / "ballast");
    auto written = store.write();
    while (written) written = store.write();
    EXPECT_EQ(written.error().code, ErrorCode::unavailable);
    EXPECT_FALSE(store->is_ready());
  }
  auto written = store.write();
  for (int i = 0; i < 100 && !written; ++i) {
    std::this_thread::sleep_for(100ms);
    written = store.write();
  }
  for (int i = 0; i < 3'000; ++i) ASSERT_TRUE(store.write()) << i;
}

/// For each 4,096 pages of log SQLite makes its index of it longer.
TEST(DiskTest, D11AnIndexOfTheLogThatCannotGrowIsNoSpace) {
  const SmallDisk disk("size=150m,mode=0700");
  if (!disk.mounted()) GTEST_SKIP() << disk.not_tested("a full disk of 150 MiB");
  const std::string path = disk.folder() / "invited.db";
  OneRow store(path);
  while (store.frames() < 3'900) ASSERT_TRUE(store.write());
  const std::string ballast = disk.folder() / "ballast";
  {
    const EndlessReader reader(path);
    fill(ballast);
    for (int i = 0; i < 400; ++i) {
      const auto written = store.write();
      if (!written) {
        ASSERT_EQ(written.error().code, ErrorCode::unavailable) << written.error().message;
      }
    }
    EXPECT_GT(store.frames(), 4'062U);
  }
  std::filesystem::remove(ballast);
  for (int i = 0; i < 100 && !store->is_ready(); ++i) std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(store->is_ready());
  EXPECT_TRUE(store.write());
}

}  // namespace
}  // namespace invited::test
