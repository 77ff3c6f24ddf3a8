#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/line_limiter.h"
#include "base/utf8.h"

namespace invited::base {
namespace {

std::string logged(std::string_view value) {
  testing::internal::CaptureStderr();
  log::info("test.event", {{"value", value}});
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneLineWithTimeLevelEventAndFields) {
  testing::internal::CaptureStderr();
  log::warning("mail.held", {{"host", "mx.example.org"}, {"tries", 3}, {"final", false}});
  EXPECT_TRUE(testing::internal::GetCapturedStderr().ends_with(
      "Z warning mail.held host=mx.example.org tries=3 final=false\n"));
}

TEST(Log, AValueCannotForgeALine) {
  struct Case {
    const char* value;
    const char* written;
  };
  for (const auto& [value, written] :
       {Case{"a\nb", "\"a\\x0ab\""}, Case{"a\r", "\"a\\x0d\""}, Case{"say \"hi\"", "\"say \\\"hi\\\"\""},
        Case{"a\u2028b", "\"a\\xe2\\x80\\xa8b\""}, Case{"a\u0085", "\"a\\xc2\\x85\""},
        Case{"\u202egnp", "\"\\xe2\\x80\\xaegnp\""}, Case{"", "\"\""}}) {
    const std::string line = logged(value);
    EXPECT_NE(line.find(std::string("value=") + written + "\n"), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
}

/// journalctl shows a line that is not UTF-8 as "[171B blob data]", and grep takes the file for a binary one.
TEST(Log, EveryLineIsUtf8) {
  for (const char* value :
       {"can\u2019t \u2013 \u00abno\u00bb \u2026 \u20ac", "/srv/caf\u00e9", "\u65e5\u672c \U0001F6A2"})
    EXPECT_NE(logged(value).find(value), std::string::npos) << value;
  EXPECT_NE(logged("caf\xe9 \u00e9").find("\"caf\\xe9 \\xc3\\xa9\""), std::string::npos);
  for (const char* value : {"a\u2028b", "caf\xe9", "\x80\xe2\x80", "\xf0\x9f\x9a"})
    EXPECT_TRUE(is_valid_utf8(logged(value))) << value;
}

TEST(LineLimiter, LetsSoManyThroughInASecondAndCountsTheOthers) {
  using namespace std::chrono_literals;
  LineLimiter limiter(2);
  const LineLimiter::Time start{1h};
  EXPECT_EQ(limiter.admit(start), 0U);
  EXPECT_EQ(limiter.admit(start), 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.admit(start + 999ms), std::nullopt);
  EXPECT_EQ(limiter.admit(start + 1s), 5U);
  EXPECT_EQ(limiter.admit(start + 1s), 0U);
  EXPECT_EQ(limiter.admit(start + 1s), std::nullopt);
  EXPECT_EQ(limiter.admit(start + 1h), 1U);
}

TEST(Log, LevelsBelowTheChosenOneAreDropped) {
  log::set_level(log::Level::warning);
  EXPECT_EQ(logged("x"), "");
  log::set_level(log::Level::info);
  EXPECT_NE(logged("x"), "");
}

TEST(Log, ParsesItsLevelsAndNothingElse) {
  log::Level level = log::Level::off;
  EXPECT_TRUE(log::parse_level("debug", level));
  EXPECT_EQ(level, log::Level::debug);
  EXPECT_FALSE(log::parse_level("verbose", level));
}

}  // namespace
}  // namespace invited::base
