// GoRules' calls (json-dialects.md); its answers against its own API description: tests/interop/gorules.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "http/dialects/dialect_fixture.h"

namespace invited::http {
namespace {

using Texts = std::vector<std::string>;

class GoRules : public DialectTest {
 protected:
  GoRules() { map("gorules", "default", user_); }

  Answer invite(const Texts& emails) { return call("POST", "/api/users", Json{{"emails", emails}}.dump()); }
  std::string id_of(const std::string& email) { return invite({email}).json[0]["id"]; }

  Texts listed(const std::string& query, const char* what = "invitations") {
    const auto answer = call("GET", "/api/" + std::string(what) + query);
    EXPECT_EQ(answer.status, 200) << answer.text;
    Texts emails;
    for (const auto& one : answer.json["results"]) emails.push_back(one["email"]);
    return emails;
  }
};

TEST_F(GoRules, InvitesSeveralAndAnswersABareArray) {
  const auto answer = invite({"ada@example.org", "Bob@example.org", "ada@example.org"});
  ASSERT_EQ(answer.status, 200) << answer.text;
  ASSERT_EQ(answer.json.size(), 2U);
  const auto invitation = find(answer.json[0]["id"]);
  EXPECT_EQ(answer.json[0], (Json{{"id", invitation.id.to_string()},
                                  {"email", "ada@example.org"},
                                  {"status", "pending"},
                                  {"userId", invitation.id.to_string()},
                                  {"createdAt", base::to_rfc3339(invitation.created_at)},
                                  {"expiresAt", base::to_rfc3339(invitation.expires_at)}}));
  EXPECT_EQ(answer.json[1]["email"], "Bob@example.org");
  EXPECT_EQ(invitation.role_id, user_.id);
  EXPECT_EQ(messages().size(), 2U);
}

TEST_F(GoRules, WhoHasAccessAlreadyIsAccepted) {
  const std::string id = id_of("ada@example.org");
  accept(id);
  const auto answer = invite({"ada@example.org", "grace@example.org"});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json[0]["id"], id);
  EXPECT_EQ(answer.json[0]["status"], "accepted");
  EXPECT_EQ(answer.json[0]["userId"], account("ada@example.org")->id.to_string());
  EXPECT_EQ(answer.json[0]["expiresAt"], nullptr);
  EXPECT_EQ(answer.json[1]["status"], "accepted");
  EXPECT_EQ(answer.json[1]["userId"], inviter_->id.to_string());
}

TEST_F(GoRules, RefusesWithStatusAndSentence) {
  struct Case {
    std::string body;
    int status;
    std::string code, parameter;
  };
  for (const Case& c : {
           Case{R"({"emails":["ada@example.org","x"]})", 400, "invalid_email_address", "emails.1"},
           Case{R"({"emails":["x"]})", 400, "invalid_email_address", "emails"},
           Case{R"({"emails":[""]})", 400, "missing_parameter", "emails"},
           Case{R"({"emails":[]})", 400, "invalid_parameter", "emails"},
           Case{Json{{"emails", Texts(11, "a@b.cc")}}.dump(), 400, "invalid_parameter", "emails"},
           Case{R"({"emails":"ada@example.org"})", 400, "invalid_parameter", "emails"},
           Case{R"({"emails":["ada@example.org",null]})", 400, "missing_parameter", "emails.1"},
           Case{R"({})", 400, "missing_parameter", "emails"},
           Case{"{", 400, "malformed_request", ""},
       }) {
    const auto answer = call("POST", "/api/users", c.body);
    EXPECT_EQ(answer.status, c.status) << c.body;
    EXPECT_EQ(answer.json["statusCode"], c.status);
    EXPECT_EQ(answer.json["error"], "Bad Request");
    EXPECT_TRUE(answer.json["message"].is_string());
    EXPECT_EQ(answer.code(), c.code) << answer.text;
    EXPECT_EQ(answer.json.value("parameter", ""), c.parameter) << answer.text;
  }
  EXPECT_TRUE(invitations().empty());
  EXPECT_EQ(call("POST", "/api/users", R"({"emails":["a@b.cc"]})", {{"Authorization", ""}}).status, 401);
  EXPECT_EQ(call("POST", "/api/users", R"({"emails":5})", {{"Authorization", ""}}).status, 401)
      << "who calls comes first";
  EXPECT_EQ(call("GET", "/api/users", "", {{"Authorization", "Bearer x"}}).status, 401);
  token_ = make_token({planner_.id});
  EXPECT_EQ(invite({"ada@example.org"}).code(), "role_not_allowed");
}

TEST_F(GoRules, SaysWhatAnOperatorHasToDoWhereNoRoleIsMapped) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    return domain::unmap_role(app_, "gorules", "default", t, now());
  });
  const auto answer = invite({"ada@example.org"});
  EXPECT_EQ(answer.code(), "unknown_role");
  EXPECT_NE(answer.json["message"].get<std::string>().find("--dialect gorules"), std::string::npos) << answer.text;
}

