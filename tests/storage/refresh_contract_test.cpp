// What every Store must do with the calls that are owed to apps: one waits for all changes, leases, attempts, outcomes.
#include <thread>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::CallAttempt;
using domain::CallLease;
using domain::CallOutcome;
using domain::CallResult;
using domain::CallState;
using domain::RefreshCall;
using domain::Transaction;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

const CallResult kDone{CallOutcome::done, 200, ""};
const CallResult kDeferred{CallOutcome::deferred, 503, "The app is being started."};
const CallResult kCancelled{CallOutcome::cancelled, 0, "The environment has no refresh URL any more."};

class RefreshTest : public StoreContractTest {
 protected:
  void SetUp() override {
    StoreContractTest::SetUp();
    write([&](Transaction& t) {
      t.insert(elsewhere_);
      t.insert(ada_);
      t.insert(bob_);
    });
  }

  RefreshCall queue(const domain::Environment& environment, const domain::Account& account, base::Timestamp now) {
    const RefreshCall call = test::sample_refresh_call(environment, account, now);
    write([&](Transaction& t) { t.insert(call); });
    return call;
  }
  std::optional<CallLease> claim(base::Timestamp now, base::Timestamp until) {
    std::optional<CallLease> lease;
    write([&](Transaction& t) { lease = t.claim_due_call(domain::CallKind::refresh, {now, until}); });
    return lease;
  }
  /// Whose call is claimed; nil where none is.
  base::Uuid claimed(base::Timestamp now, base::Timestamp until) {
    const auto lease = claim(now, until);
    return lease ? lease->call_id : base::Uuid{};
  }
  bool finish(const CallLease& lease, const CallResult& result, std::optional<base::Timestamp> next,
              base::Timestamp now) {
    bool accepted = false;
    write(
        [&](Transaction& t) { accepted = t.finish_call_attempt(domain::CallKind::refresh, lease, result, next, now); });
    return accepted;
  }
  RefreshCall call(const base::Uuid& id) {
    return read([&](Transaction& t) { return t.find_refresh_call(id); }).value();
  }
  std::vector<base::Uuid> list(std::optional<CallState> state, domain::Page page = {}) {
    std::vector<base::Uuid> ids;
    for (const auto& found : read([&](Transaction& t) { return t.list_refresh_calls(state, page); }))
      ids.push_back(found.id);
    return ids;
  }
  std::vector<CallAttempt> attempts(const base::Uuid& id) {
    return read([&](Transaction& t) { return t.list_call_attempts(domain::CallKind::refresh, id); });
  }

  const domain::Environment& here() const { return world_.environment; }

  domain::Environment elsewhere_ = test::sample_environment(world_.app, "Test");
  domain::Account ada_ = test::sample_account("ada@example.com", "Ada");
  domain::Account bob_ = test::sample_account("bob@example.com", "Bob");
};

TEST_P(RefreshTest, ACallIsFoundAsItWasQueuedAlsoAfterReopening) {
  const auto queued = queue(here(), ada_, at(5));
  reopen();
  const auto found = call(queued.id);
  EXPECT_EQ(found.environment_id, here().id);
  EXPECT_EQ(found.account_id, ada_.id);
  EXPECT_EQ(found.state, CallState::queued);
  EXPECT_EQ(found.queued_at, at(5));
  EXPECT_EQ(found.due_at, at(5));
  EXPECT_EQ(found.attempts, 0u);
  EXPECT_FALSE(found.finished_at);
  EXPECT_EQ(found.last_error, "");
  EXPECT_THAT(attempts(queued.id), IsEmpty());
  EXPECT_FALSE(read([](Transaction& t) { return t.find_refresh_call(base::Uuid::random()); }));
}

TEST_P(RefreshTest, CallsAreListedByStateNewestFirst) {
  std::vector<base::Uuid> ids;
  for (const CallState state :
       {CallState::done, CallState::failed, CallState::cancelled, CallState::failed, CallState::queued}) {
    auto row = test::sample_refresh_call(here(), ada_, at(0));
    row.state = state;
    write([&](Transaction& t) { t.insert(row); });
    ids.push_back(row.id);
  }
  ids.push_back(queue(here(), bob_, at(0)).id);
  EXPECT_THAT(list(std::nullopt), ElementsAre(ids[5], ids[4], ids[3], ids[2], ids[1], ids[0]));
  EXPECT_THAT(list(std::nullopt, {2, 1}), ElementsAre(ids[4], ids[3]));
  EXPECT_THAT(list(CallState::queued), ElementsAre(ids[5], ids[4]));
  EXPECT_THAT(list(CallState::queued, {1, 1}), ElementsAre(ids[4]));
  EXPECT_THAT(list(CallState::done), ElementsAre(ids[0]));
  EXPECT_THAT(list(CallState::failed), ElementsAre(ids[3], ids[1]));
  EXPECT_THAT(list(CallState::cancelled), ElementsAre(ids[2]));
}

