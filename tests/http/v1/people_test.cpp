#include <set>

#include "base/crypto.h"
#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

using testing::ElementsAre;

class V1People : public V1Test {
 protected:
  Json role(const domain::Role& role) const { return {{"id", role.id.to_string()}, {"name", role.name}}; }
  Json access_body(const std::string& email, const std::string& role) const {
    return {{"email", email}, {"role", role}};
  }
};

TEST_F(V1People, TheEnvironmentIsTheTokens) {
  const auto api = client();
  const auto all = api.get("/api/v1/environments");
  ASSERT_STATUS(all, 200);
  ASSERT_EQ(all.json["environments"].size(), 1u);
  const Json& environment = all.json["environments"][0];
  EXPECT_EQ(environment["id"], environment_.id.to_string());
  EXPECT_EQ(environment["name"], "Production");
  EXPECT_EQ(environment["app"]["name"], "Harbour Planner");
  EXPECT_EQ(environment["app"]["redirect_urls"], Json::array({"https://planner.example.org/welcome"}));
  EXPECT_EQ(environment["invitation_lifetime"], 7 * 24 * 3600);
  EXPECT_EQ(api.get("/api/v1/environments/" + environment_.id.to_string()).json["environment"], environment);
  EXPECT_STATUS(api.get("/api/v1/environments/" + base::Uuid::random().to_string()), 404);
}

TEST_F(V1People, RolesSayWhichOfThemThisCallerMayGrant) {
  const auto grantable = [](const ApiClient& api) {
    std::vector<std::string> names;
    const auto answer = api.get("/api/v1/roles");
    for (const Json& role : answer.json["roles"])
      if (role["grantable"].get<bool>()) names.push_back(role["name"]);
    return names;
  };
  EXPECT_THAT(grantable(client()), testing::UnorderedElementsAre("User", "Planner"));
  EXPECT_THAT(grantable(client({.ceiling = {planner_.id}})), ElementsAre("Planner"));
  write([&](domain::Transaction& t) -> domain::Result<void> {
    app_.grants = domain::GrantRule::manageable;
    user_.manageable = {user_.id};
    t.update(app_);
    t.update(user_);
    return {};
  });
  EXPECT_THAT(grantable(client()), ElementsAre("User"));
}

TEST_F(V1People, AccountsAreThoseWithAccess) {
  add_person("ada@example.org", "Ada Lovelace", user_);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("stranger@example.org", "Some One", {}, t, now()));
    return {};
  });
  const auto api = client();
  const auto all = api.get("/api/v1/accounts");
  ASSERT_STATUS(all, 200);
  ASSERT_EQ(all.json["accounts"].size(), 2u);
  const auto found = api.get("/api/v1/accounts?q=lovel");
  ASSERT_EQ(found.json["accounts"].size(), 1u);
  const std::string id = found.json["accounts"][0]["id"];
  const auto shown = api.get("/api/v1/accounts/" + id);
  ASSERT_STATUS(shown, 200);
  EXPECT_EQ(shown.json["account"]["email"], "ada@example.org");
  EXPECT_EQ(shown.json["account"]["roles"], Json::array({role(user_)}));
  EXPECT_STATUS(api.get("/api/v1/accounts/" + account("stranger@example.org")->id.to_string()), 404);
  EXPECT_STATUS(api.get("/api/v1/accounts/" + base::Uuid::random().to_string()), 404);
}

TEST_F(V1People, ListsAreReadInParts) {
  add_person("ada@example.org", "Ada Lovelace", user_);
  add_person("bob@example.org", "Bob Frankston", user_);
  const auto api = client();
  for (const std::string& list : {std::string("accounts"), std::string("access"), std::string("audit_events")}) {
    std::string path = "/api/v1/" + (list == "audit_events" ? "audit-events" : list);
    std::vector<Json> entries;
    std::string next;
    do {
      const auto part = api.get(path + "?limit=1" + (next.empty() ? "" : "&cursor=" + next));
      ASSERT_STATUS(part, 200);
      ASSERT_EQ(part.json[list].size(), 1u);
      entries.push_back(part.json[list][0]);
      next = part.json["next"].is_null() ? "" : part.json["next"].get<std::string>();
      EXPECT_EQ(part.headers.find("Link").has_value(), !next.empty());
    } while (!next.empty());
    EXPECT_EQ(Json(entries), api.get(path).json[list]);
    EXPECT_GE(entries.size(), 3u);
  }
}

TEST_F(V1People, WhoIsWithdrawnWhileReadingKeepsNobodyFromBeingRead) {
  const auto api = client();
  for (const std::string list : {"access", "accounts"}) {
    std::set<std::string> everybody{"grace@example.org"};
    for (int i = 0; i < 7; ++i) {
      everybody.insert(list + std::to_string(i) + "@example.org");
      add_person(list + std::to_string(i) + "@example.org", "Somebody", user_);
    }
    std::set<std::string> met;
    std::string next;
    do {
      const auto part = api.get("/api/v1/" + list + "?limit=2" + (next.empty() ? std::string() : "&cursor=" + next));
      ASSERT_STATUS(part, 200);
      for (const Json& entry : part.json[list]) {
        const std::string email = entry["email"];
        met.insert(email);
        if (email != "grace@example.org") {
          EXPECT_STATUS(api.call("DELETE", "/api/v1/access?email=" + email + "&role=User"), 200);
        }
      }
      next = part.json["next"].is_null() ? "" : part.json["next"].get<std::string>();
    } while (!next.empty());
    EXPECT_EQ(met, everybody) << list;
  }
}

