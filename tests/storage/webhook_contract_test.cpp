// What every Store must do with webhooks and what they are owed: who is told what, fair claims, replay, and each
// expiry told of once. Leases, attempts and outcomes are those of calls to apps (refresh_contract_test.cpp).
#include <thread>

#include "domain/queue_event.h"
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::CallKind;
using domain::CallLease;
using domain::CallOutcome;
using domain::CallResult;
using domain::CallState;
using domain::EventType;
using domain::Invitation;
using domain::Transaction;
using domain::Webhook;
using domain::WebhookDelivery;
using test::at;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const CallResult kDone{CallOutcome::done, 204, ""};
const CallResult kDeferred{CallOutcome::deferred, 503, "busy"};

class WebhookTest : public StoreContractTest {
 protected:
  void SetUp() override {
    StoreContractTest::SetUp();
    write([&](Transaction& t) { t.insert(elsewhere_); });
  }

  Webhook add(const domain::Environment& environment, std::vector<EventType> events = {}) {
    const auto webhook = test::sample_webhook(environment, std::move(events));
    write([&](Transaction& t) { t.insert(webhook); });
    return webhook;
  }
  WebhookDelivery queue(const Webhook& webhook, base::Timestamp now) {
    const auto delivery = test::sample_delivery(webhook, now);
    write([&](Transaction& t) { t.insert(delivery); });
    return delivery;
  }
  std::optional<CallLease> claim(const domain::CallClaim& how) {
    std::optional<CallLease> lease;
    write([&](Transaction& t) { lease = t.claim_due_call(CallKind::webhook, how); });
    return lease;
  }
  base::Uuid claimed(base::Timestamp now, std::uint32_t most_at_once = 1) {
    const auto lease = claim({now, now + std::chrono::minutes(1), most_at_once});
    return lease ? lease->call_id : base::Uuid{};
  }
  bool finish(const CallLease& lease, const CallResult& result, std::optional<base::Timestamp> next,
              base::Timestamp now) {
    bool accepted = false;
    write([&](Transaction& t) { accepted = t.finish_call_attempt(CallKind::webhook, lease, result, next, now); });
    return accepted;
  }
  WebhookDelivery delivery(const base::Uuid& id) {
    return read([&](Transaction& t) { return t.find_webhook_delivery(id); }).value();
  }
  std::vector<WebhookDelivery> list(const domain::DeliveryFilter& filter = {}, domain::Page page = {}) {
    return read([&](Transaction& t) { return t.list_webhook_deliveries(filter, page); });
  }
  std::vector<base::Uuid> ids(const domain::DeliveryFilter& filter = {}, domain::Page page = {}) {
    std::vector<base::Uuid> found;
    for (const auto& one : list(filter, page)) found.push_back(one.id);
    return found;
  }
  std::vector<base::Uuid> take_expired(base::Timestamp now, std::uint32_t limit = 100) {
    std::vector<base::Uuid> found;
    write([&](Transaction& t) {
      found.clear();
      for (const auto& one : t.take_expired_invitations(now, limit)) found.push_back(one.id);
    });
    return found;
  }
  Invitation pending_until(base::Timestamp end) {
    static int number = 0;
    auto invitation = world_.invitation("late" + std::to_string(++number) + "@example.com");
    invitation.expires_at = end;
    write([&](Transaction& t) { t.insert(invitation); });
    return invitation;
  }

  const domain::Environment& here() const { return world_.environment; }

  domain::Environment elsewhere_ = test::sample_environment(world_.app, "Test");
};

TEST_P(WebhookTest, AWebhookIsFoundAsItWasStoredAlsoAfterReopening) {
  auto webhook = add(here(), {EventType::invitation_accepted, EventType::access_withdrawn});
  webhook.url = "https://elsewhere.example.com/hook";
  webhook.disabled = true;
  webhook.disabled_reason = "410 Gone";
  webhook.secret_version = 3;
  webhook.old_secret_until = at(7);
  webhook.events.push_back(EventType::invitation_bounced);
  write([&](Transaction& t) { t.update(webhook); });
  reopen();
  const auto found = read([&](Transaction& t) { return t.find_webhook(webhook.id); }).value();
  EXPECT_EQ(found.environment_id, here().id);
  EXPECT_EQ(found.url, webhook.url);
  EXPECT_EQ(found.events, webhook.events);
  EXPECT_TRUE(found.disabled);
  EXPECT_EQ(found.disabled_reason, "410 Gone");
  EXPECT_EQ(found.secret_version, 3u);
  EXPECT_EQ(found.old_secret_until, at(7));
  EXPECT_EQ(found.created_at, webhook.created_at);
}