TEST_F(GoRules, ListsInvitationsAsTheOriginalDoes) {
  const std::string id = id_of("ada@example.org");
  const auto answer = call("GET", "/api/invitations");
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json["paginate"], Json::parse(R"({"current":1,"from":1,"to":1,"total":1,"pageSize":10})"));
  const Json& one = answer.json["results"][0];
  EXPECT_EQ(one["id"], id);
  EXPECT_EQ(one["acceptedAt"], nullptr);
  EXPECT_EQ(one["createdBy"], (Json{{"id", inviter_->id.to_string()},
                                    {"email", "grace@example.org"},
                                    {"firstName", "Grace"},
                                    {"lastName", "Hopper"},
                                    {"type", "member"},
                                    {"status", "active"}}));
  EXPECT_EQ(one["user"]["type"], "invited");
  EXPECT_EQ(one["user"]["id"], one["userId"]);
  EXPECT_EQ(one["organisation"], (Json{{"id", app_.id.to_string()}, {"name", "Harbour Planner"}}));
  accept(id);
  const Json accepted = call("GET", "/api/invitations?status=accepted").json["results"][0];
  EXPECT_EQ(accepted["status"], "accepted");
  EXPECT_EQ(accepted["acceptedAt"], base::to_rfc3339(now()));
  EXPECT_EQ(accepted["user"]["firstName"], "Ada");
  EXPECT_EQ(accepted["user"]["id"], account("ada@example.org")->id.to_string());
}

TEST_F(GoRules, FindsInvitationsByStatusAndAddress) {
  accept(id_of("ada@example.org"));
  invite({"bob@example.org", "b_b@example.org", "bxb@example.org"});
  const std::string revoked = id_of("rex@example.org");
  EXPECT_EQ(call("DELETE", "/api/invitations/" + revoked).status, 204);
  EXPECT_EQ(listed("").size(), 4U);  // pending and accepted
  EXPECT_EQ(listed("?status=accepted"), Texts{"ada@example.org"});
  EXPECT_EQ(listed("?status=pending").size(), 3U);
  EXPECT_EQ(listed("?status=revoked"), Texts{"rex@example.org"});
  EXPECT_EQ(listed("?search=BOB"), Texts{"bob@example.org"});
  EXPECT_EQ(listed("?search=b_b"), Texts{"b_b@example.org"});  // not a pattern
  EXPECT_EQ(listed("?search=%25"), Texts{});
  EXPECT_EQ(listed("?search=ada&status=pending"), Texts{});
  clock_.advance(std::chrono::days(30));
  EXPECT_EQ(listed("?status=pending"), Texts{});
  EXPECT_EQ(listed("?status=expired").size(), 3U);
}