// --- one that waits stands for all changes ---------------------------------------------------------

TEST_P(RefreshTest, ACallThatWaitsStandsForLaterChangesOfThatPersonThere) {
  const auto first = queue(here(), ada_, at(0));
  queue(here(), ada_, at(1));
  queue(here(), ada_, at(2));
  const auto other_person = queue(here(), bob_, at(3));
  const auto other_place = queue(elsewhere_, ada_, at(4));
  EXPECT_THAT(list(std::nullopt), ElementsAre(other_place.id, other_person.id, first.id));
  EXPECT_EQ(call(first.id).due_at, at(0)) << "no later than it was";
  EXPECT_EQ(call(first.id).queued_at, at(2)) << "it is owed for the newest change as long as for any";
}

TEST_P(RefreshTest, TwoChangesInOneWorkOweOneCall) {
  write([&](Transaction& t) {
    t.insert(test::sample_refresh_call(here(), ada_, at(0)));
    t.insert(test::sample_refresh_call(here(), ada_, at(0)));
  });
  EXPECT_EQ(list(std::nullopt).size(), 1u);
}

TEST_P(RefreshTest, AChangeWhileTheCallIsBeingMadeOwesAnotherOne) {
  const auto first = queue(here(), ada_, at(0));
  const auto lease = claim(at(1), at(60));
  ASSERT_TRUE(lease);
  const auto second = queue(here(), ada_, at(2));
  queue(here(), ada_, at(3));
  EXPECT_THAT(list(CallState::queued), ElementsAre(second.id, first.id));
  EXPECT_TRUE(finish(*lease, kDone, std::nullopt, at(4)));
  EXPECT_THAT(list(CallState::queued), ElementsAre(second.id)) << "the app hears of the second change";
}

TEST_P(RefreshTest, AFinishedCallStandsForNothing) {
  for (const CallResult& result : {kDone, kDeferred, kCancelled}) {
    SCOPED_TRACE(domain::to_string(result.outcome));
    const auto first = queue(here(), ada_, at(0));
    const auto lease = claim(at(0), at(60));
    ASSERT_TRUE(finish(*lease, result, std::nullopt, at(1)));
    const auto second = queue(here(), ada_, at(2));
    EXPECT_THAT(list(CallState::queued), ElementsAre(second.id));
    ASSERT_TRUE(finish(*claim(at(2), at(60)), kDone, std::nullopt, at(3)));
  }
}

TEST_P(RefreshTest, ADeferredCallStandsForLaterChanges) {
  const auto first = queue(here(), ada_, at(0));
  ASSERT_TRUE(finish(*claim(at(0), at(60)), kDeferred, at(300), at(1)));
  queue(here(), ada_, at(2));
  EXPECT_THAT(list(std::nullopt), ElementsAre(first.id));
  EXPECT_EQ(call(first.id).due_at, at(2)) << "the app may be up again, and is to hear of what is new";
  EXPECT_EQ(call(first.id).attempts, 0u) << "its back-off begins anew";
}

TEST_P(RefreshTest, ACallKnowsSinceWhenItIsTried) {
  const auto queued = queue(here(), ada_, at(0));
  EXPECT_EQ(claim(at(100), at(160))->tried_since, at(100)) << "the first one, however long it was owed";
  ASSERT_TRUE(finish(*claim(at(200), at(260)), kDeferred, at(300), at(210)));
  const auto later = claim(at(300), at(360));
  EXPECT_EQ(later->tried_since, at(200)) << "the one whose worker died does not count";
  ASSERT_TRUE(finish(*later, kDeferred, at(400), at(301)));
  EXPECT_EQ(claim(at(400), at(401))->tried_since, at(200));
  queue(here(), ada_, at(500));
  EXPECT_EQ(claim(at(500), at(501))->tried_since, at(500)) << "a change since then is owed for itself";
  write([&](Transaction& t) { EXPECT_TRUE(t.retry_call(domain::CallKind::refresh, queued.id, at(600))); });
  EXPECT_EQ(claim(at(600), at(660))->tried_since, at(600)) << "retried by hand";
}