TEST_P(WebhookTest, WebhooksAreListedByEnvironmentOldestFirst) {
  const auto first = add(here());
  const auto other = add(elsewhere_);
  const auto second = add(here());
  const auto listed = [&](const base::Uuid& environment) {
    std::vector<base::Uuid> found;
    for (const auto& one : read([&](Transaction& t) { return t.list_webhooks(environment); })) found.push_back(one.id);
    return found;
  };
  EXPECT_THAT(listed(here().id), ElementsAre(first.id, second.id));
  EXPECT_THAT(listed(elsewhere_.id), ElementsAre(other.id));
  EXPECT_THAT(read([](Transaction& t) { return t.list_all_webhooks(); }), SizeIs(3));
  write([&](Transaction& t) {
    EXPECT_TRUE(t.erase_webhook(first.id));
    EXPECT_FALSE(t.erase_webhook(first.id));
    EXPECT_THAT(t.list_webhooks(here().id), SizeIs(1)) << "at once, in the same transaction";
  });
  EXPECT_THAT(listed(here().id), ElementsAre(second.id));
}

TEST_P(WebhookTest, AnEventIsOwedToEachWebhookOfItsEnvironmentThatWantsIt) {
  const auto all = add(here());
  const auto some = add(here(), {EventType::invitation_created});
  add(here(), {EventType::access_granted});
  add(elsewhere_);
  auto disabled = test::sample_webhook(here(), {});
  disabled.disabled = true;
  write([&](Transaction& t) { t.insert(disabled); });
  const auto invitation = world_.invitation("guest@example.com", at(1));
  write([&](Transaction& t) {
    t.insert(invitation);
    domain::queue_invitation_event(EventType::invitation_created, invitation, t, at(1));
  });
  const auto owed = list();
  ASSERT_THAT(owed, SizeIs(2));
  EXPECT_EQ(owed[1].webhook_id, all.id);
  EXPECT_EQ(owed[0].webhook_id, some.id);
  EXPECT_EQ(owed[0].environment_id, here().id);
  EXPECT_EQ(owed[0].event, EventType::invitation_created);
  EXPECT_EQ(owed[0].state, CallState::queued);
  EXPECT_EQ(owed[0].queued_at, at(1));
  EXPECT_EQ(owed[0].due_at, at(1));
  EXPECT_EQ(owed[0].payload, owed[1].payload);
  EXPECT_THAT(owed[0].payload, HasSubstr("\"type\":\"invitation.created\""));
  EXPECT_THAT(owed[0].payload, HasSubstr("guest@example.com"));
}

TEST_P(WebhookTest, AnEventIsUndoneWithItsWork) {
  add(here());
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    domain::queue_invitation_event(EventType::invitation_created, world_.invitation(), t, at(0));
    return domain::refuse(domain::ErrorCode::not_found, "nothing there");
  }));
  EXPECT_THAT(list(), IsEmpty());
}

TEST_P(WebhookTest, AWebhookThatABatchAddsIsKnownToItsLaterWorks) {
  write([&](Transaction& t) {
    domain::queue_invitation_event(EventType::invitation_created, world_.invitation(), t, at(0));
    t.insert(test::sample_webhook(here(), {}));
    domain::queue_invitation_event(EventType::invitation_revoked, world_.invitation(), t, at(0));
  });
  ASSERT_THAT(list(), SizeIs(1));
  EXPECT_EQ(list()[0].event, EventType::invitation_revoked);
}

