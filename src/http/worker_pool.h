// A bounded pool of threads for handlers, which may block (most that write wait for their commit).
// The queue is short and its waiting time bounded: what cannot be served soon is refused at once. Idle workers are
// woken one at a time, the last to fall asleep first. submit() and expire() may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace invited::http {

class WorkerPool {
 public:
  using Clock = std::chrono::steady_clock;

  /// Work, linked into the queue without an allocation. Each accepted task gets exactly one of the two calls; the pool
  /// does not touch it afterwards.
  class Task {
   public:
    virtual ~Task() = default;
    virtual void run() noexcept = 0;
    /// It waited too long, or the pool stops.
    virtual void refuse() noexcept = 0;

   private:
    friend class WorkerPool;
    Task* next_ = nullptr;
    Clock::time_point queued_at_;
  };

  WorkerPool(std::size_t threads, std::size_t queue_length, std::chrono::milliseconds queue_wait);
  ~WorkerPool();  ///< stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void start();
  /// Refuses what is queued, waits for what runs, joins the threads. Blocking; further calls do nothing.
  void stop();

  /// False: not accepted, because the queue is full or not moving. Never blocks on a handler.
  bool submit(Task& task, Clock::time_point now);

  /// Refuses tasks that have waited too long while every worker is busy. True while others are still queued: then call
  /// again soon.
  bool expire(Clock::time_point now);

 private:
  struct Worker {
    std::condition_variable wake;
    bool woken = false;
    std::thread thread;
  };

  void work(Worker& worker);
  Task* pop();
  Worker* next_to_wake();

  const std::size_t queue_length_;
  const std::chrono::milliseconds queue_wait_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  ///< a stack: the warmest on top
  std::size_t waking_ = 0;     ///< woken, but not running yet
  Task* head_ = nullptr;
  Task* tail_ = nullptr;
  std::size_t queued_ = 0;
  bool stopping_ = false;
};

}  // namespace invited::http
