// Many callers and one commit: sharing, bounds, isolation of what fails, and that an acknowledgement means durable.
#include "storage/group_commit.h"

#include <condition_variable>
#include <latch>
#include <numeric>
#include <set>
#include <thread>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;
using domain::Transaction;
using domain::Urgency;

/// Runs nothing; stops before each batch until it is let through, and remembers the sizes.
class StoppedRunner final : public BatchRunner {
 public:
  void run(std::span<Submission* const> batch) override {
    std::unique_lock lock(mutex_);
    sizes_.push_back(batch.size());
    changed_.notify_all();
    changed_.wait(lock, [&] { return passes_ > 0; });
    --passes_;
    for (Submission* submission : batch) submission->result = domain::Result<void>();
  }
  void rest() override {
    const std::lock_guard lock(mutex_);
    ++rests_;
    changed_.notify_all();
  }
  Health health() const override { return health_.load(); }

  void let_through(int batches) {
    const std::lock_guard lock(mutex_);
    passes_ += batches;
    changed_.notify_all();
  }
  void wait_for_batches(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sizes_.size() >= count; });
  }
  void wait_for_rests(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return rests_ >= count; });
  }
  std::vector<std::size_t> sizes() {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }
  void set_health(Health health) { health_ = health; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> sizes_;
  int passes_ = 0;
  int rests_ = 0;
  std::atomic<Health> health_{Health::good};
};