TEST_P(WebhookTest, DeliveriesAreListedByWebhookAndStateNewestFirst) {
  const auto one = add(here());
  const auto two = add(here());
  std::vector<base::Uuid> made;
  for (const auto& [webhook, state] : {std::pair{one, CallState::done},
                                       {two, CallState::failed},
                                       {one, CallState::failed},
                                       {one, CallState::queued},
                                       {two, CallState::queued},
                                       {one, CallState::cancelled}}) {
    auto row = test::sample_delivery(webhook, at(0));
    row.state = state;
    write([&](Transaction& t) { t.insert(row); });
    made.push_back(row.id);
  }
  EXPECT_THAT(ids(), ElementsAre(made[5], made[4], made[3], made[2], made[1], made[0]));
  EXPECT_THAT(ids({}, {2, 1}), ElementsAre(made[4], made[3]));
  EXPECT_THAT(ids({one.id, {}}), ElementsAre(made[5], made[3], made[2], made[0]));
  EXPECT_THAT(ids({two.id, {}}), ElementsAre(made[4], made[1]));
  EXPECT_THAT(ids({{}, CallState::failed}), ElementsAre(made[2], made[1]));
  EXPECT_THAT(ids({{}, CallState::queued}), ElementsAre(made[4], made[3]));
  EXPECT_THAT(ids({one.id, CallState::failed}), ElementsAre(made[2]));
  EXPECT_THAT(ids({one.id, CallState::done}), ElementsAre(made[0]));
  EXPECT_THAT(ids({one.id, CallState::cancelled}), ElementsAre(made[5]));
  EXPECT_THAT(ids({two.id, CallState::queued}), ElementsAre(made[4]));
  EXPECT_THAT(ids({base::Uuid::random(), {}}), IsEmpty());
}

// --- claims ----------------------------------------------------------------------------------------

TEST_P(WebhookTest, SeveralDeliveriesOfAWebhookMayBeUnderWayButNoMoreThanAsked) {
  const auto webhook = add(here());
  const auto first = queue(webhook, at(0));
  const auto second = queue(webhook, at(1));
  queue(webhook, at(2));
  EXPECT_EQ(claimed(at(5), 2), first.id);
  EXPECT_EQ(claimed(at(5), 2), second.id);
  EXPECT_TRUE(claimed(at(5), 2).is_nil());
  EXPECT_EQ(delivery(second.id).state, CallState::queued);
}

TEST_P(WebhookTest, TheWebhookWithTheFewestUnderWayComesFirstThenTheOldest) {
  const auto busy = add(here());
  const auto other = add(elsewhere_);
  std::vector<WebhookDelivery> heap;
  for (int i = 0; i < 50; ++i) heap.push_back(queue(busy, at(0)));
  const auto late = queue(other, at(10));
  EXPECT_EQ(claimed(at(20), 3), heap[0].id) << "nobody is busy: the oldest";
  EXPECT_EQ(claimed(at(20), 3), late.id) << "however long the heap before it";
  EXPECT_EQ(claimed(at(20), 3), heap[1].id);
  EXPECT_EQ(claimed(at(20), 3), heap[2].id);
  EXPECT_TRUE(claimed(at(20), 3).is_nil());
}

TEST_P(WebhookTest, AClaimPassesOverTargetsThatAreNotToBeCalled) {
  const auto silent = add(here());
  const auto other = add(here());
  queue(silent, at(0));
  const auto wanted = queue(other, at(1));
  const auto lease = claim({at(5), at(60), 1, [&](const base::Uuid& target) { return target != silent.id; }});
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->call_id, wanted.id);
  EXPECT_EQ(lease->target_id, other.id);
  EXPECT_EQ(lease->queued_at, at(1));
  EXPECT_FALSE(claim({at(5), at(60), 1, [](const base::Uuid&) { return false; }}));
  EXPECT_THAT(read([&](Transaction& t) { return t.list_call_attempts(CallKind::webhook, wanted.id); }), SizeIs(1));
}

TEST_P(WebhookTest, ClaimsAtTheSameMomentNeverShareADelivery) {
  const auto webhook = add(here());
  for (int i = 0; i < 3; ++i) queue(webhook, at(0));
  std::vector<std::optional<CallLease>> leases(6);
  {
    std::vector<std::jthread> workers;
    for (auto& lease : leases)
      workers.emplace_back([&] {
        static_cast<void>(store().write([&](Transaction& t) -> domain::Result<void> {
          lease = t.claim_due_call(CallKind::webhook, {at(0), at(60), 2});
          return {};
        }));
      });
  }
  std::vector<base::Uuid> taken;
  for (const auto& lease : leases)
    if (lease) taken.push_back(lease->call_id);
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_NE(taken[0], taken[1]);
}