TEST_P(RefreshTest, ACallThatWaitsForItsNextTryIsMadeNowByHand) {
  const auto queued = queue(here(), ada_, at(0));
  ASSERT_TRUE(finish(*claim(at(1), at(60)), kDeferred, at(3600), at(2)));
  write([&](Transaction& t) { EXPECT_TRUE(t.retry_call(domain::CallKind::refresh, queued.id, at(10))); });
  EXPECT_EQ(call(queued.id).due_at, at(10));
  EXPECT_EQ(claimed(at(10), at(70)), queued.id);
}

// Its worker may have called before the change: "done" from it would leave the app without the change.
TEST_P(RefreshTest, ACallWhoseLeaseIsOverStandsForAChangeAndItsLateWorkerHasNoSay) {
  const auto first = queue(here(), ada_, at(0));
  const auto lost = claim(at(0), at(60));
  ASSERT_TRUE(lost);
  queue(here(), ada_, at(60));
  EXPECT_THAT(list(std::nullopt), ElementsAre(first.id));
  EXPECT_FALSE(finish(*lost, kDone, std::nullopt, at(61)));
  EXPECT_EQ(call(first.id).state, CallState::queued);
  EXPECT_EQ(claimed(at(61), at(120)), first.id);
}

TEST_P(RefreshTest, ACallIsUndoneWithItsWork) {
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(test::sample_refresh_call(here(), ada_, at(0)));
    return domain::refuse(domain::ErrorCode::not_found, "nothing there");
  }));
  EXPECT_THAT(list(std::nullopt), IsEmpty());
}

// --- leases ----------------------------------------------------------------------------------------

TEST_P(RefreshTest, TheOldestDueCallIsClaimedFirst) {
  const auto late = queue(here(), ada_, at(20));
  const auto early = queue(elsewhere_, bob_, at(10));
  const auto future = queue(here(), bob_, at(1000));
  EXPECT_TRUE(claimed(at(9), at(60)).is_nil()) << "nothing is due yet";
  const auto first = claim(at(30), at(90));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->call_id, early.id);
  EXPECT_EQ(first->target_id, elsewhere_.id);
  EXPECT_EQ(first->lease_until, at(90));
  EXPECT_EQ(claimed(at(30), at(90)), late.id);
  EXPECT_TRUE(claimed(at(89), at(150)).is_nil());
  ASSERT_TRUE(finish(*first, kDone, std::nullopt, at(31)));
  EXPECT_TRUE(claimed(at(31), at(90)).is_nil()) << "what is left is not due, or its environment is busy";
  EXPECT_EQ(claimed(at(1000), at(1060)), late.id);
  EXPECT_TRUE(claimed(at(1000), at(1060)).is_nil());
  EXPECT_EQ(call(future.id).state, CallState::queued);
}

TEST_P(RefreshTest, CallsOfOneMomentAreClaimedInTheirOrder) {
  const auto first = queue(here(), ada_, at(0));
  const auto second = queue(elsewhere_, ada_, at(0));
  const auto third = queue(here(), bob_, at(0));
  const auto lease = claim(at(0), at(60));
  EXPECT_EQ(lease->call_id, first.id);
  EXPECT_EQ(claimed(at(0), at(60)), second.id);
  ASSERT_TRUE(finish(*lease, kDone, std::nullopt, at(1)));
  EXPECT_EQ(claimed(at(1), at(60)), third.id);
}

TEST_P(RefreshTest, AnEnvironmentIsCalledOnceAtATime) {
  const auto first = queue(here(), ada_, at(0));
  const auto second = queue(here(), bob_, at(0));
  const auto lease = claim(at(0), at(60));
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->call_id, first.id);
  EXPECT_TRUE(claimed(at(59), at(120)).is_nil());
  ASSERT_TRUE(finish(*lease, kDone, std::nullopt, at(59)));
  EXPECT_EQ(claimed(at(59), at(120)), second.id);
}

