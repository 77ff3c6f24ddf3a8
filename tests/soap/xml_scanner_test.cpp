#include "soap/xml_scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "support/soap_envelopes.h"

namespace invited::soap {
namespace {

using test::repeat;

struct Case {
  const char* what;
  std::string xml;
};

TEST(XmlScanner, TakesWellFormedXmlWithinTheLimits) {
  const Case cases[] = {
      {"an element", "<a/>"},
      {"blanks around", " \r\n\t<a></a >\n "},
      {"a declaration", "<?xml version=\"1.0\"?><a/>"},
      {"a full declaration", "<?xml version = '1.0'  encoding='utf-8' standalone=\"yes\" ?>\n<a/>"},
      {"a comment before the root", "<!-- < & ]]> --><a/>"},
      {"a comment between elements", "<a><b/><!-- x --><c/></a>"},
      {"blanks between elements", "<a>\n <b/>\n " + repeat(" ", 2000) + "</a>"},
      {"CDATA", "<a><![CDATA[<b>&nope; ]] ]> \r\n]]></a>"},
      {"brackets that end nothing", "<a>]x]]y]] >]</a>"},
      {"several pieces of text", "<a>x<![CDATA[y]]>&amp;z</a>"},
      {"the five entities", "<a b='&lt;&gt;&amp;&quot;&apos;'>&lt;&gt;&amp;&quot;&apos;</a>"},
      {"character references", "<a>&#9;&#xD;&#x10FFFF;&#00000065;</a>"},
      {"the other quote in an attribute", "<a b='\"' c=\"'\" d='>'/>"},
      {"names with letters of many scripts", "<é:名_-.1/>"},
      {"names of three and four bytes a letter", "<\xE5\x98\x8D\xF0\x90\x8D\x88/>"},
      {"16 levels", repeat("<a>", 16) + repeat("</a>", 16)},
      {"128 elements", "<a>" + repeat("<b/>", 127) + "</a>"},
      {"16 attributes", "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p=''/>"},
      {"an attribute of 1,024 bytes", "<a b='" + repeat("x", 1024) + "'/>"},
      {"an attribute of 1,024 references", "<a b='" + repeat("&amp;", 1024) + "'/>"},
      {"text of 60,000 bytes, which the gate judges", "<a>" + repeat("y", 60'000) + "</a>"},
      {"a name of 255 bytes", "<" + repeat("n", 255) + "/>"},
      {"four-byte characters", "<a>\xF0\x9F\x98\x80</a>"},
      {"U+0085 and U+2028, which are XML characters", "<a>\xC2\x85\xE2\x80\xA8</a>"},
  };
  for (const auto& [what, xml] : cases) EXPECT_EQ(find_xml_problem(xml), std::nullopt) << what;
}

TEST(XmlScanner, TakesTheEncodingsThatPythonDeclares) {
  const std::string encodings[] = {"utf-8", "UTF-8", "utf8", "UTF8", "ASCII", "us-ascii"};
  for (const auto& encoding : encodings)
    EXPECT_EQ(find_xml_problem("<?xml version='1.0' encoding='" + encoding + "'?><a>&#233;</a>"), std::nullopt)
        << encoding;
}

TEST(XmlScanner, RefusesWhatIsNotXml) {
  const Case cases[] = {
      {"nothing", ""},
      {"blanks", "  \n"},
      {"text", "hello"},
      {"text before the root", "x<a/>"},
      {"text after the root", "<a/>x"},
      {"a second root", "<a/><b/>"},
      {"a comment after the root", "<a/><!-- -->"},
      {"a lone end tag", "</a>"},
      {"a missing end tag", "<a><b></a>"},
      {"end tags crossed", "<a><b></a></b>"},
      {"an end tag in another case", "<a></A>"},
      {"an end tag with an attribute", "<a></a b='c'>"},
      {"no blank between attributes", "<a b='c'd='e'/>"},
      {"an attribute without a value", "<a b/>"},
      {"an attribute without quotes", "<a b=c/>"},
      {"a < in an attribute", "<a b='<'/>"},
      {"an attribute twice", "<a b='1' b='1'/>"},
      {"]]> in text", "<a>x]]>y</a>"},
      {"]]> at the beginning of a text", "<a>]]></a>"},
      {"]]> behind a bracket", "<a>x]]]>y</a>"},
      {"-- in a comment", "<a><!-- x -- y --><b/></a>"},
      {"a comment that ends in --->", "<a><!-- x ---><b/></a>"},
      {"a blank before the name", "< a/>"},
      {"a blank before the slash's >", "<a/ >"},
      {"a name that starts with a digit", "<1a/>"},
      {"a name that starts with a hyphen", "<-a/>"},
      {"a name with two colons", "<a:b:c/>"},
      {"a name that ends in a colon", "<a:/>"},
      {"a name that starts with a colon", "<:a/>"},
      {"U+00D7 in a name", "<a\xC3\x97/>"},
      {"CDATA before the root", "<![CDATA[x]]><a/>"},
      {"CDATA in lower case", "<a><![cdata[x]]></a>"},
      {"a conditional section", "<a><![INCLUDE[x]]></a>"},
      {"a declaration without version", "<?xml encoding='UTF-8'?><a/>"},
      {"a declaration in wrong order", "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>"},
      {"a declaration with more", "<?xml version='1.0' encoding='UTF-8' x='y'?><a/>"},
      {"a declaration without blanks", "<?xml version='1.0'encoding='UTF-8'?><a/>"},
      {"a declaration with a longer name", "<?xmls version='1.0'?><a/>"},
      {"a declaration after a blank", " <?xml version='1.0'?><a/>"},
      {"a standalone of maybe", "<?xml version='1.0' standalone='maybe'?><a/>"},
  };
  for (const auto& [what, xml] : cases) EXPECT_NE(find_xml_problem(xml), std::nullopt) << what;
}

TEST(XmlScanner, RefusesWhatIsXmlButForbidden) {
  const Case cases[] = {
      {"a document type", "<!DOCTYPE a><a/>"},
      {"a document type inside", "<a><!DOCTYPE a></a>"},
      {"a processing instruction", "<?pi x?><a/>"},
      {"a processing instruction inside", "<a><?pi x?></a>"},
      {"a processing instruction after the root", "<a/><?pi x?>"},
      {"a style sheet", "<?xml version='1.0'?><?xml-stylesheet href='x'?><a/>"},
      {"an entity of its own", "<a>&nbsp;</a>"},
      {"an entity of its own in an attribute", "<a b='&x;'/>"},
      {"XML 1.1", "<?xml version='1.1'?><a/>"},
      {"ISO 8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>"},
      {"no encoding", "<?xml version='1.0' encoding=''?><a/>"},
      {"markup after text", "<a>x<b/></a>"},
      {"text after markup", "<a><b/>x</a>"},
      {"CDATA after markup", "<a><b/><![CDATA[]]></a>"},
      {"a reference to a blank after markup", "<a><b/>&#32;</a>"},
      {"a comment after text", "<a>x<!-- --></a>"},
      {"a comment before text", "<a><!-- -->x</a>"},
      {"a comment between CDATA", "<a><![CDATA[x]]><!-- --><![CDATA[y]]></a>"},
      {"17 levels", repeat("<a>", 17) + repeat("</a>", 17)},
      {"129 elements", "<a>" + repeat("<b/>", 128) + "</a>"},
      {"17 attributes", "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p='' q=''/>"},
      {"an attribute of 1,025 bytes", "<a b='" + repeat("x", 1025) + "'/>"},
      {"an attribute of 1,025 references", "<a b='" + repeat("&amp;", 1025) + "'/>"},
      {"a name of 256 bytes", "<" + repeat("n", 256) + "/>"},
      {"an attribute's name of 256 bytes", "<a " + repeat("n", 256) + "=''/>"},
  };
  for (const auto& [what, xml] : cases) EXPECT_NE(find_xml_problem(xml), std::nullopt) << what;
}

TEST(XmlScanner, TakesInNamesOfAsciiWhatXmlAllowsThere) {
  const std::string starts = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  const std::string more = "0123456789-.";
  for (char c = '!'; c <= '~'; ++c) {
    const bool is_start = starts.find(c) != std::string::npos;
    EXPECT_EQ(find_xml_problem(std::string("<") + c + "/>") == std::nullopt, is_start) << c;
    EXPECT_EQ(find_xml_problem(std::string("<a:") + c + "/>") == std::nullopt, is_start) << c;
    EXPECT_EQ(find_xml_problem(std::string("<a") + c + "/>") == std::nullopt,
              is_start || more.find(c) != std::string::npos)
        << c;
  }
}

TEST(XmlScanner, RefusesCharactersThatXmlDoesNotAllow) {
  const std::string bytes[] = {std::string(1, '\0'),
                               "\x01",
                               "\x08",
                               "\x0B",
                               "\x0C",
                               "\x1B",
                               "\x1F",
                               "\x7F",  // controls
                               "\x80",
                               "\xC3",
                               "\xC0\x80",
                               "\xC0\xAF",
                               "\xE0\x80\xAF",
                               "\xF0\x80\x80\xAF",  // not UTF-8, overlong
                               "\xED\xA0\x80",
                               "\xF4\x90\x80\x80",
                               "\xF8\x88\x80\x80\x80",
                               "\xFC\x84\x80\x80\x80\x80",  // surrogate, too large
                               "\xEF\xBF\xBE",
                               "\xEF\xBF\xBF",  // U+FFFE, U+FFFF
                               "&#0;",
                               "&#1;",
                               "&#x1B;",
                               "&#127;",
                               "&#xD800;",
                               "&#xDFFF;",
                               "&#xFFFE;",
                               "&#xFFFF;",
                               "&#x110000;",
                               "&#99999999;",
                               "&#xFFFFFFFFF;",
                               "&#000000000065;",
                               "&#;",
                               "&#x;",
                               "&#X41;",
                               "&#-1;",
                               "&# 65;",
                               "&#65",
                               "&;",
                               "& ",
                               "&amp",
                               "&AMP;",
                               "&lt ;"};
  for (const auto& text : bytes) {
    EXPECT_NE(find_xml_problem("<a>" + text + "</a>"), std::nullopt) << testing::PrintToString(text);
    EXPECT_NE(find_xml_problem("<a b='" + text + "'/>"), std::nullopt) << testing::PrintToString(text);
    EXPECT_NE(find_xml_problem("<a><![CDATA[" + text), std::nullopt) << testing::PrintToString(text);
    EXPECT_NE(find_xml_problem("<!--" + text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(XmlScanner, SaysWhatIsWrong) {
  EXPECT_EQ(find_xml_problem("<!DOCTYPE a><a/>"), "contains a document type declaration");
  EXPECT_EQ(find_xml_problem("<a>x<b/></a>"), "contains markup inside a value");
  EXPECT_EQ(find_xml_problem("<a>"), "ends in the middle of its XML");
  EXPECT_EQ(find_xml_problem("<a></b>"), "is not well-formed XML");
  EXPECT_EQ(find_xml_problem("\n<?xml version='1.0'?><a/>"), "has something before its XML declaration");
  EXPECT_EQ(find_xml_problem("<!-- --><?xml version='1.0'?><a/>"), "has something before its XML declaration");
  EXPECT_EQ(find_xml_problem("<?xml-stylesheet href='x'?><a/>"), "contains a processing instruction");
  EXPECT_EQ(find_xml_problem("<a><?xml version='1.0'?></a>"), "contains a processing instruction");
}

}  // namespace
}  // namespace invited::soap
