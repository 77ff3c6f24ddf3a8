#include "storage/completion_thread.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/futex.h"

namespace invited::storage {
namespace {

void tell(BegunWork& ended) noexcept {
  try {
    ended.done(std::move(ended.submission.result));
  } catch (const std::exception& error) {
    base::log::error("storage.not_told", {{"reason", error.what()}});
  } catch (...) {
    base::log::error("storage.not_told", {{"reason", "an unknown exception"}});
  }
}

}  // namespace

CompletionThread::CompletionThread() : thread_([this] { run(); }) {}

CompletionThread::~CompletionThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  bell_.fetch_add(1);
  futex_wake_all(bell_);
  thread_.join();
}

void CompletionThread::hand_over(BegunBatch batch) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (handed_over_.empty())
      handed_over_ = std::move(batch);
    else
      std::ranges::move(batch, std::back_inserter(handed_over_));
    wake = std::exchange(sleeps_, false);
  }
  if (!wake) return;
  bell_.fetch_add(1);
  futex_wake_all(bell_);
}

BegunBatch CompletionThread::take() {
  for (;;) {
    std::uint32_t heard = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!handed_over_.empty() || stopping_) return std::exchange(handed_over_, {});
      sleeps_ = true;
      heard = bell_.load();
    }
    futex_wait(bell_, heard);
  }
}

void CompletionThread::run() {
  ::pthread_setname_np(::pthread_self(), "storage-answers");
  for (BegunBatch batch = take(); !batch.empty(); batch = take())
    for (std::unique_ptr<BegunWork>& ended : batch) {
      tell(*ended);
      ended.reset();
    }
}

}  // namespace invited::storage