TEST_P(RefreshTest, ClaimsAtTheSameMomentNeverShareAnEnvironment) {
  queue(here(), ada_, at(0));
  queue(here(), bob_, at(0));
  queue(elsewhere_, ada_, at(0));
  std::vector<std::optional<CallLease>> leases(4);
  {
    std::vector<std::jthread> workers;
    for (auto& lease : leases)
      workers.emplace_back([&] {
        static_cast<void>(store().write([&](Transaction& t) -> domain::Result<void> {
          lease = t.claim_due_call(domain::CallKind::refresh, {at(0), at(60)});
          return {};
        }));
      });
  }
  std::vector<base::Uuid> environments;
  for (const auto& lease : leases)
    if (lease) environments.push_back(lease->target_id);
  EXPECT_THAT(environments, testing::UnorderedElementsAre(here().id, elsewhere_.id));
}

TEST_P(RefreshTest, AHeapOfDueCallsKeepsNoOtherEnvironmentFromBeingNext) {
  std::vector<domain::Account> people;
  for (int i = 0; i < 100; ++i) people.push_back(test::sample_account("p" + std::to_string(i) + "@example.com"));
  write([&](Transaction& t) {
    for (const auto& person : people) {
      t.insert(person);
      t.insert(test::sample_refresh_call(here(), person, at(0)));
    }
  });
  const auto other = queue(elsewhere_, ada_, at(50));
  const auto slow = claim(at(60), at(120));
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->target_id, here().id);
  EXPECT_EQ(claimed(at(60), at(120)), other.id);
  EXPECT_TRUE(claimed(at(60), at(120)).is_nil());
}

TEST_P(RefreshTest, AClaimRecordsTheBeginningOfAnAttempt) {
  const auto queued = queue(here(), ada_, at(0));
  ASSERT_TRUE(claim(at(5), at(60)));
  const auto list = attempts(queued.id);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].call_id, queued.id);
  EXPECT_EQ(list[0].number, 1u);
  EXPECT_EQ(list[0].started_at, at(5));
  EXPECT_FALSE(list[0].finished_at);
  EXPECT_FALSE(list[0].result);
  EXPECT_EQ(call(queued.id).attempts, 0u) << "it is not finished";
}

TEST_P(RefreshTest, ACallWhoseLeaseIsOverIsClaimedAgainAndItsLateWorkerHasNoSay) {
  const auto queued = queue(here(), ada_, at(0));
  const auto lost = claim(at(0), at(60));
  EXPECT_TRUE(claimed(at(59), at(119)).is_nil());
  const auto second = claim(at(60), at(120));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->call_id, queued.id);
  EXPECT_NE(second->id, lost->id);
  EXPECT_FALSE(finish(*lost, kDone, std::nullopt, at(61)));
  EXPECT_EQ(call(queued.id).state, CallState::queued);
  EXPECT_TRUE(finish(*second, kDone, std::nullopt, at(62)));
  const auto list = attempts(queued.id);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_FALSE(list[0].finished_at);
  EXPECT_FALSE(list[0].result) << "nobody knows how the first one ended";
  EXPECT_EQ(list[1].number, 2u);
  EXPECT_EQ(list[1].finished_at, at(62));
}

TEST_P(RefreshTest, AWorkerThatIsLateButAloneStillTellsTheOutcome) {
  const auto queued = queue(here(), ada_, at(0));
  const auto lease = claim(at(0), at(60));
  EXPECT_TRUE(finish(*lease, kDone, std::nullopt, at(90)));
  EXPECT_EQ(call(queued.id).state, CallState::done);
}

// --- outcomes --------------------------------------------------------------------------------------

struct OutcomeCase {
  const char* what;
  CallResult result;
  std::optional<base::Timestamp> next;
  CallState state;
  const char* last_error;
};

TEST_P(RefreshTest, EachOutcomeMovesTheCallToItsState) {
  const OutcomeCase cases[] = {
      {"done", kDone, std::nullopt, CallState::done, ""},
      {"deferred", kDeferred, at(500), CallState::queued, "The app is being started."},
      {"deferred for the last time", kDeferred, std::nullopt, CallState::failed, "The app is being started."},
      {"cancelled", kCancelled, std::nullopt, CallState::cancelled, "The environment has no refresh URL any more."},
  };
  for (const OutcomeCase& row : cases) {
    SCOPED_TRACE(row.what);
    const auto person = test::sample_account("p" + std::to_string(&row - cases) + "@example.com");
    write([&](Transaction& t) { t.insert(person); });
    const auto queued = queue(here(), person, at(0));
    const auto lease = claim(at(1), at(60));
    ASSERT_TRUE(lease);
    ASSERT_EQ(lease->call_id, queued.id);
    ASSERT_TRUE(finish(*lease, row.result, row.next, at(2)));

    const auto found = call(queued.id);
    EXPECT_EQ(found.state, row.state);
    EXPECT_EQ(found.attempts, 1u);
    EXPECT_EQ(found.last_error, row.last_error);
    EXPECT_EQ(found.due_at, row.next.value_or(at(0)));
    EXPECT_EQ(found.finished_at.has_value(), row.state != CallState::queued);
    const auto list = attempts(queued.id);
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].finished_at, at(2));
    EXPECT_EQ(list[0].result->outcome, row.result.outcome);
    EXPECT_EQ(list[0].result->http_status, row.result.http_status);
    EXPECT_EQ(list[0].result->explanation, row.result.explanation);
    EXPECT_FALSE(finish(*lease, row.result, row.next, at(3))) << "an outcome is written once";
  }
  EXPECT_TRUE(claimed(at(499), at(560)).is_nil());
  const auto again = claim(at(500), at(560));
  ASSERT_TRUE(again) << "the deferred one is due again";
  EXPECT_EQ(again->attempts, 1u);
}

