// What if a call fails? All the answers are here.
//
//   done       it was taken.
//   deferred   tried again: after 1, 2, 5, 10, 20, 30 min, then hourly (domain::retry_delay), until give_up_after
//              since the first try; then failed, visible, and queued anew by hand.
//   no answer  the same; besides, nothing else is claimed for that URL for a while (30 s, 1, 2, 4, 8, 10 min …), else a
//              target with thousands of calls would keep every thread waiting.
//   cancelled  nobody wants it any more.
//   no outcome the process died: the lease ends, the call is claimed again.
//   outcome that cannot be recorded (disk full): tried again until the lease ends; then the call is made twice.
#include "calls/call_worker.h"

#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/crypto.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace invited::calls {
namespace {

using domain::CallOutcome;
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

struct CallWorker::Finished {
  domain::CallLease lease;
  domain::CallResult result;
  std::string subject{};
  bool broken_off = false;  ///< by us: due at once
};

CallWorker::CallWorker(domain::Store& store, const base::Clock& clock, const CallSource& source,
                       const Settings& settings, const WorkerOptions& options)
    : store_(store), clock_(clock), source_(source), settings_(settings), options_(options) {}

CallWorker::~CallWorker() { stop(); }

void CallWorker::start() {
  const std::uint32_t connections = std::clamp(settings_.connections, 1U, kMostConnections);
  for (std::uint32_t i = 0; i < connections; ++i) callers_.push_back(std::make_unique<HttpCaller>(settings_));
  running_ = connections;
  for (std::uint32_t i = 0; i < connections; ++i) threads_.emplace_back([this, i] { run(i); });
}

void CallWorker::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  changed_.notify_one();
}

void CallWorker::try_silent() {
  {
    const std::lock_guard lock(mutex_);
    silent_.clear();
  }
  wake();
}

