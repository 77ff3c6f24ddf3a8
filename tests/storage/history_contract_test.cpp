// What every Store must do for retention: tell what ended long ago, oldest first, and delete exactly that.
#include <algorithm>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::CallOutcome;
using domain::DeliveryOutcome;
using domain::History;
using domain::HistorySlice;
using domain::InvitationState;
using domain::MessageState;
using domain::Transaction;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kDay = 24h;
base::Timestamp day(int number) { return at(0) + number * kDay; }

class HistoryTest : public StoreContractTest {
 protected:
  HistorySlice ended(History history, base::Timestamp before, std::string_view after = {}, std::uint32_t limit = 100) {
    return read([&](Transaction& t) { return t.list_ended(history, after, before, limit); });
  }
  /// Deletes all of a history that ended before, slice by slice, as retention does. How many things.
  std::uint64_t purge(History history, base::Timestamp before, std::uint32_t limit = 100) {
    std::uint64_t count = 0;
    std::string after;
    for (;;) {
      const auto slice = ended(history, before, after, limit);
      write([&](Transaction& t) { count += t.erase_ended(history, after, slice.end, before); });
      if (slice.is_last) return count;
      after = slice.end;
    }
  }

  /// Sends all that is due.
  void deliver(base::Timestamp now, DeliveryOutcome outcome = DeliveryOutcome::sent) {
    write([&](Transaction& t) {
      for (const auto& lease : t.claim_due_messages(100, now, now + 20min))
        t.finish_attempt(lease, {outcome, 250, "data", "OK"}, std::nullopt, now);
    });
  }
  void settle(domain::Invitation invitation, InvitationState state, base::Timestamp now) {
    invitation.state = state;
    invitation.settled_at = now;
    write([&](Transaction& t) {
      t.update(invitation);
      t.cancel_messages(invitation.id, now);
    });
  }
  /// A mail that belongs to no invitation.
  domain::OutboxMessage notice(base::Timestamp now) {
    auto message = world_.message(world_.invitation("colleague@example.com", now));
    message.kind = domain::MessageKind::already_has_access;
    message.invitation_id = {};
    write([&](Transaction& t) { t.insert(message); });
    return message;
  }
  domain::RefreshCall call(base::Timestamp now) {
    const auto owed = test::sample_refresh_call(world_.environment, world_.inviter, now);
    write([&](Transaction& t) { t.insert(owed); });
    return owed;
  }
  void finish_call(base::Timestamp now, CallOutcome outcome = CallOutcome::done) {
    write([&](Transaction& t) {
      const auto lease = t.claim_due_call(domain::CallKind::refresh, {now, now + 1min});
      ASSERT_TRUE(lease);
      t.finish_call_attempt(domain::CallKind::refresh, *lease, {outcome, 200, "taken"}, std::nullopt, now);
    });
  }
  bool exists(const domain::Invitation& invitation) {
    return read([&](Transaction& t) { return t.find_invitation(invitation.id); }).has_value();
  }
  bool exists(const domain::OutboxMessage& message) {
    return read([&](Transaction& t) { return t.find_message(message.id); }).has_value();
  }
  std::vector<domain::Attempt> attempts(const domain::OutboxMessage& message) {
    return read([&](Transaction& t) { return t.list_attempts(message.id); });
  }
};

std::vector<std::string> invitees(const HistorySlice& slice) {
  std::vector<std::string> found;
  for (const auto& ended : slice.invitations) found.push_back(ended.invitation.invitee.text());
  return found;
}

TEST_P(HistoryTest, AnEmptyHistoryIsOneLastSlice) {
  for (const auto history :
       {History::invitations, History::mails, History::attempts, History::refresh_calls, History::webhook_deliveries}) {
    const auto slice = ended(history, day(100));
    EXPECT_TRUE(slice.empty());
    EXPECT_TRUE(slice.is_last);
    EXPECT_EQ(purge(history, day(100)), 0u);
  }
}

