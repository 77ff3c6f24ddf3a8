// What if a call fails? All the answers are here.
//
//   done       the app took it.
//   deferred   tried again: after 1, 2, 5, 10, 20, 30 min, then hourly (domain::retry_delay), until
//              refresh.give_up_after; then failed, visible, and `refresh retry` queues it anew.
//   no answer  the same; besides, the app's other calls are put off without being tried for a while (30 s, 1, 2, 4, 8,
//              10 min …), else an app with thousands of them would keep every thread waiting.
//   cancelled  the environment has no refresh URL any more, or is disabled.
//   no outcome the process died: the lease ends, the call is claimed again.
//   outcome that cannot be recorded (disk full): tried again until the lease ends; then the call is made twice.
#include "refresh/refresh_worker.h"

#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/crypto.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "domain/openid.h"

namespace invited::refresh {
namespace {

using domain::RefreshOutcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMostConnections = 16;
constexpr seconds kFirstSilence{30};
constexpr std::chrono::minutes kLongestSilence{10};
constexpr milliseconds kFirstRecordWait{50};
constexpr seconds kLongestRecordWait{5};
constexpr int kRecordTriesWhenStopping = 5;

/// kFirstSilence, twice that, … up to kLongestSilence. `times` from 1.
milliseconds silence_after(std::uint32_t times) {
  return std::min<milliseconds>(kFirstSilence * (1U << std::min(times - 1, 16U)), kLongestSilence);
}

}  // namespace

/// What there is to call, as it stands in the store now.
struct RefreshWorker::Target {
  std::string url;
  std::string name_space;
  std::string openid;
};

struct RefreshWorker::Finished {
  domain::RefreshLease lease;
  domain::RefreshResult result;
  bool broken_off = false;                    ///< by us: due at once
  std::optional<base::Timestamp> not_before;  ///< of the next attempt: the app is silent until then
};

RefreshWorker::RefreshWorker(domain::Store& store, const base::Clock& clock, const Settings& settings,
                             const WorkerOptions& options)
    : store_(store), clock_(clock), settings_(settings), options_(options) {}

RefreshWorker::~RefreshWorker() { stop(); }

void RefreshWorker::start() {
  const std::uint32_t connections = std::clamp(settings_.connections, 1U, kMostConnections);
  for (std::uint32_t i = 0; i < connections; ++i) callers_.push_back(std::make_unique<RefreshCaller>(settings_));
  running_ = connections;
  for (std::uint32_t i = 0; i < connections; ++i) threads_.emplace_back([this, i] { run(i); });
}

void RefreshWorker::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  changed_.notify_one();
}

void RefreshWorker::try_silent_apps() {
  {
    const std::lock_guard lock(mutex_);
    silent_.clear();
  }
  wake();
}

void RefreshWorker::stop(milliseconds bound) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, bound, [this] { return running_ == 0; });
  }
  for (const auto& caller : callers_) caller->interrupt();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool RefreshWorker::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// --- one thread ------------------------------------------------------------------------------------------------------

void RefreshWorker::run(std::size_t index) {
  // Signals are for the main thread; and an app that closes must not kill us by SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  std::optional<Finished> finished;
  int failed_records = 0;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = wakes_;
    }
    std::optional<domain::RefreshLease> lease;
    const bool stored = record_and_claim(finished, /*may_claim=*/!is_stopping(), lease);
    if (lease) {
      wake();  // where one is due there may be more, for the other threads
      finished = attempt(*lease, *callers_[index]);
      failed_records = 0;
      continue;
    }
    if (!stored && finished) {
      if (wait_before_recording_again(*finished, ++failed_records)) continue;
      base::log::error("refresh.outcome_not_recorded", {{"call", finished->lease.call.id.to_string()},
                                                        {"outcome", domain::to_string(finished->result.outcome)},
                                                        {"effect", "the call will be made again"}});
      finished.reset();
    }
    if (is_stopping()) break;
    wait_for_work(index, seen);
  }
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

/// One transaction for both, as each costs a commit. `finished` is empty afterwards, unless false is returned.
bool RefreshWorker::record_and_claim(std::optional<Finished>& finished, bool may_claim,
                                     std::optional<domain::RefreshLease>& lease) {
  if (!finished && !may_claim) return true;
  std::optional<base::Timestamp> next;
  bool lease_was_over = false;
  const auto work = [&](domain::Transaction& transaction) -> domain::Result<void> {
    const base::Timestamp now = clock_.now();
    if (finished) {
      next = next_attempt(*finished, now);
      lease_was_over = !transaction.finish_refresh_attempt(finished->lease, finished->result, next, now);
    }
    if (may_claim) lease = transaction.claim_due_refresh_call(now, now + lease_of(settings_.timeout));
    return {};
  };
  if (const auto done = store_.write(work, domain::Urgency::owed); !done) {
    lease.reset();
    return false;
  }
  if (finished) log_outcome(*finished, next, lease_was_over);
  finished.reset();
  return true;
}

