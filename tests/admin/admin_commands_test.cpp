#include "admin/admin_commands.h"

#include <gmock/gmock.h>

#include "admin/admin_fixture.h"

namespace invited::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> members(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

TEST_F(AdminTest, AppsAreAddedAndListed) {
  const Json added =
      result("app add", {{"name", "Crane Control"}, {"url", "https://crane.example.org"}, {"language", "nl"}});
  EXPECT_THAT(members(added),
              ElementsAre("app_uuid", "name", "url", "language", "grants", "redirect_urls", "created_at"));
  EXPECT_EQ(added["language"], "nl");
  EXPECT_EQ(result("app add", {{"name", "Ferry"}, {"url", "https://f.example.org"}})["language"], "en");
  const Json list = result("app list");
  EXPECT_EQ(list.size(), 3U);
  EXPECT_THAT(list, testing::Contains(added));
}

TEST_F(AdminTest, RolesBelongToAnAppThatIsNamedByUuidOrName) {
  const Json added = result("role add", {{"app", "HARBOUR planner"}, {"name", "Pilot"}});
  EXPECT_THAT(members(added), ElementsAre("role_uuid", "name", "app_uuid", "app_name", "manages_all",
                                          "manageable_role_uuids", "created_at"));
  EXPECT_EQ(added["app_uuid"], app_.id.to_string());
  const Json own =
      result("role add",
             {{"app", app_.id.to_string()}, {"name", "Tower"}, {"uuid", "{6C2E6F0A-0000-4000-8000-000000000001}"}});
  EXPECT_EQ(own["role_uuid"], "6c2e6f0a-0000-4000-8000-000000000001");
  EXPECT_EQ(result("role list", {{"app", "Harbour Planner"}}).size(), 4U);
  EXPECT_EQ(result("role list").size(), 4U);
}

TEST_F(AdminTest, ANameThatSeveralHaveIsRefusedWithTheirUuids) {
  const Json second = result("app add", {{"name", "harbour planner"}, {"url", "https://two.example.org"}});
  const Json refused = answer("role list", {{"app", "Harbour Planner"}});
  EXPECT_EQ(refused["error"]["code"], "invalid_parameter");
  EXPECT_THAT(refused["error"]["message"].get<std::string>(),
              testing::AllOf(HasSubstr(app_.id.to_string()), HasSubstr(second["app_uuid"].get<std::string>())));
}

TEST_F(AdminTest, RolesAreImportedAddedRenamedNeverRemoved) {
  const std::string id = "6c2e6f0a-0000-4000-8000-000000000001";
  const Json first =
      result("role import",
             {{"app", "Harbour Planner"},
              {"roles", {{{"uuid", id}, {"name", "Pilot"}}, {{"uuid", user_.id.to_string()}, {"name", "User"}}}}});
  EXPECT_EQ(first["added"], 1);
  EXPECT_EQ(first["unchanged"], 1);
  const Json second =
      result("role import", {{"app", "Harbour Planner"}, {"roles", {{{"uuid", id}, {"name", "Harbour pilot"}}}}});
  EXPECT_EQ(second["renamed"], 1);
  EXPECT_EQ(result("role list").size(), 3U);
}

TEST_F(AdminTest, AnEnvironmentsPasswordIsToldOnceAndWorks) {
  const Json added = result("environment add", {{"app", "Harbour Planner"}, {"name", "Acceptance"}});
  EXPECT_EQ(environments_changed_, 1);
  const std::string uuid = added["environment_uuid"];
  const std::string password = added["environment_password"];
  EXPECT_EQ(password.size(), 43U);
  authenticator_->forget_snapshot();
  EXPECT_TRUE(authenticator_->authenticate(uuid, password, "192.0.2.1"));
  const std::string listed = result("environment list").dump();
  EXPECT_EQ(listed.find(password), std::string::npos);
  EXPECT_THAT(listed, HasSubstr(uuid));
  EXPECT_EQ(listed.find("hash"), std::string::npos);
}

TEST_F(AdminTest, AnOperatorsOwnPasswordAndUuidAreTakenOver) {
  const std::string uuid = "6c2e6f0a-0000-4000-8000-000000000002";
  const std::string password = "6c2e6f0a-1111-4000-8000-00000000000a";
  const Json added =
      result("environment add", {{"app", "Harbour Planner"}, {"name", "Old"}, {"uuid", uuid}, {"password", password}});
  EXPECT_EQ(added["environment_uuid"], uuid);
  EXPECT_TRUE(added["environment_password"].is_null());
  authenticator_->forget_snapshot();
  EXPECT_TRUE(authenticator_->authenticate(uuid, password, "192.0.2.1"));
  EXPECT_FALSE(authenticator_->authenticate(uuid, password + "x", "192.0.2.1"));
}

TEST_F(AdminTest, ARotatedPasswordAndTheOldOneWorkDuringTheOverlap) {
  const std::string uuid = environment_.id.to_string();
  const Json rotated = result("environment rotate-password", {{"environment", "production"}, {"overlap_seconds", 60U}});
  EXPECT_EQ(environments_changed_, 1);
  const std::string fresh = rotated["environment_password"];
  EXPECT_EQ(rotated["passwords"].size(), 2U);
  authenticator_->forget_snapshot();
  EXPECT_TRUE(authenticator_->authenticate(uuid, fresh, "192.0.2.1"));
  EXPECT_TRUE(authenticator_->authenticate(uuid, password_.reveal(), "192.0.2.1"));
  clock_.advance(std::chrono::seconds(61));
  EXPECT_TRUE(authenticator_->authenticate(uuid, fresh, "192.0.2.1"));
  EXPECT_FALSE(authenticator_->authenticate(uuid, password_.reveal(), "192.0.2.1"));
}

TEST_F(AdminTest, ADisabledEnvironmentIsRefusedUntilEnabled) {
  const auto works = [&] {
    authenticator_->forget_snapshot();
    return authenticator_->authenticate(environment_.id.to_string(), password_.reveal(), "192.0.2.1").has_value();
  };
  EXPECT_EQ(result("environment disable", {{"environment", environment_.id.to_string()}})["disabled"], true);
  EXPECT_FALSE(works());
  EXPECT_EQ(result("environment enable", {{"environment", "Production"}})["disabled"], false);
  EXPECT_TRUE(works());
  EXPECT_EQ(environments_changed_, 2);
}

TEST_F(AdminTest, AnAccountKeepsTheUuidByWhichAppsKnowThePerson) {
  const std::string uuid = "5d1f2a60-8c3e-4b7a-9e21-6f0c4d8b3a17";
  EXPECT_EQ(result("account add", {{"email", "ada@example.org"},
                                   {"name", "Ada"},
                                   {"uuid", "{5D1F2A60-8C3E-4B7A-9E21-6F0C4D8B3A17}"}})["account_uuid"],
            uuid);
  EXPECT_EQ(account("ada@example.org")->id.to_string(), uuid);
  EXPECT_EQ(error("account add", {{"email", "eve@example.org"}, {"name", "Eve"}, {"uuid", uuid}}),
            "already_exists uuid");
  EXPECT_EQ(error("account add",
                  {{"email", "eve@example.org"}, {"name", "Eve"}, {"uuid", std::string(base::Uuid{}.to_string())}}),
            "invalid_parameter uuid");
}

TEST_F(AdminTest, AccountsAreAddedListedDisabledAndGetPasswords) {
  const Json added = result("account add", {{"email", "ada@example.org"}, {"name", "Ada Lovelace"}});
  EXPECT_THAT(members(added), ElementsAre("account_uuid", "email", "name", "has_password", "disabled", "created_at"));
  EXPECT_EQ(added["has_password"], false);
  EXPECT_EQ(result("account set-password",
                   {{"email", "ADA@example.org"}, {"password", domain::kGoodPassword}})["has_password"],
            true);
  EXPECT_TRUE(hasher_.verify(account("ada@example.org")->password_hash, domain::kGoodPassword).correct);
  EXPECT_EQ(result("account disable", {{"email", "ada@example.org"}})["disabled"], true);
  EXPECT_EQ(result("account enable", {{"email", "ada@example.org"}})["disabled"], false);
  EXPECT_EQ(result("account list").size(), 2U);
  EXPECT_EQ(result("account list", {{"limit", 1U}, {"offset", 1U}}).size(), 1U);
  EXPECT_EQ(result("account list").dump().find("argon2"), std::string::npos);
}

TEST_F(AdminTest, AccessIsGrantedListedAndRevoked) {
  const Json change{{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "planner"}};
  const Json granted = result("access grant", change);
  EXPECT_EQ(granted["role_uuid"], planner_.id.to_string());
  EXPECT_EQ(granted["email"], "grace@example.org");
  EXPECT_EQ(result("access list", {{"environment", "Production"}}).size(), 2U);
  EXPECT_EQ(result("access list", {{"limit", 1U}, {"offset", 1U}}).size(), 1U);
  EXPECT_EQ(granted["changed"], true);
  EXPECT_EQ(result("access grant", change)["changed"], false);
  EXPECT_EQ(result("access revoke", change)["changed"], true);
  EXPECT_EQ(result("access revoke", change)["changed"], false);
  EXPECT_EQ(result("access list").size(), 1U);
}

TEST_F(AdminTest, AccessListsPageOverAllEnvironmentsTogether) {
  result("environment add", {{"app", "Harbour Planner"}, {"name", "Acceptance"}});
  for (const char* environment : {"Production", "Acceptance"})
    for (const char* role : {"User", "Planner"})
      result("access grant", {{"environment", environment}, {"email", "grace@example.org"}, {"role", role}});
  const Json all = result("access list");
  ASSERT_EQ(all.size(), 4U);
  for (std::uint32_t offset = 0; offset < 5; ++offset)
    for (std::uint32_t limit = 1; limit < 5; ++limit) {
      Json expected = Json::array();
      for (std::size_t i = offset; i < std::min<std::size_t>(offset + limit, all.size()); ++i)
        expected.push_back(all[i]);
      EXPECT_EQ(result("access list", {{"limit", limit}, {"offset", offset}}), expected) << offset << ' ' << limit;
    }
}

TEST_F(AdminTest, InvitationsAreListedShownResentAndRevoked) {
  ASSERT_TRUE(send("ada@example.org"));
  ASSERT_TRUE(send("bob@example.org"));
  const Json list =
      result("invitation list", {{"email", "ADA@example.org"}, {"state", "pending"}, {"environment", "Production"}});
  ASSERT_EQ(list.size(), 1U);
  EXPECT_THAT(
      members(list[0]),
      ElementsAre("invitation_uuid", "state", "invitee_email", "inviter_email", "inviter_name", "role_uuid",
                  "role_name", "role_uuids", "role_names", "environment_uuid", "environment_name", "app_name",
                  "generation", "created_at", "sent_at", "expires_at", "settled_at", "metadata", "redirect_url"));
  const std::string id = list[0]["invitation_uuid"];
  EXPECT_EQ(result("invitation show", {{"invitation", id}}), list[0]);
  mail_queued_ = 0;
  EXPECT_EQ(result("invitation resend", {{"invitation", id}})["generation"], 2);
  EXPECT_EQ(mail_queued_, 1);
  EXPECT_EQ(result("invitation revoke", {{"invitation", id}})["state"], "revoked");
  EXPECT_EQ(error("invitation resend", {{"invitation", id}}).substr(0, 17), "invalid_parameter");
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(result("invitation list", {{"state", "expired"}})[0]["invitee_email"], "bob@example.org");
}

TEST_F(AdminTest, EveryChangeStandsInTheAuditList) {
  result("app add", {{"name", "Ferry"}, {"url", "https://f.example.org"}});
  result("environment disable", {{"environment", "Production"}});
  const Json list = result("audit list", {{"limit", 2U}});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["action"], "environment.disabled");
  EXPECT_EQ(list[0]["actor"], "operator");
  EXPECT_EQ(list[0]["subject_uuid"], environment_.id.to_string());
  EXPECT_EQ(list[1]["action"], "app.added");
}

