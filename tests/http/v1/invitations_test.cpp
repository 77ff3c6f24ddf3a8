#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kInvitations = "/api/v1/invitations";

class V1Invitations : public V1Test {
 protected:
  std::string path_of(const Json& json, const std::string& tail = "") const {
    return std::string(kInvitations) + '/' + json["invitation"]["id"].get<std::string>() + tail;
  }
};

TEST_F(V1Invitations, ANewInvitationIsAnsweredAsItIsKept) {
  Json body = invite_body("Ada@Example.org");
  body["roles"] = {"Planner", user_.id.to_string()};
  body["metadata"] = {{"order", 17}, {"team", {"a", "b"}}};
  body["redirect_url"] = "https://planner.example.org/welcome?from=invitation";
  body["expires_in"] = 3600;
  const auto answer = client().post(kInvitations, body);
  ASSERT_STATUS(answer, 201);
  const Json& invitation = answer.json["invitation"];
  EXPECT_EQ(answer.json["effect"], "invited");
  EXPECT_FALSE(answer.json.contains("link"));
  EXPECT_EQ(invitation["email"], "Ada@example.org");
  EXPECT_EQ(invitation["state"], "pending");
  EXPECT_EQ(invitation["roles"],
            Json::parse(R"([{"id":")" + planner_.id.to_string() + R"(","name":"Planner"},{"id":")" +
                        user_.id.to_string() + R"(","name":"User"}])"));
  EXPECT_EQ(invitation["metadata"], body["metadata"]);
  EXPECT_EQ(invitation["redirect_url"], body["redirect_url"]);
  EXPECT_EQ(invitation["generation"], 1);
  EXPECT_EQ(invitation["inviter"]["email"], "grace@example.org");
  EXPECT_EQ(invitation["expires_at"], base::to_rfc3339(now() + std::chrono::hours(1)));
  EXPECT_EQ(invitation["settled_at"], nullptr);
  EXPECT_EQ(answer.headers.get("Location"), "https://invite.example.org" + path_of(answer.json));
  EXPECT_EQ(mail_queued_, 1);
  ASSERT_EQ(messages().size(), 1u);
  EXPECT_EQ(messages().front().role_name, "Planner\nUser");
}

TEST_F(V1Invitations, TheSameCallIsARepeatAndALaterOneASecondMail) {
  const auto api = client();
  const auto first = api.post(kInvitations, invite_body());
  const auto repeated = api.post(kInvitations, invite_body());
  EXPECT_STATUS(repeated, 200);
  EXPECT_EQ(repeated.json["effect"], "repeated");
  EXPECT_EQ(repeated.json["invitation"], first.json["invitation"]);
  clock_.advance(std::chrono::hours(1));
  const auto resent = api.post(kInvitations, invite_body());
  EXPECT_STATUS(resent, 200);
  EXPECT_EQ(resent.json["effect"], "resent");
  EXPECT_EQ(resent.json["invitation"]["id"], first.json["invitation"]["id"]);
  EXPECT_EQ(resent.json["invitation"]["generation"], 2);
  EXPECT_EQ(messages().size(), 2u);
}

TEST_F(V1Invitations, WhoHasTheRolesIsNotInvited) {
  add_person("ada@example.org", "Ada Lovelace", user_);
  const auto answer = client().post(kInvitations, invite_body());
  EXPECT_STATUS(answer, 200);
  EXPECT_EQ(answer.json, Json::parse(R"({"effect":"has_access_already","invitation":null})"));
}

