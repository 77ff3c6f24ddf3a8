#include "storage/completion_thread.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "base/log.h"

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
  changed_.notify_one();
  thread_.join();
}

void CompletionThread::hand_over(BegunBatch batch) {
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(batch, std::back_inserter(handed_over_));
  }
  changed_.notify_one();
}

BegunBatch CompletionThread::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !handed_over_.empty() || stopping_; });
  return std::exchange(handed_over_, {});
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