void CallWorker::stop(milliseconds bound) {
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

bool CallWorker::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// --- one thread ------------------------------------------------------------------------------------------------------

void CallWorker::run(std::size_t index) {
  // Signals are for the main thread; and a peer that closes must not kill us by SIGPIPE.
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
    std::optional<domain::CallLease> lease;
    const bool stored = record_and_claim(finished, /*may_claim=*/!is_stopping(), lease);
    if (lease) {
      wake();  // where one is due there may be more, for the other threads
      finished = attempt(*lease, *callers_[index]);
      failed_records = 0;
      continue;
    }
    if (!stored && finished) {
      if (wait_before_recording_again(*finished, ++failed_records)) continue;
      base::log::error(std::string(source_.words().kind) + ".outcome_not_recorded",
                       {{"call", finished->lease.call_id.to_string()},
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
bool CallWorker::record_and_claim(std::optional<Finished>& finished, bool may_claim,
                                  std::optional<domain::CallLease>& lease) {
  if (!finished && !may_claim) return true;
  std::optional<base::Timestamp> next;
  bool lease_was_over = false;
  const auto work = [&](domain::Transaction& transaction) -> domain::Result<void> {
    const base::Timestamp now = clock_.now();
    if (finished) {
      next = next_attempt(*finished, now);
      lease_was_over = !transaction.finish_call_attempt(source_.kind(), finished->lease, finished->result, next, now);
      if (!lease_was_over) source_.record(finished->lease, finished->result, transaction, now);
    }
    if (may_claim)
      lease = transaction.claim_due_call(
          source_.kind(), {.now = now,
                           .lease_until = now + lease_of(settings_.timeout),
                           .most_at_once = options_.most_at_once,
                           .may_call = [&](const base::Uuid& target) { return may_call(target, transaction); }});
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
std::optional<base::Timestamp> CallWorker::next_attempt(const Finished& finished, base::Timestamp now) const {
  if (finished.result.outcome != CallOutcome::deferred) return std::nullopt;
  if (finished.broken_off) return now;
  const base::Timestamp next =
      now + domain::retry_delay(finished.lease.attempts + 1, settings_.retry, base::random_fraction());
  // Not since it was queued: while we were off nobody tried.
  if (next >= finished.lease.tried_since + settings_.retry.give_up_after) return std::nullopt;
  return next;
}

CallWorker::Finished CallWorker::attempt(const domain::CallLease& lease, HttpCaller& caller) {
  Finished finished{lease, {}};
  try {
    using Prepared = std::expected<PreparedCall, domain::CallResult>;
    const auto prepared =
        domain::read_returning(store_, [&](domain::Transaction& transaction) -> domain::Result<Prepared> {
          return source_.prepare(lease, transaction, clock_.now());
        });
    if (!prepared) {
      finished.result = {CallOutcome::deferred, 0, prepared.error().message};
    } else if (!*prepared) {
      finished.result = prepared->error();
    } else {
      const PreparedCall& call = **prepared;
      finished.subject = call.subject;
      const HttpAnswer answer = caller.post(call.request);
      base::failpoint("call_made");
      note(call.request.url, answer.how);
      finished.broken_off = answer.how == HttpAnswer::How::interrupted;
      finished.result = answer.how == HttpAnswer::How::answered
                            ? source_.judge(answer)
                            : domain::CallResult{CallOutcome::deferred, answer.status, answer.explanation};
    }
  } catch (const std::exception& failure) {
    finished.result = {CallOutcome::deferred, 0, failure.what()};
  }
  return finished;
}

// --- silent targets --------------------------------------------------------------------------------------------------

bool CallWorker::may_call(const base::Uuid& target_id, domain::Transaction& transaction) const {
  {
    const std::lock_guard lock(mutex_);
    if (silent_.empty()) return true;
  }
  const std::string url = source_.url_of(target_id, transaction);
  const std::lock_guard lock(mutex_);
  const auto found = silent_.find(url);
  if (found == silent_.end()) return true;
  // Further ahead than it was ever set: the clock was set back meanwhile.
  const auto left = found->second.until - clock_.now();
  return left <= milliseconds(0) || left > kLongestSilence;
}

void CallWorker::note(const std::string& url, HttpAnswer::How how) {
  const std::lock_guard lock(mutex_);
  if (how == HttpAnswer::How::answered) {
    silent_.erase(url);
  } else if (how == HttpAnswer::How::no_answer) {
    Silence& silence = silent_[url];
    silence.times += 1;
    silence.until = clock_.now() + silence_after(silence.times);
  }
}

// --- between the threads ---------------------------------------------------------------------------------------------

/// False where trying on makes no sense: the lease is over, or we are stopping and have tried.
bool CallWorker::wait_before_recording_again(const Finished& finished, int tries) {
  if (clock_.now() >= finished.lease.lease_until) return false;
  const auto wait = std::min<milliseconds>(kFirstRecordWait * (1 << std::min(tries, 10)), kLongestRecordWait);
  std::unique_lock lock(mutex_);
  if (stopping_ && tries > kRecordTriesWhenStopping) return false;
  changed_.wait_for(lock, wait, [this, was_stopping = stopping_] { return stopping_ != was_stopping; });
  return true;
}

void CallWorker::wait_for_work(std::size_t index, std::uint64_t seen) {
  // One thread looks often, the others seldom, in case that one is busy for long.
  const milliseconds poll = index == 0 ? options_.poll : options_.poll * 5;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, poll, [this, seen] { return stopping_ || wakes_ != seen; });
}

// --- what operators read ---------------------------------------------------------------------------------------------

/// No address, no OpenID, which may be one, and no URL, which may hold a key.
void CallWorker::log_outcome(const Finished& finished, std::optional<base::Timestamp> next, bool lease_was_over) const {
  const CallWords words = source_.words();
  const domain::CallResult& result = finished.result;
  const auto event = [&](std::string_view what) { return std::string(words.kind) + '.' + std::string(what); };
  const base::log::Field id("call", finished.lease.call_id.to_string());
  const base::log::Field target(words.target, finished.lease.target_id.to_string());
  const base::log::Field subject(words.subject, finished.subject);
  const base::log::Field status("status", result.http_status);
  const base::log::Field reason("reason", result.explanation);
  switch (result.outcome) {
    case CallOutcome::done:
      base::log::info(event("done"), {id, target, subject, {"attempt", finished.lease.attempts + 1}});
      break;
    case CallOutcome::deferred:
      if (next) {
        base::log::warning(event("deferred"),
                           {id, target, subject, status, reason, {"next_attempt", base::to_rfc3339(*next)}});
      } else {
        base::log::error(event("failed"), {id, target, subject, status, reason});
      }
      break;
    case CallOutcome::cancelled:
      base::log::info(event("cancelled"), {id, target, subject, reason});
      break;
  }
  if (lease_was_over) base::log::warning(event("lease_was_over"), {id});
}

}  // namespace invited::calls