/// Callers that submit one unit of work each, on threads of their own.
class Callers {
 public:
  void add(GroupCommit& commits, Urgency urgency = Urgency::new_work, const domain::Foresight& foresight = {}) {
    threads_.emplace_back([&commits, urgency, foresight, this] {
      domain::Store::Work work = [](Transaction&) -> domain::Result<void> { return {}; };
      if (!commits.submit(work, urgency, foresight)) ++refused;
      ++returned;
    });
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::atomic<int> returned{0};
  std::atomic<int> refused{0};

 private:
  std::vector<std::thread> threads_;
};

template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

TEST(GroupCommitTest, WhatQueuesUpDuringACommitSharesTheNextOnes) {
  StoppedRunner runner;
  GroupCommit commits(runner, {.queue = 1000, .batch = 16});
  Callers callers;
  callers.add(commits);
  runner.wait_for_batches(1);
  for (int i = 0; i < 40; ++i) callers.add(commits);
  wait_until([&] { return commits.queued() == 40; });
  EXPECT_EQ(callers.returned, 0) << "nobody is told before the commit";
  runner.let_through(4);
  callers.join();
  EXPECT_EQ(callers.refused, 0);
  EXPECT_THAT(runner.sizes(), testing::ElementsAre(1, 16, 16, 8));
}

/// Otherwise those who wait all take part in one commit, and the machine's other cores have nothing to do meanwhile.
TEST(GroupCommitTest, WhereManyWaitABatchIsNotMoreThanHalfOfThem) {
  StoppedRunner runner;
  GroupCommit commits(runner, {.queue = 1000, .batch = 512});
  Callers callers;
  callers.add(commits);
  runner.wait_for_batches(1);
  for (int i = 0; i < 100; ++i) callers.add(commits);
  wait_until([&] { return commits.queued() == 100; });
  runner.let_through(1);
  runner.wait_for_batches(2);
  const std::size_t left = 100 - runner.sizes()[1];
  for (int i = 0; i < 100; ++i) callers.add(commits);
  wait_until([&] { return commits.queued() == left + 100; });
  runner.let_through(5);
  callers.join();
  EXPECT_THAT(runner.sizes(), testing::ElementsAre(1, 32, 33, 65, 70));
}

TEST(GroupCommitTest, WorkForManyTakesAsMuchOfABatchAsManyWorks) {
  StoppedRunner runner;
  GroupCommit commits(runner, {.queue = 1000, .batch = 16});
  Callers callers;
  const auto add = [&](std::size_t keys) {
    const auto queued = commits.queued();
    callers.add(commits, Urgency::new_work, {.invitee_keys = std::vector<std::string>(keys, "a@example.com")});
    if (keys > 0) wait_until([&] { return commits.queued() == queued + 1; });
  };
  add(0);
  runner.wait_for_batches(1);
  // In this order: two and one, one alone that is larger than a batch, four.
  for (const std::size_t keys : {8U, 7U, 1U, 40U, 1U, 5U, 5U, 5U, 10U}) add(keys);
  runner.let_through(5);
  callers.join();
  EXPECT_EQ(callers.refused, 0);
  EXPECT_THAT(runner.sizes(), testing::ElementsAre(1, 3, 1, 4, 1));
}

TEST(GroupCommitTest, AFullQueueRefusesNewWorkAtOnceAndStillTakesWhatIsOwed) {
  StoppedRunner runner;
  GroupCommit commits(runner, {.queue = 3, .batch = 16});
  Callers callers;
  callers.add(commits);
  runner.wait_for_batches(1);
  for (int i = 0; i < 3; ++i) callers.add(commits);
  wait_until([&] { return commits.queued() == 3; });

  domain::Store::Work work = [](Transaction&) -> domain::Result<void> { return {}; };
  const auto refused = commits.submit(work, Urgency::new_work);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(refused.error().retry_after);
  callers.add(commits, Urgency::owed);
  wait_until([&] { return commits.queued() == 4; });

  runner.let_through(2);
  callers.join();
  EXPECT_EQ(callers.refused, 0);
}

TEST(GroupCommitTest, WhatWasTakenIsFinishedBeforeItEnds) {
  StoppedRunner runner;
  Callers callers;
  {
    GroupCommit commits(runner, {.queue = 100, .batch = 4});
    callers.add(commits);
    runner.wait_for_batches(1);
    for (int i = 0; i < 10; ++i) callers.add(commits);
    wait_until([&] { return commits.queued() == 10; });
    runner.let_through(100);
  }
  callers.join();
  EXPECT_EQ(callers.refused, 0);
}

// Its callers wake after the writer has ended: it used to go away under those that were slow.
TEST(GroupCommitTest, StaysUntilTheLastCallerHasReadItsAnswer) {
  for (int i = 0; i < 300; ++i) {
    StoppedRunner runner;
    Callers callers;
    {
      GroupCommit commits(runner, {.queue = 100, .batch = 100});
      callers.add(commits);
      runner.wait_for_batches(1);
      for (int j = 0; j < 8; ++j) callers.add(commits);
      wait_until([&] { return commits.queued() == 8; });
      runner.let_through(2);
    }
    callers.join();
    EXPECT_EQ(callers.refused, 0);
  }
}

TEST(GroupCommitTest, ABrokenDatabaseRefusesEverything) {
  StoppedRunner runner;
  GroupCommit commits(runner, {});
  EXPECT_TRUE(commits.is_ready());
  runner.set_health(BatchRunner::Health::broken);
  EXPECT_FALSE(commits.is_ready());
  domain::Store::Work work = [](Transaction&) -> domain::Result<void> { return {}; };
  EXPECT_EQ(commits.submit(work, Urgency::new_work).error().code, ErrorCode::unavailable);
  EXPECT_EQ(commits.submit(work, Urgency::owed).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(runner.sizes().empty());
}

TEST(GroupCommitTest, WhileCommitsFailTheRunnerIsAskedToTryWithoutAnyCaller) {
  StoppedRunner runner;
  GroupCommit commits(runner, {});
  runner.set_health(BatchRunner::Health::failing);
  EXPECT_FALSE(commits.is_ready());
  Callers callers;
  callers.add(commits);
  runner.let_through(1);
  callers.join();
  runner.wait_for_rests(3);  // one after the batch, then one a second
}

// --- work that is begun ------------------------------------------------------------------------------

/// What those who began work were told.
class Told {
 public:
  void begin(GroupCommit& commits, Urgency urgency = Urgency::new_work) {
    commits.begin([](Transaction&) -> domain::Result<void> { return {}; }, urgency, {},
                  [this](const domain::Result<void>& result) {
                    const std::lock_guard lock(mutex_);
                    ++(result ? stored_ : refused_);
                    changed_.notify_all();
                  });
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stored_ + refused_ >= count; });
  }
  int stored() {
    const std::lock_guard lock(mutex_);
    return stored_;
  }
  int refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int stored_ = 0;
  int refused_ = 0;
};

