#include "domain/password.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <string>
#include <vector>

namespace invited::domain {
namespace {

const std::vector<std::string> kRelated{"ada.lovelace@example.org", "Ada Lovelace", "Harbour Planner", "invited"};

/// `size` code points that nobody guesses.
std::string unguessable(std::size_t size) {
  constexpr std::string_view kLetters = "qzjxkvbwpfhgyumcdlrstnioea";
  std::string text;
  unsigned state = 12345;
  while (text.size() < size) {
    state = state * 1103515245 + 12345;
    text += kLetters[state / 65536 % kLetters.size()];
  }
  return text;
}

TEST(NewPassword, P01LengthIsCountedInCodePoints) {
  for (const std::size_t good : {15u, 64u, 128u}) EXPECT_TRUE(check_new_password(unguessable(good), kRelated)) << good;
  for (const std::size_t bad : {0u, 1u, 14u, 129u, 5000u}) {
    const auto refused = check_new_password(unguessable(bad), kRelated);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_parameter);
    EXPECT_EQ(refused.error().parameter, "Password");
    EXPECT_FALSE(refused.error().message.empty());
  }
  EXPECT_TRUE(check_new_password("漢字仮名交じり文章例題集合論理学", kRelated));
}

TEST(NewPassword, P02RefusesWhatIsGuessable) {
  for (const char* bad :
       {"passwordpassword", "Password1234567", "aaaaaaaaaaaaaaaaaaaa", "123456789012345678", "qwertyuiopasdfghjkl",
        "harbourplannerharbourplannerharbourplanner", "Harbour PlannerHarbour PlannerHarbour Planner",
        "ada.lovelace@example.org", "ADA.LOVELACE@EXAMPLE.ORG", "AdaLovelaceAdaLovelace1", "abcabcabcabcabcabc"})
    EXPECT_FALSE(check_new_password(bad, kRelated)) << bad;
}

TEST(NewPassword, P04HasNoCompositionRules) {
  EXPECT_TRUE(check_new_password("lighthousepianocargo", kRelated));
  EXPECT_TRUE(check_new_password("correct horse battery staple", kRelated));
  EXPECT_TRUE(check_new_password("vermicelliomnibustop", kRelated));
}

TEST(NewPassword, RefusesBytesThatAreNoText) {
  EXPECT_FALSE(check_new_password("lighthousepianocargo\xff", kRelated));
  EXPECT_FALSE(check_new_password(std::string("lighthousepiano\0cargo", 21), kRelated));
}

TEST(PasswordHasher, VerifiesWhatItHashedWhateverTheNormalForm) {
  PasswordHasher hasher;
  const std::string stored = hasher.hash(*check_new_password("caf\u00e9 lighthouse piano", kRelated));
  EXPECT_TRUE(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << stored;
  EXPECT_TRUE(hasher.verify(stored, "cafe\u0301 lighthouse piano").correct);
  EXPECT_FALSE(hasher.verify(stored, "cafe lighthouse piano").correct);
  EXPECT_FALSE(hasher.verify(stored, "").correct);
  EXPECT_FALSE(hasher.verify("", "nobody").correct);
  EXPECT_FALSE(hasher.verify("garbage", "nobody").correct);
  EXPECT_FALSE(hasher.verify(stored, std::string(129, 'x')).correct);
}

TEST(PasswordHasher, P06AsksForARehashOfWeakerParameters) {
  PasswordHasher hasher;
  std::array<char, crypto_pwhash_STRBYTES> weaker{};
  ASSERT_EQ(crypto_pwhash_str(weaker.data(), "an old password", 15, 1, 8 * 1024 * 1024), 0);
  const auto old = hasher.verify(weaker.data(), "an old password");
  EXPECT_TRUE(old.correct);
  EXPECT_TRUE(old.needs_rehash);
  const auto current = hasher.verify(hasher.hash(base::Secret("an old password")), "an old password");
  EXPECT_TRUE(current.correct);
  EXPECT_FALSE(current.needs_rehash);
}

}  // namespace
}  // namespace invited::domain
