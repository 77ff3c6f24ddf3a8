// Makes the calls of one kind that are owed (domain/call.h) until they are taken. Everything about "what if it fails"
// is in this one module: leases, retries, silent targets, shutting down. What the calls say is their source's
// (call_source.h).
//
// What it promises: each call is made at least once, and twice only after a crash or a lost answer. A target that does
// not answer delays nobody else's calls. While it calls it holds no transaction and no lock: the other side may ask us
// back meanwhile.
//
// Threads: has `connections` of its own. All public functions may be called from any thread; `start` and `stop` once
// each. What is passed in must outlive it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "calls/call_source.h"
#include "calls/http_caller.h"
#include "calls/settings.h"
#include "domain/store.h"

namespace invited::calls {

struct WorkerOptions {
  std::uint32_t most_at_once = 1;         ///< calls to one target
  std::chrono::milliseconds poll{1'000};  ///< how often it looks for what has become due, unless woken
};

/// How long a call stays claimed before a worker that vanished is counted as dead.
constexpr std::chrono::milliseconds lease_of(std::chrono::milliseconds timeout) {
  return timeout * 2 + std::chrono::seconds(10);
}

class CallWorker {
 public:
  CallWorker(domain::Store& store, const base::Clock& clock, const CallSource& source, const Settings& settings,
             const WorkerOptions& options);
  ~CallWorker();

  void start();

  /// Something was queued, or the clock was moved. Cheap; never blocks for long.
  void wake();

  /// An operator wants calls made again: targets that did not answer are tried at once. As cheap as `wake`.
  void try_silent();

  /// Takes nothing new, lets calls under way end for at most `bound`, then breaks them off and puts them back, due at
  /// once. Returns when all threads have ended. Also done by the destructor.
  void stop(std::chrono::milliseconds bound = std::chrono::seconds(5));

 private:
  struct Finished;
  /// A URL that did not answer: nothing is tried there until then.
  struct Silence {
    std::uint32_t times = 0;
    base::Timestamp until{};
  };

  void run(std::size_t index);
  bool record_and_claim(std::optional<Finished>& finished, bool may_claim, std::optional<domain::CallLease>& lease);
  std::optional<base::Timestamp> next_attempt(const Finished& finished, base::Timestamp now) const;
  Finished attempt(const domain::CallLease& lease, HttpCaller& caller);
  bool may_call(const base::Uuid& target_id, domain::Transaction& transaction) const;
  void note(const std::string& url, HttpAnswer::How how);
  void log_outcome(const Finished& finished, std::optional<base::Timestamp> next, bool lease_was_over) const;

  bool wait_before_recording_again(const Finished& finished, int tries);
  void wait_for_work(std::size_t index, std::uint64_t seen);
  bool is_stopping() const;

  domain::Store& store_;
  const base::Clock& clock_;
  const CallSource& source_;
  const Settings settings_;
  const WorkerOptions options_;

  std::vector<std::unique_ptr<HttpCaller>> callers_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  bool stopping_ = false;
  std::uint64_t wakes_ = 0;
  std::size_t running_ = 0;
  std::map<std::string, Silence> silent_;  ///< by URL: one that is mended is tried at once
};

}  // namespace invited::calls