/// When a deferred call is due again, or nothing where its time is over.
std::optional<base::Timestamp> RefreshWorker::next_attempt(const Finished& finished, base::Timestamp now) const {
  if (finished.result.outcome != RefreshOutcome::deferred) return std::nullopt;
  if (finished.broken_off) return now;
  const domain::RefreshCall& call = finished.lease.call;
  base::Timestamp next = now + domain::retry_delay(call.attempts + 1, settings_.retry, base::random_fraction());
  if (finished.not_before) next = std::max(next, *finished.not_before);
  if (next >= call.queued_at + settings_.retry.give_up_after) return std::nullopt;
  return next;
}

RefreshWorker::Finished RefreshWorker::attempt(const domain::RefreshLease& lease, RefreshCaller& caller) {
  Finished finished{lease, {}, /*broken_off=*/false, std::nullopt};
  try {
    const auto target = find_target(lease.call);
    if (!target) {
      finished.result = {RefreshOutcome::deferred, 0, target.error().message};
    } else if (!*target) {
      finished.result = {RefreshOutcome::cancelled, 0, "the environment wants no calls any more"};
    } else if (const auto until = silent_until((*target)->url)) {
      finished.result = {RefreshOutcome::deferred, 0, "not tried: the app did not answer a moment ago"};
      finished.not_before = until;
    } else {
      CallEnd end = caller.call((*target)->url, make_refresh_message((*target)->name_space, (*target)->openid));
      base::failpoint("refresh_after_call");
      note((*target)->url, end.how);
      finished.result = std::move(end.result);
      finished.broken_off = end.how == CallEnd::How::interrupted;
    }
  } catch (const std::exception& failure) {
    finished.result = {RefreshOutcome::deferred, 0, failure.what()};
  }
  return finished;
}

domain::Result<std::optional<RefreshWorker::Target>> RefreshWorker::find_target(const domain::RefreshCall& call) const {
  return domain::read_returning(store_, [&](domain::Transaction& transaction) -> domain::Result<std::optional<Target>> {
    const auto environment = transaction.find_environment(call.environment_id);
    const auto account = transaction.find_account(call.account_id);
    if (!environment || !account || environment->disabled || environment->refresh_url.empty())
      return std::optional<Target>{};
    return Target{environment->refresh_url, environment->refresh_namespace,
                  domain::make_openid(environment->openid_template, options_.public_url, *account)};
  });
}

// --- silent apps -----------------------------------------------------------------------------------------------------

std::optional<base::Timestamp> RefreshWorker::silent_until(const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const auto found = silent_.find(url);
  if (found == silent_.end()) return std::nullopt;
  // Further ahead than it was ever set: the clock was set back meanwhile.
  const auto left = found->second.until - clock_.now();
  if (left <= milliseconds(0) || left > kLongestSilence) return std::nullopt;
  return found->second.until;
}

void RefreshWorker::note(const std::string& url, CallEnd::How how) {
  const std::lock_guard lock(mutex_);
  if (how == CallEnd::How::answered) {
    silent_.erase(url);
  } else if (how == CallEnd::How::no_answer) {
    Silence& silence = silent_[url];
    silence.times += 1;
    silence.until = clock_.now() + silence_after(silence.times);
  }
}

// --- between the threads ---------------------------------------------------------------------------------------------

/// False where trying on makes no sense: the lease is over, or we are stopping and have tried.
bool RefreshWorker::wait_before_recording_again(const Finished& finished, int tries) {
  if (clock_.now() >= finished.lease.lease_until) return false;
  const auto wait = std::min<milliseconds>(kFirstRecordWait * (1 << std::min(tries, 10)), kLongestRecordWait);
  std::unique_lock lock(mutex_);
  if (stopping_ && tries > kRecordTriesWhenStopping) return false;
  changed_.wait_for(lock, wait, [this, was_stopping = stopping_] { return stopping_ != was_stopping; });
  return true;
}

void RefreshWorker::wait_for_work(std::size_t index, std::uint64_t seen) {
  // One thread looks often, the others seldom, in case that one is busy for long.
  const milliseconds poll = index == 0 ? options_.poll : options_.poll * 5;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, poll, [this, seen] { return stopping_ || wakes_ != seen; });
}

// --- what operators read ---------------------------------------------------------------------------------------------

/// No OpenID, which may be a mail address, and no URL, which may hold a key.
void RefreshWorker::log_outcome(const Finished& finished, std::optional<base::Timestamp> next, bool lease_was_over) {
  const domain::RefreshCall& call = finished.lease.call;
  const domain::RefreshResult& result = finished.result;
  const base::log::Field id("call", call.id.to_string());
  const base::log::Field environment("environment", call.environment_id.to_string());
  const base::log::Field account("account", call.account_id.to_string());
  const base::log::Field status("status", result.http_status);
  const base::log::Field reason("reason", result.explanation);
  switch (result.outcome) {
    case RefreshOutcome::done:
      base::log::info("refresh.done", {id, environment, account, {"attempt", call.attempts + 1}});
      break;
    case RefreshOutcome::deferred:
      if (next) {
        base::log::warning("refresh.deferred",
                           {id, environment, account, status, reason, {"next_attempt", base::to_rfc3339(*next)}});
      } else {
        base::log::error("refresh.failed", {id, environment, account, status, reason});
      }
      break;
    case RefreshOutcome::cancelled:
      base::log::info("refresh.cancelled", {id, environment, account, reason});
      break;
  }
  if (lease_was_over) base::log::warning("refresh.lease_was_over", {id});
}

}  // namespace invited::refresh
