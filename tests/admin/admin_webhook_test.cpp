// Operators and webhooks: add, rotate, look, replay.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/manage_invitations.h"
#include "domain/webhook.h"

namespace invited::admin {
namespace {

using domain::CallKind;
using domain::CallOutcome;
using domain::Transaction;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kUrl = "https://planner.example.org/hooks/invited";

class AdminWebhookTest : public AdminTest {
 protected:
  Json add(Json more = Json::object()) {
    more["environment"] = "Production";
    more["url"] = kUrl;
    return result("webhook add", more);
  }
  /// Something happens that webhooks are told of: access is given or taken.
  void change_access() {
    given_ = !given_;
    result(given_ ? "access grant" : "access revoke",
           {{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Planner"}});
  }
  void deliver(CallOutcome outcome, int status, const std::string& explanation,
               std::optional<std::chrono::milliseconds> next = std::nullopt) {
    write([&](Transaction& t) -> domain::Result<void> {
      const auto lease = t.claim_due_call(CallKind::webhook, {now(), now() + 1min});
      EXPECT_TRUE(lease);
      if (!lease) return {};
      const auto next_at = next ? std::optional(now() + *next) : std::nullopt;
      EXPECT_TRUE(t.finish_call_attempt(CallKind::webhook, *lease, {outcome, status, explanation}, next_at, now()));
      return {};
    });
  }
  Json deliveries(Json filter = Json::object()) { return result("webhook deliveries", std::move(filter)); }

  bool given_ = false;
  int replayed_ = 0;
  AdminWebhookTest() {
    admin_.webhooks_replayed = [this] { ++replayed_; };
  }
};

TEST_F(AdminWebhookTest, AWebhookIsAddedWithItsSecretAndListedWithout) {
  const Json added = add({{"event", {"invitation.accepted", "access.granted", "access.granted"}}});
  EXPECT_THAT(added["secret"].get<std::string>(), testing::MatchesRegex("whsec_[A-Za-z0-9+/]{43}="));
  EXPECT_EQ(added["url"], kUrl);
  EXPECT_EQ(added["events"], Json({"invitation.accepted", "access.granted"}));
  EXPECT_EQ(added["environment_uuid"], environment_.id.to_string());
  const Json listed = result("webhook list", {{"environment", "Production"}});
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["webhook_uuid"], added["webhook_uuid"]);
  EXPECT_EQ(listed[0]["environment_name"], "Production");
  EXPECT_FALSE(listed[0].contains("secret"));
  EXPECT_TRUE(add()["events"].is_null()) << "all";
  EXPECT_EQ(result("webhook list").size(), 2U);
  EXPECT_EQ(result("webhook show-secret", {{"webhook", added["webhook_uuid"]}})["secret"], added["secret"]);
  EXPECT_EQ(audited().front(), "webhook.added");
}

TEST_F(AdminWebhookTest, WhatCannotServeIsRefused) {
  const std::string nobody = base::Uuid::random().to_string();
  const struct {
    const char* command;
    Json arguments;
    const char* error;
  } rows[] = {
      {"webhook add", {{"environment", "Production"}}, "missing_parameter url"},
      {"webhook add", {{"url", kUrl}}, "missing_parameter environment"},
      {"webhook add", {{"environment", "Nowhere"}, {"url", kUrl}}, "not_found environment"},
      {"webhook add", {{"environment", "Production"}, {"url", "planner"}}, "invalid_parameter url"},
      {"webhook add", {{"environment", "Production"}, {"url", "http://planner.example.org/"}}, "invalid_parameter url"},
      {"webhook add",
       {{"environment", "Production"}, {"url", "https://planner.example.org:99999/"}},
       "invalid_parameter url"},
      {"webhook add", {{"environment", "Production"}, {"url", "https://[::1/x"}}, "invalid_parameter url"},
      {"webhook add",
       {{"environment", "Production"}, {"url", "https://u:p@planner.example.org/"}},
       "invalid_parameter url"},
      {"webhook add",
       {{"environment", "Production"}, {"url", kUrl}, {"event", {"invitation.opened"}}},
       "invalid_parameter event"},
      {"webhook remove", {{"webhook", nobody}}, "not_found webhook"},
      {"webhook enable", {{"webhook", nobody}}, "not_found webhook"},
      {"webhook rotate-secret", {{"webhook", "x"}}, "invalid_parameter webhook"},
      {"webhook show-secret", Json::object(), "missing_parameter webhook"},
      {"webhook deliveries", {{"state", "sent"}}, "invalid_parameter state"},
      {"webhook deliveries", {{"limit", 0U}}, "invalid_parameter limit"},
      {"webhook show", {{"delivery", nobody}}, "not_found delivery"},
      {"webhook replay", Json::object(), "missing_parameter delivery"},
      {"webhook replay", {{"delivery", nobody}, {"all", true}}, "missing_parameter delivery"},
      {"webhook replay", {{"delivery", nobody}}, "not_found delivery"},
      {"webhook replay", {{"all", true}, {"state", "queued"}}, "invalid_parameter state"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(error(row.command, row.arguments), row.error) << row.command << row.arguments.dump();
  EXPECT_EQ(replayed_, 0);
  admin_.webhook_allow_private = true;
  result("webhook add", {{"environment", "Production"}, {"url", "http://planner.example.org/"}});
}

TEST_F(AdminWebhookTest, ARotatedSecretIsAnotherOneAndTheOldOneLastsADay) {
  const Json added = add();
  const Json rotated = result("webhook rotate-secret", {{"webhook", added["webhook_uuid"]}});
  EXPECT_NE(rotated["secret"], added["secret"]);
  EXPECT_EQ(rotated["secret_version"], 2);
  EXPECT_EQ(rotated["old_secret_until"], base::to_rfc3339(now() + 24h));
  EXPECT_EQ(result("webhook show-secret", {{"webhook", added["webhook_uuid"]}})["secret"], rotated["secret"]);
  EXPECT_EQ(audited().front(), "webhook.secret_rotated");
}

TEST_F(AdminWebhookTest, ASecretIsNotRotatedWhileTheOneBeforeStillCountsUnlessForced) {
  const Json subject{{"webhook", add()["webhook_uuid"]}};
  const Json forced{{"webhook", subject["webhook"]}, {"force", true}};
  const Json rotated = result("webhook rotate-secret", subject);
  clock_.advance(23h);
  EXPECT_EQ(error("webhook rotate-secret", subject), "invalid_parameter force");
  EXPECT_EQ(result("webhook show-secret", subject)["secret"], rotated["secret"]);
  EXPECT_EQ(result("webhook rotate-secret", forced)["secret_version"], 3);
  clock_.advance(24h);
  EXPECT_EQ(result("webhook rotate-secret", subject)["secret_version"], 4);
}

TEST_F(AdminWebhookTest, WhatWaitsForItsNextTryIsMadeNowOrCancelledWithItsWebhook) {
  const Json subject{{"webhook", add()["webhook_uuid"]}};
  change_access();
  deliver(CallOutcome::deferred, 503, "busy", 1h);
  const Json delivery{{"delivery", deliveries()[0]["delivery_uuid"]}};
  EXPECT_EQ(result("webhook replay", delivery)["due_at"], base::to_rfc3339(now()));
  EXPECT_EQ(replayed_, 1);
  deliver(CallOutcome::deferred, 503, "busy", 1h);
  for (const char* command : {"webhook disable", "webhook remove"}) {
    result(command, subject);
    EXPECT_EQ(deliveries()[0]["state"], "cancelled") << command;
    if (std::string_view(command) == "webhook remove") continue;
    result("webhook enable", subject);
    EXPECT_EQ(deliveries()[0]["state"], "cancelled") << "and stays so";
    result("webhook replay", delivery);
  }
}

TEST_F(AdminWebhookTest, DisablingAndEnablingAPersonIsToldWithTheirRoles) {
  add();
  const auto told = [&] {
    return result("webhook show", {{"delivery", deliveries().at(0)["delivery_uuid"]}})["payload"].get<std::string>();
  };
  change_access();
  const Json person{{"email", "grace@example.org"}};
  result("account disable", person);
  EXPECT_EQ(deliveries().size(), 2U);
  EXPECT_THAT(told(), AllOf(HasSubstr("\"type\":\"access.withdrawn\""), HasSubstr("Planner"), HasSubstr("User")));
  result("account disable", person);
  EXPECT_EQ(deliveries().size(), 2U) << "nothing changed";
  change_access();
  EXPECT_EQ(deliveries().size(), 2U) << "that a disabled person lost a role was told already";
  result("account enable", person);
  EXPECT_EQ(deliveries().size(), 3U);
  EXPECT_THAT(told(), AllOf(HasSubstr("\"type\":\"access.granted\""), Not(HasSubstr("Planner")), HasSubstr("User")));
}

TEST_F(AdminWebhookTest, ADeliveryIsListedAndShownWithItsPayloadAndEachAttempt) {
  const Json added = add();
  change_access();
  deliver(CallOutcome::deferred, 503, "busy", 1min);
  clock_.advance(1min);
  deliver(CallOutcome::deferred, 404, "no such page");
  const Json listed = deliveries({{"state", "failed"}, {"webhook", added["webhook_uuid"]}})[0];
  std::vector<std::string> members;
  for (const auto& [name, value] : listed.items()) members.push_back(name);
  EXPECT_THAT(members, ElementsAre("delivery_uuid", "state", "event", "webhook_uuid", "environment_uuid", "queued_at",
                                   "due_at", "finished_at", "attempt_count", "last_error"));
  const Json shown = result("webhook show", {{"delivery", listed["delivery_uuid"]}});
  EXPECT_THAT(shown["payload"].get<std::string>(), HasSubstr("grace@example.org"));
  ASSERT_EQ(shown["attempts"].size(), 2U);
  EXPECT_EQ(shown["attempts"][0]["http_status"], 503);
  EXPECT_EQ(shown["attempts"][1]["explanation"], "no such page");
}

TEST_F(AdminWebhookTest, WhateverIsFinishedIsReplayed) {
  add();
  change_access();
  deliver(CallOutcome::done, 200, {});
  const std::string id = deliveries()[0]["delivery_uuid"];
  EXPECT_EQ(result("webhook replay", {{"delivery", id}})["state"], "queued");
  EXPECT_EQ(replayed_, 1);
  EXPECT_EQ(audited().front(), "webhook.replayed");
  write([&](Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(t.claim_due_call(CallKind::webhook, {now(), now() + 1min}));
    return {};
  });
  EXPECT_EQ(error("webhook replay", {{"delivery", id}}), "invalid_parameter delivery") << "it is being made";
}

TEST_F(AdminWebhookTest, AllFailedOnesAreReplayedOrThoseOfAnotherState) {
  const Json first = add();
  change_access();
  deliver(CallOutcome::deferred, 500, "no");
  const Json second = add();
  change_access();
  deliver(CallOutcome::deferred, 500, "no");
  deliver(CallOutcome::cancelled, 0, "disabled");
  EXPECT_EQ(result("webhook replay", {{"all", true}, {"state", "done"}})["replayed"], 0);
  EXPECT_EQ(result("webhook replay", {{"all", true}})["replayed"], 2);
  EXPECT_EQ(result("webhook replay", {{"all", true}})["replayed"], 0);
  EXPECT_EQ(result("webhook replay", {{"all", true}, {"state", "cancelled"}})["replayed"], 1);
  EXPECT_EQ(deliveries({{"state", "queued"}}).size(), 3U);
}

TEST_F(AdminWebhookTest, ADisabledOrRemovedWebhookIsOwedNothingNewAndReplaysNothing) {
  const Json added = add();
  const Json subject{{"webhook", added["webhook_uuid"]}};
  change_access();
  deliver(CallOutcome::deferred, 500, "no");
  const Json delivery{{"delivery", deliveries()[0]["delivery_uuid"]}};
  EXPECT_TRUE(result("webhook disable", subject)["disabled"]);
  change_access();
  EXPECT_EQ(deliveries().size(), 1U);
  EXPECT_EQ(error("webhook replay", delivery), "invalid_parameter delivery");
  EXPECT_EQ(result("webhook replay", {{"all", true}})["replayed"], 0);
  EXPECT_FALSE(result("webhook enable", subject)["disabled"]);
  EXPECT_EQ(result("webhook replay", delivery)["state"], "queued");
  result("webhook remove", subject);
  EXPECT_TRUE(result("webhook list").empty());
  EXPECT_EQ(error("webhook show-secret", subject), "not_found webhook");
  EXPECT_EQ(deliveries().size(), 1U) << "the history stays";
}

}  // namespace
}  // namespace invited::admin