TEST_P(WebhookTest, WhatIsFinishedIsKeptWithEachAttempt) {
  const auto queued = queue(add(here()), at(0));
  const auto first = claim({at(1), at(60)});
  ASSERT_TRUE(first);
  ASSERT_TRUE(finish(*first, kDeferred, at(100), at(2)));
  EXPECT_EQ(delivery(queued.id).due_at, at(100));
  EXPECT_EQ(delivery(queued.id).last_error, "busy");
  const auto second = claim({at(100), at(160)});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->attempts, 1u);
  ASSERT_TRUE(finish(*second, kDone, std::nullopt, at(101)));
  EXPECT_FALSE(finish(*second, kDone, std::nullopt, at(101)));
  const auto done = delivery(queued.id);
  EXPECT_EQ(done.state, CallState::done);
  EXPECT_EQ(done.finished_at, at(101));
  EXPECT_EQ(done.attempts, 2u);
  EXPECT_EQ(done.payload, queued.payload);
  const auto attempts = read([&](Transaction& t) { return t.list_call_attempts(CallKind::webhook, queued.id); });
  ASSERT_THAT(attempts, SizeIs(2));
  EXPECT_EQ(attempts[0].result->http_status, 503);
  EXPECT_EQ(attempts[1].result->http_status, 204);
}

TEST_P(WebhookTest, WhateverIsNotUnderWayCanBeReplayedAsTheSameDelivery) {
  for (const CallState state : {CallState::done, CallState::failed, CallState::cancelled, CallState::queued}) {
    SCOPED_TRACE(domain::to_string(state));
    auto row = test::sample_delivery(add(here()), at(0));
    row.state = state;
    row.attempts = 4;
    if (state != CallState::queued) row.finished_at = at(3);
    bool replayed = false;
    write([&](Transaction& t) {
      t.insert(row);
      replayed = t.retry_call(CallKind::webhook, row.id, at(9));
    });
    EXPECT_TRUE(replayed);
    const auto found = delivery(row.id);
    EXPECT_EQ(found.state, CallState::queued);
    EXPECT_EQ(found.payload, row.payload);
    EXPECT_EQ(found.queued_at, at(9));
    EXPECT_EQ(found.due_at, state == CallState::queued ? at(0) : at(9)) << "no later than it was";
    EXPECT_EQ(found.attempts, 0u);
    EXPECT_FALSE(found.finished_at);
  }
}

TEST_P(WebhookTest, WhatAWebhookIsOwedIsCancelledButForWhatIsUnderWay) {
  const auto webhook = add(here());
  const auto other = queue(add(here()), at(100));
  const auto under_way = queue(webhook, at(0));
  const auto deferred = queue(webhook, at(1));
  const auto done = queue(webhook, at(2));
  ASSERT_TRUE(finish(*claim({at(1), at(60), 1, {}}), kDone, std::nullopt, at(2)));
  ASSERT_TRUE(finish(*claim({at(2), at(60), 1, {}}), kDeferred, at(500), at(3)));
  const auto lease = claim({at(4), at(60), 1, {}});
  ASSERT_TRUE(lease);
  const auto waiting = queue(webhook, at(5));
  std::uint64_t cancelled = 0;
  write([&](Transaction& t) { cancelled = t.cancel_deliveries(webhook.id, "the webhook is disabled", at(6)); });
  EXPECT_EQ(cancelled, 2u);
  EXPECT_EQ(delivery(under_way.id).state, CallState::done);
  EXPECT_EQ(delivery(lease->call_id).state, CallState::queued);
  for (const auto& id : {deferred.id, waiting.id}) {
    EXPECT_EQ(delivery(id).state, CallState::cancelled);
    EXPECT_EQ(delivery(id).finished_at, at(6));
    EXPECT_EQ(delivery(id).last_error, "the webhook is disabled");
  }
  EXPECT_EQ(delivery(other.id).state, CallState::queued);
  EXPECT_EQ(lease->call_id, done.id);
  EXPECT_TRUE(finish(*lease, kDone, std::nullopt, at(7)));
}

TEST_P(WebhookTest, DeliveriesOutliveTheirWebhook) {
  const auto webhook = add(here());
  const auto queued = queue(webhook, at(0));
  write([&](Transaction& t) { EXPECT_TRUE(t.erase_webhook(webhook.id)); });
  EXPECT_EQ(claimed(at(1)), queued.id) << "so that somebody finds out that nobody wants it";
}

// --- expiry ----------------------------------------------------------------------------------------

