// What every Store must do with the mails that are owed: leases, attempts, outcomes, deaths, the hold.
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using domain::Lease;
using domain::MessageState;
using domain::OutboxMessage;
using domain::Transaction;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

class OutboxTest : public StoreContractTest {
 protected:
  std::vector<Lease> claim(std::uint32_t limit, base::Timestamp now, base::Timestamp until) {
    std::vector<Lease> leases;
    write([&](Transaction& t) { leases = t.claim_due_messages(limit, now, until); });
    return leases;
  }
  Lease claim_one(base::Timestamp now, base::Timestamp until) {
    auto leases = claim(1, now, until);
    if (leases.size() != 1) throw std::runtime_error("nothing was due");
    return leases.front();
  }
  bool finish(const Lease& lease, const DeliveryResult& result, std::optional<base::Timestamp> next,
              base::Timestamp now) {
    bool accepted = false;
    write([&](Transaction& t) { accepted = t.finish_attempt(lease, result, next, now); });
    return accepted;
  }
  std::vector<domain::Attempt> attempts(const base::Uuid& id) {
    return read([&](Transaction& t) { return t.list_attempts(id); });
  }
  OutboxMessage notice(std::string_view email, base::Timestamp now) const {
    OutboxMessage message = world_.message(world_.invitation(email, now));
    message.kind = domain::MessageKind::already_has_access;
    message.invitation_id = {};
    message.generation = 0;
    return message;
  }
  OutboxMessage reset(base::Timestamp now) const {
    OutboxMessage message = notice(world_.inviter.email.text(), now);
    message.kind = domain::MessageKind::password_reset;
    message.environment_id = {};
    message.account_id = world_.inviter.id;
    message.generation = 4;
    return message;
  }
};

TEST_P(OutboxTest, AMessageIsFoundAsItWasQueued) {
  auto [invitation, queued] = invite("guest@example.com", at(0));
  const OutboxMessage found = message(queued.id);
  EXPECT_EQ(found.kind, queued.kind);
  EXPECT_EQ(found.state, MessageState::queued);
  EXPECT_EQ(found.environment_id, queued.environment_id);
  EXPECT_EQ(found.invitation_id, invitation.id);
  EXPECT_EQ(found.generation, 1u);
  EXPECT_EQ(found.recipient.text(), "guest@example.com");
  EXPECT_EQ(found.language, queued.language);
  EXPECT_EQ(found.inviter_name, queued.inviter_name);
  EXPECT_EQ(found.app_name, queued.app_name);
  EXPECT_EQ(found.app_url, queued.app_url);
  EXPECT_EQ(found.role_name, queued.role_name);
  EXPECT_EQ(found.queued_at, queued.queued_at);
  EXPECT_EQ(found.expires_at, queued.expires_at);
  EXPECT_EQ(domain::message_id_of(found), domain::message_id_of(queued));
  EXPECT_FALSE(found.finished_at);
  EXPECT_EQ(found.last_error, "");
}

TEST_P(OutboxTest, ANoticeHasNoInvitation) {
  const OutboxMessage queued = notice("guest@example.com", at(0));
  write([&](Transaction& t) { t.insert(queued); });
  EXPECT_TRUE(message(queued.id).invitation_id.is_nil());
  EXPECT_TRUE(message(queued.id).account_id.is_nil());
  EXPECT_EQ(message(queued.id).environment_id, world_.environment.id);
}

