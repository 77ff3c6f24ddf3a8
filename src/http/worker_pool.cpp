#include "http/worker_pool.h"

#include <algorithm>

namespace invited::http {

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_length, std::chrono::milliseconds queue_wait)
    : queue_length_(std::max<std::size_t>(1, queue_length)), queue_wait_(queue_wait) {
  workers_.reserve(std::max<std::size_t>(1, threads));
  for (std::size_t i = 0; i < std::max<std::size_t>(1, threads); ++i) workers_.push_back(std::make_unique<Worker>());
  idle_.reserve(workers_.size());
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::start() {
  for (auto& worker : workers_) worker->thread = std::thread([this, &worker] { work(*worker); });
}

void WorkerPool::stop() {
  Task* refused = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    refused = head_;
    head_ = tail_ = nullptr;
    queued_ = 0;
    for (auto& worker : workers_) {
      worker->woken = true;
      worker->wake.notify_one();
    }
  }
  while (refused != nullptr) {
    Task* const next = refused->next_;
    refused->refuse();
    refused = next;
  }
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

bool WorkerPool::submit(Task& task, Clock::time_point now) {
  Worker* sleeper = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_ >= queue_length_) return false;
    // Where the first in the queue has waited that long, a newcomer would not be served in time either; refusing it now
    // costs nobody anything, refusing it later costs it the wait.
    if (head_ != nullptr && now - head_->queued_at_ > queue_wait_ * 3 / 4) return false;
    task.next_ = nullptr;
    task.queued_at_ = now;
    (tail_ != nullptr ? tail_->next_ : head_) = &task;
    tail_ = &task;
    ++queued_;
    sleeper = next_to_wake();
  }
  if (sleeper != nullptr) sleeper->wake.notify_one();
  return true;
}

bool WorkerPool::expire(Clock::time_point now) {
  for (;;) {
    Task* expired = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (head_ == nullptr) return false;
      if (now - head_->queued_at_ <= queue_wait_) return true;
      expired = pop();
    }
    expired->refuse();
  }
}

void WorkerPool::work(Worker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (head_ == nullptr) {
      if (stopping_) return;
      worker.woken = false;
      idle_.push_back(&worker);
      worker.wake.wait(lock, [&] { return worker.woken; });
      if (stopping_ && head_ == nullptr) return;
      --waking_;
      if (head_ == nullptr) continue;
    }
    Task* const task = pop();
    const auto queued_at = task->queued_at_;
    // One wakes the next: whoever is woken while this one is on its way would only find an empty queue.
    Worker* const sleeper = head_ != nullptr ? next_to_wake() : nullptr;
    lock.unlock();
    if (sleeper != nullptr) sleeper->wake.notify_one();
    if (Clock::now() - queued_at > queue_wait_) {
      task->refuse();
    } else {
      task->run();
    }
    lock.lock();
  }
}

/// Called with the lock held and something queued.
WorkerPool::Task* WorkerPool::pop() {
  Task* const task = head_;
  head_ = task->next_;
  if (head_ == nullptr) tail_ = nullptr;
  --queued_;
  return task;
}

/// Called with the lock held. Invariant: while work is queued and a worker sleeps, one is on its way.
WorkerPool::Worker* WorkerPool::next_to_wake() {
  if (waking_ > 0 || idle_.empty()) return nullptr;
  Worker* const worker = idle_.back();
  idle_.pop_back();
  worker->woken = true;
  ++waking_;
  return worker;
}

}  // namespace invited::http
