#include "domain/token.h"

#include <gtest/gtest.h>

#include "base/crypto.h"

namespace invited::domain {
namespace {

TokenKeys keys_with(std::uint8_t id, std::uint32_t epoch = 1) {
  return {{TokenKey{id, base::Secret(std::string(32, static_cast<char>(id)))}}, epoch};
}

const TokenSubject kSubject{*base::Uuid::parse("0190a5b4-c3d2-7e1f-8796-a5b4c3d2e1f0"), 3};

TEST(Token, SaysWhatItWasMadeOf) {
  const TokenKeys keys = keys_with(1);
  const std::string token = make_token(keys, kSubject);
  EXPECT_EQ(token.size(), 72u);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  const auto subject = check_token(keys, token);
  ASSERT_TRUE(subject);
  EXPECT_EQ(subject->invitation_id, kSubject.invitation_id);
  EXPECT_EQ(subject->generation, 3u);
}

TEST(Token, EveryChangedBitIsRefused) {
  const TokenKeys keys = keys_with(1);
  const std::string bytes = *base::from_base64url(make_token(keys, kSubject));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(check_token(keys, base::to_base64url(changed))) << i << '/' << bit;
    }
}

TEST(Token, EveryTruncationAndExtensionIsRefused) {
  const TokenKeys keys = keys_with(1);
  const std::string token = make_token(keys, kSubject);
  for (std::size_t size = 0; size < token.size(); ++size) EXPECT_FALSE(check_token(keys, token.substr(0, size)));
  EXPECT_FALSE(check_token(keys, token + "A"));
  EXPECT_FALSE(check_token(keys, token + "AAAA"));
  EXPECT_FALSE(check_token(keys, std::string(10'240, 'A')));
  EXPECT_FALSE(check_token(keys, " " + token.substr(1)));
}

TEST(Token, AnotherKeyOrEpochDoesNotCheckIt) {
  const std::string token = make_token(keys_with(1), kSubject);
  EXPECT_FALSE(check_token(keys_with(2), token));
  EXPECT_FALSE(check_token(keys_with(1, /*epoch=*/2), token));
  TokenKeys impostor = keys_with(1);
  impostor.keys[0].key = base::Secret(std::string(32, 'x'));
  EXPECT_FALSE(check_token(impostor, token));
}

TEST(Token, AnOlderKeyStillChecksDuringRotation) {
  const std::string token = make_token(keys_with(1), kSubject);
  TokenKeys rotated = keys_with(2);
  rotated.keys.push_back(keys_with(1).keys[0]);
  EXPECT_TRUE(check_token(rotated, token));
  EXPECT_TRUE(check_token(rotated, make_token(rotated, kSubject)));
  EXPECT_FALSE(check_token(keys_with(1), make_token(rotated, kSubject)));
}

// --- links that reset a password
// ---------------------------------------------------------------------------------------

const ResetSubject kReset{kSubject.invitation_id, 7, base::Timestamp(std::chrono::seconds(1'795'167'000))};

TEST(ResetToken, SaysWhatItWasMadeOf) {
  const TokenKeys keys = keys_with(1);
  const std::string token = make_reset_token(keys, kReset);
  EXPECT_EQ(token.size(), 78u);
  const auto subject = check_reset_token(keys, token);
  ASSERT_TRUE(subject);
  EXPECT_EQ(subject->account_id, kReset.account_id);
  EXPECT_EQ(subject->password_generation, 7u);
  EXPECT_EQ(subject->expires_at, kReset.expires_at);
}

TEST(ResetToken, EveryChangedCharacterIsRefused) {
  const TokenKeys keys = keys_with(1);
  const std::string token = make_reset_token(keys, kReset);
  for (std::size_t i = 0; i < token.size(); ++i)
    for (const char other : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")) {
      if (other == token[i]) continue;
      std::string changed = token;
      changed[i] = other;
      EXPECT_FALSE(check_reset_token(keys, changed)) << i << '/' << other;
    }
  for (std::size_t size = 0; size < token.size(); ++size) EXPECT_FALSE(check_reset_token(keys, token.substr(0, size)));
}

TEST(ResetToken, IsNoInvitationsAndTheOtherWayRound) {
  const TokenKeys keys = keys_with(1);
  EXPECT_FALSE(check_token(keys, make_reset_token(keys, kReset)));
  EXPECT_FALSE(check_reset_token(keys, make_token(keys, kSubject)));
  EXPECT_FALSE(check_reset_token(keys_with(2), make_reset_token(keys, kReset)));
  EXPECT_FALSE(check_reset_token(keys_with(1, /*epoch=*/2), make_reset_token(keys, kReset)));
}

}  // namespace
}  // namespace invited::domain