TEST_P(RefreshTest, ALeaseThatNobodyGaveFinishesNothing) {
  const auto queued = queue(here(), ada_, at(0));
  CallLease invented{base::Uuid::random(), queued.id, here().id, at(0), at(0), 0, at(60)};
  EXPECT_FALSE(finish(invented, kDone, std::nullopt, at(1))) << "it was never claimed";
  ASSERT_TRUE(claim(at(1), at(60)));
  EXPECT_FALSE(finish(invented, kDone, std::nullopt, at(2)));
  invented.call_id = base::Uuid::random();
  EXPECT_FALSE(finish(invented, kDone, std::nullopt, at(2)));
  EXPECT_EQ(call(queued.id).state, CallState::queued);
}

TEST_P(RefreshTest, AllButWhatIsDoneCanBeTriedAgain) {
  const struct {
    CallState state;
    bool retried;
  } cases[] = {
      {CallState::queued, true}, {CallState::done, false}, {CallState::failed, true}, {CallState::cancelled, true}};
  for (const auto& row : cases) {
    SCOPED_TRACE(domain::to_string(row.state));
    const auto person = test::sample_account("p" + std::to_string(&row - cases) + "@example.com");
    auto stored = test::sample_refresh_call(here(), person, at(0));
    stored.state = row.state;
    stored.attempts = 7;
    if (row.state != CallState::queued) stored.finished_at = at(10);
    write([&](Transaction& t) {
      t.insert(person);
      t.insert(stored);
      EXPECT_EQ(t.retry_call(domain::CallKind::refresh, stored.id, at(50)), row.retried);
    });
    const auto found = call(stored.id);
    EXPECT_EQ(found.state, row.retried ? CallState::queued : row.state);
    EXPECT_EQ(found.attempts, row.retried ? 0u : 7u);
    EXPECT_EQ(found.due_at, row.retried && row.state != CallState::queued ? at(50) : at(0)) << "no later than it was";
    EXPECT_EQ(found.queued_at, row.retried ? at(50) : at(0));
    EXPECT_EQ(found.finished_at, row.retried ? std::nullopt : stored.finished_at);
  }
  write([](Transaction& t) { EXPECT_FALSE(t.retry_call(domain::CallKind::refresh, base::Uuid::random(), at(0))); });
}

TEST_P(RefreshTest, ARetriedCallKeepsItsHistoryAndItsNumbersGoOn) {
  const auto queued = queue(here(), ada_, at(0));
  ASSERT_TRUE(finish(*claim(at(1), at(60)), kDeferred, std::nullopt, at(2)));
  write([&](Transaction& t) { EXPECT_TRUE(t.retry_call(domain::CallKind::refresh, queued.id, at(3))); });
  ASSERT_EQ(claimed(at(3), at(60)), queued.id);
  const auto list = attempts(queued.id);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].number, 1u);
  EXPECT_EQ(list[0].result->outcome, CallOutcome::deferred);
  EXPECT_EQ(list[1].number, 2u);
}

TEST_P(RefreshTest, ACallUnderLeaseIsNotRetried) {
  const auto queued = queue(here(), ada_, at(0));
  const auto lease = claim(at(0), at(60));
  write([&](Transaction& t) { EXPECT_FALSE(t.retry_call(domain::CallKind::refresh, queued.id, at(1))); });
  EXPECT_TRUE(finish(*lease, kDone, std::nullopt, at(2)));
}

INSTANTIATE_TEST_SUITE_P(Databases, RefreshTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
