#include "base/secret.h"

#include <gtest/gtest.h>

#include "support/timing.h"

namespace invited::base {
namespace {

TEST(Secret, KeepsItsValueThroughCopyAndMove) {
  Secret first("correct horse");
  Secret copy = first;
  EXPECT_EQ(copy.reveal(), "correct horse");
  const Secret moved = std::move(first);
  EXPECT_EQ(moved.reveal(), "correct horse");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is wiped is the point
  copy = Secret("battery");
  EXPECT_EQ(copy.reveal(), "battery");
}

TEST(Secret, AssigningFromItselfLosesNothing) {
  Secret secret("staple");
  Secret& alias = secret;
  secret = alias;
  EXPECT_EQ(secret.reveal(), "staple");
}

TEST(Secret, WipeLeavesNoBytesBehind) {
  std::string text = "a password that is longer than the small-string buffer";
  const char* bytes = text.data();
  const std::size_t size = text.size();
  wipe(text);
  EXPECT_TRUE(text.empty());
  // The buffer still belongs to `text`; its bytes may be looked at.
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(bytes[i], '\0') << i;
}

TEST(ConstantTimeEqual, ComparesLikeEquals) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

TEST(ConstantTimeEqual, A02TakesTheSameTimeWhereverTheTextsDiffer) {
  // As long as a hash; and so long that a comparison that ends at the first difference cannot hide.
  for (const std::size_t size : {std::size_t{43}, std::size_t{512}}) {
    const std::string secret(size, 'x');
    std::string almost = secret;
    almost.back() = 'y';
    volatile bool equal = false;  // or the compiler might leave the comparison out
    const auto compare = [&](const std::string& input) {
      constexpr int kTimes = 16;  // one takes about as long as looking at the clock
      for (int i = 0; i < kTimes; ++i) equal = constant_time_equal(input, secret);
    };
    EXPECT_LT(test::least_timing_difference(almost, compare, 10'000), test::kCertainlyNotConstant) << size;
  }
}

}  // namespace
}  // namespace invited::base
