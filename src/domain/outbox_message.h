// A mail that is owed, its states, its attempts, and the schedule of retries as pure functions. It is queued in the
// transaction that makes it necessary, with all that its text needs, so that every copy has equal bytes and one
// Message-ID. Delivery itself is mail/delivery_worker. Plain values; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/translation.h"
#include "base/uuid.h"
#include "domain/email_address.h"

namespace invited::domain {

/// Which text it gets (mail/templates).
enum class MessageKind {
  invitation_to_sign_up,  ///< the address has no account yet
  invitation_to_accept,   ///< an account without that role
  already_has_access,     ///< an account that has the role: tells so, no token
  password_reset,         ///< asked for on the sign-in page; belongs to an account, not to an environment
};

enum class MessageState {
  queued,       ///< owed; due at `due_at`
  sent,         ///< the relay took it
  failed,       ///< refused for good (5yz for this recipient or content), or its time is over
  quarantined,  ///< the process died on it three times, or it cannot be rendered; `mail retry` queues it again
  cancelled,    ///< its link is dead: superseded, accepted, declined, revoked
};

std::string_view to_string(MessageKind kind);
std::optional<MessageKind> parse_message_kind(std::string_view text);
std::string_view to_string(MessageState state);
std::optional<MessageState> parse_message_state(std::string_view text);

struct OutboxMessage {
  base::Uuid id;
  MessageKind kind = MessageKind::invitation_to_sign_up;
  MessageState state = MessageState::queued;
  base::Uuid environment_id;     ///< nil for password_reset
  base::Uuid invitation_id;      ///< nil where no invitation is behind it
  std::uint32_t generation = 0;  ///< of the invitation; for password_reset, of the account's password
  EmailAddress recipient;
  base::Language language = base::Language::en;
  // What the text says, as it was when queued.
  std::string inviter_name;
  std::string app_name;
  std::string app_url;
  std::string role_name;       ///< of all roles: names_of() (app.h)
  base::Timestamp queued_at;   ///< the Date header
  base::Timestamp not_before;  ///< the slot that the mailbox limit gave it
  base::Timestamp due_at;      ///< next attempt
  base::Timestamp expires_at;  ///< of the link (or queued_at + 4 days): never sent later, and what was sent is over
  std::uint32_t attempts = 0;  ///< finished ones
  std::uint32_t deaths = 0;    ///< leases that ended without an outcome
  std::optional<base::Timestamp> finished_at;
  std::string last_error;   ///< the remote reply or our reason, of the newest attempt; empty if none
  base::Uuid account_id{};  ///< password_reset: whose; else nil
};

/// Queued, but due at its very expiry, that is never: it was owed when a backup was made that was restored since, and
/// may have been sent meanwhile. An operator lets it go or cancels it.
bool is_held(const OutboxMessage& message);

/// The Message-ID's left part, without angle brackets and domain; the same for every copy.
std::string message_id_of(const OutboxMessage& message);

/// A queued message that a delivery worker has claimed until `lease_until`; the lease's id guards the outcome against
/// a worker that comes back late.
struct Lease {
  base::Uuid id;
  OutboxMessage message;
  base::Timestamp lease_until;
};

/// How one attempt ended. `sent`, `deferred`, `rejected` concern this message; `held` concerns our configuration or
/// the relay as a whole (banner, EHLO, STARTTLS, AUTH, MAIL FROM, certificate): no message is charged for it.
/// `poisoned`: cannot be rendered.
enum class DeliveryOutcome { sent, deferred, rejected, held, poisoned };

std::string_view to_string(DeliveryOutcome outcome);
std::optional<DeliveryOutcome> parse_delivery_outcome(std::string_view text);

struct DeliveryResult {
  DeliveryOutcome outcome = DeliveryOutcome::deferred;
  int reply_code = 0;  ///< SMTP reply, 0 where there was none
  std::string stage;   ///< "connect", "banner", "ehlo", "starttls", "auth", "mail_from", "rcpt_to", "data", "render", …
  std::string explanation;  ///< the remote text or our reason; one line, no secret
};

/// One try at delivering a message, as listed by `invited mail show`.
struct Attempt {
  base::Uuid message_id;
  std::uint32_t number = 1;
  base::Timestamp started_at;
  std::optional<base::Timestamp> finished_at;  ///< none: under way, or the process died
  std::optional<DeliveryResult> result;
};

/// The queue as a whole is held: our configuration is refused. One row, shown by `mail list` and `check`.
struct MailHold {
  base::Timestamp since;
  base::Timestamp next_try_at;
  std::uint32_t tries = 1;
  DeliveryResult reason;
};

struct RetryPolicy {
  std::chrono::seconds give_up_after = std::chrono::hours(24 * 4);
  double jitter = 0.2;
};

/// Time to wait after the `attempts`-th failed attempt (1-based): 1, 2, 5, 10, 20, 30 min, then hourly, each spread
/// by `jitter` with `random` in [0, 1).
std::chrono::milliseconds retry_delay(std::uint32_t attempts, const RetryPolicy& policy, double random);

/// When the first attempt began that is charged to the message, since it was queued or last retried: not while the
/// queue was held. `attempts`: all of its attempts, in their order; the last one is under way.
base::Timestamp tried_since(const OutboxMessage& message, std::span<const Attempt> attempts);

/// When the next attempt is due after a deferral at `now`, or nothing where it would be after the message's expiry or
/// `give_up_after` after `tried_since`.
std::optional<base::Timestamp> next_attempt_at(const OutboxMessage& message, base::Timestamp tried_since,
                                               const RetryPolicy& policy, base::Timestamp now, double random);

struct MailboxLimit {
  std::uint32_t per_minute = 1;
  std::uint32_t per_hour = 3;
  std::uint32_t per_day = 10;  ///< 0 in any: no limit
};

/// The first moment at or after `now` at which one more mail may go to a mailbox whose other mails (not cancelled, of
/// the last day or still to come) have the slots `taken`, in ascending order.
base::Timestamp next_mailbox_slot(std::span<const base::Timestamp> taken, const MailboxLimit& limit,
                                  base::Timestamp now);

/// Leases without an outcome after which a message is quarantined.
inline constexpr std::uint32_t kDeathsBeforeQuarantine = 3;

}  // namespace invited::domain
