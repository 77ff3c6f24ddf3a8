// What if delivery fails? All the answers are here.
//
//   sent       recorded; done.
//   deferred   the recipient is to be tried again: 1, 2, 5, 10, 20, 30 min, then hourly (domain::next_attempt_at),
//   until
//              the link expires or mail.give_up_after; then failed. If the relay said 421 or the connection broke, no
//              other message is tried for a while either (`pauses_`), and none of them is charged.
//   rejected   failed for good, visible.
//   held       our configuration, or the relay as a whole. Nobody is charged; the queue stops (MailHold, in the store,
//   so
//              that operators see it and every instance obeys). One message at a time probes it, after 30 s, 1, 2, 4,
//              8, 10 min …; the first that gets through releases it.
//   poisoned   cannot be rendered: quarantined at once.
//   no outcome the process died: the lease ends, the message is claimed again, its death counted by the store; after
//              three it is quarantined.
//   outcome that cannot be recorded (disk full): tried again until the lease ends; then the mail may leave twice.
#include "mail/delivery_worker.h"

#include <signal.h>

#include <algorithm>
#include <exception>

#include "base/crypto.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mail/link.h"
#include "mail/smtp_dialogue.h"

namespace invited::mail {

namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFirstHold{30};
constexpr seconds kFirstPause{10};
constexpr std::chrono::minutes kLongestWait{10};
constexpr seconds kKeepConnection{5};  // idle; relays dislike more
constexpr seconds kAfterFaultHere{5};
constexpr milliseconds kFirstRecordWait{50};
constexpr seconds kLongestRecordWait{5};
constexpr int kRecordTriesWhenStopping = 5;

/// first, 2 first, 4 first, … up to kLongestWait. `tries` from 1.
milliseconds doubled(seconds first, std::uint32_t tries) {
  const std::uint32_t doublings = std::min(tries - std::min(tries, 1U), 16U);
  return std::min<milliseconds>(first * (1U << doublings), kLongestWait);
}

/// Whether `until` is still to come. What is further ahead than anything is ever set is no reason to wait: the clock
/// was set back meanwhile.
bool is_ahead(base::Timestamp until, base::Timestamp now, milliseconds longest) {
  return now < until && until - now <= longest;
}

}  // namespace

struct DeliveryWorker::Claim {
  domain::Lease lease;
  bool is_probe = false;  ///< of a held queue
};

struct DeliveryWorker::Finished {
  domain::Lease lease;
  DeliveryResult result;
  bool is_probe = false;
  bool met_relay = false;  ///< the transport was asked: the result says something about the way out
};

/// What a recording brought about, to be logged after its commit.
struct DeliveryWorker::Notes {
  bool lease_was_over = false;
  bool hold_began = false;
  bool hold_ended = false;
  std::optional<base::Timestamp> next_attempt;
};

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
  const std::uint32_t connections = std::clamp(options_.connections, 1U, 5U);
  for (std::uint32_t i = 0; i < connections; ++i) transports_.push_back(make_transport_());
  running_ = connections;
  for (std::uint32_t i = 0; i < connections; ++i) threads_.emplace_back([this, i] { run(i); });
}

void DeliveryWorker::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  changed_.notify_one();
}

void DeliveryWorker::stop(milliseconds bound) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
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
  std::optional<Finished> finished;
  auto last_delivery = std::chrono::steady_clock::now();
  int failed_records = 0;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = wakes_;
    }
    std::optional<Claim> claim;
    const bool may_claim = !is_stopping() && may_try_relay(index);
    const bool stored = record_and_claim(finished, may_claim, claim);
    if (may_claim && !claim) give_up_turn(index);
    if (claim) {
      wake();  // where one is due there may be more, for the other connections
      finished = attempt(*claim, transport);
      note_relay(index, *finished);
      last_delivery = std::chrono::steady_clock::now();
      failed_records = 0;
      continue;
    }
    if (!stored && finished) {
      if (wait_before_recording_again(*finished, ++failed_records)) continue;
      base::log::error("mail.outcome_not_recorded",
                       {{"message", finished->lease.message.id.to_string()},
                        {"outcome", domain::to_string(finished->result.outcome)},
                        {"effect", "the message will be tried again; the same mail may arrive twice"}});
      finished.reset();
    }
    if (is_stopping()) break;
    wait_for_work(index, seen);
    if (std::chrono::steady_clock::now() - last_delivery > kKeepConnection) transport.close();
  }
  transport.close();
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

