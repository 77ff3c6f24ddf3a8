#include "domain/openid.h"

#include <gtest/gtest.h>

#include "domain/app.h"

namespace invited::domain {
namespace {

constexpr std::string_view kPublicUrl = "https://invite.example.org/";
constexpr std::string_view kId = "0190a5b4-c3d2-7e1f-8796-a5b4c3d2e1f0";

Account ada() {
  return {*base::Uuid::parse(kId), *EmailAddress::parse("Ada@Example.org"), "Ada Lovelace", {}, false, {}};
}

TEST(OpenId, IsTheTemplateFilledIn) {
  const std::pair<std::string_view, std::string> table[] = {
      {kDefaultOpenIdTemplate, "https://invite.example.org/id?id=" + std::string(kId)},
      {"{email}", "ada@example.org"},
      {"{account_uuid}", std::string(kId)},
      {"https://mxid2.mendixcloud.com/mxid2/id?id={account_uuid}",
       "https://mxid2.mendixcloud.com/mxid2/id?id=" + std::string(kId)},
      {"{email}/{account_uuid}", "ada@example.org/" + std::string(kId)},
      {"urn:people:{account_uuid}:{email}:é", "urn:people:" + std::string(kId) + ":ada@example.org:é"},
  };
  for (const auto& [template_text, openid] : table) {
    ASSERT_TRUE(check_openid_template(template_text, kPublicUrl)) << template_text;
    EXPECT_EQ(make_openid(template_text, kPublicUrl, ada()), openid);
    const auto subject = parse_openid(template_text, kPublicUrl, openid);
    ASSERT_TRUE(subject) << openid;
    if (template_text.find("{account_uuid}") != std::string_view::npos) {
      EXPECT_EQ(subject->account_id, ada().id);
    } else {
      EXPECT_EQ(subject->email_key, "ada@example.org");
    }
  }
}

TEST(OpenId, ATemplateThatCannotTellPeopleApartOrGrowsTooLongIsRefused) {
  const std::string table[] = {
      "",
      "everybody",
      "{public_url}/id",
      "{email}{email}",
      "{account_uuid}-{account_uuid}",
      "{account_uuid}{role}",
      "{account_uuid",
      "}{email}",
      "{email}" + std::string(147, 'x'),
      "line\n{email}",
      "\xC0\xAF{email}",
      "hidden\xE2\x80\x8B{email}",
  };
  for (const std::string& text : table) {
    const auto checked = check_openid_template(text, kPublicUrl);
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_parameter);
    EXPECT_EQ(checked.error().parameter, "openid-template");
  }
  std::string wide;
  for (int i = 0; i < 330; ++i) wide += "漢";
  EXPECT_FALSE(check_openid_template("{account_uuid}" + wide, kPublicUrl)) << "more bytes than a call may carry";
  EXPECT_TRUE(check_openid_template("{email}" + std::string(146, 'x'), kPublicUrl)) << "400 exactly";
}

TEST(OpenId, WhatTheTemplateNeverMakesBelongsToNobody) {
  const std::string base = "https://invite.example.org/id?id=";
  const std::string table[] = {
      "",
      base,
      base + "x",
      base + std::string(kId) + "x",
      base + std::string(kId.substr(1)),
      "http://invite.example.org/id?id=" + std::string(kId),
      base + "0190a5b4-c3d2-7e1f-8796-a5b4c3d2e1fg",
      base + "0190A5B4-C3D2-7E1F-8796-A5B4C3D2E1F0",
  };
  for (const std::string& openid : table)
    EXPECT_FALSE(parse_openid(kDefaultOpenIdTemplate, kPublicUrl, openid)) << openid;
  EXPECT_FALSE(parse_openid("x{email}y", kPublicUrl, "xy"));
  for (const char* openid : {"MxAdmin", "Ada@example.org", "ada@example", "https://invite.example.org/id?id=1"})
    EXPECT_FALSE(parse_openid("{email}", kPublicUrl, openid)) << openid;
}

}  // namespace
}  // namespace invited::domain
