#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faults/storage/store_process.h"
#include "storage/sqlite_store.h"
#include "support/temporary_directory.h"

namespace invited::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(SecondProcessTest, D18IsRefusedAtItsStartWithThePidOfTheFirstUntilThatIsGone) {
  const TemporaryDirectory folder;
  StoreProcess first({folder / "invited.db", folder / "notes", 1, -1, 1, {}, {}});
  ASSERT_TRUE(first.wait_until_ready(20s));

  const base::SystemClock clock;
  storage::SqliteOptions options;
  options.path = folder / "invited.db";
  const auto refused = storage::open_sqlite_store(options, clock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, domain::ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("pid " + std::to_string(first.pid())));
  EXPECT_THAT(refused.error().message, HasSubstr("stop it"));

  EXPECT_EQ(StoreProcess({folder / "invited.db", folder / "other notes", 1, 1, 1, {}, {}}).wait(), 2);

  first.kill();
  first.wait();
  EXPECT_TRUE(storage::open_sqlite_store(options, clock));
}

}  // namespace
}  // namespace invited::test
