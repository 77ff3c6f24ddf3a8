#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>

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
        Case{"a\u2028b",
             "\"a\\xe2\x80\xa8"
             "b\""},
        Case{"", "\"\""}}) {
    const std::string line = logged(value);
    EXPECT_NE(line.find(std::string("value=") + written + "\n"), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
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
