#include "soap/content_type.h"

#include <gtest/gtest.h>

namespace invited::soap {
namespace {

TEST(ContentType, TakesXmlInUtf8) {
  const char* accepted[] = {
      "text/xml",
      "text/xml; charset=utf-8",
      "text/xml;charset=UTF-8",
      "TEXT/XML ; Charset = \"utf-8\"",
      "text/xml; charset=utf8",
      "text/xml; charset=us-ascii",
      "application/xml",
      "text/xml; action=\"a;charset=utf-16\"; charset=utf-8",
      "text/xml; action=\"a\\\";charset=utf-16\"",
      "text/xml;",
  };
  for (const auto* type : accepted) {
    const auto finding = check_content_type(type);
    EXPECT_EQ(finding.problem, std::nullopt) << type;
    EXPECT_EQ(finding.version, SoapVersion::v1_1) << type;
  }
  const auto finding = check_content_type("Application/SOAP+xml; action=\"http://www.example.com/SendInvite\"");
  EXPECT_EQ(finding.problem, std::nullopt);
  EXPECT_EQ(finding.version, SoapVersion::v1_2);
}

TEST(ContentType, RefusesEverythingElse) {
  const char* refused[] = {
      "",
      " ",
      ";",
      "text/plain",
      "text/xmlx",
      "xtext/xml",
      "text",
      "text/xml, text/xml",
      "application/json",
      "application/x-www-form-urlencoded",
      "multipart/related; type=\"text/xml\"",
      "application/xop+xml",
      "text/xml; charset=utf-16",
      "text/xml; charset=",
      "text/xml; charset",
      "text/xml; charset=utf-8; charset=iso-8859-1",
      "text/xml; CHARSET=\"UTF-7\"",
      "application/soap+xml; charset=us-ascii-1",
  };
  for (const auto* type : refused) EXPECT_NE(check_content_type(type).problem, std::nullopt) << type;
}

}  // namespace
}  // namespace invited::soap
