// The room behind the end of SQLite's log: what the file system does with it, and what SQLite reads of it.
#include "storage/sqlite_log_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "storage/connection.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

constexpr std::int64_t kRoom = SqliteLogRoom::kRoom;

class SqliteLogRoomTest : public testing::Test {
 protected:
  SqliteLogRoomTest() { std::ofstream(path_) << "transactions"; }

  /// As the writer does, which holds SQLite's lock for it.
  static void keep(SqliteLogRoom& room, std::int64_t used) {
    if (room.is_due(used)) {
      EXPECT_TRUE(room.make(used));
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(std::filesystem::file_size(path_)); }
  std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  test::TemporaryDirectory folder_;
  std::string path_ = folder_ / "invited.db-wal";
};

TEST_F(SqliteLogRoomTest, ZerosFollowWhatIsThere) {
  SqliteLogRoom room(path_);
  keep(room, 12);
  const std::string expected = "transactions" + std::string(kRoom, '\0');
  EXPECT_TRUE(content() == expected) << size();
}

TEST_F(SqliteLogRoomTest, ItIsOnTheDiskAndNotOnlyPromised) {
  SqliteLogRoom room(path_);
  keep(room, 12);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, kRoom) << "a hole would be filled by the commit that needs it";
}

TEST_F(SqliteLogRoomTest, MoreIsMadeBeforeACommitCouldNeedIt) {
  SqliteLogRoom room(path_);
  keep(room, 12);
  const auto made = size();
  keep(room, kRoom / 2);
  EXPECT_EQ(size(), made) << "there is enough";
  keep(room, kRoom - (1 << 19));
  EXPECT_EQ(size(), 2 * kRoom - (1 << 19));
}

TEST_F(SqliteLogRoomTest, ALogThatBeganAnewAndWasShortenedGetsItsRoomAgain) {
  SqliteLogRoom room(path_);
  keep(room, 3 * kRoom);
  EXPECT_EQ(size(), 4 * kRoom);
  std::filesystem::resize_file(path_, 100'000);  // as SQLite does
  keep(room, 90'000);
  EXPECT_EQ(size(), 90'000 + kRoom);
}

TEST_F(SqliteLogRoomTest, ALogThatBeganAnewIsNotTouchedWhereItIsLongEnough) {
  SqliteLogRoom room(path_);
  keep(room, 3 * kRoom);
  keep(room, 12);
  EXPECT_EQ(size(), 4 * kRoom);
}

TEST_F(SqliteLogRoomTest, AWriteThatFailsLeavesTheFileAsItWas) {
  SqliteLogRoom room(path_);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_THROW(keep(room, 12), DatabaseFailure);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(content(), "transactions");
  keep(room, 12);
  EXPECT_EQ(size(), 12 + kRoom);
}

TEST_F(SqliteLogRoomTest, WithoutALogThereIsNoRoom) {
  EXPECT_THROW(SqliteLogRoom(folder_ / "another"), DatabaseFailure);
}

}  // namespace
}  // namespace invited::storage