TEST(BegunWorkTest, IsToldAfterItsCommitAndSharesItWithThoseWhoWait) {
  StoppedRunner runner;
  Told told;
  Callers callers;
  GroupCommit commits(runner, {.queue = 1000, .batch = 16});
  told.begin(commits);
  runner.wait_for_batches(1);
  for (int i = 0; i < 5; ++i) told.begin(commits);
  for (int i = 0; i < 5; ++i) callers.add(commits);
  wait_until([&] { return commits.queued() == 10; });
  EXPECT_EQ(told.stored(), 0) << "nobody is told before the commit";
  runner.let_through(1);
  told.wait_for(1);
  EXPECT_EQ(told.stored(), 1);
  runner.let_through(1);
  callers.join();
  told.wait_for(6);
  EXPECT_EQ(told.stored(), 6);
  EXPECT_THAT(runner.sizes(), testing::ElementsAre(1, 10));
}

TEST(BegunWorkTest, WaitsItselfWhereTooManyHaveNotBeenToldYet) {
  StoppedRunner runner;
  Told told;
  GroupCommit commits(runner, {.queue = 100, .batch = 4, .begun = 5});
  told.begin(commits);
  runner.wait_for_batches(1);
  for (int i = 0; i < 4; ++i) told.begin(commits);
  std::atomic<bool> returned{false};
  std::thread sixth([&] {
    told.begin(commits);
    returned = true;
  });
  wait_until([&] { return commits.queued() == 5; });
  EXPECT_FALSE(returned);
  runner.let_through(2);
  told.wait_for(5);
  EXPECT_FALSE(returned);
  runner.let_through(1);
  sixth.join();
  EXPECT_EQ(told.stored(), 6);
  told.begin(commits);
  EXPECT_EQ(told.stored(), 6) << "there is room again";
  runner.let_through(1);
  told.wait_for(7);
}

TEST(BegunWorkTest, IsRefusedWhereTheQueueIsFull) {
  StoppedRunner runner;
  Told told;
  GroupCommit commits(runner, {.queue = 2, .batch = 16});
  told.begin(commits);
  runner.wait_for_batches(1);
  told.begin(commits);
  told.begin(commits);
  told.begin(commits);
  EXPECT_EQ(told.refused(), 1);
  runner.let_through(2);
  told.wait_for(4);
  EXPECT_EQ(told.stored(), 3);
}

TEST(BegunWorkTest, IsRefusedAtOnceWhereWorkThatWaitsWouldBe) {
  StoppedRunner runner;
  Told told;
  GroupCommit commits(runner, {});
  commits.drain();
  told.begin(commits);
  EXPECT_EQ(told.refused(), 1);
  runner.let_through(1);
  told.begin(commits, Urgency::owed);
  told.wait_for(2);
  EXPECT_EQ(told.stored(), 1);
  runner.set_health(BatchRunner::Health::broken);
  told.begin(commits, Urgency::owed);
  EXPECT_EQ(told.refused(), 2);
}

TEST(BegunWorkTest, IsToldBeforeTheEnd) {
  StoppedRunner runner;
  Told told;
  {
    GroupCommit commits(runner, {.queue = 100, .batch = 100});
    told.begin(commits);
    runner.wait_for_batches(1);
    for (int i = 0; i < 20; ++i) told.begin(commits);
    runner.let_through(2);
  }
  EXPECT_EQ(told.stored(), 21);
}

TEST(BegunWorkTest, WhoeverThrowsWhenToldHarmsNobodyElse) {
  StoppedRunner runner;
  Told told;
  GroupCommit commits(runner, {.queue = 100, .batch = 100});
  told.begin(commits);
  runner.wait_for_batches(1);
  commits.begin([](Transaction&) -> domain::Result<void> { return {}; }, Urgency::new_work, {},
                [](const domain::Result<void>&) { throw std::runtime_error("cannot take it"); });
  told.begin(commits);
  testing::internal::CaptureStderr();
  runner.let_through(2);
  told.wait_for(2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("storage.not_told reason=\"cannot take it\""));
  EXPECT_EQ(told.stored(), 2);
}

// --- on a real store ---------------------------------------------------------------------------------

class ConcurrentStoreTest : public StoreContractTest {
 protected:
  static constexpr int kThreads = 64;
  static constexpr int kEach = 40;
};

