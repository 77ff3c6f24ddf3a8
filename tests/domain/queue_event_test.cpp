// What webhooks are told, and of what: the whole life of invitations and access, by the use cases that change them.
#include "domain/queue_event.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "domain/answer_invitation.h"
#include "domain/manage_invitations.h"
#include "domain/use_case_fixture.h"
#include "domain/webhook.h"
#include "support/sample_data.h"

namespace invited::domain {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class QueueEventTest : public UseCaseTest {
 protected:
  void add_webhook(std::vector<EventType> events = {}) {
    write([&](Transaction& t) -> Result<void> {
      t.insert(test::sample_webhook(environment_, std::move(events)));
      return {};
    });
  }
  /// Oldest first.
  std::vector<ordered_json> told() {
    std::vector<ordered_json> payloads;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      for (const auto& delivery : t.list_webhook_deliveries({}, {}))
        payloads.insert(payloads.begin(), ordered_json::parse(delivery.payload));
      return {};
    }));
    return payloads;
  }
  std::vector<std::string> types() {
    std::vector<std::string> found;
    for (const auto& payload : told()) found.push_back(payload["type"]);
    return found;
  }
  Invitation newest() { return invitations().front(); }
};

TEST_F(QueueEventTest, APayloadSaysWhatHappenedWhenAndToWhat) {
  add_webhook();
  ASSERT_TRUE(send());
  auto invitation = newest();
  invitation.metadata = R"({"order":"4711","n":[1.0,"é"]})";
  invitation.more_role_ids = {planner_.id};
  write([&](Transaction& t) -> Result<void> {
    t.update(invitation);
    queue_invitation_event(EventType::invitation_bounced, invitation, t, now(), "550 5.1.1 no \"such\" user\x01");
    return {};
  });
  const auto payload = told().back();
  EXPECT_EQ(payload["type"], "invitation.bounced");
  EXPECT_EQ(payload["timestamp"], base::to_rfc3339(now()));
  const auto& data = payload["data"];
  std::vector<std::string> members;
  for (const auto& [name, value] : data.items()) members.push_back(name);
  EXPECT_THAT(members,
              ElementsAre("invitation_uuid", "environment_uuid", "environment_name", "email", "roles", "inviter_email",
                          "state", "generation", "created_at", "expires_at", "metadata", "reason"));
  EXPECT_EQ(data["invitation_uuid"], invitation.id.to_string());
  EXPECT_EQ(data["environment_uuid"], environment_.id.to_string());
  EXPECT_EQ(data["environment_name"], "Production");
  EXPECT_EQ(data["email"], "ada@example.org");
  EXPECT_EQ(data["roles"],
            ordered_json::parse(R"([{"role_uuid":")" + user_.id.to_string() + R"(","name":"User"},{"role_uuid":")" +
                                planner_.id.to_string() + R"(","name":"Planner"}])"));
  EXPECT_EQ(data["inviter_email"], "grace@example.org");
  EXPECT_EQ(data["state"], "pending");
  EXPECT_EQ(data["generation"], 1);
  EXPECT_EQ(data["expires_at"], base::to_rfc3339(invitation.expires_at));
  EXPECT_EQ(data["metadata"].dump(), invitation.metadata);
  EXPECT_EQ(data["reason"], "550 5.1.1 no \"such\" user\x01");
}

TEST_F(QueueEventTest, AnAcceptedInvitationIsToldOfWithTheAccess) {
  ASSERT_TRUE(send());
  add_webhook();
  ASSERT_TRUE(accept_invitation(sign_up(token_of(newest())), *context_));
  EXPECT_THAT(types(), ElementsAre("invitation.accepted", "access.granted"));
  EXPECT_EQ(told()[0]["data"]["state"], "accepted");
  const auto data = told()[1]["data"];
  EXPECT_EQ(data["account_uuid"], account("ada@example.org")->id.to_string());
  EXPECT_EQ(data["email"], "ada@example.org");
  EXPECT_EQ(data["roles"][0]["role_uuid"], user_.id.to_string());
  EXPECT_EQ(data["environment_uuid"], environment_.id.to_string());
}

TEST_F(QueueEventTest, SoAreDecliningResendingAndRevoking) {
  ASSERT_TRUE(send());
  add_webhook();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(resend_invitation(newest().id, "operator", t, policy_, now()));
    return {};
  });
  ASSERT_TRUE(decline_invitation(token_of(newest()), "192.0.2.7", *context_));
  ASSERT_TRUE(send("bob@example.org"));
  const auto of_bob = newest();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_invitation(of_bob.id, "operator", t, now()));
    return {};
  });
  auto found = types();
  std::erase(found, "invitation.created");
  EXPECT_THAT(found, ElementsAre("invitation.resent", "invitation.declined", "invitation.revoked"));
  EXPECT_EQ(told()[0]["data"]["generation"], 2);
}