TEST_F(GoRules, PagesItsLists) {
  Texts emails;
  for (int i = 0; i < 10; ++i) emails.push_back("p" + std::to_string(i) + "@example.org");
  invite(emails);
  const auto third = call("GET", "/api/invitations?page=3&perPage=4");
  EXPECT_EQ(third.json["paginate"], Json::parse(R"({"current":3,"from":9,"to":10,"total":10,"pageSize":4})"));
  EXPECT_EQ(third.json["results"].size(), 2U);
  const auto behind = call("GET", "/api/invitations?page=9&perPage=500");
  EXPECT_EQ(behind.json["paginate"], Json::parse(R"({"current":9,"from":0,"to":0,"total":10,"pageSize":500})"));
  Texts seen;
  for (const char* page : {"?perPage=3&page=1", "?perPage=3&page=2", "?perPage=3&page=3", "?perPage=3&page=4"})
    for (const auto& email : listed(page, "users")) seen.push_back(email);
  ASSERT_EQ(seen.size(), 11U);  // the inviter, and who was invited
  EXPECT_EQ(seen.front(), "grace@example.org");
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 11U);
  for (const char* query : {"?page=0", "?page=x", "?page=-1", "?page=1.5", "?perPage=501", "?perPage=0",
                            "?page=99999999999", "?page=1&page=2", "?status=sent", "?search=%ff"})
    EXPECT_EQ(call("GET", std::string("/api/invitations") + query).status, 400) << query;
}

TEST_F(GoRules, ListsUsersFromTheirInvitationOn) {
  const std::string id = id_of("ada@example.org");
  const auto answer = call("GET", "/api/users?search=ada");
  ASSERT_EQ(answer.json["results"].size(), 1U) << answer.text;
  EXPECT_EQ(answer.json["results"][0],
            (Json{{"id", id},
                  {"email", "ada@example.org"},
                  {"firstName", ""},
                  {"lastName", ""},
                  {"type", "invited"},
                  {"status", "active"},
                  {"createdAt", base::to_rfc3339(now())},
                  {"updatedAt", base::to_rfc3339(now())},
                  {"isService", false},
                  {"roles", {{{"id", user_.id.to_string()}, {"name", "User"}, {"description", ""}}}}}));
  accept(id);
  const auto member = call("GET", "/api/users?search=lovelace&isService=false").json["results"];
  ASSERT_EQ(member.size(), 1U);
  EXPECT_EQ(member[0]["type"], "member");
  EXPECT_EQ(member[0]["lastName"], "Lovelace");
  EXPECT_EQ(member[0]["roles"][0]["name"], "User");
  EXPECT_EQ(listed("?isService=true", "users"), Texts{});
}

TEST_F(GoRules, AMemberWhoIsInvitedToMoreIsOneUser) {
  accept(id_of("ada@example.org"));
  const auto more =
      call("POST", "/api/v1/invitations", Json{{"email", "ada@example.org"}, {"roles", {"Planner"}}}.dump());
  ASSERT_EQ(more.status, 201) << more.text;
  id_of("bob@example.org");
  const auto users = call("GET", "/api/users").json;
  std::multiset<std::string> ids;
  for (const Json& user : users["results"]) ids.insert(user["email"]);
  EXPECT_EQ(ids, (std::multiset<std::string>{"ada@example.org", "bob@example.org", "grace@example.org"}));
  EXPECT_EQ(users["paginate"]["total"], 3);
  EXPECT_EQ(listed("?perPage=1&page=3", "users"), Texts{"bob@example.org"});
}

TEST_F(GoRules, ACallForMorePeopleThanEverPassIsNotToldToComeAgain) {
  policy_.inviter_per_hour = 2;
  const auto refused = invite({"a@example.org", "b@example.org", "c@example.org"});
  EXPECT_EQ(refused.status, 400) << refused.text;
  EXPECT_EQ(refused.code(), "invalid_parameter");
  EXPECT_TRUE(refused.headers.get("Retry-After").empty());
  EXPECT_TRUE(invitations().empty());
  EXPECT_EQ(invite({"a@example.org", "b@example.org"}).status, 200);
  EXPECT_EQ(invite({"c@example.org", "d@example.org"}).status, 429) << "later it may pass";
}

TEST_F(GoRules, SendsAgainByTheUsersId) {
  const auto first = invite({"ada@example.org"}).json[0];
  clock_.advance(std::chrono::minutes(5));
  const auto again = call("POST", "/api/users/" + first["userId"].get<std::string>() + "/invitation");
  ASSERT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.json["id"], first["id"]);
  EXPECT_GT(again.json["expiresAt"].get<std::string>(), first["expiresAt"].get<std::string>());
  EXPECT_EQ(find(first["id"]).generation, 2U);
  EXPECT_EQ(messages().size(), 2U);
  accept(first["id"]);
  const auto settled = call("POST", "/api/users/" + first["id"].get<std::string>() + "/invitation");
  EXPECT_EQ(settled.status, 400);
  EXPECT_EQ(call("POST", "/api/users/" + account("ada@example.org")->id.to_string() + "/invitation").status, 404);
}

