// Base44's calls as @base44/sdk makes them (json-dialects.md); with the package itself: tests/interop/base44.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "http/dialects/dialect_fixture.h"

namespace invited::http {
namespace {

const std::string kUsers = "/api/apps/6634d1f5e0/runtime/users/invite-user";  // base44.users.inviteUser
const std::string kAuth = "/api/apps/6634d1f5e0/users/invite-user";           // base44.auth.inviteUser
const std::string kBulk = "/api/apps/6634d1f5e0/users/invite-users";

class Base44 : public DialectTest {
 protected:
  Base44() {
    map("base44", "user", user_);
    map("base44", "admin", planner_);
    map("base44-runtime", "user", user_);
  }

  static std::string body(const std::string& email = "ada@example.org", const std::string& role = "user") {
    return Json{{"user_email", email}, {"role", role}}.dump();
  }
};

TEST_F(Base44, BothCallsInviteAndAnswerWhatUsersCodeReads) {
  for (const auto& [path, email] : {std::pair{kUsers, "ada@example.org"}, std::pair{kAuth, "bob@example.org"}}) {
    const auto answer = call("POST", path, body(email), {});
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
    const auto invitation = find(answer.json["id"]);
    EXPECT_EQ(answer.json, (Json{{"id", invitation.id.to_string()},
                                 {"user_email", email},
                                 {"email", email},
                                 {"role", "user"},
                                 {"status", "pending"},
                                 {"created_date", base::to_rfc3339(invitation.created_at)},
                                 {"expires_at", base::to_rfc3339(invitation.expires_at)}}));
    EXPECT_EQ(invitation.role_id, user_.id);
  }
  EXPECT_EQ(messages().size(), 2U);
  EXPECT_GE(mail_queued_, 2);
}

TEST_F(Base44, TheTwoCallsHaveNamesForRolesOfTheirOwn) {
  EXPECT_EQ(call("POST", kAuth, body("ada@example.org", "admin")).status, 200);
  EXPECT_EQ(invitations().front().role_id, planner_.id);
  const auto refused = call("POST", kUsers, body("bob@example.org", "admin"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), "unknown_role");
  EXPECT_EQ(invitations().size(), 1U);
}

TEST_F(Base44, InvitingAgainSendsAgain) {
  const auto first = call("POST", kUsers, body());
  const auto repeated = call("POST", kUsers, body());
  EXPECT_EQ(repeated.json, first.json);  // a retry: nothing new
  EXPECT_EQ(messages().size(), 1U);
  clock_.advance(std::chrono::hours(1));
  const auto again = call("POST", kAuth, body());
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json["id"], first.json["id"]);
  EXPECT_NE(again.json["expires_at"], first.json["expires_at"]);
  EXPECT_EQ(find(again.json["id"]).generation, 2U);
  EXPECT_EQ(messages().size(), 2U);
}

TEST_F(Base44, WhoHasAccessAlreadyIsNoError) {
  const std::string id = call("POST", kUsers, body()).json["id"];
  accept(id);
  const auto again = call("POST", kUsers, body());
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json["id"], id);
  EXPECT_EQ(again.json["status"], "accepted");
  EXPECT_EQ(again.json["expires_at"], nullptr);
  const auto granted = call("POST", kUsers, body("grace@example.org"));
  EXPECT_EQ(granted.status, 200);
  EXPECT_EQ(granted.json["id"], inviter_->id.to_string());
  EXPECT_EQ(granted.json["status"], "accepted");
}

TEST_F(Base44, SeveralAreInvitedAtOnceOrNobody) {
  const auto answer =
      call("POST", kBulk, R"({"user_emails":["ada@example.org","Bob@example.org","ADA@example.org"],"role":"user"})");
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json["count"], 2);
  EXPECT_EQ(answer.json["invitations"][0]["email"], "ada@example.org");
  EXPECT_EQ(answer.json["invitations"][1]["email"], "Bob@example.org");
  EXPECT_EQ(messages().size(), 2U);
  const auto refused = call("POST", kBulk, R"({"user_emails":["eve@example.org","not an address"],"role":"user"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), "invalid_email_address");
  EXPECT_EQ(invitations().size(), 2U);
}

