// What operators see and change of a person.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/profile.h"

namespace invited::admin {
namespace {

using testing::ElementsAre;

using AdminProfileTest = AdminTest;

/// A value that the field takes as it is.
std::string sample_value(const domain::ProfileFieldDescription& field) {
  switch (field.form) {
    case domain::ProfileFieldForm::line:
      return "A " + std::string(field.name);
    case domain::ProfileFieldForm::text:
      return "One line,\nand another: &<é漢";
    case domain::ProfileFieldForm::phone:
      return "+31 20 123 4567";
    case domain::ProfileFieldForm::url:
      return "https://www.example.org/" + std::string(field.name);
    case domain::ProfileFieldForm::handle:
      return "@" + std::string(field.name);
  }
  return {};
}

TEST_F(AdminProfileTest, EveryFieldIsSetShownAndTakenAway) {
  Json arguments{{"email", "GRACE@example.org"}};
  Json profile = Json::object();
  for (const auto& field : domain::kProfileFields) {
    arguments[std::string(field.name)] = sample_value(field);
    profile[std::string(field.name)] = sample_value(field);
  }
  const Json changed = result("account set", arguments);
  EXPECT_EQ(changed["profile"], profile);
  EXPECT_EQ(changed["name"], "Grace Hopper");
  EXPECT_EQ(result("account show", {{"email", "grace@example.org"}}), changed);
  EXPECT_EQ(audited().front(), "account.profile_changed");
  for (const auto& field : domain::kProfileFields) {
    const std::string name(field.name);
    profile[name] = nullptr;
    EXPECT_EQ(result("account set", {{"email", "grace@example.org"}, {name, ""}})["profile"], profile) << name;
  }
}

TEST_F(AdminProfileTest, TheNameIsChangedAloneOrWithFields) {
  EXPECT_EQ(result("account set", {{"email", "grace@example.org"}, {"name", "Grace B. Hopper"}})["name"],
            "Grace B. Hopper");
  const Json both = result("account set",
                           {{"email", "grace@example.org"}, {"name", "Amazing Grace"}, {"website", "www.example.org"}});
  EXPECT_EQ(both["name"], "Amazing Grace");
  EXPECT_EQ(both["profile"]["website"], "https://www.example.org");
  EXPECT_EQ(account("grace@example.org")->name, "Amazing Grace");
}

TEST_F(AdminProfileTest, NothingIsStoredWhereOneFieldIsWrong) {
  EXPECT_EQ(
      error("account set",
            {{"email", "grace@example.org"}, {"name", "Eve"}, {"country", "NL"}, {"phone", "none of your business"}}),
      "invalid_parameter phone");
  const Json shown = result("account show", {{"email", "grace@example.org"}});
  EXPECT_EQ(shown["name"], "Grace Hopper");
  EXPECT_TRUE(shown["profile"]["country"].is_null());
}

TEST_F(AdminProfileTest, APersonIsShownWithRolesAndAsWhomTheAppsKnowThem) {
  result("environment add", {{"app", "Harbour Planner"}, {"name", "Acceptance"}});
  result("environment set", {{"environment", "Acceptance"}, {"openid-template", "{email}"}});
  result("access grant", {{"environment", "Acceptance"}, {"email", "grace@example.org"}, {"role", "Planner"}});
  const Json shown = result("account show", {{"email", "grace@example.org"}});
  std::vector<std::string> members;
  for (const auto& [name, value] : shown.items()) members.push_back(name);
  EXPECT_THAT(members, ElementsAre("account_uuid", "email", "name", "has_password", "disabled", "created_at", "profile",
                                   "roles"));
  std::map<std::string, std::string> roles;
  std::map<std::string, std::string> openids;
  for (const Json& role : shown["roles"]) {
    roles[role["environment_name"]] = role["role_name"];
    openids[role["environment_name"]] = role["openid"];
    EXPECT_EQ(role["app_name"], "Harbour Planner");
  }
  EXPECT_EQ(roles, (std::map<std::string, std::string>{{"Production", "User"}, {"Acceptance", "Planner"}}));
  EXPECT_EQ(openids["Acceptance"], "grace@example.org");
  EXPECT_EQ(openids["Production"], "https://invite.example.com/id?id=" + shown["account_uuid"].get<std::string>());
  EXPECT_EQ(shown.dump().find("hash"), std::string::npos);
}

TEST_F(AdminProfileTest, APasswordThatIsSetEndsSessionsAndLinks) {
  const auto hash_of_token = [](char c) { return std::string(43, c); };
  write([&](domain::Transaction& t) -> domain::Result<void> {
    t.insert(domain::Session{hash_of_token('a'), inviter_->id, 0, now(), now() + std::chrono::hours(1)});
    return {};
  });
  result("account set-password", {{"email", "grace@example.org"}, {"password", domain::kGoodPassword}});
  EXPECT_EQ(account("grace@example.org")->password_generation, 1U);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_FALSE(t.find_session(hash_of_token('a')));
    return {};
  });
}

}  // namespace
}  // namespace invited::admin
