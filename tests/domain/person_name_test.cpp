#include "domain/person_name.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/utf8.h"

namespace invited::domain {
namespace {

TEST(PersonName, AcceptsNamesOfPeopleAndApps) {
  for (const char* name :
       {"Ada Lovelace", "J. van Dijk", "Dr. Smith", "J.K. Rowling", "O'Neil", "Anne-Marie", "漢字", "Ngô Thị Hương",
        "R&D <planning> \"north\"", "Müller & Søn A/S", "CRM: Europe", "Version 2.0", "é漢&<"})
    EXPECT_EQ(parse_name(name, "name"), name);
}

TEST(PersonName, TrimsAndComposes) { EXPECT_EQ(parse_name("  Jose\u0301 \u00a0", "name"), "José"); }

TEST(PersonName, PutsABlankAfterTheDotsOfAbbreviations) {
  const std::pair<const char*, const char*> cases[]{
      {"Dr.Müller", "Dr. Müller"},           {"dr.Jansen", "dr. Jansen"},
      {"Prof.Dr.Weber", "Prof. Dr. Weber"},  {"Dipl.-Ing.Huber", "Dipl.-Ing. Huber"},
      {"St.John Smythe", "St. John Smythe"}, {"J.R.R.Tolkien", "J.R.R. Tolkien"},
      {"M.Sc. Ada", "M. Sc. Ada"},           {"Ada King M.Sc.", "Ada King M. Sc."},
      {"А.С.Пушкин", "А.С. Пушкин"},         {"É.Zola", "É. Zola"}};
  for (const auto& [name, expected] : cases) {
    EXPECT_EQ(parse_name(name, "name"), expected);
    EXPECT_EQ(parse_name(expected, "name"), expected) << "once is enough";
  }
  for (const char* host : {"t.co", "x.com", "Evil.com", "EVIL.COM", "Visit Evil.Example", "Go to Shop.Org now",
                           "ir.de Vries", "Dr.med.Müller", "Evils.Com", "1.Com", "a.b.example"})
    EXPECT_FALSE(parse_name(host, "name")) << host;
}

TEST(PersonName, KeepsJoinersWhereAScriptIsWrittenWithThem) {
  for (const char* name :
       {"علی\u200cرضا", "می\u200cخواهم", "ශ\u0dca\u200dරී", "ക\u0d4d\u200d", "র\u200d\u09cdযাচেল", "क\u094d\u200dष"})
    EXPECT_EQ(parse_name(name, "name"), base::to_nfc(name));
}

TEST(PersonName, RefusesWhatAMailProgramWouldLinkOrHide) {
  for (const std::string& name : {std::string(""),
                                  std::string("  \u3000 "),
                                  std::string("visit evil.example now"),
                                  std::string("http://evil"),
                                  std::string("WWW.evil"),
                                  std::string("a@b"),
                                  std::string("Evil.com"),
                                  std::string("evil。com"),
                                  std::string("evil．com"),
                                  std::string("mailto:x"),
                                  std::string("\\\\server\\share"),
                                  std::string("a\r\nBcc: x"),
                                  std::string("a\u202eb"),
                                  std::string("a\u2028b"),
                                  std::string("a\u200bb"),
                                  std::string("A\u200cda"),
                                  std::string("A\u200dda"),
                                  std::string("علی\u200c"),
                                  std::string("\u200cعلی"),
                                  std::string("علی\u200c\u200cرضا"),
                                  std::string("علی\u200dرضا"),
                                  std::string("ශ\u0dca\u200d\u200dරී"),
                                  std::string("a\0b", 3),
                                  std::string("bad \xff"),
                                  std::string(129, 'x'),
                                  std::string("пример.рф")}) {
    const auto refused = parse_name(name, "name");
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_parameter);
    EXPECT_EQ(refused.error().parameter, "name");
  }
}

TEST(PersonName, CountsCodePoints) {
  std::string name;
  for (int i = 0; i < 128; ++i) name += "漢";
  EXPECT_TRUE(parse_name(name, "name"));
  EXPECT_FALSE(parse_name(name + "漢", "name"));
}

}  // namespace
}  // namespace invited::domain
