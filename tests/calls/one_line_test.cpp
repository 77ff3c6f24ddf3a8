#include "calls/one_line.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace invited::calls {
namespace {

TEST(OneLine, shows_what_a_stranger_says_without_what_hides_or_breaks_lines) {
  EXPECT_EQ(one_line("a\r\n\t b\x7F"), "a b");
  EXPECT_EQ(one_line("pay\u202Eload\u200B"), "pay?load?");
  EXPECT_EQ(one_line("caf\xE9 \xFF"), "caf? ?");
  EXPECT_EQ(one_line("é漢字"), "é漢字");
  EXPECT_EQ(one_line(""), "");
}

TEST(OneLine, is_cut) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "é";
  EXPECT_EQ(base::count_code_points(one_line(many)), 300U);
}

}  // namespace
}  // namespace invited::calls
