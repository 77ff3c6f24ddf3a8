// How many invitations an inviter, an environment and a mailbox get in an hour and in a day.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "domain/send_invitation.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class InvitationRatesTest : public UseCaseTest {};

TEST_F(InvitationRatesTest, TheInvitersHourlyRateIsKept) {
  policy_.inviter_per_hour = 3;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("a" + std::to_string(i) + "@example.org"));
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 1200s);
  EXPECT_EQ(invitations().size(), 3u);
  EXPECT_TRUE(send("a0@example.org")) << "a repeat counts against no rate";
  clock_.advance(1200s);
  EXPECT_TRUE(send("b@example.org"));
}

TEST_F(InvitationRatesTest, TheInvitersDailyRateIsKept) {
  policy_.inviter_per_hour = 0;
  policy_.environment_per_second = 0;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(send("a" + std::to_string(i) + "@example.org")) << i;
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 173s) << "a five-hundredth of a day";
  clock_.advance(173s);
  EXPECT_TRUE(send("b@example.org"));
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::rate_limited);
}

TEST_F(InvitationRatesTest, TheHourlyAndTheDailyRateOfAnInviterHoldTogether) {
  policy_.environment_per_second = 0;
  int number = 0;
  int sent = 0;
  for (int hour = 0; hour < 24; ++hour) {
    int this_hour = 0;
    while (send("a" + std::to_string(++number) + "@example.org")) ++this_hour;
    EXPECT_LE(this_hour, 100);
    sent += this_hour;
    clock_.advance(1h);
  }
  // Five hundred at most to begin with, and what comes free in the 23 hours until the last: 500 * 23 / 24.
  EXPECT_EQ(sent, 500 + 479);
}

TEST_F(InvitationRatesTest, TheEnvironmentsDailyRateIsKept) {
  policy_.environment_per_second = 0;
  policy_.inviter_per_hour = policy_.inviter_per_day = 0;
  policy_.environment_per_day = 48;
  for (int i = 0; i < 48; ++i) ASSERT_TRUE(send("a" + std::to_string(i) + "@example.org")) << i;
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 30min);
  EXPECT_TRUE(send("a0@example.org")) << "a repeat counts against no rate";
  clock_.advance(30min);
  EXPECT_TRUE(send("b@example.org"));
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::rate_limited);
}

TEST_F(InvitationRatesTest, TheEnvironmentsBurstIsKept) {
  policy_.environment_per_second = 1;
  policy_.environment_burst = 2;
  EXPECT_TRUE(send("a@example.org"));
  EXPECT_TRUE(send("b@example.org"));
  const auto refused = send("c@example.org");
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 1s);
}

TEST_F(InvitationRatesTest, M16MailToOneMailboxWaitsAndCallersLearnNothing) {
  for (const char* address : {"ada@example.org", "ada+1@example.org", "a.da@example.org", "A.D.A@example.org"}) {
    const auto sent = send(address);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->effect, InviteEffect::invited);
  }
  std::vector<std::chrono::milliseconds> waits;
  for (const OutboxMessage& message : messages()) waits.push_back(message.due_at - now());
  std::sort(waits.begin(), waits.end());
  EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{0min, 1min, 2min, 1h}));
}

TEST_F(InvitationRatesTest, AMailWhoseTurnWouldComeTooLateFailsAtOnceAndTakesNoTurn) {
  policy_.invitation_lifetime = std::chrono::minutes(5);
  for (const char* invitee : {"vic+0@example.org", "vic+1@example.org", "vic+2@example.org", "vic+3@example.org"})
    ASSERT_TRUE(send(invitee));
  EXPECT_EQ(messages(MessageState::queued).size(), 3U) << "three in an hour";
  const auto failed = messages(MessageState::failed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].recipient.key(), "vic+3@example.org");
  EXPECT_THAT(failed[0].last_error, testing::HasSubstr("many mails"));
  EXPECT_EQ(failed[0].finished_at, now());
  for (const OutboxMessage& message : messages()) EXPECT_FALSE(is_held(message)) << message.recipient.key();

  clock_.advance(std::chrono::hours(1) + std::chrono::minutes(3));
  ASSERT_TRUE(send("vic+4@example.org"));
  EXPECT_EQ(messages().front().not_before, now());
  EXPECT_EQ(messages().front().state, MessageState::queued);
}

}  // namespace
}  // namespace invited::domain
