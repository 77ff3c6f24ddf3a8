#include "base/text_width.h"

#include <gtest/gtest.h>

namespace invited::base {
namespace {

TEST(TextWidth, CountsColumnsOfATerminal) {
  EXPECT_EQ(count_columns(""), 0u);
  EXPECT_EQ(count_columns("Ada"), 3u);
  EXPECT_EQ(count_columns("Zoë"), 3u);
  EXPECT_EQ(count_columns("Zoe\u0308"), 3u) << "a mark of its own";
  EXPECT_EQ(count_columns("東京"), 4u);
  EXPECT_EQ(count_columns("김 수"), 5u);
}

}  // namespace
}  // namespace invited::base