TEST_F(QueueEventTest, AFreshLinkThatAnInviteeAsksForIsAResentInvitation) {
  ASSERT_TRUE(send());
  add_webhook();
  clock_.advance(policy_.invitation_lifetime);
  ASSERT_TRUE(request_fresh_link(token_of(newest()), "192.0.2.7", *context_));
  EXPECT_THAT(types(), ElementsAre("invitation.resent"));
}

TEST_F(QueueEventTest, AccessThatAnOperatorGivesAndTakesIsToldOfWhereItChanges) {
  add_webhook();
  write([&](Transaction& t) -> Result<void> {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(grant_access(environment_.id, "grace@example.org", planner_.id, t, now()));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(revoke_access(environment_.id, "grace@example.org", planner_.id, t, now()));
    return {};
  });
  EXPECT_THAT(types(), ElementsAre("access.granted", "access.withdrawn"));
}

TEST_F(QueueEventTest, WhatIsRefusedIsToldToNobody) {
  ASSERT_TRUE(send());
  add_webhook();
  EXPECT_FALSE(accept_invitation(sign_up("forged"), *context_));
  const auto token = token_of(newest());
  ASSERT_TRUE(decline_invitation(token, "192.0.2.7", *context_));
  EXPECT_FALSE(decline_invitation(token, "192.0.2.7", *context_));
  EXPECT_THAT(types(), ElementsAre("invitation.declined"));
}

TEST_F(QueueEventTest, NoPayloadHoldsATokenOrALink) {
  ASSERT_TRUE(send());
  add_webhook();
  const auto token = token_of(newest());
  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  for (const auto& payload : told()) {
    EXPECT_THAT(payload.dump(), Not(HasSubstr(token)));
    EXPECT_THAT(payload.dump(), Not(HasSubstr("://")));
  }
}

TEST_F(QueueEventTest, WithoutWebhooksNothingIsQueued) {
  ASSERT_TRUE(send());
  ASSERT_TRUE(decline_invitation(token_of(newest()), "192.0.2.7", *context_));
  EXPECT_THAT(told(), IsEmpty());
}

// --- the secret ------------------------------------------------------------------------------------

TEST(WebhookSecret, IsOneForEachKeyWebhookAndVersion) {
  const base::Secret pepper(std::string(32, 'p'));
  const auto id = base::Uuid::random();
  const auto secret = webhook_secret(pepper, id, 1);
  EXPECT_EQ(secret.reveal().size(), 32U);
  EXPECT_EQ(webhook_secret(pepper, id, 1).reveal(), secret.reveal());
  EXPECT_NE(webhook_secret(pepper, id, 2).reveal(), secret.reveal());
  EXPECT_NE(webhook_secret(pepper, base::Uuid::random(), 1).reveal(), secret.reveal());
  EXPECT_NE(webhook_secret(base::Secret(std::string(32, 'q')), id, 1).reveal(), secret.reveal());
}

TEST(WebhookSecret, IsShownAsReceiversWantIt) {
  EXPECT_EQ(shown_secret(base::Secret(std::string(32, '\0'))), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
}

TEST(EventType, EachHasAWordThatIsUnderstoodAgain) {
  for (const EventType type : kEventTypes) EXPECT_EQ(parse_event_type(to_string(type)), type);
  EXPECT_FALSE(parse_event_type("invitation.opened"));
}

TEST_F(QueueEventTest, AnExpiryIsToldOfEvenWhereANewInvitationComesFirst) {
  add_webhook({EventType::invitation_expired});
  write([&](Transaction& t) -> Result<void> {
    t.watch_expiry(now());
    return {};
  });
  ASSERT_TRUE(send());
  clock_.advance(policy_.invitation_lifetime + std::chrono::seconds(1));
  ASSERT_TRUE(send());
  EXPECT_THAT(types(), ElementsAre("invitation.expired"));
  write([&](Transaction& t) -> Result<void> {
    EXPECT_EQ(queue_expired_events(100, t, now()), 0U);
    return {};
  });
  EXPECT_THAT(types(), ElementsAre("invitation.expired")) << "once";
}

TEST_F(QueueEventTest, AMailThatCannotBeSentInTimeIsToldOf) {
  add_webhook({EventType::invitation_bounced});
  policy_.invitation_lifetime = std::chrono::minutes(1);
  ASSERT_TRUE(send("vic+0@example.org"));
  EXPECT_THAT(types(), IsEmpty());
  ASSERT_TRUE(send("vic+1@example.org"));
  ASSERT_THAT(types(), ElementsAre("invitation.bounced"));
  EXPECT_THAT(told()[0]["data"]["reason"].get<std::string>(), HasSubstr("many mails"));
}

}  // namespace
}  // namespace invited::domain
