#include "domain/password.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "domain/password_pattern.h"

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

TEST(NewPassword, P02RefusesWalksOverTheKeyboardAndBlocksTypedAgain) {
  for (const char* bad : {
           "1q2w3e4r5t6y7u8i9o0p",       "q1w2e3r4t5y6u7i8o9p0",
           "qwertyuiopasdfghjklzxcvbnm", "123456789qwertyuiop",
           "1qaz2wsx3edc4rfv",           "1qaz2wsx3edc4rfv5tgb",
           "!QAZ2wsx#EDC4rfv",           "1qaz!QAZ2wsx@WSX",
           "1qazxsw23edcvfr4",           "zaq12wsxcde34rfv",
           "qazwsxedcrfvtgby",           "qweasdzxcrtyfghvbn",
           "qwertzuiopasdfghjkl",        "qwertzuiopüasdfghjklöäyxcvbnm",
           "1q2w3e4r5t6z7u8i9o0p",       "azertyuiopqsdfghjklmwxcvbn",
           "&é\"'(-è_çà)azertyuiop",     "poiuytrewqlkjhgfdsa",
           "abcdefghijklm1234567890",    "Sommer2026Sommer2026",
           "sommer2026SOMMER2026!",      "trustno1trustno1trustno1",
           "geheim geheim geheim",       "never never never never",
       })
    EXPECT_FALSE(check_new_password(bad, kRelated)) << bad;
}

TEST(NewPassword, AcceptsSentencesOfSeveralLanguagesEvenWithPatternsInThem) {
  for (const char* good : {
           "correct horse battery staple",
           "seventeen quiet otters dance",
           "poverty liberty property",
           "were trees redressed by dressers",
           "row row row your boat gently",
           "tomorrow and tomorrow came slowly",
           "the qwerty piano plays loudly",
           "een fiets zonder zadel",
           "mijn oma fietst nooit door de regen",
           "vier natte honden op de bank",
           "sieben stille Otter tanzen",
           "Wer reitet so spät durch Nacht",
           "Tretboot Polizei Assessor Ufer",
           "Donaudampfschifffahrtsgesellschaft",
           "quatre chats dansent sous la pluie",
           "ma voiture verte est tombée",
           "trois tristes tigres",
           "siete nutrias bailan tranquilas",
           "el perro de mi tía come pan",
           "papa mama y yo en Alicante",
           "Kq7!vT2pXz9#mRw4Lb",
           "漢字仮名交じり文章例題集合論理学",
       })
    EXPECT_TRUE(check_new_password(good, kRelated)) << good;
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

TEST(PasswordPattern, LeavesTheFirstOfABlockAndOfAWalk) {
  const std::pair<const char*, const char*> cases[]{{"", ""},
                                                    {"a", "a"},
                                                    {"lighthouse piano", "lighthouse piano"},
                                                    {"Sommer2026Sommer2026", "sommer2026"},
                                                    {"aaaaaaab", "ab"},
                                                    {"mama", "mama"},
                                                    {"qwe", "qwe"},
                                                    {"qwertyqw", "qqw"},
                                                    {"1qaz2wsx3edc", "1"},
                                                    {"1qaz!QAZ", "1"},
                                                    {"ÄÄÄÄÖ", "äö"},
                                                    {"漢字仮漢字仮", "漢字仮"}};
  for (const auto& [password, left] : cases)
    EXPECT_EQ(without_patterns(base::Secret(password)).reveal(), left) << password;
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

TEST(PasswordHasher, WhatCanBeNobodysPasswordIsToldBeforeHashing) {
  EXPECT_TRUE(can_be_password("x"));
  EXPECT_TRUE(can_be_password(std::string(kMaxPasswordLength, 'x')));
  std::string decomposed;
  for (std::size_t i = 0; i < kMaxPasswordLength; ++i) decomposed += "\u03b1\u0313\u0300\u0345";  // one: U+1F82
  EXPECT_TRUE(can_be_password(decomposed)) << "counted in NFC, as when it was chosen";
  EXPECT_FALSE(can_be_password(decomposed + "x"));
  EXPECT_FALSE(can_be_password(""));
  EXPECT_FALSE(can_be_password(std::string("a\0b", 3)));
  EXPECT_FALSE(can_be_password("caf\xe9"));
  EXPECT_FALSE(can_be_password(std::string(kMaxPasswordLength + 1, 'x')));
  EXPECT_FALSE(can_be_password(std::string(1 << 20, 'x')));
}

TEST(PasswordHasher, ALongPasswordThatIsTypedDecomposedIsRight) {
  PasswordHasher hasher;
  std::string composed;
  std::string decomposed;
  for (int i = 0; i < 100; ++i) {
    composed += "\u00e9";
    decomposed += "e\u0301";
  }
  EXPECT_TRUE(hasher.verify(hasher.hash(base::Secret(composed)), decomposed).correct);
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
