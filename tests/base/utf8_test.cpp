#include "base/utf8.h"

#include <gtest/gtest.h>

namespace invited::base {
namespace {

TEST(Utf8, RefusesWhatRfc3629Forbids) {
  for (const std::string_view bad : {"\xC0\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                     "\xF8\x88\x80\x80\x80", "\xFF", "\x80", "abc\xC3", "\xE2\x82"})
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  for (const std::string_view good : {"", "abc", "é漢🙂", "\u00e9", "\U0010FFFF"})
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  EXPECT_TRUE(is_valid_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, RefusesAWrongByteWhereverItStands) {
  for (std::size_t size = 1; size <= 40; ++size)
    for (std::size_t i = 0; i < size; ++i) {
      std::string text(size, 'a');
      EXPECT_TRUE(is_valid_utf8(text));
      text[i] = '\x80';
      EXPECT_FALSE(is_valid_utf8(text)) << i << " of " << size;
      if (i == 0) continue;
      text[i - 1] = '\xC3';
      EXPECT_TRUE(is_valid_utf8(text)) << i << " of " << size;
    }
}

TEST(Utf8, TellsWhereItStopsBeingWellFormed) {
  EXPECT_EQ(valid_utf8_size(""), 0U);
  EXPECT_EQ(valid_utf8_size("aé"), 3U);
  EXPECT_EQ(valid_utf8_size("aé\xC0\xAF"), 3U);
  EXPECT_EQ(valid_utf8_size("a\xE2\x82"), 1U);
}

TEST(Utf8, CountsCodePointsNotBytes) {
  EXPECT_EQ(count_code_points(""), 0u);
  EXPECT_EQ(count_code_points("aé漢🙂"), 4u);
}

TEST(Utf8, NormalisesToNfc) {
  EXPECT_EQ(to_nfc("e\u0301"), "é");
  EXPECT_EQ(to_nfc(""), "");
}

TEST(Utf8, FoldsCaseBeyondAscii) { EXPECT_EQ(fold_case("ÄPFEL Straße"), fold_case("äpfel STRASSE")); }

TEST(Utf8, FindsHiddenCharacters) {
  for (const char* bad : {"a\nb", "a\tb", "\x7f", "\u0085", "\u2028", "\u2029", "\u202e", "\u200b", "\u2066", "\ufeff",
                          "\ue000", "\u3164", "a\u115fb", "\u1160", "\uffa0", "ក\u17b4"})
    EXPECT_TRUE(has_hidden_characters(bad)) << bad;
  for (const char* good : {"", "José van der Berg", "漢字", "O'Neil", "Ngô Thị", "김민준", "សុខា", "🙂"})
    EXPECT_FALSE(has_hidden_characters(good)) << good;
}

TEST(Utf8, TakesAJoinerForHiddenWhereItChangesNothing) {
  for (const char* seen : {"ی\u200cر", "ی\u064e\u200c\u064eر", "\u0dca\u200dර", "ක\u0dca\u200cෂ", "ന\u0d4d\u200d"})
    EXPECT_FALSE(has_hidden_characters(seen)) << seen;
  for (const char* hidden : {"\u200c", "\u200d", "a\u200cb", "a\u200db", "ی\u200dر", "ر\u200cی", "ی\u200c", "\u200cر",
                             "ی\u200c ر", "👩\u200d💻"})
    EXPECT_TRUE(has_hidden_characters(hidden)) << hidden;
  const std::string_view text = "ی\u200cر\u200ca";
  EXPECT_FALSE(is_hidden_at(text, 2));
  EXPECT_TRUE(is_hidden_at(text, 7));
}

TEST(Utf8, TellsCodePoints) {
  EXPECT_EQ(to_code_points("aé漢🙂"), U"aé漢🙂");
  EXPECT_EQ(to_code_points(""), U"");
}

TEST(Utf8, TruncatesAtACodePoint) {
  EXPECT_EQ(truncate_code_points("aé漢🙂", 2), "aé");
  EXPECT_EQ(truncate_code_points("aé漢🙂", 9), "aé漢🙂");
  EXPECT_EQ(truncate_code_points("abc", 0), "");
}

TEST(Utf8, TruncatesBetweenCharactersAsPeopleSeeThem) {
  const std::string e_acute = "e\u0301";
  const std::string family = "👨\u200d👩\u200d👧";  // five code points
  const std::string flags = "🇳🇱🇩🇪";
  const struct {
    std::string text;
    std::size_t limit;
    std::string expected;
  } cases[] = {
      {"abc", 3, "abc"},
      {"abc", 2, "ab"},
      {"abc", 0, ""},
      {"", 5, ""},
      {"aé漢🙂", 3, "aé漢"},
      {"ab" + e_acute, 4, "ab" + e_acute},
      {"ab" + e_acute, 3, "ab"},
      {"a" + family + "b", 6, "a" + family},
      {"a" + family + "b", 5, "a"},
      {flags, 3, "🇳🇱"},
      {"👍🏽👍🏽", 3, "👍🏽"},
      {"a\r\nb", 2, "a"},
      {family, 2, "👨\u200d"},  // nothing would be worse
  };
  for (const auto& [text, limit, expected] : cases)
    EXPECT_EQ(truncate_characters(text, limit), expected) << text << " to " << limit;
}

TEST(Utf8, TrimsEveryKindOfBlank) {
  EXPECT_EQ(trim(" \t\r\n a b \u00a0\u3000"), "a b");
  EXPECT_EQ(trim(" \u2003 "), "");
  EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace invited::base