TEST_F(Base44, RefusesInWordsThatTheSdkPrints) {
  const std::string other = make_token({user_.id});
  struct Case {
    std::string path, body;
    Fields fields;
    int status;
    std::string code;
  };
  for (const Case& c : {
           Case{kUsers, R"({"user_email":5})", {{"Authorization", ""}}, 401, "authentication_failed"},
           Case{kUsers, body(), {{"Authorization", ""}}, 401, "authentication_failed"},
           Case{kUsers, body(), {{"Authorization", "Bearer undefined"}}, 401, "authentication_failed"},
           Case{kUsers, body(), {{"Authorization", "Basic " + token_ + "x"}}, 401, "authentication_failed"},
           Case{kAuth,
                body("ada@example.org", "admin"),
                {{"Authorization", "Bearer " + other}},
                403,
                "role_not_allowed"},
           Case{kUsers, body("ada"), {}, 400, "invalid_email_address"},
           Case{kUsers, body("ada@example.org\r\nBcc: x@y.z"), {}, 400, "invalid_email_address"},
           Case{kUsers, body(""), {}, 400, "missing_parameter"},
           Case{kUsers, body("ada@example.org", "owner"), {}, 400, "unknown_role"},
           Case{kUsers, body("ada@example.org", ""), {}, 400, "unknown_role"},
           Case{kUsers, R"({"role":"user"})", {}, 400, "missing_parameter"},
           Case{kUsers, R"({"user_email":null,"role":"user"})", {}, 400, "missing_parameter"},
           Case{kUsers, R"({"user_email":["ada@example.org"],"role":"user"})", {}, 400, "invalid_parameter"},
           Case{kUsers, R"({"user_email":"a@b.cc","role":"user","role":"admin"})", {}, 400, "malformed_request"},
           Case{kUsers, "", {}, 400, "malformed_request"},
           Case{kUsers, "[]", {}, 400, "invalid_parameter"},
           Case{kBulk, R"({"user_emails":[],"role":"user"})", {}, 400, "invalid_parameter"},
           Case{kBulk,
                Json{{"user_emails", std::vector<std::string>(101, "a@b.cc")}, {"role", "user"}}.dump(),
                {},
                400,
                "invalid_parameter"},
           Case{kBulk, R"({"user_emails":"ada@example.org","role":"user"})", {}, 400, "invalid_parameter"},
       }) {
    const auto answer = call("POST", c.path, c.body, c.fields);
    EXPECT_EQ(answer.status, c.status) << c.body;
    EXPECT_EQ(answer.code(), c.code) << c.body << answer.text;
    ASSERT_TRUE(answer.json["message"].is_string()) << answer.text;
    EXPECT_TRUE(answer.json["message"].get<std::string>().ends_with('.')) << answer.text;
    EXPECT_EQ(answer.json["detail"], answer.json["message"]);
  }
  EXPECT_TRUE(invitations().empty());
}

TEST_F(Base44, ARateIsToldWithItsTime) {
  policy_.inviter_per_hour = 1;
  EXPECT_EQ(call("POST", kUsers, body()).status, 200);
  const auto refused = call("POST", kUsers, body("bob@example.org"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.code(), "rate_limited");
  EXPECT_FALSE(refused.headers.get("Retry-After").empty());
}

TEST_F(Base44, AnIdempotencyKeyIsAnsweredAsTheFirstTime) {
  const Fields key{{"Authorization", "Bearer " + token_}, {"Idempotency-Key", "k1"}};
  const auto first = call("POST", kUsers, body(), key);
  clock_.advance(std::chrono::hours(1));
  const auto again = call("POST", kUsers, body(), key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json, first.json);
  EXPECT_EQ(messages().size(), 1U);
  EXPECT_EQ(call("POST", kUsers, body("bob@example.org"), key).status, 422);
}

TEST_F(Base44, AnswersWhatTheSdkAsksByItself) {
  const auto me = call("GET", "/api/apps/6634d1f5e0/entities/User/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(me.json["email"], "grace@example.org");
  EXPECT_EQ(me.json["full_name"], "Grace Hopper");
  EXPECT_EQ(call("GET", "/api/apps/6634d1f5e0/entities/User/me", "", {{"Authorization", ""}}).status, 401);
  EXPECT_EQ(call("POST", "/api/apps/6634d1f5e0/analytics/track/batch", "anything", {{"Authorization", ""}}).status,
            204);
}

TEST_F(Base44, TheListenersErrorsAreInItsWordsToo) {
  const auto match = router_.match("PUT", kUsers);
  ASSERT_NE(match.error_renderer, nullptr);
  const auto response = (*match.error_renderer)(413, "The body is too large.", {});
  EXPECT_EQ(response.body, R"({"message":"The body is too large.","detail":"The body is too large.",)"
                           R"("code":"malformed_request"})");
  EXPECT_NE(match.cors, nullptr);
  const auto* elsewhere = router_.match("GET", "/api/apps/6634d1f5e0/entities/Task").error_renderer;
  ASSERT_NE(elsewhere, nullptr);
  EXPECT_EQ(Json::parse((*elsewhere)(404, "There is nothing at this address.", {}).body)["code"], "not_found");
}

}  // namespace
}  // namespace invited::http