TEST_F(AdminTest, BadArgumentsAreRefusedAndNothingIsStored) {
  const std::string nobody = "6c2e6f0a-0000-4000-8000-0000000000ff";
  struct Case {
    const char* command;
    Json arguments;
    const char* error;
  };
  const std::size_t before = audited().size();
  for (const Case& c : {
           Case{"app add", {{"name", "X"}}, "missing_parameter url"},
           Case{"app add", {{"url", "https://x.example.org"}}, "missing_parameter name"},
           Case{"app add", {{"name", "  "}, {"url", "https://x.example.org"}}, "missing_parameter name"},
           Case{"app add", {{"name", 5}, {"url", "https://x.example.org"}}, "invalid_parameter name"},
           Case{"app add",
                {{"name", "visit www.spam.example"}, {"url", "https://x.example.org"}},
                "invalid_parameter name"},
           Case{"app add", {{"name", "X"}, {"url", "javascript:alert(1)"}}, "invalid_parameter url"},
           Case{"app add",
                {{"name", "X"}, {"url", "https://x.example.org"}, {"language", "xx"}},
                "invalid_parameter language"},
           Case{"app add",
                {{"name", "X"}, {"url", "https://x.example.org"}, {"color", "red"}},
                "invalid_parameter color"},
           Case{"app add", {{"name", "\xff"}, {"url", "https://x.example.org"}}, "invalid_parameter name"},
           Case{"role add", {{"app", "nothing"}, {"name", "X"}}, "not_found app"},
           Case{"role add", {{"app", nobody}, {"name", "X"}}, "not_found app"},
           Case{"role add", {{"app", "Harbour Planner"}, {"name", "X"}, {"uuid", "12"}}, "invalid_parameter uuid"},
           Case{"account add", {{"email", "x@example.org"}, {"name", "X"}, {"uuid", "12"}}, "invalid_parameter uuid"},
           Case{"role add",
                {{"app", "Harbour Planner"}, {"name", "X"}, {"uuid", user_.id.to_string()}},
                "already_exists uuid"},
           Case{"role import", {{"app", "Harbour Planner"}}, "missing_parameter roles"},
           Case{"role import", {{"app", "Harbour Planner"}, {"roles", Json::array()}}, "missing_parameter roles"},
           Case{"role import", {{"app", "Harbour Planner"}, {"roles", {1}}}, "invalid_parameter roles"},
           Case{"environment add", {{"app", "Harbour Planner"}}, "missing_parameter name"},
           Case{"environment add",
                {{"app", "Harbour Planner"}, {"name", "X"}, {"uuid", environment_.id.to_string()}},
                "already_exists uuid"},
           Case{"environment add",
                {{"app", "Harbour Planner"}, {"name", "X"}, {"password", std::string(129, 'x')}},
                "invalid_parameter password"},
           Case{"environment add",
                {{"app", "Harbour Planner"}, {"name", "X"}, {"password", std::string("a\0b", 3)}},
                "invalid_parameter password"},
           Case{"environment disable", {{"environment", nobody}}, "not_found environment"},
           Case{"environment rotate-password",
                {{"environment", "Production"}, {"overlap_seconds", -1}},
                "invalid_parameter overlap_seconds"},
           Case{"environment rotate-password",
                {{"environment", "Production"}, {"overlap_seconds", 90U * 86'400 + 1}},
                "invalid_parameter overlap"},
           Case{"account add", {{"email", "ada"}, {"name", "Ada"}}, "invalid_email_address email"},
           Case{"account add", {{"email", "GRACE@example.org"}, {"name", "Grace"}}, "already_exists email"},
           Case{"account add",
                {{"email", "ada@example.org"}, {"name", "Ada"}, {"password", "short"}},
                "invalid_parameter password"},
           Case{"account set-password", {{"email", "grace@example.org"}}, "missing_parameter password"},
           Case{"account set-password",
                {{"email", "nobody@example.org"}, {"password", domain::kGoodPassword}},
                "not_found email"},
           Case{"account disable", {{"email", "nobody@example.org"}}, "not_found email"},
           Case{"account list", {{"limit", 0U}}, "invalid_parameter limit"},
           Case{"account list", {{"limit", kMaxPage + 1}}, "invalid_parameter limit"},
           Case{"account list", {{"offset", 1ULL << 40}}, "invalid_parameter offset"},
           Case{"access grant",
                {{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Captain"}},
                "unknown_role role"},
           Case{"access grant",
                {{"environment", "Production"}, {"email", "nobody@example.org"}, {"role", "User"}},
                "not_found email"},
           Case{"invitation list", {{"state", "lost"}}, "invalid_parameter state"},
           Case{"invitation list", {{"email", "x"}}, "invalid_email_address email"},
           Case{"invitation show", Json::object(), "missing_parameter invitation"},
           Case{"invitation show", {{"invitation", "x"}}, "invalid_parameter invitation"},
           Case{"invitation show", {{"invitation", nobody}}, "not_found invitation"},
           Case{"mail list", {{"state", "lost"}}, "invalid_parameter state"},
           Case{"mail show", {{"message", nobody}}, "not_found message"},
           Case{"mail retry", Json::object(), "missing_parameter message"},
           Case{"mail retry", {{"message", nobody}, {"all", true}}, "missing_parameter message"},
           Case{"mail retry", {{"message", nobody}}, "not_found message"},
           Case{"account show", Json::object(), "missing_parameter email"},
           Case{"account show", {{"email", "x"}}, "invalid_email_address email"},
           Case{"account show", {{"email", "nobody@example.org"}}, "not_found email"},
           Case{"account set", {{"name", "X"}}, "missing_parameter email"},
           Case{"account set", {{"email", "grace@example.org"}}, "missing_parameter "},
           Case{"account set", {{"email", "nobody@example.org"}, {"name", "X"}}, "not_found email"},
           Case{"account set", {{"email", "grace@example.org"}, {"name", ""}}, "invalid_parameter name"},
           Case{
               "account set", {{"email", "grace@example.org"}, {"name", "www.spam.example"}}, "invalid_parameter name"},
           Case{"account set", {{"email", "grace@example.org"}, {"shoe_size", "41"}}, "invalid_parameter shoe_size"},
           Case{"account set", {{"email", "grace@example.org"}, {"phone", 31}}, "invalid_parameter phone"},
           Case{"account set", {{"email", "grace@example.org"}, {"phone", "call me"}}, "invalid_parameter phone"},
           Case{"account set",
                {{"email", "grace@example.org"}, {"country", "NL"}, {"website", "javascript:alert(1)"}},
                "invalid_parameter website"},
           Case{"account set",
                {{"email", "grace@example.org"}, {"company", std::string(101, 'x')}},
                "invalid_parameter company"},
           Case{"account set", {{"email", "grace@example.org"}, {"bio", "\xff"}}, "invalid_parameter bio"},
           Case{"environment set", {{"name", "X"}}, "missing_parameter environment"},
           Case{"environment set", {{"environment", "Production"}}, "missing_parameter "},
           Case{"environment set", {{"environment", nobody}, {"name", "X"}}, "not_found environment"},
           Case{"environment set", {{"environment", "Production"}, {"name", ""}}, "invalid_parameter name"},
           Case{"environment set", {{"environment", "Production"}, {"name", 7}}, "invalid_parameter name"},
           Case{"environment set",
                {{"environment", "Production"}, {"openid-template", ""}},
                "invalid_parameter openid-template"},
           Case{"environment set",
                {{"environment", "Production"}, {"openid-template", "the same for all"}},
                "invalid_parameter openid-template"},
           Case{"environment set",
                {{"environment", "Production"}, {"openid-template", "{email}{name}"}},
                "invalid_parameter openid-template"},
           Case{"environment set",
                {{"environment", "Production"}, {"openid-template", "{email}" + std::string(400, 'x')}},
                "invalid_parameter openid-template"},
           Case{"environment set",
                {{"environment", "Production"}, {"name", "New"}, {"refresh-url", "ftp://planner.example.org"}},
                "invalid_parameter refresh-url"},
           Case{"environment set",
                {{"environment", "Production"}, {"refresh-url", "https://me:secret@planner.example.org/ws/RefreshAPI"}},
                "invalid_parameter refresh-url"},
           Case{"environment set",
                {{"environment", "Production"}, {"refresh-namespace", "urn:refresh"}},
                "invalid_parameter refresh-namespace"},
           Case{"refresh list", {{"state", "sent"}}, "invalid_parameter state"},
           Case{"refresh list", {{"limit", 0U}}, "invalid_parameter limit"},
           Case{"refresh show", Json::object(), "missing_parameter refresh"},
           Case{"refresh show", {{"refresh", "x"}}, "invalid_parameter refresh"},
           Case{"refresh show", {{"refresh", nobody}}, "not_found refresh"},
           Case{"refresh retry", Json::object(), "missing_parameter refresh"},
           Case{"refresh retry", {{"refresh", nobody}, {"all", true}}, "missing_parameter refresh"},
           Case{"refresh retry", {{"refresh", nobody}}, "not_found refresh"},
           Case{"app remove", Json::object(), "malformed_request "},
           Case{"", Json::object(), "malformed_request "},
       }) {
    EXPECT_EQ(error(c.command, c.arguments), c.error)
        << c.command << ' ' << c.arguments.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  EXPECT_EQ(audited().size(), before);
  EXPECT_EQ(environments_changed_, 0);
  EXPECT_EQ(refresh_queued_, 0);
}

TEST_F(AdminTest, RequestsThatAreNotRequestsAreRefused) {
  for (const Json& request : {Json(), Json::array(), Json("app list"), Json::object(), Json{{"command", 1}},
                              Json{{"command", "app list"}, {"arguments", 3}}, Json(Json::value_t::discarded)}) {
    EXPECT_EQ(execute(request, admin_)["error"]["code"], "malformed_request");
  }
}

TEST_F(AdminTest, EveryErrorCodeHasAnAnswer) {
  for (const domain::ErrorCode code : domain::kErrorCodes) {
    const Json json = to_json(domain::Error{code, "Why.", "p", std::chrono::seconds(7)});
    EXPECT_EQ(json["code"], domain::to_string(code));
    EXPECT_EQ(json["message"], "Why.");
    EXPECT_EQ(json["parameter"], "p");
    EXPECT_EQ(json["retry_after_seconds"], 7);
  }
}

TEST_F(AdminTest, TheStatusTellsWhetherWorkIsTaken) {
  const Json status = result("status");
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["public_url"], "https://invite.example.com");
  store_->drain();
  EXPECT_EQ(result("status")["ready"], false);
}

}  // namespace
}  // namespace invited::admin
