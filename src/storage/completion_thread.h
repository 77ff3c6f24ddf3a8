// Tells the callers of begun work how it ended, a batch at a time, on a thread of its own: what they do then (an answer
// is written to a socket) is nothing that the next batch should wait for.
//
// Threads: hand_over may be called by any thread.
#pragma once

#include <atomic>
#include <cstdint>
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

  std::atomic<std::uint32_t> bell_{0};  ///< changes when the thread, asleep, has to look again
  std::mutex mutex_;                    // guards what follows
  BegunBatch handed_over_;
  bool sleeps_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace invited::storage
