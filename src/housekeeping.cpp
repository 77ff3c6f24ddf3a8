#include "housekeeping.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "domain/queue_event.h"

namespace invited {
namespace {

/// Invitations that webhooks are told of in one transaction: some milliseconds of the writer's time.
constexpr std::uint32_t kExpiryStep = 100;
constexpr std::chrono::seconds kExpiryInterval{5};

}  // namespace

Housekeeping::Housekeeping(domain::Store& store, const base::Clock& clock, std::chrono::milliseconds keep,
                           const Config::Retention& retention, std::function<void()> every_interval,
                           std::chrono::milliseconds interval)
    : store_(store),
      clock_(clock),
      keep_(keep),
      every_interval_(std::move(every_interval)),
      interval_(interval),
      retention_(store, clock, retention),
      thread_([this] { run(); }) {}

Housekeeping::~Housekeeping() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
  thread_.join();
}

void Housekeeping::run() {
  auto prune_at = std::chrono::steady_clock::now();
  auto step_at = prune_at;
  auto tell_at = prune_at;
  bool is_start = true;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (std::chrono::steady_clock::now() >= prune_at) {
      prune();
      if (!std::exchange(is_start, false) && every_interval_) every_interval_();
      prune_at = std::chrono::steady_clock::now() + interval_;
    }
    if (std::chrono::steady_clock::now() >= tell_at) {
      tell_of_expiry();
      tell_at = std::chrono::steady_clock::now() + kExpiryInterval;
    }
    if (std::chrono::steady_clock::now() >= step_at) {
      const auto rest = retention_.step();
      step_at = std::chrono::steady_clock::now() + rest;
    }
    lock.lock();
    stop_asked_.wait_until(lock, std::min({prune_at, step_at, tell_at}), [this] { return stopping_; });
  }
}

void Housekeeping::prune() {
  // One call forgets a bounded number, so that nobody waits long; the rest has its turn at the next interval.
  const auto pruned = store_.write(
      [this](domain::Transaction& transaction) -> domain::Result<void> {
        transaction.prune(clock_.now() - keep_);
        return {};
      },
      domain::Urgency::owed);
  if (!pruned) base::log::warning("housekeeping.failed", {{"reason", pruned.error().message}});
}

/// Step by step, others' writes between; what a failure leaves has its turn the next time.
void Housekeeping::tell_of_expiry() {
  for (;;) {
    const auto looked_at = domain::write_returning(
        store_,
        [this](domain::Transaction& transaction) -> domain::Result<std::size_t> {
          return domain::queue_expired_events(kExpiryStep, transaction, clock_.now());
        },
        domain::Urgency::owed);
    if (!looked_at) base::log::warning("housekeeping.failed", {{"reason", looked_at.error().message}});
    if (!looked_at || *looked_at < kExpiryStep) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace invited
