#include "housekeeping.h"

#include "base/log.h"

namespace invited {

Housekeeping::Housekeeping(domain::Store& store, const base::Clock& clock, std::chrono::milliseconds keep,
                           std::chrono::milliseconds interval)
    : store_(store), clock_(clock), keep_(keep), interval_(interval), thread_([this] { run(); }) {}

Housekeeping::~Housekeeping() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
  thread_.join();
}

void Housekeeping::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    // One call forgets a bounded number, so that nobody waits long; the rest has its turn at the next interval.
    const auto pruned = store_.write(
        [this](domain::Transaction& transaction) -> domain::Result<void> {
          transaction.prune(clock_.now() - keep_);
          return {};
        },
        domain::Urgency::owed);
    if (!pruned) base::log::warning("housekeeping.failed", {{"reason", pruned.error().message}});
    lock.lock();
    stop_asked_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

}  // namespace invited