TEST_F(V1People, CursorsOfAnotherListAndOfOldAreRefused) {
  const std::string id = base::to_base64url(base::Uuid::random().to_bytes());
  const std::string offset = base::to_base64url("2");
  for (const std::string& target :
       {"accounts?cursor=" + offset, "access?cursor=" + offset, "access?cursor=" + id, "audit-events?cursor=" + id,
        "accounts?cursor=" + id + id, "access?cursor=" + base::to_base64url(std::string(32, 'x') + "1x"),
        "access?cursor=" + base::to_base64url(std::string(32, 'x')), std::string("accounts?cursor=")}) {
    const auto refused = client().get("/api/v1/" + target);
    EXPECT_STATUS(refused, 400);
    EXPECT_EQ(refused.json["errors"][0]["parameter"], "cursor") << target;
  }
  const auto nowhere = client().get("/api/v1/accounts?cursor=" + id);
  EXPECT_STATUS(nowhere, 200);
}

TEST_F(V1People, AccessIsGivenAndTakenAndTheAppIsTold) {
  const auto ada = add_person("ada@example.org", "Ada Lovelace", user_);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    environment_.refresh_url = "https://planner.example.org/ws/RefreshAPI";
    t.update(environment_);
    return {};
  });
  const auto api = client();
  const auto given = api.call("PUT", "/api/v1/access", access_body("ADA@example.org", "Planner").dump());
  ASSERT_STATUS(given, 200);
  EXPECT_EQ(given.json["changed"], true);
  EXPECT_EQ(given.json["access"]["role"], role(planner_));
  EXPECT_EQ(given.json["access"]["name"], "Ada Lovelace");
  EXPECT_TRUE(has_access(ada, planner_));
  EXPECT_EQ(refresh_queued_, 1);
  const auto event = api.get("/api/v1/audit-events?limit=1").json["audit_events"][0];
  EXPECT_EQ(event["action"], "access.granted");
  EXPECT_THAT(event["actor"].get<std::string>(), testing::StartsWith("token:"));

  const auto again = api.call("PUT", "/api/v1/access", access_body("ada@example.org", "Planner").dump());
  EXPECT_EQ(again.json["changed"], false);
  EXPECT_EQ(refresh_queued_, 1);

  EXPECT_EQ(api.call("DELETE", "/api/v1/access?email=ada@example.org&role=Planner").json["changed"], true);
  EXPECT_FALSE(has_access(ada, planner_));
  EXPECT_EQ(refresh_queued_, 2);
  const std::string body = access_body("ada@example.org", user_.id.to_string()).dump();
  EXPECT_EQ(api.call("DELETE", "/api/v1/access", body).json["changed"], true);
  EXPECT_STATUS(api.call("DELETE", "/api/v1/access", body), 404) << "who has no access is nobody's business";
}

TEST_F(V1People, NobodyIsGivenAccessWhoHasNone) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("stranger@example.org", "Some One", {}, t, now()));
    return {};
  });
  const auto stranger = client().call("PUT", "/api/v1/access", access_body("stranger@example.org", "User").dump());
  const auto nobody = client().call("PUT", "/api/v1/access", access_body("nobody@example.org", "User").dump());
  EXPECT_STATUS(stranger, 404);
  EXPECT_EQ(stranger.json, nobody.json) << "whether somebody has an account is not told";
  EXPECT_FALSE(has_access(*account("stranger@example.org"), user_));
}

TEST_F(V1People, RolesBeyondTheCeilingAreNeitherGivenNorTaken) {
  const auto ada = add_person("ada@example.org", "Ada Lovelace", planner_);
  const auto api = client({.ceiling = {user_.id}});
  EXPECT_STATUS(api.call("PUT", "/api/v1/access", access_body("grace@example.org", "Planner").dump()), 403);
  EXPECT_STATUS(api.call("DELETE", "/api/v1/access?email=ada@example.org&role=Planner"), 403);
  EXPECT_TRUE(has_access(ada, planner_));
}

TEST_F(V1People, WhatIsMissingIsNamed) {
  const auto api = client();
  EXPECT_EQ(api.call("DELETE", "/api/v1/access?role=User").json["parameter"], "email");
  EXPECT_EQ(api.call("DELETE", "/api/v1/access?email=ada@example.org").json["parameter"], "role");
  EXPECT_EQ(api.call("DELETE", "/api/v1/access?email=x&role=User").json["code"], "invalid_email_address");
  EXPECT_EQ(api.call("PUT", "/api/v1/access", access_body("grace@example.org", "Nobody").dump()).json["parameter"],
            "role");
  EXPECT_STATUS(api.call("PUT", "/api/v1/access"), 400);
}

}  // namespace
}  // namespace invited::http
