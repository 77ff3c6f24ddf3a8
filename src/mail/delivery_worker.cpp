// What if delivery fails? All the answers are here; what of it is written into the store is in delivery_record.cpp.
//
//   sent       recorded; done.
//   deferred   the recipient is to be tried again: 1, 2, 5, 10, 20, 30 min, then hourly (domain::next_attempt_at),
//   until
//              the link expires or mail.give_up_after; then failed. If the relay said 421 or the connection broke, no
//              other message is tried for a while either (`pauses_`), and none of them is charged.
//              If it is a new connection that the relay does not take while another one works, that connection sits
//              out and the message is put back.
//   rejected   failed for good, visible.
//   held       our configuration, or the relay as a whole. Nobody is charged; the queue stops (MailHold, in the store,
//   so
//              that operators see it and every instance obeys). One message at a time probes it, after 30 s, 1, 2, 4,
//              8, 10 min …; the first that gets through releases it.
//              Nor is anybody charged where the link would not open now (the environment is disabled): an hour later.
//   poisoned   cannot be rendered: quarantined at once.
//   no outcome the process died: the lease ends, the message is claimed again, its death counted by the store; after
//              three it is quarantined.
//   outcome that cannot be recorded (disk full): tried again until the lease ends; then the mail may leave twice.
//   the clock is set forward beyond a lease: nothing is claimed until what is under way here has been recorded.
//
// Recording costs a sync of the disk. So while a connection begins with a message, the outcome of the one before it is
// being recorded and the one after it claimed, in one transaction; the relay gets the last of the mail only when that
// is durable. At no moment is there more than one mail of a connection that the relay may have and the database does
// not know of. Nothing is claimed ahead beside a message that a process has died on: each would be counted as a death
// of the other one too.
#include "mail/delivery_worker.h"

#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"
#include "mail/delivery_parts.h"
#include "mail/link.h"
#include "mail/reason_not_to_send.h"
#include "mail/side_thread.h"
#include "mail/smtp_dialogue.h"

namespace invited::mail {

namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFirstPause{10};
constexpr seconds kWorksNow{10};             // a connection that has brought a mail so lately
constexpr milliseconds kLookWhileHeld{100};  // not for each mail that is queued behind a hold
constexpr seconds kKeepConnection{5};        // idle; relays dislike more
constexpr milliseconds kFirstRecordWait{50};
constexpr seconds kLongestRecordWait{5};
constexpr int kRecordTriesWhenStopping = 5;

}  // namespace

DeliveryWorker::DeliveryWorker(domain::Store& store, const base::Clock& clock, const domain::TokenKeys& keys,
                               const MessageBuilder& builder, const Settings& settings,
                               const TransportFactory& make_transport, const DeliveryOptions& options)
    : store_(store),
      clock_(clock),
      keys_(keys),
      builder_(builder),
      settings_(settings),
      options_(options),
      make_transport_(make_transport) {}

DeliveryWorker::~DeliveryWorker() { stop(); }

void DeliveryWorker::start() {
  const auto probe_now = [this](domain::Transaction& transaction) -> domain::Result<void> {
    if (auto hold = transaction.find_mail_hold()) {
      hold->next_try_at = clock_.now();
      transaction.set_mail_hold(hold);
    }
    return {};
  };
  const auto probed_now = store_.write(probe_now, domain::Urgency::owed);
  if (!probed_now) base::log::warning("mail.hold_not_read", {{"reason", probed_now.error().message}});
  const std::uint32_t connections = std::clamp(options_.connections, 1U, kMostConnections);
  for (std::uint32_t i = 0; i < connections; ++i) transports_.push_back(make_transport_());
  running_ = connections;
  sitting_out_.resize(connections);
  for (std::uint32_t i = 0; i < connections; ++i) threads_.emplace_back([this, i] { run(i); });
}

void DeliveryWorker::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  queued_.notify_one();
}

void DeliveryWorker::stop(milliseconds bound) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    queued_.notify_all();
    changed_.notify_all();
    changed_.wait_for(lock, bound, [this] { return running_ == 0; });
  }
  for (const auto& transport : transports_) transport->interrupt();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool DeliveryWorker::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// --- one thread ------------------------------------------------------------------------------------------------------