TEST_F(V1Invitations, ALinkIsShownToCallersThatMayAndNeverStored) {
  Json body = invite_body();
  body["send"] = false;
  const auto refused = client().post(kInvitations, body);
  EXPECT_STATUS(refused, 403);
  EXPECT_EQ(refused.json["code"], "not_allowed");
  EXPECT_TRUE(invitations().empty());

  const auto api = client({.may_see_links = true});
  const auto first = api.post(kInvitations, body, {{"Idempotency-Key", "k1"}});
  ASSERT_STATUS(first, 201);
  const std::string link = first.json["link"];
  EXPECT_THAT(link, StartsWith("https://invite.example.org/i/"));
  EXPECT_TRUE(domain::check_token(keys_, link.substr(link.rfind('/') + 1)));
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(mail_queued_, 0);

  const auto again = api.post(kInvitations, body, {{"Idempotency-Key", "k1"}});
  EXPECT_STATUS(again, 201);
  EXPECT_FALSE(again.json.contains("link")) << again.text;
  EXPECT_EQ(again.headers.get("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.headers.get("Location"), first.headers.get("Location"));
  EXPECT_FALSE(first.headers.get("ETag").empty());
  EXPECT_EQ(again.headers.get("ETag"), first.headers.get("ETag"));
  EXPECT_EQ(again.json["invitation"], first.json["invitation"]);
}

TEST_F(V1Invitations, TheLinkCanBeCopiedLaterAndThatIsWrittenDown) {
  const auto made = client().post(kInvitations, invite_body());
  const auto link = path_of(made.json, "/link");
  const auto refused = client().call("POST", link);
  EXPECT_STATUS(refused, 403);
  const auto api = client({.may_see_links = true});
  const auto shown = api.call("POST", link);
  ASSERT_STATUS(shown, 200);
  EXPECT_EQ(shown.json["link"], "https://invite.example.org/i/" + token_of(invitations().front()));
  EXPECT_EQ(audited().front(), "invitation.link_shown");

  EXPECT_STATUS(api.call("DELETE", path_of(made.json)), 200);
  EXPECT_STATUS(api.call("POST", link), 400);
}

TEST_F(V1Invitations, AKeyThatIsUsedForAnotherCallIsRefused) {
  const auto api = client();
  EXPECT_STATUS(api.post(kInvitations, invite_body(), {{"Idempotency-Key", "k1"}}), 201);
  const auto other = api.post(kInvitations, invite_body("bob@example.org"), {{"Idempotency-Key", "k1"}});
  EXPECT_STATUS(other, 422);
  EXPECT_EQ(other.json["code"], "idempotency_mismatch");
  EXPECT_EQ(invitations().size(), 1u);
}

TEST_F(V1Invitations, RolesBeyondTheTokensCeilingAreNotGranted) {
  const auto api = client({.ceiling = {user_.id}});
  EXPECT_STATUS(api.post(kInvitations, invite_body()), 201);
  Json body = invite_body("bob@example.org");
  body["roles"] = {"User", "Planner"};
  const auto refused = api.post(kInvitations, body);
  EXPECT_STATUS(refused, 403);
  EXPECT_EQ(refused.json["code"], "role_not_allowed");
}

TEST_F(V1Invitations, ANameThatTwoRolesHaveIsNoName) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    // Only a package may bring a second one.
    EXPECT_TRUE(domain::import_roles(app_.id, {{.id = base::Uuid::random(), .name = "User"}}, t, now()));
    return {};
  });
  Json body = invite_body();
  EXPECT_STATUS(client().post(kInvitations, body), 201);
  body["roles"] = {"User"};
  const auto refused = client().post(kInvitations, body);
  EXPECT_STATUS(refused, 400);
  EXPECT_EQ(refused.json["code"], "unknown_role");
  EXPECT_EQ(refused.json["parameter"], "roles");
}

TEST_F(V1Invitations, OneIsShownWithAllThatHappenedToIt) {
  const auto api = client();
  const auto made = api.post(kInvitations, invite_body());
  clock_.advance(std::chrono::minutes(5));
  write([&](domain::Transaction& t) -> domain::Result<void> {
    const auto leases = t.claim_due_messages(1, now(), now() + std::chrono::minutes(1));
    EXPECT_EQ(leases.size(), 1u);
    EXPECT_TRUE(t.finish_attempt(leases.front(), {domain::DeliveryOutcome::sent, 250, "data", "2.0.0 Ok"}, {}, now()));
    return {};
  });
  clock_.advance(std::chrono::minutes(5));
  EXPECT_STATUS(api.call("POST", path_of(made.json, "/resend")), 200);
  clock_.advance(std::chrono::minutes(5));
  EXPECT_STATUS(api.call("POST", path_of(made.json, "/revoke")), 200);

  const auto shown = api.get(path_of(made.json));
  ASSERT_STATUS(shown, 200);
  const Json& timeline = shown.json["invitation"]["timeline"];
  std::vector<std::string> events;
  for (const Json& entry : timeline) events.push_back(entry["event"]);
  EXPECT_THAT(events, testing::ElementsAre("invitation.created", "mail.queued", "mail.attempt", "mail.sent",
                                           "invitation.resent", "mail.queued", "invitation.revoked", "mail.cancelled"))
      << shown.text;
  EXPECT_EQ(timeline[2]["attempt"]["outcome"], "sent");
  EXPECT_EQ(timeline[2]["attempt"]["reply_code"], 250);
  EXPECT_EQ(timeline[5]["generation"], 2);
  EXPECT_EQ(timeline[5]["mail"]["state"], "cancelled");
  EXPECT_EQ(shown.json["invitation"]["state"], "revoked");
}