/// One transaction for both, as each costs a commit. `finished` is empty afterwards, unless false is returned.
bool DeliveryWorker::record_and_claim(std::optional<Finished>& finished, bool may_claim, std::optional<Claim>& claim) {
  if (!finished && !may_claim) return true;
  Notes notes;
  const auto work = [&](domain::Transaction& transaction) -> domain::Result<void> {
    const base::Timestamp now = clock_.now();
    if (finished) record(transaction, *finished, now, notes);
    if (may_claim) claim = claim_one(transaction, now);
    return {};
  };
  const auto done = store_.write(work, domain::Urgency::owed);
  if (!done) {
    claim.reset();
    return false;
  }
  if (finished) log_outcome(*finished, notes);
  finished.reset();
  return true;
}

DeliveryWorker::Finished DeliveryWorker::attempt(const Claim& claim, Transport& transport) const {
  const domain::OutboxMessage& message = claim.lease.message;
  Finished finished{claim.lease, {}, claim.is_probe, /*met_relay=*/false};
  try {
    const auto looked = reason_not_to_send(message);
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
    finished.result = transport.deliver(
        {settings_.from, message.recipient.text(), domain::message_id_of(message), message.queued_at}, *bytes);
    if (finished.result.outcome == DeliveryOutcome::sent) base::failpoint("mail_after_send");
    finished.met_relay = finished.result.stage != kInterrupted;
  } catch (const std::exception& failure) {
    finished.result = {DeliveryOutcome::poisoned, 0, "render", failure.what()};
  }
  return finished;
}

/// Asked right before sending, in a read of its own: between the claim and now the link may have died.
domain::Result<std::optional<DeliveryResult>> DeliveryWorker::reason_not_to_send(
    const domain::OutboxMessage& message) const {
  return domain::read_returning(
      store_, [&](domain::Transaction& transaction) -> domain::Result<std::optional<DeliveryResult>> {
        const base::Timestamp now = clock_.now();
        const auto no = [](std::string stage, std::string why) {
          return std::optional<DeliveryResult>({DeliveryOutcome::rejected, 0, std::move(stage), std::move(why)});
        };
        const auto stored = transaction.find_message(message.id);
        if (!stored || stored->state != domain::MessageState::queued)
          return no("cancelled", "not sent: the message was cancelled");
        if (now >= message.expires_at) return no("expired", "not sent: its time was over");
        if (message.kind == domain::MessageKind::password_reset) {
          const auto account = transaction.find_account(message.account_id);
          if (!account || account->disabled) return no("cancelled", "not sent: the account is gone or disabled");
          if (account->password_generation != message.generation)
            return no("cancelled", "not sent: the password has been changed since");
          return std::optional<DeliveryResult>{};
        }
        if (!carries_link(message.kind)) return std::optional<DeliveryResult>{};
        const auto invitation = transaction.find_invitation(message.invitation_id);
        if (!invitation || invitation->state_at(now) != domain::InvitationState::pending)
          return no("cancelled", "not sent: the invitation is no longer pending");
        if (invitation->generation != message.generation) return no("cancelled", "not sent: a newer mail replaces it");
        return std::optional<DeliveryResult>{};
      });
}

// --- in the store ----------------------------------------------------------------------------------------------------

std::optional<DeliveryWorker::Claim> DeliveryWorker::claim_one(domain::Transaction& transaction,
                                                               base::Timestamp now) const {
  auto hold = transaction.find_mail_hold();
  if (hold && is_ahead(hold->next_try_at, now, std::max<milliseconds>(kLongestWait, options_.lease)))
    return std::nullopt;
  auto leases = transaction.claim_due_messages(1, now, now + options_.lease);
  if (leases.empty()) return std::nullopt;
  if (hold) {
    hold->next_try_at = now + options_.lease;  // nobody else probes meanwhile; the outcome sets it anew
    transaction.set_mail_hold(hold);
  }
  return Claim{std::move(leases.front()), hold.has_value()};
}

