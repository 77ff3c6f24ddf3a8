#include "base/secret.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace invited::base
