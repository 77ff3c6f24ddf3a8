#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

using testing::ElementsAre;

constexpr const char* kBulk = "/api/v1/invitations/bulk";

class V1Bulk : public V1Test {
 protected:
  Json bulk(const std::vector<Json>& invitations, bool dry_run = false) const {
    return {{"invitations", invitations}, {"dry_run", dry_run}};
  }
  Json with(Json body, const std::string& name, Json value) const {
    body[name] = std::move(value);
    return body;
  }
  static std::vector<std::string> verdicts(const ApiAnswerSeen& answer) {
    std::vector<std::string> found;
    for (const Json& result : answer.json["results"]) found.push_back(result["verdict"]);
    return found;
  }
};

TEST_F(V1Bulk, EachItemHasAVerdictOfItsOwn) {
  add_person("carol@example.org", "Carol Shaw", user_);
  const auto api = client({.ceiling = {user_.id}});
  EXPECT_STATUS(api.post("/api/v1/invitations", invite_body("bob@example.org")), 201);
  const auto answer = api.post(
      kBulk, bulk({invite_body("ada@example.org"), invite_body("bob@example.org"), invite_body("carol@example.org"),
                   invite_body("not an address"), with(invite_body("dan@example.org"), "roles", {"Planner"}),
                   with(invite_body("eve@example.org"), "send", false),
                   with(invite_body("fay@example.org"), "roles", {"Nobody"}), invite_body("gus@example.org")}));
  ASSERT_STATUS(answer, 200);
  EXPECT_THAT(verdicts(answer), ElementsAre("invited", "repeated", "has_access_already", "refused", "refused",
                                            "refused", "refused", "invited"));
  const Json& results = answer.json["results"];
  EXPECT_EQ(results[0]["invitation"]["email"], "ada@example.org");
  EXPECT_EQ(results[3]["error"]["code"], "invalid_email_address");
  EXPECT_EQ(results[3]["error"]["status"], 400);
  EXPECT_EQ(results[3]["error"]["parameter"], "email");
  EXPECT_EQ(results[4]["error"]["code"], "role_not_allowed");
  EXPECT_EQ(results[5]["error"]["code"], "not_allowed");
  EXPECT_EQ(results[6]["error"]["code"], "unknown_role");
  EXPECT_EQ(invitations().size(), 3u) << "bob, ada, gus";
}

TEST_F(V1Bulk, ADryRunSaysWhatWouldHappenAndDoesNothing) {
  add_person("carol@example.org", "Carol Shaw", user_);
  add_person("dora@example.org", "Dora Maar", planner_);
  const auto api = client();
  EXPECT_STATUS(api.post("/api/v1/invitations", invite_body("bob@example.org")), 201);
  const auto audited_before = audited().size();
  mail_queued_ = 0;
  const std::vector<Json> items{invite_body("ada@example.org"),   invite_body("bob@example.org"),
                                invite_body("carol@example.org"), invite_body("dora@example.org"),
                                invite_body("nobody@"),           invite_body("ADA@example.org")};
  const auto answer = api.post(kBulk, bulk(items, true), {{"Idempotency-Key", "k"}});
  ASSERT_STATUS(answer, 200);
  EXPECT_EQ(answer.json["dry_run"], true);
  EXPECT_THAT(verdicts(answer), ElementsAre("new", "pending", "has_access", "existing_account", "refused", "refused"));
  EXPECT_EQ(answer.json["results"][1]["invitation"]["email"], "bob@example.org");
  EXPECT_EQ(invitations().size(), 1u);
  EXPECT_EQ(messages().size(), 1u);
  EXPECT_EQ(audited().size(), audited_before);
  EXPECT_EQ(mail_queued_, 0);
  EXPECT_STATUS(api.post(kBulk, bulk(items), {{"Idempotency-Key", "k"}}), 200);
  EXPECT_EQ(invitations().size(), 3u) << "a dry run uses no key up";
}

TEST_F(V1Bulk, AnAddressStandsInACallOnce) {
  const auto answer = client().post(
      kBulk, bulk({with(invite_body("ada@example.org"), "roles", {"Nobody"}), invite_body("ada@example.org"),
                   invite_body("ADA@example.org"), with(invite_body("ada@example.org"), "roles", {"Planner"})}));
  EXPECT_THAT(verdicts(answer), ElementsAre("refused", "invited", "refused", "refused"));
  EXPECT_EQ(answer.json["results"][2]["error"]["code"], "already_exists");
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(V1Bulk, WhatARateRefusesCountsNowhereAndUndoesNothing) {
  policy_.inviter_per_hour = 2;
  policy_.environment_per_second = 3;
  policy_.environment_burst = 3;
  const auto api = client();
  const auto answer = api.post(kBulk, bulk({invite_body("a@example.org"), invite_body("b@example.org"),
                                            invite_body("c@example.org"), invite_body("d@example.org")}));
  EXPECT_THAT(verdicts(answer), ElementsAre("invited", "invited", "refused", "refused"));
  EXPECT_EQ(answer.json["results"][2]["error"]["code"], "rate_limited");
  EXPECT_GT(answer.json["results"][2]["error"]["retry"], 0);
  EXPECT_EQ(invitations().size(), 2u);
  policy_.inviter_per_hour = 0;
  policy_.inviter_per_day = 0;
  EXPECT_STATUS(api.post("/api/v1/invitations", invite_body("e@example.org")), 201)
      << "the environment's third: what was refused was not counted";
}

TEST_F(V1Bulk, LinksOfManyAreAnsweredOnceToCallersThatMaySeeThem) {
  const auto api = client({.may_see_links = true});
  const Json body = bulk({with(invite_body("ada@example.org"), "send", false), invite_body("bob@example.org")});
  const auto first = api.post(kBulk, body, {{"Idempotency-Key", "k"}});
  ASSERT_STATUS(first, 200);
  EXPECT_TRUE(first.json["results"][0].contains("link")) << first.text;
  EXPECT_FALSE(first.json["results"][1].contains("link"));
  EXPECT_EQ(messages().size(), 1u);
  const auto again = api.post(kBulk, body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.headers.get("Idempotent-Replayed"), "true");
  EXPECT_FALSE(again.json["results"][0].contains("link")) << again.text;
  EXPECT_FALSE(api.post(kBulk, with(body, "dry_run", true)).json["results"][0].contains("link"));
}

TEST_F(V1Bulk, OneToAHundred) {
  policy_.environment_per_second = policy_.environment_per_day = 0;
  policy_.inviter_per_hour = policy_.inviter_per_day = 0;
  const auto api = client();
  std::vector<Json> items;
  for (int i = 0; i < 100; ++i) items.push_back(invite_body("p" + std::to_string(i) + "@example.org"));
  EXPECT_STATUS(api.post(kBulk, bulk(items)), 200);
  EXPECT_EQ(messages().size(), 100u);
  items.push_back(invite_body("p100@example.org"));
  EXPECT_STATUS(api.post(kBulk, bulk(items)), 400);
  EXPECT_STATUS(api.post(kBulk, bulk({})), 400);
}

}  // namespace
}  // namespace invited::http
