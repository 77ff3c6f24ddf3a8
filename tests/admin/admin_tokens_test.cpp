// API tokens as operators make, list and revoke them.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/caller.h"

namespace invited::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AdminTokensTest : public AdminTest {
 protected:
  Json add(Json more = Json::object()) {
    Json arguments{{"environment", "Production"}, {"account", "GRACE@example.org"}};
    arguments.update(more);
    return result("token add", arguments);
  }
  bool works(const Json& added) {
    return domain::authenticate_token(added["api_token"].get<std::string>(), "192.0.2.1", *context_).has_value();
  }
};

TEST_F(AdminTokensTest, ATokenIsToldOnceAndWorks) {
  const Json added = add();
  std::vector<std::string> members;
  for (const auto& [name, value] : added.items()) members.push_back(name);
  EXPECT_THAT(members, ElementsAre("api_token", "token_uuid", "name", "state", "email", "environment_uuid",
                                   "environment_name", "app_name", "role_ceiling_uuids", "role_ceiling", "links",
                                   "created_at", "expires_at", "revoked_at", "last_used_at"));
  const std::string text = added["api_token"];
  EXPECT_THAT(text, testing::StartsWith("invited_"));
  EXPECT_TRUE(works(added));
  for (const char* command : {"token list", "audit list"}) {
    const std::string told = result(command).dump();
    EXPECT_EQ(told.find(text), std::string::npos) << command;
    EXPECT_EQ(told.find(domain::hash_api_token(authenticator_->pepper(), text)), std::string::npos) << command;
    EXPECT_THAT(told, HasSubstr(added["token_uuid"].get<std::string>())) << command;
  }
  EXPECT_EQ(result("audit list")[0]["action"], "token.added");
}

TEST_F(AdminTokensTest, WithoutMoreItGrantsAllForEverAndSeesNoLinks) {
  const Json added = add();
  EXPECT_TRUE(added["name"].is_null());
  EXPECT_EQ(added["state"], "valid");
  EXPECT_EQ(added["email"], "grace@example.org");
  EXPECT_EQ(added["links"], false);
  EXPECT_EQ(added["role_ceiling"], Json::array());
  EXPECT_TRUE(added["expires_at"].is_null());
}

TEST_F(AdminTokensTest, AllOfItCanBeSaid) {
  const Json added = add({{"name", " CI of ci.example.org "},
                          {"role-ceiling", {"planner, " + user_.id.to_string(), "User"}},
                          {"expires_in_seconds", 3600U},
                          {"links", true}});
  EXPECT_EQ(added["name"], "CI of ci.example.org");
  EXPECT_EQ(added["role_ceiling"], Json({"Planner", "User"}));
  EXPECT_EQ(added["role_ceiling_uuids"], Json({planner_.id.to_string(), user_.id.to_string()}));
  EXPECT_EQ(added["links"], true);
  EXPECT_EQ(added["expires_at"], base::to_rfc3339(now() + std::chrono::hours(1)));
  const auto caller = domain::authenticate_token(added["api_token"].get<std::string>(), "192.0.2.1", *context_);
  ASSERT_TRUE(caller);
  EXPECT_THAT(caller->role_ceiling, ElementsAre(planner_.id, user_.id));
  EXPECT_TRUE(caller->may_see_links);
}

TEST_F(AdminTokensTest, TheListSaysWhatBecameOfEach) {
  const Json used = add({{"name", "used"}});
  const Json short_lived = add({{"name", "short"}, {"expires_in_seconds", 60U}});
  const Json revoked = add({{"name", "revoked"}});
  EXPECT_TRUE(works(used));
  EXPECT_EQ(result("token revoke", {{"token", revoked["token_uuid"]}})["state"], "revoked");
  clock_.advance(std::chrono::seconds(60));
  const Json list = result("token list", {{"environment", "production"}});
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["state"], "revoked");
  EXPECT_EQ(list[0]["revoked_at"], base::to_rfc3339(now() - std::chrono::seconds(60)));
  EXPECT_EQ(list[1]["state"], "expired");
  EXPECT_EQ(list[2]["state"], "valid");
  EXPECT_EQ(list[2]["last_used_at"], base::to_rfc3339(now() - std::chrono::seconds(60)));
  EXPECT_TRUE(list[1]["last_used_at"].is_null());
  EXPECT_EQ(result("token list", {{"limit", 1U}, {"offset", 2U}})[0]["name"], "used");
  result("environment add", {{"app", "Harbour Planner"}, {"name", "Acceptance"}});
  EXPECT_EQ(result("token list", {{"environment", "Acceptance"}}), Json::array());
}

TEST_F(AdminTokensTest, ARevokedTokenIsWorthlessAndRevokingItAgainChangesNothing) {
  const Json added = add();
  const Json revoked = result("token revoke", {{"token", added["token_uuid"]}});
  EXPECT_FALSE(works(added));
  const auto events = audited();
  EXPECT_EQ(events.front(), "token.revoked");
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(result("token revoke", {{"token", added["token_uuid"]}}), revoked);
  EXPECT_EQ(audited(), events);
}

TEST_F(AdminTokensTest, WhatCannotBeIsRefused) {
  result("account add", {{"email", "eve@example.org"}, {"name", "Eve"}});
  result("account add", {{"email", "mallory@example.org"}, {"name", "Mallory"}});
  result("access grant", {{"environment", "Production"}, {"email", "mallory@example.org"}, {"role", "User"}});
  result("account disable", {{"email", "mallory@example.org"}});
  result("app add", {{"name", "Ferry"}, {"url", "https://ferry.example.org"}});
  result("role add", {{"app", "Ferry"}, {"name", "Skipper"}});
  const auto events = audited();
  const struct {
    const char* argument;
    Json value;
    const char* refused;
  } kRows[] = {
      {"environment", "", "missing_parameter environment"},
      {"environment", "Nowhere", "not_found environment"},
      {"account", "", "missing_parameter account"},
      {"account", "nobody", "invalid_email_address account"},
      {"account", "nobody@example.org", "not_found account"},
      {"account", "eve@example.org", "inviter_without_access account"},
      {"account", "mallory@example.org", "inviter_without_access account"},
      {"name", "two\nlines", "invalid_parameter name"},
      {"name", std::string(101, 'x'), "invalid_parameter name"},
      {"role-ceiling", Json::array({"Skipper"}), "unknown_role role"},
      {"role-ceiling", Json::array({"User,Nothing"}), "unknown_role role"},
      {"role-ceiling", Json::array({""}), "missing_parameter role-ceiling"},
      {"role-ceiling", Json::array(), "missing_parameter role-ceiling"},
      {"expires_in_seconds", 0U, "invalid_parameter expires"},
      {"expires_in_seconds", UINT64_MAX, "invalid_parameter expires"},
      {"expires_in_seconds", "90d", "invalid_parameter expires_in_seconds"},
  };
  for (const auto& row : kRows) {
    Json arguments{{"environment", "Production"}, {"account", "grace@example.org"}};
    arguments[row.argument] = row.value;
    EXPECT_EQ(error("token add", arguments), row.refused) << row.argument << "=" << row.value;
  }
  EXPECT_EQ(error("token revoke", {{"token", base::Uuid::random().to_string()}}), "not_found token");
  EXPECT_EQ(error("token list", {{"environment", "Nowhere"}}), "not_found environment");
  EXPECT_EQ(result("token list"), Json::array());
  EXPECT_EQ(audited(), events);
}

}  // namespace
}  // namespace invited::admin
