// What operators change about an environment: how the app knows people, and where it is told of changed roles.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/openid.h"

namespace invited::admin {
namespace {

using testing::HasSubstr;

using AdminEnvironmentTest = AdminTest;

TEST_F(AdminEnvironmentTest, BeginsWithTheDefaultTemplateAndNoCalls) {
  const Json listed = result("environment list")[0];
  EXPECT_EQ(listed["openid_template"], "{public_url}/id?id={account_uuid}");
  EXPECT_TRUE(listed["refresh_url"].is_null());
  EXPECT_EQ(listed["refresh_namespace"], "http://home.mendix.com/");
}

TEST_F(AdminEnvironmentTest, ChangesWhatIsGivenAndLeavesTheRest) {
  Json expected = result("environment list")[0];
  const struct {
    const char* argument;
    const char* member;
    const char* value;
  } kRows[] = {{"name", "name", "Live"},
               {"openid-template", "openid_template", "{email}"},
               {"refresh-url", "refresh_url", "https://planner.example.org/ws/RefreshAPI"},
               {"refresh-namespace", "refresh_namespace", "http://www.example.com"}};
  int changes = 0;
  for (const auto& row : kRows) {
    expected[row.member] = row.value;
    EXPECT_EQ(result("environment set", {{"environment", environment_.id.to_string()}, {row.argument, row.value}}),
              expected);
    EXPECT_EQ(environments_changed_, ++changes) << "the service's snapshot is out of date";
  }
  EXPECT_EQ(result("environment list")[0], expected);
}

TEST_F(AdminEnvironmentTest, TakesAllAtOnceAndNamesTheEnvironmentAsOperatorsDo) {
  const Json changed = result("environment set", {{"environment", "PRODUCTION"},
                                                  {"name", "Live"},
                                                  {"openid-template", "https://id.example.org/{account_uuid}"},
                                                  {"refresh-url", "http://127.0.0.1:8081/ws/RefreshAPI"},
                                                  {"refresh-namespace", "http://www.example.com"}});
  EXPECT_EQ(changed["name"], "Live");
  EXPECT_EQ(changed["openid_template"], "https://id.example.org/{account_uuid}");
  EXPECT_EQ(changed["refresh_url"], "http://127.0.0.1:8081/ws/RefreshAPI");
  EXPECT_EQ(audited().front(), "environment.changed");
}

TEST_F(AdminEnvironmentTest, AnEmptyRefreshUrlEndsTheCalls) {
  const auto set_url = [&](const char* url) {
    return result("environment set", {{"environment", "Production"}, {"refresh-url", url}})["refresh_url"];
  };
  EXPECT_EQ(set_url("https://planner.example.org/ws/RefreshAPI"), "https://planner.example.org/ws/RefreshAPI");
  EXPECT_TRUE(set_url("").is_null());
  result("access grant", {{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Planner"}});
  EXPECT_TRUE(result("refresh list").empty());
}

// The longest public URL is part of the longest OpenID.
TEST_F(AdminEnvironmentTest, MeasuresATemplateWithTheConfiguredPublicUrl) {
  const std::string path(300, 'x');
  const Json change{{"environment", "Production"}, {"openid-template", "{public_url}/" + path + "/{account_uuid}"}};
  result("environment set", change);
  admin_.public_url = "https://" + std::string(60, 'h') + ".example.org";
  EXPECT_EQ(error("environment set", change), "invalid_parameter openid-template");
}

}  // namespace
}  // namespace invited::admin