TEST_F(V1Invitations, ATagOfTheLastReadingGuardsAChangeAgainstOthersAndNotAgainstTheMail) {
  const auto api = client();
  const auto path = path_of(api.post(kInvitations, invite_body()).json);
  const auto shown = api.get(path);
  const std::string tag(shown.headers.get("ETag"));
  EXPECT_STATUS(api.get(path, {{"If-None-Match", tag}}), 304);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    const auto leases = t.claim_due_messages(1, now(), now() + std::chrono::minutes(1));
    EXPECT_TRUE(t.finish_attempt(leases.front(), {domain::DeliveryOutcome::sent, 250, "data", "Ok"}, {}, now()));
    return {};
  });
  EXPECT_STATUS(api.get(path, {{"If-None-Match", tag}}), 200);

  clock_.advance(std::chrono::seconds(1));
  const auto changed = api.call("PATCH", path, R"({"roles":["Planner"]})", {{"If-Match", tag}});
  ASSERT_STATUS(changed, 200);
  EXPECT_EQ(changed.json["invitation"]["roles"][0]["name"], "Planner");
  const auto late = api.call("PATCH", path, R"({"roles":["User"]})", {{"If-Match", tag}});
  EXPECT_STATUS(late, 412);
  EXPECT_EQ(late.json["code"], "precondition_failed");
  const std::string newest(changed.headers.get("ETag"));
  EXPECT_STATUS(api.call("PATCH", path, R"({"roles":["User"]})", {{"If-Match", newest}}), 200);
  EXPECT_STATUS(api.call("PATCH", path, R"({"roles":["User"]})", {{"If-Match", "W/" + newest}}), 412);

  // RFC 9110 section 13.1.1: whatever the method.
  EXPECT_STATUS(api.call("POST", path + "/resend", "", {{"If-Match", tag}}), 412);
  EXPECT_STATUS(api.call("POST", path + "/revoke", "", {{"If-Match", tag}}), 412);
  EXPECT_STATUS(api.call("DELETE", path, "", {{"If-Match", tag}}), 412);
  EXPECT_EQ(invitations().at(0).generation, 1u);
  EXPECT_EQ(invitations().at(0).state, domain::InvitationState::pending);
  const std::string now_at(api.get(path).headers.get("ETag"));
  EXPECT_STATUS(api.call("DELETE", path, "", {{"If-Match", now_at}}), 200);
}

