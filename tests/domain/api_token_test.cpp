#include "domain/api_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace invited::domain {
namespace {

// What secret scanners are told to look for, as it stands in their configuration.
TEST(ApiToken, LooksAsScannersExpectIt) {
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    const std::string text(make_api_token().reveal());
    EXPECT_THAT(text, testing::MatchesRegex("invited_[A-Za-z0-9_-]{49}"));
    EXPECT_TRUE(looks_like_api_token(text)) << text;
    EXPECT_TRUE(made.insert(text).second) << "twice the same: " << text;
  }
}

TEST(ApiToken, OneCharacterFlippedIsRefusedWithoutTheDatabase) {
  const std::string good(make_api_token().reveal());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string flipped = good;
    flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(looks_like_api_token(flipped)) << i;
  }
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::string swapped = good;
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_TRUE(swapped == good || !looks_like_api_token(swapped)) << i;
  }
}

TEST(ApiToken, WhatIsNoneIsRefused) {
  const std::string good(make_api_token().reveal());
  for (const std::string& text :
       {std::string(), std::string("invited_"), good.substr(1), good.substr(0, good.size() - 1), good + "A", " " + good,
        good + " ", good.substr(8), "Invited_" + good.substr(8), std::string(57, '\0'), std::string(100'000, 'A')})
    EXPECT_FALSE(looks_like_api_token(text)) << text.substr(0, 80);
}

TEST(ApiToken, ItsHashDependsOnThePepperAndAllOfIt) {
  const base::Secret pepper("pepper");
  const std::string hash = hash_api_token(pepper, "invited_a");
  EXPECT_EQ(hash.size(), 43U);
  EXPECT_EQ(hash, hash_api_token(pepper, "invited_a"));
  EXPECT_NE(hash, hash_api_token(pepper, "invited_b"));
  EXPECT_NE(hash, hash_api_token(base::Secret("other"), "invited_a"));
}

TEST(ApiToken, IsValidUntilItExpiresOrIsRevoked) {
  const base::Timestamp now{std::chrono::hours(1'000)};
  std::vector<ApiToken> tokens(3);
  enum { kPlain, kExpiring, kRevoked };
  tokens[kExpiring].expires_at = now;
  tokens[kRevoked].revoked_at = now + std::chrono::hours(1);  // by another instance, whose clock is ahead
  EXPECT_TRUE(tokens[kPlain].is_valid_at(now));
  EXPECT_FALSE(tokens[kExpiring].is_valid_at(now));
  EXPECT_TRUE(tokens[kExpiring].is_valid_at(now - std::chrono::milliseconds(1)));
  EXPECT_FALSE(tokens[kRevoked].is_valid_at(now));
}

}  // namespace
}  // namespace invited::domain