TEST_P(HistoryTest, AnInvitationThatEndedLongAgoGoesWithItsMailsAndTheirAttempts) {
  const auto [invitation, message] = invite("gone@example.com", day(0));
  deliver(day(0) + 1min);
  settle(invitation, InvitationState::accepted, day(1));

  EXPECT_THAT(invitees(ended(History::invitations, day(1))), IsEmpty()) << "it ended at that very moment, not before";
  const auto slice = ended(History::invitations, day(2));
  ASSERT_EQ(slice.invitations.size(), 1u);
  EXPECT_EQ(slice.invitations[0].invitation.id, invitation.id);
  EXPECT_EQ(slice.invitations[0].invitation.state, InvitationState::accepted);
  ASSERT_EQ(slice.invitations[0].mails.size(), 1u);
  EXPECT_EQ(slice.invitations[0].mails[0].message.id, message.id);
  ASSERT_EQ(slice.invitations[0].mails[0].attempts.size(), 1u);
  EXPECT_EQ(slice.invitations[0].mails[0].attempts[0].result->explanation, "OK");
  EXPECT_TRUE(slice.is_last);

  write([&](Transaction& t) { EXPECT_EQ(t.erase_ended(History::invitations, {}, slice.end, day(2)), 1u); });
  reopen();
  EXPECT_FALSE(exists(invitation));
  EXPECT_FALSE(exists(message));
  EXPECT_THAT(attempts(message), IsEmpty());
}

TEST_P(HistoryTest, ASettledInvitationGoesByWhenItWasSettledAndAPendingOneByItsExpiry) {
  const auto declined = invite("declined@example.com", day(0)).first;
  const auto revoked = invite("revoked@example.com", day(0) + 1s).first;
  const auto expired = invite("expired@example.com", day(0) + 2s).first;  // after 7 days
  const auto pending = invite("pending@example.com", day(5)).first;       // until day 12
  deliver(day(5) + 1min);
  settle(declined, InvitationState::declined, day(3));
  settle(revoked, InvitationState::revoked, day(6));

  EXPECT_THAT(invitees(ended(History::invitations, day(3) + 1ms)), IsEmpty()) << "its mail left on day 5";
  EXPECT_THAT(invitees(ended(History::invitations, day(6))), ElementsAre("declined@example.com"));
  EXPECT_THAT(invitees(ended(History::invitations, day(7))),
              ElementsAre("declined@example.com", "revoked@example.com"));
  EXPECT_EQ(purge(History::invitations, day(8)), 3u);
  EXPECT_FALSE(exists(declined));
  EXPECT_FALSE(exists(revoked));
  EXPECT_FALSE(exists(expired));
  EXPECT_TRUE(exists(pending));
  EXPECT_EQ(read([](Transaction& t) { return t.list_messages(std::nullopt, {}); }).size(), 1u);
}

TEST_P(HistoryTest, AnInvitationWhoseMailIsStillOwedOrInQuarantineStays) {
  const auto owed = invite("owed@example.com", day(0)).first;
  EXPECT_EQ(purge(History::invitations, day(90)), 0u) << "its mail is queued";
  EXPECT_TRUE(exists(owed));

  for (int death = 0; death < 4; ++death)
    write([&](Transaction& t) { t.claim_due_messages(10, day(1) + death * 1h, day(1) + death * 1h + 1min); });
  ASSERT_EQ(read([](Transaction& t) { return t.list_messages(MessageState::quarantined, {}); }).size(), 1u);
  EXPECT_EQ(purge(History::invitations, day(90)), 0u);
  EXPECT_EQ(purge(History::attempts, day(90)), 0u);
  EXPECT_TRUE(exists(owed));
}

TEST_P(HistoryTest, WhatCameToLifeBetweenListingAndDeletingStays) {
  auto invitation = invite("late@example.com", day(0)).first;
  deliver(day(0) + 1min);
  const auto slice = ended(History::invitations, day(30));
  ASSERT_EQ(slice.invitations.size(), 1u);
  // The invitee asks for a fresh link.
  invitation.generation = 2;
  invitation.sent_at = day(40);
  invitation.expires_at = day(47);
  const auto second = world_.message(invitation);
  write([&](Transaction& t) {
    t.update(invitation);
    t.insert(second);
  });
  write([&](Transaction& t) { EXPECT_EQ(t.erase_ended(History::invitations, {}, slice.end, day(30)), 0u); });
  EXPECT_TRUE(exists(invitation));
  EXPECT_TRUE(exists(second));
}

TEST_P(HistoryTest, WhatCameToItsEndBetweenListingAndDeletingStays) {
  const auto [invitation, message] = invite("quarantined@example.com", day(0));
  for (int death = 0; death < 4; ++death)
    write([&](Transaction& t) { t.claim_due_messages(10, day(1) + death * 1h, day(1) + death * 1h + 1min); });
  const auto slice = ended(History::invitations, day(30));
  ASSERT_THAT(slice.invitations, IsEmpty());
  write([&](Transaction& t) { t.retry_message(message.id, day(60)); });
  deliver(day(60));  // too late: its link has expired, and so it fails
  ASSERT_EQ(this->message(message.id).state, MessageState::failed);
  write([&](Transaction& t) { EXPECT_EQ(t.erase_ended(History::invitations, {}, slice.end, day(30)), 0u); });
  EXPECT_TRUE(exists(invitation)) << "nobody has exported it";
}