void DeliveryWorker::record(domain::Transaction& transaction, const Finished& finished, base::Timestamp now,
                            Notes& notes) const {
  const DeliveryResult& result = finished.result;
  if (result.outcome == DeliveryOutcome::deferred)
    notes.next_attempt = domain::next_attempt_at(finished.lease.message, options_.retry, now, base::random_fraction());
  // Behind the others: the next probe of a held queue takes another message. Where the fault is here, not at the relay,
  // not at once again.
  if (result.outcome == DeliveryOutcome::held) notes.next_attempt = finished.met_relay ? now : now + kAfterFaultHere;
  notes.lease_was_over = !transaction.finish_attempt(finished.lease, result, notes.next_attempt, now);

  auto hold = transaction.find_mail_hold();
  if (!finished.met_relay) {
    if (hold && finished.is_probe) {
      hold->next_try_at = now;  // it proved nothing
      transaction.set_mail_hold(hold);
    }
  } else if (result.outcome != DeliveryOutcome::held) {
    if (hold) transaction.set_mail_hold(std::nullopt);
    notes.hold_ended = hold.has_value();
  } else if (!hold) {
    transaction.set_mail_hold(domain::MailHold{now, now + kFirstHold, 1, result});
    notes.hold_began = true;
  } else if (finished.is_probe) {
    hold->tries += 1;
    hold->next_try_at = now + doubled(kFirstHold, hold->tries);
    hold->reason = result;
    transaction.set_mail_hold(hold);
  }
}

// --- between the threads ---------------------------------------------------------------------------------------------

/// A pause ends with one thread that tries; when it gets through, all may.
bool DeliveryWorker::may_try_relay(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (pauses_ == 0) return true;
  if (is_ahead(paused_until_, clock_.now(), kLongestWait) || (tester_ && *tester_ != index)) return false;
  tester_ = index;
  return true;
}

void DeliveryWorker::give_up_turn(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (tester_ == index) tester_.reset();
}

void DeliveryWorker::note_relay(std::size_t index, const Finished& finished) {
  const std::lock_guard lock(mutex_);
  if (tester_ == index) tester_.reset();
  if (!finished.met_relay) return;
  if (asks_for_pause(finished.result)) {
    pauses_ += 1;
    paused_until_ = clock_.now() + doubled(kFirstPause, pauses_);
  } else {
    pauses_ = 0;
  }
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
  changed_.wait_for(lock, poll, [this, seen] { return stopping_ || wakes_ != seen; });
}

// --- what operators read ---------------------------------------------------------------------------------------------

void DeliveryWorker::log_outcome(const Finished& finished, const Notes& notes) const {
  const DeliveryResult& result = finished.result;
  const std::string id = finished.lease.message.id.to_string();
  const base::log::Field message("message", id);
  const base::log::Field stage("stage", result.stage);
  const base::log::Field reply("reply", result.reply_code);
  const base::log::Field reason("reason", result.explanation);
  switch (result.outcome) {
    case DeliveryOutcome::sent:
      base::log::info("mail.sent", {message, {"attempt", finished.lease.message.attempts + 1}});
      break;
    case DeliveryOutcome::deferred:
      if (notes.next_attempt) {
        base::log::warning("mail.deferred",
                           {message, stage, reply, reason, {"next_attempt", base::to_rfc3339(*notes.next_attempt)}});
      } else {
        base::log::error("mail.given_up", {message, stage, reply, reason});
      }
      break;
    case DeliveryOutcome::rejected:
      if (finished.met_relay)
        base::log::warning("mail.rejected", {message, stage, reply, reason});
      else
        base::log::info("mail.not_sent", {message, stage, reason});
      break;
    case DeliveryOutcome::held:
      if (finished.met_relay) log_hold(finished, notes);
      break;
    case DeliveryOutcome::poisoned:
      base::log::error("mail.quarantined", {message, stage, reason});
      break;
  }
  if (notes.hold_ended) base::log::info("mail.released", {{"meaning", "the queue is no longer held"}});
  if (notes.lease_was_over) base::log::warning("mail.lease_was_over", {message});
}

void DeliveryWorker::log_hold(const Finished& finished, const Notes& notes) const {
  const DeliveryResult& result = finished.result;
  const std::initializer_list<base::log::Field> fields{{"stage", result.stage},
                                                       {"reply", result.reply_code},
                                                       {"reason", result.explanation},
                                                       {"remedy", how_to_mend(settings_, result)}};
  if (notes.hold_began)
    base::log::error("mail.held", fields);
  else if (finished.is_probe)
    base::log::warning("mail.still_held", fields);
}

}  // namespace invited::mail