void DeliveryWorker::run(std::size_t index) {
  // Signals are for the main thread; and a relay that closes must not kill us by SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  Transport& transport = *transports_[index];
  SideThread recorder;
  std::vector<Finished> finished;  // not recorded yet
  std::optional<Claim> next;
  bool flowing = false;  // one message after the other
  auto last_delivery = std::chrono::steady_clock::now();
  int failed_records = 0;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = wakes_;
      if (!next && !ahead_.empty() && (stopping_ || !sits_out(index))) {
        next = std::move(ahead_.back());
        ahead_.pop_back();
      }
    }
    const bool may_claim = !is_stopping() && may_try_relay(index);
    const auto is_held = [](const Finished& one) { return one.result.outcome == DeliveryOutcome::held; };
    if (next && (!may_claim || !may_still_send(*next) || std::ranges::any_of(finished, is_held))) {
      finished.push_back(put_back(*next));
      next.reset();
    }
    const auto is_sent = [](const Finished& one) { return one.result.outcome == DeliveryOutcome::sent; };
    const bool go_on = next && std::ranges::all_of(finished, is_sent);
    bool stored = true;
    if (!go_on) {
      const bool was_claimed = next.has_value();
      flowing = !finished.empty();
      stored = record_and_claim(finished, may_claim && !was_claimed ? Claiming::next : Claiming::nothing, next);
      // What was claimed ahead has waited for the outcome; it is looked at again now.
      if (was_claimed && stored) continue;
    }
    if (may_claim && !next) give_up_turn(index);
    if (next && stored) {
      const Claim claim = *std::exchange(next, std::nullopt);
      wake();  // where one is due there may be more, for the other connections
      const Claiming claiming = flowing && may_claim_ahead(claim) ? Claiming::ahead : Claiming::nothing;
      const bool must_record = !finished.empty();
      bool recorded = true;
      if (must_record || claiming != Claiming::nothing)
        recorder.start([&] { recorded = record_and_claim_ahead(finished, claiming); });
      auto outcome = attempt(claim, transport, [&] {
        if (!must_record) return true;
        recorder.wait();
        return recorded;
      });
      recorder.wait();
      note_relay(index, outcome);
      finished.push_back(std::move(outcome));
      last_delivery = std::chrono::steady_clock::now();
      failed_records = 0;
      continue;
    }
    if (!stored && !finished.empty()) {
      if (wait_before_recording_again(finished.front(), ++failed_records)) continue;
      for (const Finished& lost : finished) {
        forget(lost.lease);
        log_not_recorded(lost);
      }
      finished.clear();
      if (next) forget(next->lease);  // it ends by itself
      next.reset();
    }
    flowing = false;
    if (is_stopping()) {
      const std::lock_guard lock(mutex_);
      if (ahead_.empty()) break;
      continue;  // to put it back
    }
    wait_for_work(index, seen);
    if (std::chrono::steady_clock::now() - last_delivery > kKeepConnection) transport.close();
  }
  transport.close();
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

/// Claimed ahead some time ago: there must be enough left of the lease for the longest delivery. Not by a clock that
/// may be set, or may be another one than the lease's.
bool DeliveryWorker::may_still_send(const Claim& claim) const {
  return std::chrono::steady_clock::now() - claim.claimed_at <= options_.lease - longest_delivery(options_.lease);
}

bool DeliveryWorker::may_claim_ahead(const Claim& under_way) const {
  const std::lock_guard lock(mutex_);
  return !stopping_ && pauses_ == 0 && !under_way.is_probe && under_way.lease.message.deaths == 0;
}

/// What was claimed ahead and cannot be sent now: as it was before, and charged for nothing.
DeliveryWorker::Finished DeliveryWorker::put_back(const Claim& claim) {
  Finished finished{claim.lease, {}, claim.is_probe, /*met_relay=*/false, /*was_begun=*/false};
  finished.result = {DeliveryOutcome::held, 0, std::string(kInterrupted), "not begun: the queue waits"};
  return finished;
}