TEST_P(HistoryTest, SlicesAreOldestFirstAndTogetherAreAll) {
  for (int i = 0; i < 25; ++i) {
    const auto invitation = invite("g" + std::to_string(i) + "@example.com", day(0) + i * 1min).first;
    if (i % 5 != 0) settle(invitation, InvitationState::revoked, day(1));  // the others live until day 7
  }
  deliver(day(1));
  std::vector<std::string> found;
  std::string after;
  int slices = 0;
  for (;; ++slices) {
    const auto slice = ended(History::invitations, day(2), after, 4);
    std::ranges::copy(invitees(slice), std::back_inserter(found));
    if (slice.is_last) break;
    EXPECT_NE(slice.end, after);
    after = slice.end;
  }
  EXPECT_EQ(slices, 6);
  ASSERT_EQ(found.size(), 20u);
  EXPECT_EQ(found.front(), "g1@example.com");
  EXPECT_EQ(found.back(), "g24@example.com");
  EXPECT_EQ(purge(History::invitations, day(2), 4), 20u);
  EXPECT_EQ(read([](Transaction& t) { return t.list_invitations({}, {}); }).size(), 5u);
}

TEST_P(HistoryTest, TheWalkEndsWhereAllIsTooYoung) {
  for (int i = 0; i < 10; ++i) invite("g" + std::to_string(i) + "@example.com", day(i));
  const auto first = ended(History::invitations, day(3), {}, 3);
  EXPECT_FALSE(first.is_last);
  EXPECT_TRUE(ended(History::invitations, day(3), first.end, 3).is_last) << "created on day 3 and later";
}

TEST_P(HistoryTest, MailsWithoutAnInvitationGoOnceTheyAreDone) {
  const auto old_notice = notice(day(0));
  deliver(day(0) + 1min);
  const auto new_notice = notice(day(10));
  deliver(day(10) + 1min);
  const auto queued = notice(day(1));
  const auto [invitation, message] = invite("guest@example.com", day(0));
  const auto slice = ended(History::mails, day(5));
  ASSERT_EQ(slice.mails.size(), 1u);
  EXPECT_EQ(slice.mails[0].message.id, old_notice.id);
  EXPECT_EQ(slice.mails[0].attempts.size(), 1u);
  EXPECT_EQ(purge(History::mails, day(5)), 1u);
  EXPECT_FALSE(exists(old_notice));
  EXPECT_THAT(attempts(old_notice), IsEmpty());
  EXPECT_TRUE(exists(new_notice));
  EXPECT_TRUE(exists(queued));
  EXPECT_TRUE(exists(message));
}

TEST_P(HistoryTest, MailsOfTheSameMomentAreEachListedOnceHoweverSmallTheSlices) {
  for (int i = 0; i < 7; ++i) notice(day(0));
  deliver(day(0) + 1min);
  std::size_t listed = 0;
  std::string after;
  for (;;) {
    const auto slice = ended(History::mails, day(5), after, 2);
    listed += slice.mails.size();
    write([&](Transaction& t) {
      EXPECT_EQ(t.erase_ended(History::mails, after, slice.end, day(5)), slice.mails.size());
    });
    if (slice.is_last) break;
    after = slice.end;
  }
  EXPECT_EQ(listed, 7u);
  EXPECT_THAT(read([](Transaction& t) { return t.list_messages(std::nullopt, {}); }), IsEmpty());
}

TEST_P(HistoryTest, AttemptsGoAndTheirMailStays) {
  const auto [invitation, sent] = invite("guest@example.com", day(0));
  deliver(day(0) + 1min);
  const auto young = invite("young@example.com", day(10)).second;
  deliver(day(10) + 1min);
  const auto slice = ended(History::attempts, day(5));
  ASSERT_EQ(slice.mails.size(), 1u);
  EXPECT_EQ(slice.mails[0].message.id, sent.id);
  EXPECT_EQ(slice.mails[0].attempts.size(), 1u);
  EXPECT_EQ(purge(History::attempts, day(5)), 1u);
  EXPECT_TRUE(exists(sent));
  EXPECT_THAT(attempts(sent), IsEmpty());
  EXPECT_EQ(attempts(young).size(), 1u);
  EXPECT_TRUE(ended(History::attempts, day(5)).empty());
}

