#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/reset_password.h"

namespace invited::admin {
namespace {

using namespace std::chrono_literals;

class AdminMailTest : public AdminTest {
 protected:
  /// Claims the oldest due message and ends the attempt as told.
  void attempt(domain::DeliveryOutcome outcome, const std::string& stage, int code, const std::string& explanation) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      const auto leases = t.claim_due_messages(1, now(), now() + 1min);
      EXPECT_EQ(leases.size(), 1U);
      if (leases.empty()) return {};
      const std::optional<base::Timestamp> next =
          outcome == domain::DeliveryOutcome::deferred ? std::optional(now() + 1min) : std::nullopt;
      EXPECT_TRUE(t.finish_attempt(leases.front(), {outcome, code, stage, explanation}, next, now()));
      return {};
    });
  }
};

TEST_F(AdminMailTest, AMailIsListedAndShownWithEachAttempt) {
  ASSERT_TRUE(send());
  attempt(domain::DeliveryOutcome::deferred, "rcpt_to", 450, "greylisted");
  clock_.advance(2min);
  attempt(domain::DeliveryOutcome::rejected, "data", 554, "no");
  const Json list = result("mail list", {{"state", "failed"}});
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["recipient_email"], "ada@example.org");
  EXPECT_EQ(list[0]["attempt_count"], 2);
  EXPECT_THAT(list[0]["last_error"].get<std::string>(), testing::HasSubstr("no"));
  const Json shown = result("mail show", {{"message", list[0]["message_uuid"]}});
  ASSERT_EQ(shown["attempts"].size(), 2U);
  EXPECT_EQ(shown["attempts"][0]["outcome"], "deferred");
  EXPECT_EQ(shown["attempts"][0]["reply_code"], 450);
  EXPECT_EQ(shown["attempts"][1]["stage"], "data");
  EXPECT_EQ(shown["attempts"][1]["explanation"], "no");
}

TEST_F(AdminMailTest, AFailedMailIsQueuedAgainAndTheWorkerWoken) {
  ASSERT_TRUE(send());
  attempt(domain::DeliveryOutcome::rejected, "rcpt_to", 550, "unknown user");
  const std::string id = result("mail list")[0]["message_uuid"];
  mail_queued_ = 0;
  EXPECT_EQ(result("mail retry", {{"message", id}})["state"], "queued");
  EXPECT_EQ(mail_queued_, 1);
  EXPECT_EQ(audited().front(), "mail.retried");
  EXPECT_EQ(newest_event().environment_id, environment_.id);
  EXPECT_EQ(error("mail retry", {{"message", id}}), "invalid_parameter message") << "it is queued already";
}

TEST_F(AdminMailTest, AMailThatWaitsForItsNextTryIsSentNow) {
  for (const char* invitee : {"a@example.org", "b@example.org"}) {
    ASSERT_TRUE(send(invitee));
    attempt(domain::DeliveryOutcome::deferred, "rcpt_to", 554, "Relay access denied");
  }
  ASSERT_TRUE(send("untried@example.org"));
  const std::string id = result("mail list")[1]["message_uuid"];
  const std::string due_at = base::to_rfc3339(now());
  EXPECT_EQ(result("mail retry", {{"message", id}})["due_at"], due_at);
  EXPECT_EQ(result("mail retry", {{"all", true}})["retried"], 1) << "the other one";
  for (const Json& mail : result("mail list", {{"state", "queued"}})) EXPECT_EQ(mail["due_at"], due_at);
  EXPECT_EQ(result("mail retry", {{"all", true}})["retried"], 0);
  const Json refused = answer("mail retry", {{"message", id}});
  EXPECT_THAT(refused["error"]["message"].get<std::string>(), testing::HasSubstr("its turn comes by itself"));
}

TEST_F(AdminMailTest, AMailWhoseLinkHasExpiredIsNotSentAgain) {
  ASSERT_TRUE(send());
  attempt(domain::DeliveryOutcome::rejected, "rcpt_to", 550, "unknown user");
  clock_.advance(policy_.invitation_lifetime);
  const std::string id = result("mail list")[0]["message_uuid"];
  EXPECT_EQ(error("mail retry", {{"message", id}}), "invalid_parameter message");
  EXPECT_EQ(result("mail retry", {{"all", true}})["retried"], 0);
}