DeliveryWorker::Finished DeliveryWorker::attempt(const Claim& claim, Transport& transport,
                                                 std::function<bool()> may_complete) const {
  const domain::OutboxMessage& message = claim.lease.message;
  Finished finished{claim.lease, {}, claim.is_probe, /*met_relay=*/false};
  try {
    const auto looked = reason_not_to_send(message, store_, clock_.now());
    if (!looked) {
      finished.result = {DeliveryOutcome::held, 0, "storage", looked.error().message};
      return finished;
    }
    if (const std::optional<DeliveryResult>& reason = *looked) {
      finished.result = *reason;
      return finished;
    }
    const auto bytes = builder_.build(message, message_link(options_.public_url, keys_, message));
    if (!bytes) {
      finished.result = {DeliveryOutcome::poisoned, 0, "render", bytes.error().message};
      return finished;
    }
    base::failpoint("mail_before_send");
    finished.result = transport.deliver({settings_.from, message.recipient.text(), domain::message_id_of(message),
                                         message.queued_at, std::move(may_complete)},
                                        *bytes);
    if (finished.result.outcome == DeliveryOutcome::sent) base::failpoint("mail_after_send");
    finished.met_relay = finished.result.stage != kInterrupted;
  } catch (const std::exception& failure) {
    finished.result = {DeliveryOutcome::poisoned, 0, "render", failure.what()};
  }
  return finished;
}

// --- between the threads ---------------------------------------------------------------------------------------------

/// A pause ends with one thread that tries; when it gets through, all may.
bool DeliveryWorker::may_try_relay(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (sits_out(index)) return false;
  if (pauses_ == 0) return true;
  if (is_ahead(paused_until_, clock_.now(), kLongestWait) || (tester_ && *tester_ != index)) return false;
  tester_ = index;
  return true;
}

void DeliveryWorker::give_up_turn(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (tester_ == index) tester_.reset();
}

/// May turn the outcome into one that charges nobody.
void DeliveryWorker::note_relay(std::size_t index, Finished& finished) {
  const std::lock_guard lock(mutex_);
  if (tester_ == index) tester_.reset();
  if (!finished.met_relay) return;
  if (is_one_too_many(index, finished)) {
    SittingOut& out = sitting_out_[index];
    out.times += 1;
    out.until = clock_.now() + doubled(kFirstPause, out.times);
    if (out.times == 1)
      base::log::warning("mail.too_many_connections", {{"reply", finished.result.reply_code},
                                                       {"reason", finished.result.explanation},
                                                       {"remedy", "lower mail.connections to what the relay takes"}});
    finished.result = {DeliveryOutcome::held, 0, std::string(kInterrupted),
                       "not begun: " + finished.result.explanation};
    finished.met_relay = finished.was_begun = false;
    return;
  }
  if (finished.result.outcome == DeliveryOutcome::sent) {
    sitting_out_[index].times = 0;
    last_sender_ = index;
    last_sent_at_ = std::chrono::steady_clock::now();
  }
  if (asks_for_pause(finished.result)) {
    pauses_ += 1;
    paused_until_ = clock_.now() + doubled(kFirstPause, pauses_);
  } else {
    pauses_ = 0;
  }
}

/// "Not now", said to a new connection, while another one brings mails under the same name: it is about their number.
bool DeliveryWorker::is_one_too_many(std::size_t index, const Finished& finished) const {
  const DeliveryResult& result = finished.result;
  const bool is_new = result.stage == to_string(SmtpStage::banner) || result.stage == to_string(SmtpStage::ehlo) ||
                      result.stage == to_string(SmtpStage::auth);
  return is_new && result.reply_code / 100 == 4 && last_sender_ != index && last_sent_at_ &&
         std::chrono::steady_clock::now() - *last_sent_at_ < kWorksNow;
}

bool DeliveryWorker::sits_out(std::size_t index) const {
  return is_ahead(sitting_out_[index].until, clock_.now(), kLongestWait);
}

/// False where trying on makes no sense: the lease is over, or we are stopping and have tried.
bool DeliveryWorker::wait_before_recording_again(const Finished& finished, int tries) {
  if (clock_.now() >= finished.lease.lease_until) return false;
  const auto wait = std::min<milliseconds>(kFirstRecordWait * (1 << std::min(tries, 10)), kLongestRecordWait);
  std::unique_lock lock(mutex_);
  if (stopping_ && tries > kRecordTriesWhenStopping) return false;
  changed_.wait_for(lock, wait, [this, was_stopping = stopping_] { return stopping_ != was_stopping; });
  return true;
}

void DeliveryWorker::wait_for_work(std::size_t index, std::uint64_t seen) {
  // One thread looks often, the others seldom, in case that one is busy for long.
  const milliseconds poll = index == 0 ? options_.poll : options_.poll * 5;
  std::unique_lock lock(mutex_);
  if (is_held_) changed_.wait_for(lock, kLookWhileHeld, [this] { return stopping_; });
  queued_.wait_for(lock, poll, [this, seen] { return stopping_ || wakes_ != seen; });
}

}  // namespace invited::mail
