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

TEST(Clock, ReadsWhatItWroteAndOtherOffsets) {
  EXPECT_EQ(parse_rfc3339(to_rfc3339(kTime)), kTime);
  EXPECT_EQ(parse_rfc3339("2026-11-06T09:05:09.007+01:00"), kTime);
  EXPECT_EQ(parse_rfc3339("2026-11-06t02:35:09.0079999-05:30"), kTime);
  EXPECT_EQ(parse_rfc3339("2026-11-06 08:05:09Z"), kTime - 7ms);
  EXPECT_EQ(parse_rfc3339("2026-11-06"), std::chrono::floor<std::chrono::days>(kTime));
}

TEST(Clock, ReadsNothingElse) {
  for (const char* text :
       {"", "2026", "2026-11-6", "2026-02-30", "2026-13-01", "2026-11-06T", "2026-11-06T08:05Z", "2026-11-06T08:05:09",
        "2026-11-06T24:00:00Z", "2026-11-06T08:60:00Z", "2026-11-06T08:05:60Z", "2026-11-06T08:05:09.Z",
        "2026-11-06T08:05:09Zx", "2026-11-06T08:05:09+1:00", "2026-11-06T08:05:09+24:00", "2026-11-06T08:05:09+01:00 ",
        "-026-11-06T08:05:09Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

}  // namespace
}  // namespace invited::base
