#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <semaphore>

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using Clock = WorkerPool::Clock;

class Task final : public WorkerPool::Task {
 public:
  explicit Task(std::function<void()> work = [] {}) : work_(std::move(work)) {}
  void run() noexcept override {
    work_();
    ran = true;
    done.release();
  }
  void refuse() noexcept override {
    refused = true;
    done.release();
  }
  std::atomic<bool> ran{false};
  std::atomic<bool> refused{false};
  std::binary_semaphore done{0};

 private:
  std::function<void()> work_;
};

TEST(WorkerPool, RunsWhatItAccepts) {
  WorkerPool pool(2, 10, 10s);
  pool.start();
  Task task;
  ASSERT_TRUE(pool.submit(task, Clock::now()));
  task.done.acquire();
  EXPECT_TRUE(task.ran);
}

TEST(WorkerPool, UsesAllItsThreadsForHandlersThatBlock) {
  constexpr int kThreads = 16;
  WorkerPool pool(kThreads, 100, 10s);
  pool.start();
  std::latch all_inside(kThreads);  // opens only if all of them are in a handler together
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < kThreads; ++i) {
    tasks.push_back(std::make_unique<Task>([&] { all_inside.arrive_and_wait(); }));
    ASSERT_TRUE(pool.submit(*tasks.back(), Clock::now()));
  }
  for (auto& task : tasks) task->done.acquire();
}

TEST(WorkerPool, RefusesAtOnceWhereTheQueueIsFull) {
  WorkerPool pool(1, 2, 10s);
  pool.start();
  std::latch inside(1);
  std::binary_semaphore go(0);
  Task running([&] {
    inside.count_down();
    go.acquire();
  });
  Task first;
  Task second;
  Task third;
  ASSERT_TRUE(pool.submit(running, Clock::now()));
  inside.wait();
  EXPECT_TRUE(pool.submit(first, Clock::now()));
  EXPECT_TRUE(pool.submit(second, Clock::now()));
  EXPECT_FALSE(pool.submit(third, Clock::now()));
  go.release();
  second.done.acquire();
  EXPECT_TRUE(first.ran);
  EXPECT_TRUE(second.ran);
}

TEST(WorkerPool, RefusesNewcomersWhileTheQueueStands) {
  WorkerPool pool(1, 100, 200ms);
  pool.start();
  std::latch inside(1);
  std::binary_semaphore go(0);
  Task running([&] {
    inside.count_down();
    go.acquire();
  });
  Task waiting;
  Task newcomer;
  const auto now = Clock::now();
  ASSERT_TRUE(pool.submit(running, now));
  inside.wait();
  ASSERT_TRUE(pool.submit(waiting, now + 1h));  // the clock is ours, so nothing expires meanwhile
  EXPECT_FALSE(pool.submit(newcomer, now + 1h + 151ms));
  go.release();
  waiting.done.acquire();
}

TEST(WorkerPool, RefusesWhatHasWaitedTooLongThoughNoWorkerIsFree) {
  WorkerPool pool(1, 100, 200ms);
  pool.start();
  std::latch inside(1);
  std::binary_semaphore go(0);
  Task running([&] {
    inside.count_down();
    go.acquire();
  });
  Task early;
  Task late;
  const auto later = Clock::now() + 1h;
  ASSERT_TRUE(pool.submit(running, Clock::now()));
  inside.wait();
  ASSERT_TRUE(pool.submit(early, later));
  ASSERT_TRUE(pool.submit(late, later + 100ms));
  EXPECT_TRUE(pool.expire(later + 200ms));
  EXPECT_FALSE(early.refused);
  EXPECT_TRUE(pool.expire(later + 201ms));
  EXPECT_TRUE(early.refused);
  EXPECT_FALSE(late.refused);
  EXPECT_FALSE(pool.expire(later + 301ms));
  EXPECT_TRUE(late.refused);
  go.release();
  running.done.acquire();
}

TEST(WorkerPool, RefusesWhatIsStillQueuedWhenItStops) {
  WorkerPool pool(1, 100, 10s);
  pool.start();
  std::latch inside(1);
  std::binary_semaphore go(0);
  Task running([&] {
    inside.count_down();
    go.acquire();
  });
  Task queued;
  ASSERT_TRUE(pool.submit(running, Clock::now()));
  inside.wait();
  ASSERT_TRUE(pool.submit(queued, Clock::now()));
  std::thread stopper([&] { pool.stop(); });
  queued.done.acquire();
  EXPECT_TRUE(queued.refused);
  go.release();
  stopper.join();
  EXPECT_TRUE(running.ran);
  Task after;
  EXPECT_FALSE(pool.submit(after, Clock::now()));
}

TEST(WorkerPool, LosesNothingUnderContention) {
  WorkerPool pool(8, 100'000, 60s);
  pool.start();
  constexpr int kEach = 2000;
  std::atomic<int> ran{0};
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < 4 * kEach; ++i) tasks.push_back(std::make_unique<Task>([&] { ++ran; }));
  std::vector<std::thread> submitters;
  for (int t = 0; t < 4; ++t) {
    submitters.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        EXPECT_TRUE(pool.submit(*tasks[static_cast<std::size_t>(t * kEach + i)], Clock::now()));
    });
  }
  for (auto& thread : submitters) thread.join();
  for (auto& task : tasks) task->done.acquire();
  EXPECT_EQ(ran, 4 * kEach);
}

}  // namespace
}  // namespace invited::http