TEST_F(GoRules, SendsAgainWhatExpiredAndWhatWasReplaced) {
  const std::string old = id_of("ada@example.org");
  clock_.advance(std::chrono::days(30));
  EXPECT_EQ(call("POST", "/api/users/" + old + "/invitation").status, 200);
  clock_.advance(std::chrono::days(30));
  const std::string replacement = id_of("ada@example.org");
  EXPECT_NE(replacement, old);
  const auto again = call("POST", "/api/users/" + old + "/invitation");
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.json["id"], replacement);
}

TEST_F(GoRules, RevokesAsTheOriginalCannot) {
  const std::string id = id_of("ada@example.org");
  const auto revoked = call("DELETE", "/api/invitations/" + id);
  EXPECT_EQ(revoked.status, 204);
  EXPECT_EQ(find(id).state, domain::InvitationState::revoked);
  EXPECT_EQ(call("DELETE", "/api/invitations/" + id).status, 400);
}

// Anybody may be invited by their address, and was then listed with the name and state of an account that another
// environment's people know.
TEST_F(GoRules, TellsNobodysNameToAnEnvironmentThatTheyAreNotIn) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("eve@example.org", "Secret Name", {}, t, now()));
    EXPECT_TRUE(domain::set_account_disabled("eve@example.org", true, t, now()));
    return {};
  });
  invite({"eve@example.org"});
  for (const char* list : {"invitations", "users"}) {
    const auto answer = call("GET", "/api/" + std::string(list) + "?search=eve");
    ASSERT_EQ(answer.json["results"].size(), 1U) << answer.text;
    const Json& one = answer.json["results"][0];
    const Json& person = one.contains("user") ? one["user"] : one;
    EXPECT_EQ(person["firstName"], "") << answer.text;
    EXPECT_EQ(person["lastName"], "") << answer.text;
    EXPECT_EQ(person["status"], "active") << answer.text;
    EXPECT_EQ(person["id"], account("eve@example.org")->id.to_string()) << answer.text;
  }
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::grant_access(environment_.id, "eve@example.org", user_.id, t, now()));
    return {};
  });
  const auto answer = call("GET", "/api/invitations?search=eve");
  EXPECT_EQ(answer.json["results"][0]["user"]["lastName"], "Name") << answer.text;
}

TEST_F(GoRules, KnowsNoIdsOfOtherEnvironments) {
  std::string elsewhere;
  write([&](domain::Transaction& t) -> domain::Result<void> {
    auto invitation = domain::Invitation{.id = base::Uuid::ordered(now()),
                                         .environment_id = base::Uuid::random(),
                                         .role_id = user_.id,
                                         .inviter_id = inviter_->id,
                                         .invitee = *domain::EmailAddress::parse("eve@example.org"),
                                         .created_at = now(),
                                         .sent_at = now(),
                                         .expires_at = now() + std::chrono::hours(1),
                                         .settled_at = std::nullopt};
    const auto other =
        domain::add_environment({app_.id, "Other", std::nullopt, {}}, authenticator_->pepper(), t, now());
    invitation.environment_id = other->environment.id;
    t.insert(invitation);
    elsewhere = invitation.id.to_string();
    return {};
  });
  for (const std::string& id : {elsewhere, base::Uuid::random().to_string(), std::string("1")}) {
    EXPECT_EQ(call("POST", "/api/users/" + id + "/invitation").status, 404) << id;
    EXPECT_EQ(call("DELETE", "/api/invitations/" + id).status, 404) << id;
  }
  EXPECT_EQ(listed("?search=eve"), Texts{});
  EXPECT_EQ(listed("?search=eve", "users"), Texts{});
}

}  // namespace
}  // namespace invited::http
