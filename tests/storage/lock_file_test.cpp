#include "storage/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

using testing::HasSubstr;

class LockFileTest : public testing::Test {
 protected:
  test::TemporaryDirectory folder_;
  const std::string path_ = folder_ / "db.lock";
};

TEST_F(LockFileTest, TheSecondIsRefusedAndToldWhoHasIt) {
  const auto first = LockFile::take(path_, "the database db");
  ASSERT_TRUE(first);
  const auto second = LockFile::take(path_, "the database db");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, domain::ErrorCode::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_THAT(second.error().message, HasSubstr("the database db"));
}

TEST_F(LockFileTest, ItIsFreeAgainWhenTheHolderIsGone) {
  {
    ASSERT_TRUE(LockFile::take(path_, "it"));
  }
  EXPECT_TRUE(LockFile::take(path_, "it"));
}

TEST_F(LockFileTest, AFileThatADeadProcessLeftIsNoLock) {
  std::ofstream(path_) << "4194304000\nrubbish";
  const auto lock = LockFile::take(path_, "it");
  ASSERT_TRUE(lock);
  std::ifstream file(path_);
  std::string pid;
  std::getline(file, pid);
  EXPECT_EQ(pid, std::to_string(::getpid()));
}

TEST_F(LockFileTest, WhetherItIsTakenIsToldWithoutATrace) {
  EXPECT_FALSE(LockFile::is_taken(path_));
  EXPECT_FALSE(std::filesystem::exists(path_));
  {
    const auto lock = LockFile::take(path_, "it");
    EXPECT_TRUE(LockFile::is_taken(path_));
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(LockFile::is_taken(path_)) << "as on a file system that is read-only";
  }
  EXPECT_FALSE(LockFile::is_taken(path_));
}

TEST_F(LockFileTest, MovingItKeepsIt) {
  auto first = LockFile::take(path_, "it");
  const LockFile kept = *std::move(first);
  EXPECT_FALSE(LockFile::take(path_, "it"));
}

TEST_F(LockFileTest, OnlyItsOwnerCanReadIt) {
  const auto lock = LockFile::take(path_, "it");
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LockFileTest, AFolderThatIsNotThereIsNamed) {
  const auto lock = LockFile::take(folder_ / "nowhere/db.lock", "it");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("nowhere/db.lock"));
}

}  // namespace
}  // namespace invited::storage
