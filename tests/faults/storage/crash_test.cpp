// kill -9 at chosen and at random moments; a thousand random ones in the long form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "faults/storage/fixed_world.h"
#include "faults/storage/store_process.h"
#include "storage/sqlite_store.h"
#include "support/fault_form.h"
#include "support/temporary_directory.h"

namespace invited::test {
namespace {

using namespace std::chrono_literals;

#ifdef INVITED_FAILPOINTS
constexpr bool kHasFailpoints = true;
#else
constexpr bool kHasFailpoints = false;
#endif

class CrashTest : public testing::Test {
 protected:
  StoreProcessOptions options() const { return {folder_ / "invited.db", folder_ / "notes", 1, -1, 1, {}, {}}; }

  /// Runs until the failpoint kills it.
  Notes die_at(const std::string& failpoint) {
    auto with = options();
    with.failpoint = failpoint;
    StoreProcess process(with);
    EXPECT_EQ(process.wait(), -SIGKILL);
    return read_notes(with.notes);
  }

  TemporaryDirectory folder_;
};

// The first commit is the sample world's; invitation N is commit N + 1.

TEST_F(CrashTest, D02KilledBetweenCommitAndReplyTheRowIsThereAndTheSameCallAgainIsTheSameInvitation) {
  if (!kHasFailpoints) GTEST_SKIP() << "built without failpoints";
  const Notes notes = die_at("after_commit:4");
  EXPECT_THAT(notes.ok, testing::ElementsAre(1, 2));
  EXPECT_THAT(notes.lines.size(), 2u) << "nobody was told of the third";
  auto rows = inspect(folder_ / "invited.db");
  expect_consistent(notes, rows);
  EXPECT_TRUE(rows.contains(3));

  auto again = options();
  again.count = 1;
  again.first = 3;
  EXPECT_EQ(StoreProcess(again).wait(), 0);
  rows = inspect(folder_ / "invited.db");
  EXPECT_EQ(rows[3].invitations, 1);
  EXPECT_EQ(rows[3].messages, 1);
}

TEST_F(CrashTest, D03KilledBeforeCommitThereIsNoRowAndNoMail) {
  if (!kHasFailpoints) GTEST_SKIP() << "built without failpoints";
  const Notes notes = die_at("before_commit:4");
  EXPECT_THAT(notes.ok, testing::ElementsAre(1, 2));
  const auto rows = inspect(folder_ / "invited.db");
  expect_consistent(notes, rows);
  EXPECT_FALSE(rows.contains(3));
}

TEST_F(CrashTest, AMigrationThatWasKilledIsCompletedByTheNextStart) {
  if (!kHasFailpoints) GTEST_SKIP() << "built without failpoints";
  die_at("migration_before_commit");
  EXPECT_TRUE(inspect(folder_ / "invited.db").empty());
  auto again = options();
  again.count = 3;
  EXPECT_EQ(StoreProcess(again).wait(), 0);
  EXPECT_EQ(inspect(folder_ / "invited.db").size(), 3u);
}

TEST_F(CrashTest, D01KilledAtRandomNothingAcknowledgedIsLost) {
  const int cycles = rounds(40, 1000);
  constexpr int kCyclesOnOneDatabase = 10;
  constexpr int kThreads = 16;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> milliseconds(0, 150);

  long acknowledged = 0;
  long killed_at_work = 0;
  auto options = this->options();
  options.threads = kThreads;
  for (int cycle = 0; cycle < cycles && !HasFailure(); ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    if (cycle % kCyclesOnOneDatabase == 0) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
        std::filesystem::remove_all(entry.path());
    }
    std::filesystem::remove(options.notes);
    options.first = cycle * 1'000'000L;
    {
      StoreProcess process(options);
      // A fifth dies at its start (creation, migration, recovery), the others under load.
      if (cycle % 5 != 0) {
        const auto start = std::chrono::steady_clock::now();
        ASSERT_TRUE(process.wait_until_ready(20s));
        EXPECT_LT(std::chrono::steady_clock::now() - start, 2s) << "ready after a crash";
        ++killed_at_work;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds(random)));
      process.kill();
      EXPECT_EQ(process.wait(), -SIGKILL);
    }
    const Notes notes = read_notes(options.notes);
    expect_consistent(notes, inspect(options.database));
    EXPECT_TRUE(notes.unknown.empty());
    acknowledged += static_cast<long>(notes.ok.size());
  }
  std::printf("%d kills, %ld of them under load, %ld invitations acknowledged, none lost\n", cycles, killed_at_work,
              acknowledged);
  EXPECT_GT(acknowledged, 0);
}

}  // namespace
}  // namespace invited::test