TEST_P(WebhookTest, NobodyIsToldOfExpiryBeforeSomebodyWatches) {
  pending_until(at(10));
  EXPECT_THAT(take_expired(at(20)), IsEmpty());
  write([](Transaction& t) { t.watch_expiry(at(20)); });
  EXPECT_THAT(take_expired(at(30)), IsEmpty()) << "what expired before is the past";
}

TEST_P(WebhookTest, EachExpiryIsTakenOnceInItsOrder) {
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  const auto third = pending_until(at(30));
  const auto first = pending_until(at(10));
  const auto second = pending_until(at(20));
  const auto later = pending_until(at(50));
  EXPECT_THAT(take_expired(at(9)), IsEmpty());
  EXPECT_THAT(take_expired(at(30), 2), ElementsAre(first.id, second.id));
  write([](Transaction& t) { t.watch_expiry(at(40)); });  // another webhook: nothing is forgotten
  EXPECT_THAT(take_expired(at(30), 2), ElementsAre(third.id));
  EXPECT_THAT(take_expired(at(30)), IsEmpty());
  reopen();
  EXPECT_THAT(take_expired(at(20)), IsEmpty()) << "the clock was set back";
  EXPECT_THAT(take_expired(at(60)), ElementsAre(later.id));
  EXPECT_THAT(take_expired(at(60)), IsEmpty());
}

TEST_P(WebhookTest, AClockThatWasAheadKeepsNoExpiryFromBeingTold) {
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  pending_until(at(10'000));
  EXPECT_THAT(take_expired(at(20'000)), SizeIs(1)) << "by a clock that was ahead";
  pending_until(at(100));
  const auto late = pending_until(at(300));
  EXPECT_THAT(take_expired(at(200)), IsEmpty()) << "it begins here, as somebody who begins to watch";
  EXPECT_THAT(take_expired(at(301)), ElementsAre(late.id));
  EXPECT_THAT(take_expired(at(302)), IsEmpty());
}

TEST_P(WebhookTest, InvitationsThatExpireAtTheSameMomentAreTakenOnceEach) {
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  std::vector<base::Uuid> made;
  for (int i = 0; i < 7; ++i) made.push_back(pending_until(at(10)).id);
  std::vector<base::Uuid> taken;
  for (int i = 0; i < 5; ++i)
    for (const auto& id : take_expired(at(11), 3)) taken.push_back(id);
  EXPECT_THAT(taken, testing::UnorderedElementsAreArray(made));
}

TEST_P(WebhookTest, OnlyWhatIsPendingExpires) {
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  auto accepted = pending_until(at(10));
  auto resent = pending_until(at(10));
  accepted.state = domain::InvitationState::accepted;
  accepted.settled_at = at(9);
  resent.expires_at = at(100);
  write([&](Transaction& t) {
    t.update(accepted);
    t.update(resent);
  });
  EXPECT_THAT(take_expired(at(20)), IsEmpty());
  EXPECT_THAT(take_expired(at(100)), ElementsAre(resent.id));
}

TEST_P(WebhookTest, ExpiryIsAnEventAndLeavesTheInvitationAsItIs) {
  add(here());
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  const auto invitation = pending_until(at(10));
  std::size_t looked_at = 0;
  write([&](Transaction& t) { looked_at = domain::queue_expired_events(10, t, at(20)); });
  EXPECT_EQ(looked_at, 1u);
  ASSERT_THAT(list(), SizeIs(1));
  EXPECT_EQ(list()[0].event, EventType::invitation_expired);
  EXPECT_THAT(list()[0].payload, HasSubstr("\"state\":\"expired\""));
  EXPECT_EQ(read([&](Transaction& t) { return t.find_invitation(invitation.id); })->state,
            domain::InvitationState::pending);
}

TEST_P(WebhookTest, ExpiryIsTakenOnceByManyAtTheSameMoment) {
  write([](Transaction& t) { t.watch_expiry(at(0)); });
  for (int i = 0; i < 20; ++i) pending_until(at(10));
  std::vector<std::size_t> taken(8);
  {
    std::vector<std::jthread> workers;
    for (auto& count : taken)
      workers.emplace_back([&] {
        static_cast<void>(store().write([&](Transaction& t) -> domain::Result<void> {
          count = t.take_expired_invitations(at(20), 5).size();
          return {};
        }));
      });
  }
  std::size_t sum = 0;
  for (const std::size_t count : taken) sum += count;
  EXPECT_EQ(sum, 20u);
}

INSTANTIATE_TEST_SUITE_P(Databases, WebhookTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
