// Makes the calls that are owed to apps (domain/refresh_call.h): tells an app that a person's roles changed, until it
// has taken notice. Everything about "what if it fails" is in this one module: leases, retries, silent apps, shutting
// down.
//
// What it promises: each call is made at least once, and twice only after a crash or a lost answer, which does no harm.
// An app that does not answer delays nobody else's calls. While it calls it holds no transaction and no lock: the app
// asks GetRolesForOpenID back meanwhile.
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
#include "domain/store.h"
#include "refresh/refresh_caller.h"
#include "refresh/settings.h"

namespace invited::refresh {

struct WorkerOptions {
  std::string public_url;                 ///< what OpenIDs are made with
  std::chrono::milliseconds poll{1'000};  ///< how often it looks for what has become due, unless woken
};

/// How long a call stays claimed before a worker that vanished is counted as dead.
constexpr std::chrono::milliseconds lease_of(std::chrono::milliseconds timeout) {
  return timeout * 2 + std::chrono::seconds(10);
}

class RefreshWorker {
 public:
  RefreshWorker(domain::Store& store, const base::Clock& clock, const Settings& settings, const WorkerOptions& options);
  ~RefreshWorker();

  void start();

  /// Something was queued, or the clock was moved. Cheap; never blocks for long.
  void wake();

  /// An operator wants calls made again: apps that did not answer are tried at once. As cheap as `wake`.
  void try_silent_apps();

  /// Takes nothing new, lets calls under way end for at most `bound`, then breaks them off and puts them back, due at
  /// once. Returns when all threads have ended. Also done by the destructor.
  void stop(std::chrono::milliseconds bound = std::chrono::seconds(5));

 private:
  struct Target;
  struct Finished;
  /// An app that did not answer: nothing is tried there until then.
  struct Silence {
    std::uint32_t times = 0;
    base::Timestamp until{};
  };

  void run(std::size_t index);
  bool record_and_claim(std::optional<Finished>& finished, bool may_claim, std::optional<domain::RefreshLease>& lease);
  std::optional<base::Timestamp> next_attempt(const Finished& finished, base::Timestamp now) const;
  Finished attempt(const domain::RefreshLease& lease, RefreshCaller& caller);
  domain::Result<std::optional<Target>> find_target(const domain::RefreshCall& call) const;
  std::optional<base::Timestamp> silent_until(const std::string& url) const;
  void note(const std::string& url, CallEnd::How how);
  static void log_outcome(const Finished& finished, std::optional<base::Timestamp> next, bool lease_was_over);

  bool wait_before_recording_again(const Finished& finished, int tries);
  void wait_for_work(std::size_t index, std::uint64_t seen);
  bool is_stopping() const;

  domain::Store& store_;
  const base::Clock& clock_;
  const Settings settings_;
  const WorkerOptions options_;

  std::vector<std::unique_ptr<RefreshCaller>> callers_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  bool stopping_ = false;
  std::uint64_t wakes_ = 0;
  std::size_t running_ = 0;
  std::map<std::string, Silence> silent_;  ///< by URL: one that is mended is tried at once
};

}  // namespace invited::refresh
