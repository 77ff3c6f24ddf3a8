#include "mail/name_guard.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace invited::mail {
namespace {

TEST(NameGuard, leaves_ordinary_names_alone) {
  for (const char* name :
       {"J. van Dijk", "Dr. Smith", "O'Neil", "漢字", "José Ñandú", "Release 2.0", "A.B. Jones", "А.С. Пушкин",
        "علی\u200cرضا", "ශ\u0dca\u200dරී", "Anne-Marie D’Arc", "R&D <Planning>", "Søren 3", "{{link}}"})
    EXPECT_EQ(guard_name(name), name);
}

TEST(NameGuard, takes_out_what_a_mail_program_would_make_a_link_of) {
  const struct {
    const char* name;
    const char* expected;
  } kRows[] = {
      {"see http://evil.example/x", "see http: //evil. example/x"},
      {"www.evil.example", "www. evil. example"},
      {"win at evil.com", "win at evil. com"},
      {"mail me@evil.com", "mail me at evil. com"},
      {"javascript://x", "javascript: //x"},
      {"bücher.de", "bücher. de"},
      {"пример.рф", "пример. рф"},
      {"=?utf-8?q?http=3A=2F=2Fevil=2Ecom?=", "= ?utf-8?q?http=3A=2F=2Fevil=2Ecom?="},
  };
  for (const auto& row : kRows) EXPECT_EQ(guard_name(row.name), row.expected) << row.name;
}

TEST(NameGuard, makes_one_line_of_visible_characters) {
  const struct {
    std::string name;
    std::string expected;
  } kRows[] = {
      {"Eve\r\nBcc: all@example.org", "Eve Bcc: all at example. org"},
      {"Eve\nX: y", "Eve X: y"},
      {"Eve\rX: y", "Eve X: y"},
      {std::string("Eve\0X", 5), "EveX"},
      {"Eve\x1b[31m\x7f", "Eve[31m"},
      {"E\u200dve\u200c", "Eve"},
      {"Eve\xE2\x80\xAE!", "Eve!"},   // right-to-left override
      {"Eve\xE2\x80\xA8X", "Eve X"},  // line separator
      {"Eve\xC2\x85X", "Eve X"},      // next line
      {"  Eve \t Jones ", "Eve Jones"},
      {"", ""},
  };
  for (const auto& row : kRows) EXPECT_EQ(guard_name(row.name), row.expected) << row.name;
}

TEST(NameGuard, turns_bytes_that_are_not_utf8_into_question_marks) {
  EXPECT_EQ(guard_name("Eve\xC0\xAF"), "Eve??");
  EXPECT_TRUE(base::is_valid_utf8(guard_name("\xED\xA0\x80 x \xF5")));
}

TEST(NameGuard, cuts_what_is_longer_than_a_name_may_be) {
  EXPECT_EQ(base::count_code_points(guard_name(std::string(5'000, 'a'))), 128U);
}

TEST(OneLine, makes_the_words_of_a_relay_fit_for_logs) {
  EXPECT_EQ(one_line("5.1.1 no\r\n such\tuser"), "5.1.1 no such user");
  EXPECT_EQ(one_line("caf\xC3\xA9\x1b"), "caf???");
  EXPECT_EQ(one_line(std::string(1'000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace invited::mail