TEST_P(OutboxTest, AMailAboutAPasswordBelongsToAnAccountAndIsDeliveredAsOthersAre) {
  const OutboxMessage queued = reset(at(0));
  write([&](Transaction& t) { t.insert(queued); });
  const OutboxMessage found = message(queued.id);
  EXPECT_EQ(found.kind, domain::MessageKind::password_reset);
  EXPECT_EQ(found.account_id, world_.inviter.id);
  EXPECT_TRUE(found.environment_id.is_nil());
  EXPECT_TRUE(found.invitation_id.is_nil());
  EXPECT_EQ(found.generation, 4u);
  const Lease lease = claim_one(at(0), at(60));
  EXPECT_EQ(lease.message.account_id, world_.inviter.id);
  EXPECT_TRUE(finish(lease, {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(1)));
  EXPECT_EQ(message(queued.id).state, MessageState::sent);
}

TEST_P(OutboxTest, AMailAboutAPasswordTakesNoSlotAndIsNoNotice) {
  write([&](Transaction& t) { t.insert(reset(at(10))); });
  const auto& email = world_.inviter.email;
  read([&](Transaction& t) {
    EXPECT_THAT(t.list_mailbox_slots(email.mailbox(), at(0)), IsEmpty());
    EXPECT_FALSE(t.last_notice_at(world_.environment.id, email.key()));
    EXPECT_FALSE(t.last_notice_at({}, email.key()));
    return 0;
  });
}

TEST_P(OutboxTest, MessagesAreListedByStateNewestFirst) {
  struct Row {
    MessageState state;
    OutboxMessage message;
  };
  std::vector<Row> rows;
  for (const MessageState state : {MessageState::queued, MessageState::sent, MessageState::failed,
                                   MessageState::quarantined, MessageState::cancelled, MessageState::failed}) {
    rows.push_back({state, notice("p" + std::to_string(rows.size()) + "@example.com", at(0))});
    rows.back().message.state = state;
    write([&](Transaction& t) { t.insert(rows.back().message); });
  }
  const auto list = [&](std::optional<MessageState> state, domain::Page page = {}) {
    std::vector<std::string> recipients;
    for (const auto& found : read([&](Transaction& t) { return t.list_messages(state, page); }))
      recipients.push_back(found.recipient.key().substr(0, 2));
    return recipients;
  };
  EXPECT_THAT(list(std::nullopt), ElementsAre("p5", "p4", "p3", "p2", "p1", "p0"));
  EXPECT_THAT(list(std::nullopt, {2, 1}), ElementsAre("p4", "p3"));
  EXPECT_THAT(list(MessageState::queued), ElementsAre("p0"));
  EXPECT_THAT(list(MessageState::sent), ElementsAre("p1"));
  EXPECT_THAT(list(MessageState::failed), ElementsAre("p5", "p2"));
  EXPECT_THAT(list(MessageState::quarantined), ElementsAre("p3"));
  EXPECT_THAT(list(MessageState::cancelled), ElementsAre("p4"));
}

TEST_P(OutboxTest, AMailboxsSlotsAreThoseOfAllItsAddressesThatAreNotCancelled) {
  const auto first = invite("a.b@example.com", at(10)).first;
  invite("ab+tag@example.com", at(30));
  invite("other@example.com", at(20));
  write([&](Transaction& t) { t.insert(notice("AB@example.com", at(20))); });
  const std::string mailbox = test::address("ab@example.com").mailbox();
  const auto slots = [&](base::Timestamp since) {
    return read([&](Transaction& t) { return t.list_mailbox_slots(mailbox, since); });
  };
  EXPECT_THAT(slots(at(0)), ElementsAre(at(10), at(20), at(30)));
  EXPECT_THAT(slots(at(10)), ElementsAre(at(20), at(30)));
  write([&](Transaction& t) { t.cancel_messages(first.id, at(40)); });
  EXPECT_THAT(slots(at(0)), ElementsAre(at(20), at(30)));
}

TEST_P(OutboxTest, WhatFailedBeforeItWasEverTriedTakesNoSlot) {
  const auto [invitation, sent] = invite("ab@example.com", at(10));
  auto untried = world_.message(invitation);
  untried.id = base::Uuid::ordered(at(20));
  untried.not_before = at(20);
  untried.state = MessageState::failed;
  untried.finished_at = at(20);
  auto refused = untried;
  refused.id = base::Uuid::ordered(at(30));
  refused.not_before = at(30);
  refused.attempts = 1;
  write([&](Transaction& t) { t.insert(untried), t.insert(refused); });
  const auto slots = [&] {
    return read([&](Transaction& t) { return t.list_mailbox_slots(sent.recipient.mailbox(), at(0)); });
  };
  EXPECT_THAT(slots(), ElementsAre(at(10), at(30)));
  write([&](Transaction& t) { EXPECT_TRUE(t.retry_message(untried.id, at(40))); });
  EXPECT_THAT(slots(), ElementsAre(at(10), at(20), at(30))) << "it will be tried after all";
}

TEST_P(OutboxTest, AnotherExpiryIsThatOfQueuedMessagesUnlessTheyWouldComeTooLate) {
  const auto [invitation, soon] = invite("soon@example.org", at(0));
  const auto set_expiry = [&](base::Timestamp expires_at) {
    std::uint64_t failed = 0;
    write([&](Transaction& t) { failed = t.set_expiry_of_messages(invitation.id, expires_at, at(1)); });
    return failed;
  };
  EXPECT_EQ(set_expiry(at(5'000)), 0U);
  EXPECT_EQ(message(soon.id).expires_at, at(5'000));
  EXPECT_EQ(message(soon.id).due_at, at(0));

  const DeliveryResult later{DeliveryOutcome::deferred, 450, "rcpt_to", "later"};
  EXPECT_TRUE(finish(claim_one(at(2), at(60)), later, at(600), at(3)));
  EXPECT_EQ(set_expiry(at(601)), 0U);
  EXPECT_EQ(message(soon.id).state, MessageState::queued);
  EXPECT_EQ(set_expiry(at(600)), 1U);
  EXPECT_EQ(message(soon.id).state, MessageState::failed);
  EXPECT_EQ(message(soon.id).finished_at, at(1));
  EXPECT_EQ(set_expiry(at(9'000)), 0U) << "what is over stays so";
  EXPECT_EQ(message(soon.id).state, MessageState::failed);

  const auto [other, under_way] = invite("under.way@example.org", at(0));
  const Lease lease = claim_one(at(2), at(60));
  write([&](Transaction& t) { EXPECT_EQ(t.set_expiry_of_messages(other.id, at(300), at(3)), 0U); });
  EXPECT_EQ(message(under_way.id).state, MessageState::queued) << "this attempt is not too late";
  EXPECT_TRUE(finish(lease, later, at(600), at(4)));
  EXPECT_EQ(message(under_way.id).state, MessageState::failed) << "the next one would be";
}

TEST_P(OutboxTest, AnEnvironmentsMessagesCanBeHurriedButNotBeforeTheirSlot) {
  const auto deferred = invite("deferred@example.org", at(0)).second;
  EXPECT_TRUE(finish(claim_one(at(0), at(60)), {DeliveryOutcome::held, 0, "not_now", "disabled"}, at(3'600), at(1)));
  const auto held = invite("held@example.org", at(2)).second;
  write([&](Transaction& t) { EXPECT_EQ(t.hold_queued_messages("restored"), 2U); });
  write([&](Transaction& t) { EXPECT_TRUE(t.release_message(deferred.id, at(3'600))); });
  const auto invitation = invite("slot@example.org", at(3)).first;
  auto slot = world_.message(invitation);
  slot.id = base::Uuid::ordered(at(4));
  slot.not_before = at(500);
  slot.due_at = at(900);
  write([&](Transaction& t) {
    t.insert(slot);
    t.hurry_messages(base::Uuid::random(), at(10));
  });
  EXPECT_EQ(message(deferred.id).due_at, at(3'600)) << "another environment's are to be hurried";
  write([&](Transaction& t) { t.hurry_messages(world_.environment.id, at(10)); });
  EXPECT_EQ(message(deferred.id).due_at, at(10));
  EXPECT_EQ(message(slot.id).due_at, at(500));
  EXPECT_TRUE(domain::is_held(message(held.id)));
}

TEST_P(OutboxTest, TheLastNoticeIsTheNewestForThatEnvironmentAndAddress) {
  const auto last = [&](const base::Uuid& environment, std::string_view key) {
    return read([&](Transaction& t) { return t.last_notice_at(environment, key); });
  };
  invite("guest@example.com", at(50));
  EXPECT_FALSE(last(world_.environment.id, "guest@example.com"));
  write([&](Transaction& t) {
    t.insert(notice("guest@example.com", at(20)));
    t.insert(notice("guest@example.com", at(10)));
    t.insert(notice("guest+tag@example.com", at(30)));
  });
  EXPECT_EQ(last(world_.environment.id, "guest@example.com"), at(20));
  EXPECT_FALSE(last(base::Uuid::random(), "guest@example.com"));
}

// --- leases ------------------------------------------------------------------------------------------

TEST_P(OutboxTest, DueMessagesAreClaimedOldestFirstUpToTheLimit) {
  const auto late = invite("late@example.com", at(20)).second;
  const auto early = invite("early@example.com", at(10)).second;
  invite("future@example.com", at(1000));
  const auto first = claim(1, at(30), at(90));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].message.id, early.id);
  EXPECT_EQ(first[0].lease_until, at(90));
  const auto second = claim(10, at(30), at(90));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].message.id, late.id);
  EXPECT_NE(second[0].id, first[0].id);
  EXPECT_THAT(claim(10, at(89), at(90)), IsEmpty()) << "all that is due is under lease";
}

TEST_P(OutboxTest, AClaimRecordsTheBeginningOfAnAttempt) {
  const auto queued = invite("guest@example.com", at(0)).second;
  claim_one(at(5), at(60));
  const auto list = attempts(queued.id);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].number, 1u);
  EXPECT_EQ(list[0].started_at, at(5));
  EXPECT_FALSE(list[0].finished_at);
  EXPECT_FALSE(list[0].result);
}

TEST_P(OutboxTest, AMessageWhoseLeaseEndedIsClaimedAgainAndItsDeathCounted) {
  const auto queued = invite("guest@example.com", at(0)).second;
  const Lease lost = claim_one(at(0), at(60));
  const Lease second = claim_one(at(60), at(120));
  EXPECT_EQ(second.message.deaths, 1u);
  EXPECT_EQ(message(queued.id).deaths, 1u);
  EXPECT_EQ(attempts(queued.id).size(), 2u);
  EXPECT_FALSE(finish(lost, {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(61)))
      << "the worker that came back late has no say";
  EXPECT_EQ(message(queued.id).state, MessageState::queued);
  EXPECT_TRUE(finish(second, {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(62)));
}

TEST_P(OutboxTest, AWorkerThatIsLateButAloneStillTellsTheOutcome) {
  const auto queued = invite("guest@example.com", at(0)).second;
  const Lease lease = claim_one(at(0), at(60));
  EXPECT_TRUE(finish(lease, {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(90)));
  EXPECT_EQ(message(queued.id).state, MessageState::sent);
}

TEST_P(OutboxTest, AfterThreeDeathsAMessageIsQuarantinedAndBlocksNobody) {
  const auto deadly = invite("deadly@example.com", at(0)).second;
  for (int death = 0; death < 3; ++death) claim_one(at(death * 60), at(death * 60 + 60));
  const auto next = invite("next@example.com", at(100)).second;
  const auto leases = claim(1, at(180), at(240));
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].message.id, next.id);
  const auto found = message(deadly.id);
  EXPECT_EQ(found.state, MessageState::quarantined);
  EXPECT_EQ(found.deaths, 3u);
  EXPECT_EQ(found.finished_at, at(180));
  EXPECT_NE(found.last_error, "");
}

TEST_P(OutboxTest, AMessagePastItsExpiryFailsInsteadOfBeingSent) {
  const auto [invitation, queued] = invite("guest@example.com", at(0));
  EXPECT_THAT(claim(10, queued.expires_at, queued.expires_at + std::chrono::minutes(1)), IsEmpty());
  const auto found = message(queued.id);
  EXPECT_EQ(found.state, MessageState::failed);
  EXPECT_EQ(found.finished_at, queued.expires_at);
  EXPECT_THAT(found.last_error, testing::HasSubstr("time was over"));
  EXPECT_THAT(attempts(queued.id), IsEmpty());
}

TEST_P(OutboxTest, AHeapOfExpiredMessagesDoesNotHideTheOnesThatAreDue) {
  for (int i = 0; i < 5; ++i) {
    auto row = notice("old" + std::to_string(i) + "@example.com", at(0));
    row.expires_at = at(10);
    write([&](Transaction& t) { t.insert(row); });
  }
  const auto due = invite("guest@example.com", at(20)).second;
  const auto leases = claim(2, at(30), at(90));
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].message.id, due.id);
}

// --- outcomes ----------------------------------------------------------------------------------------

struct OutcomeCase {
  const char* what;
  DeliveryOutcome outcome;
  bool has_next;
  MessageState state;
  std::uint32_t attempts;
};

TEST_P(OutboxTest, EachOutcomeMovesTheMessageToItsState) {
  const OutcomeCase cases[] = {
      {"sent", DeliveryOutcome::sent, false, MessageState::sent, 1},
      {"deferred", DeliveryOutcome::deferred, true, MessageState::queued, 1},
      {"deferred for the last time", DeliveryOutcome::deferred, false, MessageState::failed, 1},
      {"rejected", DeliveryOutcome::rejected, false, MessageState::failed, 1},
      {"poisoned", DeliveryOutcome::poisoned, false, MessageState::quarantined, 1},
      {"held", DeliveryOutcome::held, true, MessageState::queued, 0},
  };
  for (const OutcomeCase& row : cases) {
    SCOPED_TRACE(row.what);
    const auto queued = invite("p" + std::to_string(&row - cases) + "@example.com", at(0)).second;
    const Lease lease = claim_one(at(1), at(60));
    const DeliveryResult result{row.outcome, 451, "rcpt_to", "451 4.7.1 try later"};
    const auto next = row.has_next ? std::optional(at(500)) : std::nullopt;
    ASSERT_TRUE(finish(lease, result, next, at(2)));

    const auto found = message(queued.id);
    EXPECT_EQ(found.state, row.state);
    EXPECT_EQ(found.attempts, row.attempts);
    EXPECT_EQ(found.deaths, 0u);
    EXPECT_EQ(found.last_error, row.outcome == DeliveryOutcome::sent ? "" : "451 4.7.1 try later");
    EXPECT_EQ(found.due_at, row.has_next ? at(500) : at(0));
    EXPECT_EQ(found.finished_at.has_value(), row.state != MessageState::queued);
    const auto list = attempts(queued.id);
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].finished_at, at(2));
    EXPECT_EQ(list[0].result->outcome, row.outcome);
    EXPECT_EQ(list[0].result->reply_code, 451);
    EXPECT_EQ(list[0].result->stage, "rcpt_to");
    EXPECT_EQ(list[0].result->explanation, "451 4.7.1 try later");
    EXPECT_FALSE(finish(lease, result, next, at(3))) << "an outcome is written once";
  }
  const auto again = claim(10, at(500), at(560));
  ASSERT_EQ(again.size(), 2u) << "the deferred and the held one are due again";
  EXPECT_EQ(again[0].message.deaths, 0u);
}

TEST_P(OutboxTest, WhatIsHeldAgainForTheSameReasonLeavesNoAttempt) {
  const auto queued = invite("waiting@example.org", at(0)).second;
  const DeliveryResult disabled{DeliveryOutcome::held, 0, "not_now", "the environment is disabled"};
  const DeliveryResult refused{DeliveryOutcome::held, 550, "auth", "who are you?"};
  const DeliveryResult sent{DeliveryOutcome::sent, 250, "message", "ok"};
  int now = 0;
  for (const DeliveryResult& result : {disabled, disabled, disabled, refused, disabled, disabled, sent}) {
    now += 10;
    ASSERT_TRUE(finish(claim_one(at(now), at(now + 60)), result, at(now + 2), at(now + 1)));
  }
  std::vector<std::string> stages;
  std::vector<std::uint32_t> numbers;
  for (const auto& attempt : attempts(queued.id)) {
    stages.push_back(attempt.result->stage);
    numbers.push_back(attempt.number);
  }
  EXPECT_THAT(stages, ElementsAre("not_now", "auth", "not_now", "message"));
  EXPECT_THAT(numbers, ElementsAre(1u, 4u, 5u, 7u)) << "it was claimed as often";
  EXPECT_EQ(message(queued.id).attempts, 1u) << "charged";
}

TEST_P(OutboxTest, WhatWasSentHoldsALinkThatEnds) {
  const auto [invitation, first] = invite("guest@example.com", at(0));
  ASSERT_TRUE(finish(claim_one(at(1), at(60)), {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(2)));
  OutboxMessage second = first;
  second.id = base::Uuid::ordered(at(3));
  second.generation = first.generation + 1;
  OutboxMessage other = second;
  other.id = base::Uuid::ordered(at(4));
  other.invitation_id = invite("other@example.com", at(0)).first.id;
  other.generation = 1;
  other.state = MessageState::sent;
  write([&](Transaction& t) { t.insert(second), t.insert(other); });

  write([&](Transaction& t) { EXPECT_EQ(t.set_expiry_of_messages(invitation.id, at(5'000), at(4)), 0U); });
  EXPECT_EQ(message(first.id).expires_at, at(5'000)) << "sent, and its link is not over";
  EXPECT_EQ(message(second.id).expires_at, at(5'000));

  write([&](Transaction& t) { t.end_older_links(invitation.id, first.generation, at(5)); });
  EXPECT_EQ(message(first.id).expires_at, at(5'000)) << "not older than itself";
  write([&](Transaction& t) { t.end_older_links(invitation.id, second.generation, at(6)); });
  EXPECT_EQ(message(first.id).expires_at, at(6));
  EXPECT_EQ(message(first.id).state, MessageState::sent);
  EXPECT_EQ(message(second.id).expires_at, at(5'000));
  EXPECT_EQ(message(other.id).expires_at, first.expires_at) << "another invitation's";

  write([&](Transaction& t) {
    t.end_older_links(invitation.id, second.generation, at(7));
    t.set_expiry_of_messages(invitation.id, at(9'000), at(7));
  });
  EXPECT_EQ(message(first.id).expires_at, at(6)) << "what is over stays so";
  EXPECT_EQ(message(second.id).expires_at, at(9'000));
}

TEST_P(OutboxTest, CancellingLeavesWhatIsFinishedAndRecordsWhatIsUnderWay) {
  const auto [invitation, first] = invite("guest@example.com", at(0));
  const Lease lease = claim_one(at(1), at(60));
  write([&](Transaction& t) { t.cancel_messages(invitation.id, at(2)); });
  EXPECT_EQ(message(first.id).state, MessageState::cancelled);
  EXPECT_EQ(message(first.id).finished_at, at(2));
  EXPECT_THAT(claim(10, at(100), at(160)), IsEmpty()) << "a cancelled message is never claimed again";

  ASSERT_TRUE(finish(lease, {DeliveryOutcome::deferred, 451, "data", "later"}, at(300), at(101)));
  EXPECT_EQ(message(first.id).state, MessageState::cancelled);
  EXPECT_EQ(attempts(first.id)[0].result->outcome, DeliveryOutcome::deferred);
  EXPECT_THAT(claim(10, at(400), at(460)), IsEmpty());
}

TEST_P(OutboxTest, ACancelledMailThatWasOutAlreadyIsSent) {
  const auto [invitation, mail] = invite("guest@example.com", at(0));
  const Lease lease = claim_one(at(1), at(60));
  write([&](Transaction& t) { t.cancel_messages(invitation.id, at(2)); });
  ASSERT_TRUE(finish(lease, {DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, at(3)));
  EXPECT_EQ(message(mail.id).state, MessageState::sent);
  write([&](Transaction& t) { t.cancel_messages(invitation.id, at(4)); });
  EXPECT_EQ(message(mail.id).state, MessageState::sent);
}

TEST_P(OutboxTest, OnlyFailedAndQuarantinedMessagesCanBeTriedAgain) {
  const struct {
    MessageState state;
    bool retried;
  } cases[] = {{MessageState::queued, false},
               {MessageState::sent, false},
               {MessageState::failed, true},
               {MessageState::quarantined, true},
               {MessageState::cancelled, false}};
  for (const auto& row : cases) {
    SCOPED_TRACE(domain::to_string(row.state));
    OutboxMessage queued = notice("p" + std::to_string(static_cast<int>(row.state)) + "@example.com", at(0));
    queued.state = row.state;
    queued.attempts = 7;
    queued.deaths = 3;
    write([&](Transaction& t) {
      t.insert(queued);
      EXPECT_EQ(t.retry_message(queued.id, at(50)), row.retried);
    });
    const auto found = message(queued.id);
    EXPECT_EQ(found.state, row.retried ? MessageState::queued : row.state);
    EXPECT_EQ(found.attempts, row.retried ? 0u : 7u);
    EXPECT_EQ(found.deaths, row.retried ? 0u : 3u);
    if (row.retried) {
      EXPECT_EQ(found.due_at, at(50));
      EXPECT_FALSE(found.finished_at);
    }
  }
  write([](Transaction& t) { EXPECT_FALSE(t.retry_message(base::Uuid::random(), at(0))); });
}

TEST_P(OutboxTest, AMessageThatWaitsForItsNextTryCanBeTriedNow) {
  const DeliveryResult later{DeliveryOutcome::deferred, 450, "rcpt_to", "later"};
  const auto retry = [&](const OutboxMessage& queued, base::Timestamp now) {
    bool retried = false;
    write([&](Transaction& t) { retried = t.retry_message(queued.id, now); });
    return retried;
  };
  const auto waiting = invite("guest@example.com", at(0)).second;
  EXPECT_FALSE(retry(waiting, at(0))) << "its first try comes by itself";
  const Lease lease = claim_one(at(1), at(60));
  EXPECT_FALSE(retry(waiting, at(2))) << "under way";
  finish(lease, later, at(600), at(2));
  EXPECT_TRUE(claim(1, at(3), at(60)).empty());
  EXPECT_TRUE(retry(waiting, at(3)));
  EXPECT_EQ(message(waiting.id).attempts, 0U);
  EXPECT_FALSE(retry(waiting, at(3))) << "it is due";
  finish(claim_one(at(3), at(60)), later, at(600), at(4));
  write([&](Transaction& t) { t.hold_queued_messages("held"); });
  EXPECT_FALSE(retry(waiting, at(5))) << "held after a restore: an operator lets it go";
}

TEST_P(OutboxTest, ARetriedMessageKeepsItsHistoryAndItsNumbersGoOn) {
  const auto queued = invite("guest@example.com", at(0)).second;
  const Lease lease = claim_one(at(1), at(60));
  finish(lease, {DeliveryOutcome::rejected, 550, "rcpt_to", "no such user"}, std::nullopt, at(2));
  write([&](Transaction& t) { EXPECT_TRUE(t.retry_message(queued.id, at(3))); });
  claim_one(at(4), at(60));
  const auto list = attempts(queued.id);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].number, 1u);
  EXPECT_EQ(list[1].number, 2u);
}

TEST_P(OutboxTest, ClaimsOfOneTransactionGoOnFromEachOtherAndLeaveNothingOut) {
  const auto oldest = invite("oldest@example.org", at(0)).second;
  const auto middle = invite("middle@example.org", at(1)).second;
  const auto newest = invite("newest@example.org", at(2)).second;
  const auto first = claim_one(at(3), at(600));
  ASSERT_EQ(first.message.id, oldest.id);
  std::vector<base::Uuid> claimed;
  write([&](Transaction& t) {
    const auto claim = [&] {
      for (const auto& lease : t.claim_due_messages(1, at(4), at(600))) claimed.push_back(lease.message.id);
    };
    claim();
    // Put back in the same transaction: older than what was claimed since.
    ASSERT_TRUE(t.finish_attempt(first, {DeliveryOutcome::held, 0, "interrupted", "not begun"}, at(0), at(4)));
    claim();
    claim();
    claim();
  });
  EXPECT_THAT(claimed, ElementsAre(middle.id, newest.id, oldest.id));
}

TEST_P(OutboxTest, ATransactionClaimsFromTheOldestOnWhateverTheOneBeforeHasClaimed) {
  const auto oldest = invite("oldest@example.org", at(0)).second;
  const auto middle = invite("middle@example.org", at(1)).second;
  const auto newest = invite("newest@example.org", at(2)).second;
  const auto first = claim_one(at(3), at(600));
  ASSERT_EQ(claim_one(at(3), at(600)).message.id, middle.id);
  ASSERT_TRUE(finish(first, {DeliveryOutcome::held, 0, "interrupted", "not begun"}, at(0), at(4)));
  EXPECT_EQ(claim_one(at(4), at(600)).message.id, oldest.id);
  EXPECT_EQ(claim_one(at(4), at(600)).message.id, newest.id);
}

TEST_P(OutboxTest, EnvironmentsTakeTurns) {
  test::SampleWorld other = world_;
  other.environment = test::sample_environment(world_.app, "Other");
  write([&](Transaction& t) { t.insert(other.environment); });
  const auto queue = [&](const test::SampleWorld& world, const std::string& email, base::Timestamp now) {
    const auto invitation = world.invitation(email, now);
    const auto message = world.message(invitation);
    write([&](Transaction& t) { t.insert(invitation), t.insert(message); });
    return message.id;
  };
  write([&](Transaction& t) {
    for (int i = 0; i < 3'000; ++i) {
      const auto invitation = world_.invitation("bulk" + std::to_string(i) + "@example.org", at(0));
      t.insert(invitation);
      t.insert(world_.message(invitation));
    }
  });
  // However far the walk over the queue has come: it goes on with every other claim that comes some time later.
  const auto claims_until = [&](const base::Uuid& wanted) {
    for (int claims = 1; claims <= 1'000; ++claims)
      if (claim_one(at(9), at(600)).message.id == wanted) return claims;
    return 1'001;
  };
  EXPECT_LT(claims_until(queue(other, "single@example.org", at(1))), 1'000) << "behind 3,000 others";
  EXPECT_LT(claims_until(queue(other, "another@example.org", at(2))), 1'000) << "which comes on the next walk";
}

// --- after a restore ---------------------------------------------------------------------------------

TEST_P(OutboxTest, HeldMessagesAreNotClaimedUntilTheirTimeIsOver) {
  const auto [invitation, message] = invite("held@example.org", at(0));
  const auto leased = invite("leased@example.org", at(0)).second;
  std::vector<domain::Lease> leases;
  write([&](Transaction& t) { leases = t.claim_due_messages(2, at(1), at(600)); });
  ASSERT_EQ(leases.size(), 2U);
  write([&](Transaction& t) { EXPECT_EQ(t.hold_queued_messages("restored"), 2U); });
  const auto later = invite("later@example.org", at(2)).second;
  EXPECT_EQ(read([](Transaction& t) { return t.count_held_messages(); }), 2U);
  EXPECT_TRUE(domain::is_held(this->message(message.id)));
  EXPECT_EQ(this->message(message.id).last_error, "restored");

  // Whoever had claimed one before has nothing to say any more; what was queued since goes on.
  write([&](Transaction& t) {
    EXPECT_FALSE(t.finish_attempt(leases[0], {DeliveryOutcome::deferred, 0, "connect", "busy"}, at(5), at(3)));
    const auto due = t.claim_due_messages(10, at(700), at(1300));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].message.id, later.id);
    for (const auto& lease : t.claim_due_messages(10, message.expires_at, message.expires_at))
      EXPECT_EQ(lease.message.id, later.id);
  });
  EXPECT_EQ(this->message(message.id).state, MessageState::failed);
}

TEST_P(OutboxTest, HeldMessagesGoWhenTheyAreReleasedAndNeverWhenTheyAreCancelled) {
  const auto released = invite("released@example.org", at(0)).second;
  const auto cancelled = invite("cancelled@example.org", at(0)).second;
  const auto never_held = [&] {
    write([&](Transaction& t) { EXPECT_FALSE(t.release_message(released.id, at(1))) << "it is not held"; });
  };
  never_held();
  write([&](Transaction& t) { t.hold_queued_messages("restored"); });
  write([&](Transaction& t) {
    EXPECT_TRUE(t.release_message(released.id, at(9)));
    EXPECT_TRUE(t.cancel_message(cancelled.id, at(9)));
    EXPECT_FALSE(t.cancel_message(cancelled.id, at(10))) << "it is not queued any more";
    EXPECT_EQ(t.find_message_state(cancelled.id), MessageState::cancelled);
    EXPECT_EQ(t.find_message_state(released.id), MessageState::queued);
    EXPECT_EQ(t.find_message_state(base::Uuid::random()), std::nullopt);
    EXPECT_FALSE(t.release_message(cancelled.id, at(10)));
    EXPECT_EQ(t.count_held_messages(), 0U);
    const auto due = t.claim_due_messages(10, at(9), at(600));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].message.id, released.id);
    EXPECT_EQ(due[0].message.last_error, "");
  });
  EXPECT_EQ(message(cancelled.id).state, MessageState::cancelled);
  EXPECT_EQ(message(cancelled.id).finished_at, at(9));
}

TEST_P(OutboxTest, TheHoldOnTheQueueIsOneRowThatComesAndGoes) {
  const auto find = [&] { return read([](Transaction& t) { return t.find_mail_hold(); }); };
  EXPECT_FALSE(find());
  const domain::MailHold hold{at(1), at(61), 1, {DeliveryOutcome::held, 535, "auth", "bad credentials"}};
  write([&](Transaction& t) { t.set_mail_hold(hold); });
  auto longer = hold;
  longer.tries = 2;
  longer.next_try_at = at(181);
  write([&](Transaction& t) { t.set_mail_hold(longer); });
  const auto found = find().value();
  EXPECT_EQ(found.since, at(1));
  EXPECT_EQ(found.next_try_at, at(181));
  EXPECT_EQ(found.tries, 2u);
  EXPECT_EQ(found.reason.outcome, DeliveryOutcome::held);
  EXPECT_EQ(found.reason.reply_code, 535);
  EXPECT_EQ(found.reason.stage, "auth");
  EXPECT_EQ(found.reason.explanation, "bad credentials");
  write([](Transaction& t) { t.set_mail_hold(std::nullopt); });
  EXPECT_FALSE(find());
}

INSTANTIATE_TEST_SUITE_P(Databases, OutboxTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
