#include "domain/email_address.h"

#include <gtest/gtest.h>

namespace invited::domain {
namespace {

TEST(EmailAddress, KeepsWhatWasGivenButComparesWithoutLetterCase) {
  const auto address = EmailAddress::parse("Ada.Lovelace@Example.ORG");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->text(), "Ada.Lovelace@example.org");
  EXPECT_EQ(address->key(), "ada.lovelace@example.org");
  EXPECT_EQ(*address, *EmailAddress::parse("ada.lovelace@EXAMPLE.org"));
}

TEST(EmailAddress, KeepsTagsAndDotsApartButForTheMailboxLimit) {
  const auto plain = *EmailAddress::parse("ada@x.org");
  for (const char* text : {"ada+1@x.org", "a.da@x.org", "A.d.a+news@X.org"}) {
    const auto other = *EmailAddress::parse(text);
    EXPECT_NE(plain.key(), other.key()) << text;
    EXPECT_EQ(plain.mailbox(), other.mailbox()) << text;
  }
}

TEST(EmailAddress, MakesALabelsOfInternationalDomains) {
  EXPECT_EQ(EmailAddress::parse("ada@Bücher.example")->key(), "ada@xn--bcher-kva.example");
  EXPECT_EQ(EmailAddress::parse("ada@xn--bcher-kva.example")->key(), "ada@xn--bcher-kva.example");
  EXPECT_EQ(EmailAddress::parse("ada@straße.example")->key(), "ada@xn--strae-oqa.example");
  EXPECT_EQ(EmailAddress::parse("ada@例え。テスト")->key(), "ada@xn--r8jz45g.xn--zckzah");
}

TEST(EmailAddress, AcceptsEveryAtextAndTheLimits) {
  EXPECT_TRUE(EmailAddress::parse("!#$%&'*+-/=?^_`{|}~@example.org"));
  EXPECT_TRUE(EmailAddress::parse(std::string(64, 'a') + "@example.org"));
  EXPECT_TRUE(EmailAddress::parse("a@b-c.d1.example"));
}

struct Refused {
  const char* id;
  std::string text;
};

class RefusedEmailAddress : public testing::TestWithParam<Refused> {};

TEST_P(RefusedEmailAddress, IsRefused) { EXPECT_FALSE(EmailAddress::parse(GetParam().text)) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedEmailAddress,
    testing::Values(
        Refused{"Empty", ""}, Refused{"NoAt", "ada"}, Refused{"NoLocal", "@example.org"}, Refused{"NoDomain", "ada@"},
        Refused{"M11List", "a@b.org, c@d.org"}, Refused{"M11Angle", "<a@b.org>"}, Refused{"M11Quoted", "\"a b\"@c.org"},
        Refused{"M11Literal", "a@[127.0.0.1]"}, Refused{"M11SourceRoute", "@r.org:a@b.org"},
        Refused{"M11Injection", "a@b.org>\r\nRCPT TO:<c@d.org"}, Refused{"M11Option", "-oQ@x.org"},
        Refused{"M12LongLocal", std::string(65, 'a') + "@example.org"},
        Refused{"M12LongAddress", "a@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                                      std::string(63, 'd') + "." + std::string(60, 'e') + ".org"},
        Refused{"M12NoDot", "a@b"}, Refused{"M12TrailingDot", "a@b.org."}, Refused{"M12Localhost", "a@localhost"},
        Refused{"M14Utf8Local", "é@example.org"}, Refused{"TwoAts", "a@b@c.org"}, Refused{"DotFirst", ".a@b.org"},
        Refused{"DotLast", "a.@b.org"}, Refused{"DotDot", "a..b@c.org"}, Refused{"EmptyLabel", "a@b..org"},
        Refused{"LabelHyphenFirst", "a@-b.org"}, Refused{"LabelHyphenLast", "a@b-.org"},
        Refused{"Underscore", "a@b_c.org"}, Refused{"IpAddress", "a@127.0.0.1"}, Refused{"BlankBefore", " a@b.org"},
        Refused{"BlankAfter", "a@b.org "}, Refused{"LineEnd", "a@b.org\n"}, Refused{"X28", "a@b.org\r\nBcc: z@z.org"},
        Refused{"Nul", std::string("a@b.org\0.evil.org", 17)}, Refused{"NextLine", "a@b.org\u0085"},
        Refused{"LineSeparator", "a\u2028@b.org"}, Refused{"X31", "a@b.org\u560d\u560aBcc: z@z.org"},
        Refused{"Comment", "a(b)@c.org"}, Refused{"Bidi", "a@b\u202eorg.example"}, Refused{"Tab", "a\t@b.org"},
        Refused{"Del", "a\x7f@b.org"}, Refused{"BadUtf8Domain", "a@b\xff.org"}, Refused{"BadALabel", "a@xn--\x80.org"},
        Refused{"LongLabel", "a@" + std::string(64, 'b') + ".org"},
        Refused{"Huge", "a@" + std::string(100'000, 'b') + ".org"}),
    [](const auto& row) { return row.param.id; });

}  // namespace
}  // namespace invited::domain
