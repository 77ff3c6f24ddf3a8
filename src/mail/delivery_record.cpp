// What the delivery worker writes into the store: claims, outcomes, the hold on the queue.
#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "mail/delivery_event.h"
#include "mail/delivery_parts.h"
#include "mail/reason_not_to_send.h"

namespace invited::mail {

namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFirstHold{30};
constexpr seconds kAfterFaultHere{5};
constexpr std::chrono::hours kAfterClosedLink{1};  // enabling the environment does not wait for it

}  // namespace

/// One transaction for all, as each costs a commit. `finished` is empty afterwards, unless false is returned.
bool DeliveryWorker::record_and_claim(std::vector<Finished>& finished, Claiming claiming, std::optional<Claim>& claim) {
  if (finished.empty() && claiming == Claiming::nothing) return true;
  std::vector<Notes> notes;
  std::optional<Claim> claimed;
  bool is_held = false;
  const auto work = [&](domain::Transaction& transaction) -> domain::Result<void> {
    const base::Timestamp now = clock_.now();
    notes.assign(finished.size(), {});
    auto hold = transaction.find_mail_hold();
    for (std::size_t i = 0; i < finished.size(); ++i) record(transaction, finished[i], now, hold, notes[i]);
    is_held = forbids_claims(hold, now);
    if (claiming != Claiming::nothing) claimed = claim_one(transaction, claiming, now, hold);
    return {};
  };
  if (!store_.write(work, domain::Urgency::owed)) return false;
  {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    if (claimed) under_way_.emplace(claimed->lease.id, claimed->lease.lease_until);
  }
  if (claimed) claim = std::move(claimed);
  for (std::size_t i = 0; i < finished.size(); ++i) {
    log_outcome(finished[i], notes[i]);
    forget(finished[i].lease);
  }
  finished.clear();
  return true;
}

/// What was claimed goes to whichever thread is the first that has time for it: it may not wait behind a slow one.
bool DeliveryWorker::record_and_claim_ahead(std::vector<Finished>& finished, Claiming claiming) {
  std::optional<Claim> claimed;
  if (!record_and_claim(finished, claiming, claimed)) return false;
  if (claimed) {
    {
      const std::lock_guard lock(mutex_);
      ahead_.push_back(*std::move(claimed));
    }
    wake();
  }
  return true;
}

/// A lease of ours seems to be over: the clock was set forward, as no delivery takes as long. Its message would be
/// claimed, and so sent, a second time.
bool DeliveryWorker::is_one_of_ours_over(base::Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(under_way_, [now](const auto& lease) { return lease.second <= now; });
}

void DeliveryWorker::forget(const domain::Lease& lease) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(lease.id);
}

bool DeliveryWorker::forbids_claims(const Hold& hold, base::Timestamp now) const {
  return hold && is_ahead(hold->next_try_at, now, std::max<milliseconds>(kLongestWait, options_.lease));
}

std::optional<DeliveryWorker::Claim> DeliveryWorker::claim_one(domain::Transaction& transaction, Claiming claiming,
                                                               base::Timestamp now, Hold& hold) const {
  if (is_one_of_ours_over(now)) return std::nullopt;
  if (hold && claiming == Claiming::ahead) return std::nullopt;
  if (forbids_claims(hold, now)) return std::nullopt;
  auto leases = transaction.claim_due_messages(1, now, now + options_.lease);
  if (leases.empty()) return std::nullopt;
  if (hold) {
    hold->next_try_at = now + options_.lease;  // nobody else probes meanwhile; the outcome sets it anew
    transaction.set_mail_hold(hold);
  }
  return Claim{std::move(leases.front()), hold.has_value(), std::chrono::steady_clock::now()};
}

void DeliveryWorker::record(domain::Transaction& transaction, const Finished& finished, base::Timestamp now, Hold& hold,
                            Notes& notes) const {
  const DeliveryResult& result = finished.result;
  if (result.outcome == DeliveryOutcome::deferred) {
    const domain::OutboxMessage& message = finished.lease.message;
    const base::Timestamp since = domain::tried_since(message, transaction.list_attempts(message.id));
    notes.next_attempt = domain::next_attempt_at(message, since, options_.retry, now, base::random_fraction());
  }
  // Behind the others: the next probe of a held queue takes another message. Where the fault is here, not at the relay,
  // not at once again.
  if (result.outcome == DeliveryOutcome::held) notes.next_attempt = finished.met_relay ? now : now + kAfterFaultHere;
  if (result.outcome == DeliveryOutcome::held && result.stage == kNotNow) {
    // Not at its expiry or later: that would mean that an operator holds it (domain::is_held).
    const base::Timestamp last = finished.lease.message.expires_at - kAfterFaultHere;
    notes.next_attempt = std::max(now + kAfterFaultHere, std::min(now + kAfterClosedLink, last));
  }
  if (!finished.was_begun) notes.next_attempt = finished.lease.message.due_at;
  std::optional<DeliveryEvent> event;
  if (finished.met_relay) event.emplace(finished.lease.message, result, notes.next_attempt.has_value(), transaction);
  notes.lease_was_over = !transaction.finish_attempt(finished.lease, result, notes.next_attempt, now);
  if (event && !notes.lease_was_over) event->queue(transaction, now);

  if (!finished.met_relay) {
    if (hold && finished.is_probe) {
      hold->next_try_at = now;  // it proved nothing
      transaction.set_mail_hold(hold);
    }
  } else if (result.outcome != DeliveryOutcome::held) {
    notes.hold_ended = hold.has_value();
    if (hold) transaction.set_mail_hold(std::nullopt);
    hold.reset();
  } else if (!hold) {
    hold = domain::MailHold{now, now + kFirstHold, 1, result};
    transaction.set_mail_hold(hold);
    notes.hold_began = true;
  } else if (finished.is_probe) {
    hold->tries += 1;
    hold->next_try_at = now + doubled(kFirstHold, hold->tries);
    hold->reason = result;
    transaction.set_mail_hold(hold);
  }
}

}  // namespace invited::mail
