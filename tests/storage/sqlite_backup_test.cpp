// A copy is one moment's state, however much is written while it is made, and says that it is a copy.
#include "storage/sqlite_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

using domain::Result;
using domain::Transaction;
using test::at;
using testing::HasSubstr;

class SqliteBackupTest : public testing::Test {
 protected:
  SqliteBackupTest() {
    SqliteOptions options;
    options.path = source_;
    options.watermark_bytes = 0;
    options.checkpoint_pages = 50;  // the log is written back while the copy is made
    auto opened = open_sqlite_store(options, clock_);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
    write([&](Transaction& t) {
      world_.insert_into(t);
      t.set_incarnation({"folder", base::Uuid::random(), at(0)});
    });
  }

  template <class Work>
  void write(Work work) {
    ASSERT_TRUE(store_->write([&](Transaction& t) -> Result<void> {
      work(t);
      return {};
    }));
  }
  /// Half a kilobyte each.
  void add_events(int count) {
    write([&](Transaction& t) {
      for (int i = 0; i < count; ++i) t.insert(domain::AuditEvent{at(0), "test", "noted", {}, std::string(400, 'x')});
    });
  }

  Result<CopiedDatabase> copy(std::function<bool(BackupStage, std::uint64_t, std::uint64_t)> go_on) {
    return copy_sqlite_database({.source = source_, .target = target_, .go_on = std::move(go_on)}, at(9));
  }
  static std::uint64_t count(const CopiedDatabase& copied, std::string_view name) {
    for (const auto& [counted, number] : copied.counts)
      if (counted == name) return number;
    return UINT64_MAX;
  }
  static std::string ask(const std::string& path, const char* sql) {
    sqlite3* handle = nullptr;
    std::string answer;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    const auto take = [](void* text, int, char** values, char**) {
      *static_cast<std::string*>(text) += values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle, sql, take, &answer, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
    return answer;
  }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  const std::string source_ = folder_ / "invited.db";
  const std::string target_ = folder_ / "copy.db";
  test::ManualClock clock_;
  test::SampleWorld world_;
  std::unique_ptr<domain::Store> store_;
};

TEST_F(SqliteBackupTest, CommitsBetweenItsStepsNeitherGetIntoItNorMakeItBeginAnew) {
  add_events(12'000);  // some MiB: several steps
  std::vector<std::uint64_t> done;
  const auto copied = copy([&](BackupStage stage, std::uint64_t bytes, std::uint64_t) {
    if (stage == BackupStage::copying) {
      done.push_back(bytes);
      add_events(200);
    }
    return done.size() < 200;  // one that begins anew with each commit never ends
  });
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_GT(done.size(), 4U);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(std::ranges::adjacent_find(done), done.end()) << "it began anew";
  EXPECT_EQ(count(*copied, "audit_events"), 12'000U);
  EXPECT_EQ(copied->schema_version, newest_sqlite_schema());
  add_events(1);  // the service goes on
}

TEST_F(SqliteBackupTest, ItIsOneFileForItsOwnerOnlyAndMarkedAsABackup) {
  const auto copied = copy([](auto...) { return true; });
  ASSERT_TRUE(copied) << copied.error().message;
  struct stat status{};
  ASSERT_EQ(::stat(target_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), copied->bytes);
  EXPECT_FALSE(std::filesystem::exists(target_ + "-wal"));
  EXPECT_EQ(ask(target_, "SELECT instance || since FROM incarnation"),
            "backup" + std::to_string(at(9).time_since_epoch().count()));
  EXPECT_EQ(ask(target_, "PRAGMA journal_mode"), "delete");
  EXPECT_EQ(count(*copied, "accounts"), 1U);
}

TEST_F(SqliteBackupTest, ItCanBeGivenUpAtAnyStep) {
  add_events(12'000);
  for (const auto wanted : {BackupStage::copying, BackupStage::checking}) {
    const auto copied = copy([&](BackupStage stage, auto...) { return stage != wanted; });
    ASSERT_FALSE(copied);
    std::filesystem::remove(target_);
  }
  EXPECT_TRUE(copy([](auto...) { return true; }));
}

TEST_F(SqliteBackupTest, BeforeAnythingIsCopiedItTellsHowLongTheCopyWillBe) {
  add_events(12'000);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  const auto copied = copy([&](BackupStage stage, std::uint64_t done, std::uint64_t total) {
    if (told.empty()) {
      EXPECT_EQ(std::filesystem::file_size(target_), 0U);
    }
    if (stage == BackupStage::copying) told.emplace_back(done, total);
    return true;
  });
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(told.front(), std::pair(std::uint64_t{0}, copied->bytes));
  EXPECT_EQ(told.back(), std::pair(copied->bytes, copied->bytes));
}

TEST_F(SqliteBackupTest, ItNeverWritesOverAFile) {
  std::ofstream(target_) << "mine";
  const auto copied = copy([](auto...) { return true; });
  ASSERT_FALSE(copied);
  EXPECT_THAT(copied.error().message, HasSubstr("cannot be made"));
  std::ifstream stream(target_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "mine");
}

}  // namespace
}  // namespace invited::storage