TEST_P(HistoryTest, CallsToAppsGoWithTheirAttemptsUnlessTheyAreOwed) {
  const auto done = call(day(0));
  finish_call(day(0) + 1min);
  const auto failed = call(day(1));
  finish_call(day(1) + 1min, CallOutcome::deferred);
  const auto owed = call(day(2));
  const auto slice = ended(History::refresh_calls, day(30));
  ASSERT_EQ(slice.calls.size(), 2u);
  EXPECT_EQ(slice.calls[0].call.id, done.id);
  ASSERT_EQ(slice.calls[0].attempts.size(), 1u);
  EXPECT_EQ(slice.calls[0].attempts[0].result->explanation, "taken");
  EXPECT_EQ(slice.calls[1].call.id, failed.id);
  EXPECT_EQ(purge(History::refresh_calls, day(30)), 2u);
  const auto left = read([](Transaction& t) { return t.list_refresh_calls(std::nullopt, {}); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, owed.id);
  EXPECT_THAT(read([&](Transaction& t) { return t.list_call_attempts(domain::CallKind::refresh, done.id); }),
              IsEmpty());
}

TEST_P(HistoryTest, SoDoDeliveriesToWebhooks) {
  const auto webhook = test::sample_webhook(world_.environment);
  std::vector<domain::WebhookDelivery> made;
  for (int i = 0; i < 3; ++i) {
    made.push_back(test::sample_delivery(webhook, day(i)));
    write([&](Transaction& t) {
      t.insert(made.back());
      if (i == 2) return;
      const auto lease = t.claim_due_call(domain::CallKind::webhook, {day(i), day(i) + 1min});
      ASSERT_TRUE(lease);
      t.finish_call_attempt(domain::CallKind::webhook, *lease, {CallOutcome::deferred, 500, "no"}, std::nullopt,
                            day(i) + 1min);
    });
  }
  const auto slice = ended(History::webhook_deliveries, day(30));
  ASSERT_EQ(slice.deliveries.size(), 2u);
  EXPECT_EQ(slice.deliveries[0].delivery.id, made[0].id);
  EXPECT_EQ(slice.deliveries[0].delivery.payload, made[0].payload);
  ASSERT_EQ(slice.deliveries[0].attempts.size(), 1u);
  EXPECT_EQ(slice.deliveries[0].attempts[0].result->explanation, "no");
  EXPECT_EQ(purge(History::webhook_deliveries, day(30)), 2u);
  const auto left = read([](Transaction& t) { return t.list_webhook_deliveries({}, {}); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, made[2].id);
}

TEST_P(HistoryTest, AuditEventsGoByTheirAge) {
  for (int i = 0; i < 10; ++i)
    write([&](Transaction& t) { t.insert(domain::AuditEvent{day(i), "operator", "thing.done", world_.app.id, ""}); });
  const auto slice = ended(History::audit_events, day(4), {}, 3);
  ASSERT_EQ(slice.events.size(), 3u);
  EXPECT_EQ(slice.events[0].at, day(0));
  EXPECT_FALSE(slice.is_last);
  EXPECT_EQ(purge(History::audit_events, day(4), 3), 4u);
  const auto left = read([](Transaction& t) { return t.list_audit_events({}); });
  ASSERT_EQ(left.size(), 6u);
  EXPECT_EQ(left.back().at, day(4));
}

TEST_P(HistoryTest, AuditEventsOfAClockThatStoodWrongHoldUpNobody) {
  for (const int when : {400, 0, 1, 2})
    write(
        [&](Transaction& t) { t.insert(domain::AuditEvent{day(when), "operator", "thing.done", world_.app.id, ""}); });
  EXPECT_EQ(purge(History::audit_events, day(30), 2), 3u);
  EXPECT_EQ(read([](Transaction& t) { return t.list_audit_events({}); }).size(), 1u);
}

TEST_P(HistoryTest, DeletingTwiceIsDeletingOnce) {
  settle(invite("guest@example.com", day(0)).first, InvitationState::revoked, day(1));
  const auto slice = ended(History::invitations, day(5));
  write([&](Transaction& t) { EXPECT_EQ(t.erase_ended(History::invitations, {}, slice.end, day(5)), 1u); });
  write([&](Transaction& t) { EXPECT_EQ(t.erase_ended(History::invitations, {}, slice.end, day(5)), 0u); });
}

TEST_P(HistoryTest, APersonWhoseInvitationWentCanBeInvitedAnew) {
  invite("guest@example.com", day(0));
  deliver(day(0) + 1min);
  ASSERT_EQ(purge(History::invitations, day(30)), 1u);
  invite("guest@example.com", day(31));
  EXPECT_TRUE(
      read([&](Transaction& t) { return t.find_pending_invitation(world_.environment.id, "guest@example.com"); }));
}

INSTANTIATE_TEST_SUITE_P(Databases, HistoryTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
