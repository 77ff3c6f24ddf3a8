// Tells the callers of begun work how it ended, a batch at a time, on a thread of its own: what they do then (an answer
// is written to a socket) is nothing that the next batch should wait for.
//
// Threads: hand_over may be called by any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/submission.h"

namespace invited::storage {

class CompletionThread {
 public:
  CompletionThread();
  /// Tells all that was handed over before.
  ~CompletionThread();
  CompletionThread(const CompletionThread&) = delete;
  CompletionThread& operator=(const CompletionThread&) = delete;

  /// Takes all of `batch`: their results are set.
  void hand_over(BegunBatch batch);

 private:
  void run();
  /// Waits for some. None: there will be none.
  BegunBatch take();

  std::condition_variable changed_;
  std::mutex mutex_;  // guards what follows
  BegunBatch handed_over_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace invited::storage