TEST_P(ConcurrentStoreTest, WhatIsAcknowledgedIsSeenByAnotherConnectionAtOnce) {
  std::atomic<int> missing{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  std::latch start(kThreads);
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        const std::string email = "p" + std::to_string(thread * kEach + i) + "@example.com";
        const auto done = store().write([&](Transaction& t) { return world_.send_invite(t, email, test::at(thread)); });
        if (!done) ++refused;
        const auto seen = store().read([&](Transaction& t) -> domain::Result<void> {
          if (!t.find_pending_invitation(world_.environment.id, email)) ++missing;
          return {};
        });
        if (!seen) ++missing;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(missing, 0);
  reopen();
  const auto messages = read([](Transaction& t) { return t.list_messages(std::nullopt, {100'000, 0}); });
  EXPECT_EQ(messages.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_P(ConcurrentStoreTest, WorkThatFailsTakesNothingOfItsBatchWithIt) {
  enum class Fate { stored, refused, thrown, broken };
  const auto fate_of = [](int number) { return static_cast<Fate>(number % 4); };
  std::atomic<int> wrong_answers{0};
  std::vector<std::thread> threads;
  std::latch start(kThreads);
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        const int number = thread * kEach + i;
        const auto row = world_.invitation("p" + std::to_string(number) + "@example.com", test::at(0));
        const auto done = store().write([&](Transaction& t) -> domain::Result<void> {
          t.insert(row);
          switch (fate_of(number)) {
            case Fate::stored:
              return {};
            case Fate::refused:
              return domain::refuse(ErrorCode::rate_limited, "no");
            case Fate::thrown:
              throw std::runtime_error("thrown on purpose");
            case Fate::broken:
              t.insert(row);  // the same key: the database refuses
              return {};
          }
          return {};
        });
        if (done.has_value() != (fate_of(number) == Fate::stored)) ++wrong_answers;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong_answers, 0);
  EXPECT_TRUE(store().is_ready());

  std::set<std::string> expected;
  for (int number = 0; number < kThreads * kEach; ++number)
    if (fate_of(number) == Fate::stored) expected.insert("p" + std::to_string(number) + "@example.com");
  std::set<std::string> found;
  for (const auto& row : read([](Transaction& t) { return t.list_invitations({}, {100'000, 0}); }))
    found.insert(row.invitee.key());
  EXPECT_EQ(found, expected);
}

// On PostgreSQL writes are sent without waiting, up to a number; the query that came right then lost its answer.
TEST_P(ConcurrentStoreTest, AfterHoweverManyWritesAQueryFindsWhatIsThere) {
  for (int writes = 230; writes <= 270; ++writes) {
    bool found = false;
    write([&](Transaction& t) {
      for (int i = 0; i < writes; ++i)
        t.insert(domain::AuditEvent{test::at(0), "test", "test.many_writes", world_.app.id, {}});
      found = t.find_account(world_.inviter.id).has_value();
    });
    EXPECT_TRUE(found) << "after " << writes << " writes";
  }
}

TEST_P(ConcurrentStoreTest, WhatWasBegunIsSeenByWhoeverIsToldOfIt) {
  constexpr int kBegun = 600;  // more than a batch
  std::atomic<int> missing{0};
  std::atomic<int> wrong_answers{0};
  std::latch told(kBegun);
  for (int number = 0; number < kBegun; ++number) {
    const std::string email = "p" + std::to_string(number) + "@example.com";
    const bool is_refused = number % 3 == 0;
    store().begin_write(
        [&, email, is_refused](Transaction& t) -> domain::Result<void> {
          auto sent = world_.send_invite(t, email, test::at(0));
          if (is_refused) return domain::refuse(ErrorCode::rate_limited, "no");
          return sent;
        },
        Urgency::new_work, {.invitee_keys = {email}},
        [&, email, is_refused](const domain::Result<void>& done) {
          if (done.has_value() == is_refused || (!done && done.error().code != ErrorCode::rate_limited))
            ++wrong_answers;
          const auto seen = store().read([&](Transaction& t) -> domain::Result<void> {
            if (t.find_pending_invitation(world_.environment.id, email).has_value() == is_refused) ++missing;
            return {};
          });
          if (!seen) ++missing;
          told.count_down();
        });
  }
  told.wait();
  EXPECT_EQ(wrong_answers, 0);
  EXPECT_EQ(missing, 0);
}

INSTANTIATE_TEST_SUITE_P(Databases, ConcurrentStoreTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
