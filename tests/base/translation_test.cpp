#include "base/translation.h"

#include <gtest/gtest.h>

namespace invited::base {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kTime = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + 14h + 5min;

TEST(Translation, WritesDatesInWordsAsEachLanguageDoes) {
  EXPECT_EQ(date_in_words(Language::en, kTime), "1 March 2026");
  EXPECT_EQ(date_in_words(Language::nl, kTime), "1 maart 2026");
  EXPECT_EQ(date_in_words(Language::de, kTime), "1. März 2026");
  EXPECT_EQ(date_in_words(Language::fr, kTime), "1er mars 2026");
  EXPECT_EQ(date_in_words(Language::fr, kTime + std::chrono::days(1)), "2 mars 2026");
  EXPECT_EQ(date_in_words(Language::fr, kTime + std::chrono::days(10)), "11 mars 2026");
  EXPECT_EQ(date_in_words(Language::es, kTime), "1 de marzo de 2026");
  EXPECT_EQ(date_and_time_in_words(Language::en, kTime), "1 March 2026, 14:05 UTC");
}

TEST(Translation, ATextOfSeveralLinesIsLookedUpAsOne) {
  EXPECT_EQ(on_one_line("\n  If you accept,\r\n\tyou choose  a password. \n"), "If you accept, you choose a password.");
  EXPECT_EQ(on_one_line(" \n"), "");
}

TEST(Translation, AnUnknownTextStaysEnglish) { EXPECT_EQ(translate(Language::de, "no such text"), "no such text"); }

TEST(Translation, ParsesTagsWithRegionsAndAnyLetterCase) {
  EXPECT_EQ(parse_language("de-AT"), Language::de);
  EXPECT_EQ(parse_language("NL"), Language::nl);
  EXPECT_EQ(parse_language("fr_CA"), Language::fr);
  EXPECT_EQ(parse_language("it"), std::nullopt);
  EXPECT_EQ(parse_language(""), std::nullopt);
}

TEST(Translation, NegotiatesTheBestOfOurs) {
  struct Case {
    const char* header;
    Language expected;
  };
  for (const auto& [header, expected] :
       {Case{"", Language::en}, Case{"nl", Language::nl}, Case{"it, de;q=0.7, es;q=0.9", Language::es},
        Case{"de;q=0.5,fr", Language::fr}, Case{"de;q=0, *;q=0.1", Language::en}, Case{"pl-PL, cs;q=0.8", Language::en},
        Case{" es-MX ; q=0.8 , en;q=0.3", Language::es}, Case{",,;q=;,nl;q=x", Language::en}})
    EXPECT_EQ(negotiate_language(header, Language::en), expected) << header;
}

}  // namespace
}  // namespace invited::base