TEST_F(V1Invitations, OnlyWhatIsNamedChanges) {
  const auto api = client();
  Json body = invite_body();
  body["metadata"] = {{"a", 1}};
  body["redirect_url"] = "https://planner.example.org/welcome";
  const auto made = api.post(kInvitations, body);
  const auto path = path_of(made.json);
  const std::string later = base::to_rfc3339(now() + std::chrono::hours(24 * 30));
  const auto moved = api.call("PATCH", path, Json{{"expires_at", later}}.dump());
  ASSERT_STATUS(moved, 200);
  EXPECT_EQ(moved.json["invitation"]["expires_at"], later);
  EXPECT_EQ(moved.json["invitation"]["metadata"], body["metadata"]);
  EXPECT_EQ(moved.json["invitation"]["redirect_url"], body["redirect_url"]);
  const auto cleared = api.call("PATCH", path, R"({"metadata":null,"redirect_url":null})");
  ASSERT_STATUS(cleared, 200);
  EXPECT_EQ(cleared.json["invitation"]["metadata"], nullptr);
  EXPECT_EQ(cleared.json["invitation"]["redirect_url"], nullptr);
  EXPECT_EQ(cleared.json["invitation"]["expires_at"], later);
  EXPECT_EQ(messages().size(), 1u) << "a change mails nothing";

  EXPECT_STATUS(api.call("PATCH", path, R"({"redirect_url":"https://evil.example.com/"})"), 400);
  EXPECT_STATUS(api.call("PATCH", path, R"({"expires_at":"2001-01-01T00:00:00Z"})"), 400);
  EXPECT_STATUS(api.call("PATCH", path, Json{{"metadata", {{"a", std::string(4100, 'x')}}}}.dump()), 400);
}

TEST_F(V1Invitations, ResendingMailsAgainOrAnswersTheLink) {
  const auto path = path_of(client().post(kInvitations, invite_body()).json);
  clock_.advance(std::chrono::hours(1));
  const auto mailed = client().call("POST", path + "/resend");
  EXPECT_STATUS(mailed, 200);
  EXPECT_EQ(mailed.json["effect"], "resent");
  EXPECT_EQ(mailed.json["invitation"]["generation"], 2);
  EXPECT_EQ(messages(domain::MessageState::queued).size(), 1u);
  EXPECT_STATUS(client().call("POST", path + "/resend", R"({"send":false})"), 403);
  const auto shown = client({.may_see_links = true}).call("POST", path + "/resend", R"({"send":false})");
  EXPECT_STATUS(shown, 200);
  EXPECT_EQ(shown.json["link"], "https://invite.example.org/i/" + token_of(invitations().front()));
  EXPECT_TRUE(messages(domain::MessageState::queued).empty());
}

TEST_F(V1Invitations, WhatIsRevokedIsRevokedOnce) {
  const auto api = client();
  const auto path = path_of(api.post(kInvitations, invite_body()).json);
  const auto revoked = api.call("DELETE", path);
  EXPECT_STATUS(revoked, 200);
  EXPECT_EQ(revoked.json["invitation"]["state"], "revoked");
  const auto again = api.call("POST", path + "/revoke");
  EXPECT_STATUS(again, 400);
  EXPECT_THAT(again.json["detail"].get<std::string>(), HasSubstr("revoked already"));
  EXPECT_STATUS(api.call("POST", path + "/resend"), 400);
  EXPECT_STATUS(api.call("PATCH", path, R"({"roles":["User"]})"), 400);
}

TEST_F(V1Invitations, WhatIsNotThereIsNotFound) {
  const auto api = client();
  for (const char* id : {"018f0000-0000-7000-8000-000000000000", "nothing", "1"}) {
    const std::string path = std::string(kInvitations) + '/' + id;
    EXPECT_STATUS(api.get(path), 404);
    EXPECT_STATUS(api.call("PATCH", path, R"({"roles":["User"]})"), 404);
    EXPECT_STATUS(api.call("DELETE", path), 404);
    for (const char* tail : {"/resend", "/revoke", "/link"}) EXPECT_STATUS(api.call("POST", path + tail), 404);
  }
}

TEST_F(V1Invitations, ARateIsAProblemThatSaysWhenAgain) {
  policy_.inviter_per_hour = 1;
  const auto api = client();
  EXPECT_STATUS(api.post(kInvitations, invite_body()), 201);
  const auto limited = api.post(kInvitations, invite_body("bob@example.org"));
  EXPECT_STATUS(limited, 429);
  EXPECT_EQ(limited.json["code"], "rate_limited");
  EXPECT_EQ(limited.headers.get("Retry-After"), std::to_string(limited.json["retry"].get<int>()));
}

TEST_F(V1Invitations, WhoeverIsNotKnownLearnsNothing) {
  for (const ApiClient& stranger : {ApiClient(router_, ""), ApiClient(router_, "invited_wrong")})
    for (const std::string& body : {invite_body().dump(), std::string("{"), std::string()}) {
      const auto answer = stranger.call("POST", kInvitations, body);
      EXPECT_STATUS(answer, 401);
      EXPECT_EQ(answer.json["code"], "authentication_failed");
      EXPECT_THAT(std::string(answer.headers.get("WWW-Authenticate")), StartsWith("Bearer"));
      EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
    }
}

}  // namespace
}  // namespace invited::http
