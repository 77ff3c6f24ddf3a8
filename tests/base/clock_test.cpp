#include "base/clock.h"

#include <gtest/gtest.h>

namespace invited::base {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kTime = std::chrono::sys_days{std::chrono::year{2026} / 11 / 6} + 8h + 5min + 9s + 7ms;

TEST(Clock, WritesTheThreeFormatsThatProtocolsWant) {
  EXPECT_EQ(to_rfc3339(kTime), "2026-11-06T08:05:09.007Z");
  EXPECT_EQ(to_rfc5322(kTime), "Fri, 06 Nov 2026 08:05:09 +0000");
  EXPECT_EQ(to_http_date(kTime), "Fri, 06 Nov 2026 08:05:09 GMT");
}

TEST(Clock, HandlesTheLeapDayAndTheFirstMillisecond) {
  EXPECT_EQ(to_rfc3339(std::chrono::sys_days{std::chrono::year{2028} / 2 / 29}), "2028-02-29T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(Timestamp{}), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace invited::base
