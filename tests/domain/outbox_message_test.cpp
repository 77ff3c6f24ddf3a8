#include "domain/outbox_message.h"

#include <gtest/gtest.h>

#include <vector>

namespace invited::domain {
namespace {

using namespace std::chrono_literals;
using base::Timestamp;

const Timestamp kNow{std::chrono::milliseconds(1'800'000'000'000)};

OutboxMessage message_with(std::uint32_t attempts, Timestamp expires_at) {
  return {.id = {},
          .environment_id = {},
          .invitation_id = {},
          .recipient = *EmailAddress::parse("ada@example.org"),
          .inviter_name = {},
          .app_name = {},
          .app_url = {},
          .role_name = {},
          .queued_at = kNow,
          .not_before = kNow,
          .due_at = kNow,
          .expires_at = expires_at,
          .attempts = attempts,
          .finished_at = std::nullopt,
          .last_error = {}};
}

TEST(RetrySchedule, FollowsTheSchedulePromised) {
  const std::vector<std::chrono::minutes> expected{1min, 2min, 5min, 10min, 20min, 30min, 60min, 60min};
  for (std::uint32_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(retry_delay(i + 1, RetryPolicy{}, 0.5), expected[i]) << i;
}

TEST(RetrySchedule, SpreadsByAFifthEitherWay) {
  EXPECT_EQ(retry_delay(1, RetryPolicy{}, 0.0), 48s);
  EXPECT_EQ(retry_delay(1, RetryPolicy{}, 1.0), 72s);
}

TEST(RetrySchedule, GivesUpAtTheLinksExpiryAndAfterFourDays) {
  EXPECT_EQ(next_attempt_at(message_with(0, kNow + 24h), kNow, RetryPolicy{}, kNow, 0.5), kNow + 1min);
  EXPECT_EQ(next_attempt_at(message_with(2, kNow + 4min), kNow, RetryPolicy{}, kNow, 0.5), std::nullopt);
  EXPECT_EQ(next_attempt_at(message_with(90, kNow + 24h * 30), kNow, RetryPolicy{}, kNow + 95h + 30min, 0.5),
            std::nullopt);
  EXPECT_EQ(next_attempt_at(message_with(90, kNow + 24h * 30), kNow, RetryPolicy{}, kNow + 94h, 0.5), kNow + 95h);
}

Attempt attempt_at(std::uint32_t number, base::Timestamp started_at, std::optional<DeliveryOutcome> outcome) {
  Attempt attempt;
  attempt.number = number;
  attempt.started_at = started_at;
  if (outcome) attempt.result = DeliveryResult{*outcome, 0, {}, {}};
  return attempt;
}

TEST(RetrySchedule, CountsFromTheFirstAttemptThatIsChargedToTheMessage) {
  const Attempt held = attempt_at(1, kNow, DeliveryOutcome::held);
  const Attempt died = attempt_at(2, kNow + 24h, std::nullopt);
  const Attempt first = attempt_at(3, kNow + 120h, DeliveryOutcome::deferred);
  const Attempt held_again = attempt_at(4, kNow + 121h, DeliveryOutcome::held);
  const Attempt now = attempt_at(5, kNow + 130h, std::nullopt);
  const auto of = [](std::uint32_t charged) { return message_with(charged, kNow + 24h * 30); };
  EXPECT_EQ(tried_since(of(0), std::vector{held, died, now}), kNow + 130h) << "the first one, after a long outage";
  EXPECT_EQ(tried_since(of(1), std::vector{held, died, first, held_again, now}), kNow + 120h);
  EXPECT_EQ(tried_since(of(0), std::vector{held, died, first, held_again, now}), kNow + 130h) << "retried by hand";
  EXPECT_EQ(tried_since(of(0), {}), kNow);
}

TEST(MailboxSlot, IsNowForAQuietMailbox) {
  EXPECT_EQ(next_mailbox_slot({}, MailboxLimit{}, kNow), kNow);
  EXPECT_EQ(next_mailbox_slot(std::vector{kNow - 2h}, MailboxLimit{}, kNow), kNow);
}

TEST(MailboxSlot, KeepsTheThreeLimits) {
  std::vector<Timestamp> taken;
  for (int i = 0; i < 25; ++i) taken.push_back(next_mailbox_slot(taken, MailboxLimit{}, kNow));
  EXPECT_EQ(taken[1], kNow + 1min);
  EXPECT_EQ(taken[2], kNow + 2min);
  EXPECT_EQ(taken[3], kNow + 1h);
  for (std::size_t i = 1; i < taken.size(); ++i) EXPECT_GE(taken[i] - taken[i - 1], 1min) << i;
  for (std::size_t i = 3; i < taken.size(); ++i) EXPECT_GE(taken[i] - taken[i - 3], 1h) << i;
  for (std::size_t i = 10; i < taken.size(); ++i) EXPECT_GE(taken[i] - taken[i - 10], 24h) << i;
}

TEST(MailboxSlot, ZeroMeansNoLimit) {
  const std::vector<Timestamp> taken(20, kNow);
  EXPECT_EQ(next_mailbox_slot(taken, MailboxLimit{0, 0, 0}, kNow), kNow);
}

TEST(OutboxNames, GoBothWays) {
  for (const auto kind :
       {MessageKind::invitation_to_sign_up, MessageKind::invitation_to_accept, MessageKind::already_has_access})
    EXPECT_EQ(parse_message_kind(to_string(kind)), kind);
  for (const auto state : {MessageState::queued, MessageState::sent, MessageState::failed, MessageState::quarantined,
                           MessageState::cancelled})
    EXPECT_EQ(parse_message_state(to_string(state)), state);
  for (const auto outcome : {DeliveryOutcome::sent, DeliveryOutcome::deferred, DeliveryOutcome::rejected,
                             DeliveryOutcome::held, DeliveryOutcome::poisoned})
    EXPECT_EQ(parse_delivery_outcome(to_string(outcome)), outcome);
  EXPECT_EQ(parse_message_kind("x"), std::nullopt);
}

}  // namespace
}  // namespace invited::domain
