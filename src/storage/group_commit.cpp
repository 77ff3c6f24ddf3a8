#include "storage/group_commit.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "storage/futex.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;
using domain::Urgency;

constexpr std::chrono::seconds kRetryAfter{1};
constexpr std::chrono::milliseconds kIdleInterval{1000};

domain::Error busy(std::string message) { return {ErrorCode::unavailable, std::move(message), {}, kRetryAfter}; }

domain::Error full() { return busy("The service is busy: try again in a moment."); }

/// Numbers wrap; those that are compared lie close together.
bool is_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

GroupCommit::GroupCommit(BatchRunner& runner, Limits limits)
    : runner_(runner), limits_(limits), writer_([this] { run(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ring();
  writer_.join();
  // Whoever was just acknowledged may still be reading that. There is nothing left to wait for on its way out.
  while (inside_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

bool GroupCommit::is_ready() const { return !draining_.load() && runner_.health() == BatchRunner::Health::good; }

std::size_t GroupCommit::queued() {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::optional<domain::Error> GroupCommit::refusal(Urgency urgency) const {
  if (runner_.health() == BatchRunner::Health::broken)
    return busy("Nothing can be stored until the service has been restarted.");
  if (draining_.load() && urgency == Urgency::new_work)
    return busy("The service is shutting down: try again in a moment.");
  return std::nullopt;
}

domain::Result<void> GroupCommit::submit(domain::Store::Work& work, Urgency urgency,
                                         const domain::Foresight& foresight) {
  const Counted visit(inside_);
  if (auto refused = refusal(urgency)) return std::unexpected(*std::move(refused));
  Submission submission{&work, &foresight, {}};
  if (!enqueue(submission, urgency)) return std::unexpected(full());
  wait_for(submission.batch);
  return std::move(submission.result);
}

void GroupCommit::begin(domain::Store::Work work, Urgency urgency, const domain::Foresight& foresight,
                        domain::Store::Done done) {
  const Counted visit(inside_);
  if (auto refused = refusal(urgency)) return done(std::unexpected(*std::move(refused)));
  if (begun_.load(std::memory_order_relaxed) >= limits_.begun) return done(submit(work, urgency, foresight));
  auto begun = std::make_unique<BegunWork>(std::move(work), foresight, std::move(done));
  begun->counted.emplace(begun_);
  begun->submission = {&begun->work, &begun->foresight, {}, begun.get()};
  if (enqueue(begun->submission, urgency))
    static_cast<void>(begun.release());  // acknowledge() takes it up
  else
    begun->done(std::unexpected(full()));
}

bool GroupCommit::enqueue(Submission& submission, Urgency urgency) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t limit = urgency == Urgency::owed ? limits_.queue * 2 : limits_.queue;
    if (queue_.size() >= limit) return false;
    const std::size_t size = submission.size();
    queued_size_ += size;
    if (open_size_ > 0 && open_size_ + size > limit_of_open_batch()) {
      ++open_batch_;
      open_size_ = 0;
    }
    submission.batch = open_batch_;
    open_size_ += size;
    queue_.push_back(&submission);
    wake = std::exchange(writer_sleeps_, false);
  }
  if (wake) ring();
  return true;
}

std::size_t GroupCommit::limit_of_open_batch() const {
  return std::min(limits_.batch, std::max(limits_.undivided, (running_size_ + queued_size_) / 2));
}

void GroupCommit::wait_for(std::uint32_t batch) {
  std::atomic<std::uint32_t>& finished = finished_[batch % kSlots];
  for (;;) {
    const std::uint32_t seen = finished.load(std::memory_order_acquire);
    if (!is_before(seen, batch)) return;
    futex_wait(finished, seen);
  }
}

void GroupCommit::ring() {
  bell_.fetch_add(1);
  futex_wake_all(bell_);
}

bool GroupCommit::take(std::vector<Submission*>& batch) {
  for (;;) {
    std::uint32_t heard = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!queue_.empty()) {
        const auto end =
            std::ranges::find_if(queue_, [&](const Submission* queued) { return queued->batch != next_batch_; });
        batch.assign(queue_.begin(), end);
        queue_.erase(queue_.begin(), end);
        running_size_ = 0;
        for (const Submission* taken : batch) running_size_ += taken->size();
        queued_size_ -= running_size_;
        if (next_batch_ == open_batch_) {
          ++open_batch_;
          open_size_ = 0;
        }
        return true;
      }
      if (stopping_) return false;
      writer_sleeps_ = true;
      running_size_ = 0;
      heard = bell_.load();
    }
    futex_wait(bell_, heard, kIdleInterval);
    if (bell_.load() == heard) runner_.rest();
  }
}

void GroupCommit::acknowledge(const std::vector<Submission*>& batch) {
  BegunBatch begun;
  for (const Submission* submission : batch)
    if (submission->begun != nullptr) begun.emplace_back(submission->begun);
  const bool is_awaited = begun.size() < batch.size();
  std::atomic<std::uint32_t>& finished = finished_[next_batch_ % kSlots];
  // The submissions of callers who wait are theirs again from here on.
  finished.store(next_batch_, std::memory_order_release);
  if (is_awaited) futex_wake_all(finished);
  ++next_batch_;
  if (!begun.empty()) completions_.hand_over(std::move(begun));
}

void GroupCommit::run() {
  ::pthread_setname_np(::pthread_self(), "storage-writer");
  std::vector<Submission*> batch;
  while (take(batch)) {
    runner_.run(batch);
    acknowledge(batch);
    runner_.rest();
  }
  runner_.end();
}

}  // namespace invited::storage