TEST_F(AdminMailTest, ALinkToANewPasswordBelongsToAnAccountAndToNoEnvironment) {
  ASSERT_TRUE(domain::request_password_reset("grace@example.org", base::Language::nl, "192.0.2.1", *context_));
  const Json mail = result("mail list")[0];
  EXPECT_EQ(mail["kind"], "password_reset");
  EXPECT_EQ(mail["due_at"], mail["queued_at"]) << "going ahead of others is no business of who reads the list";
  EXPECT_EQ(mail["account_uuid"], inviter_->id.to_string());
  EXPECT_EQ(mail["language"], "nl");
  for (const char* member : {"environment_uuid", "invitation_uuid", "inviter_name", "app_name", "role_name"})
    EXPECT_TRUE(mail[member].is_null()) << member;
  const std::string id = mail["message_uuid"];
  attempt(domain::DeliveryOutcome::rejected, "rcpt_to", 550, "no");
  EXPECT_EQ(result("mail retry", {{"message", id}})["state"], "queued");
  attempt(domain::DeliveryOutcome::rejected, "rcpt_to", 550, "no");
  clock_.advance(domain::kResetLinkLifetime);
  const Json refused = answer("mail retry", {{"message", id}});
  EXPECT_THAT(refused["error"]["message"].get<std::string>(), testing::HasSubstr("sign-in page"));
}

TEST_F(AdminMailTest, AllFailedAndQuarantinedOnesAreRetriedAndTheHoldIsLifted) {
  for (const char* invitee : {"a@example.org", "b@example.org", "c@example.org"}) {
    ASSERT_TRUE(send(invitee));
    attempt(domain::DeliveryOutcome::rejected, "rcpt_to", 550, "no");
  }
  ASSERT_TRUE(send("d@example.org"));
  attempt(domain::DeliveryOutcome::poisoned, "render", 0, "no template");
  write([&](domain::Transaction& t) -> domain::Result<void> {
    t.set_mail_hold(
        domain::MailHold{now(), now() + 1min, 3, {domain::DeliveryOutcome::held, 535, "auth", "bad password"}});
    return {};
  });
  const Json hold = result("mail hold");
  EXPECT_EQ(hold["explanation"], "bad password");
  EXPECT_EQ(hold["tries"], 3);
  const std::size_t before = audited().size();
  const Json done = result("mail retry", {{"all", true}});
  EXPECT_EQ(done["retried"], 4);
  EXPECT_EQ(done["hold_lifted"], true);
  EXPECT_TRUE(result("mail hold").is_null());
  EXPECT_EQ(result("mail list", {{"state", "queued"}}).size(), 4U);
  auto events = audited();
  events.resize(events.size() - before);  // the newest come first
  EXPECT_THAT(events, testing::UnorderedElementsAre("mail.hold_lifted", "mail.retried", "mail.retried", "mail.retried",
                                                    "mail.retried"));
}

TEST_F(AdminMailTest, AMailThatIsOwedIsCancelled) {
  ASSERT_TRUE(send());
  const std::string id = result("mail list")[0]["message_uuid"];
  EXPECT_EQ(result("mail cancel", {{"message", id}})["state"], "cancelled");
  EXPECT_EQ(audited().front(), "mail.cancelled");
  EXPECT_EQ(newest_event().environment_id, environment_.id);
  EXPECT_EQ(error("mail cancel", {{"message", id}}), "invalid_parameter message") << "it is cancelled already";
}

TEST_F(AdminMailTest, QueuedMailShowsTheHoldOthersDoNot) {
  ASSERT_TRUE(send("a@example.org"));
  attempt(domain::DeliveryOutcome::sent, "data", 250, "ok");
  ASSERT_TRUE(send("b@example.org"));
  write([&](domain::Transaction& t) -> domain::Result<void> {
    t.set_mail_hold(
        domain::MailHold{now(), now() + 1min, 1, {domain::DeliveryOutcome::held, 0, "starttls", "expired"}});
    return {};
  });
  EXPECT_EQ(result("mail list", {{"state", "queued"}})[0]["hold"]["stage"], "starttls");
  EXPECT_TRUE(result("mail list", {{"state", "sent"}})[0]["hold"].is_null());
}

}  // namespace
}  // namespace invited::admin
