#include "domain/person_name.h"

#include <gtest/gtest.h>

namespace invited::domain {
namespace {

TEST(PersonName, AcceptsNamesOfPeopleAndApps) {
  for (const char* name :
       {"Ada Lovelace", "J. van Dijk", "Dr. Smith", "J.K. Rowling", "O'Neil", "Anne-Marie", "漢字", "Ngô Thị Hương",
        "R&D <planning> \"north\"", "Müller & Søn A/S", "CRM: Europe", "Version 2.0", "é漢&<"})
    EXPECT_EQ(parse_name(name, "name"), name);
}

TEST(PersonName, TrimsAndComposes) { EXPECT_EQ(parse_name("  Jose\u0301 \u00a0", "name"), "José"); }

TEST(PersonName, RefusesWhatAMailProgramWouldLinkOrHide) {
  for (const std::string& name :
       {std::string(""), std::string("  \u3000 "), std::string("visit evil.example now"), std::string("http://evil"),
        std::string("WWW.evil"), std::string("a@b"), std::string("Evil.com"), std::string("evil。com"),
        std::string("evil．com"), std::string("mailto:x"), std::string("\\\\server\\share"), std::string("a\r\nBcc: x"),
        std::string("a\u202eb"), std::string("a\u2028b"), std::string("a\u200bb"), std::string("a\0b", 3),
        std::string("bad \xff"), std::string(129, 'x'), std::string("пример.рф")}) {
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
