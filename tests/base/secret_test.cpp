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

/// |t| between a text that differs from the secret at its end and texts that differ from it anywhere.
template <class Compare>
double timing_difference(std::size_t size, Compare compare) {
  const std::string secret(size, 'x');
  std::string almost = secret;
  almost.back() = 'y';
  volatile bool equal = false;  // or the compiler might leave the comparison out
  const auto compare_often = [&](const std::string& input) {
    constexpr int kTimes = 16;  // one takes about as long as looking at the clock
    for (int i = 0; i < kTimes; ++i) equal = compare(input, secret);
  };
  return test::least_timing_difference(almost, compare_often, 10'000);
}

// As long as a hash; and so long that a comparison that ends at the first difference cannot hide.
constexpr std::size_t kAsLongAsAHash = 43;
constexpr std::size_t kLong = 512;

TEST(ConstantTimeEqual, A02TakesTheSameTimeWhereverTheTextsDiffer) {
  for (const std::size_t size : {kAsLongAsAHash, kLong})
    EXPECT_LT(timing_difference(size, constant_time_equal), test::kCertainlyNotConstant) << size;
}

TEST(ConstantTimeEqual, A02AComparisonThatEndsAtTheFirstDifferenceIsFoundOut) {
  const auto equal = [](std::string_view a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const volatile char one = a[i];  // each for itself, or the compiler might compare them all at once
      if (one != b[i]) return false;
    }
    return true;
  };
  EXPECT_GT(timing_difference(kLong, equal), test::kCertainlyNotConstant);
}

}  // namespace
}  // namespace invited::base
