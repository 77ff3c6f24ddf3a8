#include "domain/outbox_message.h"

#include <algorithm>
#include <array>

namespace invited::domain {
namespace {

using std::chrono::minutes;

template <class Enum, std::size_t size>
std::optional<Enum> parse(std::string_view text, const std::array<Enum, size>& values) {
  for (const Enum value : values)
    if (text == to_string(value)) return value;
  return std::nullopt;
}

constexpr std::array kFirstDelays{minutes(1), minutes(2), minutes(5), minutes(10), minutes(20), minutes(30)};
constexpr minutes kLaterDelay{60};

}  // namespace

std::string_view to_string(MessageKind kind) {
  switch (kind) {
    case MessageKind::invitation_to_sign_up:
      return "invitation_to_sign_up";
    case MessageKind::invitation_to_accept:
      return "invitation_to_accept";
    case MessageKind::already_has_access:
      return "already_has_access";
    case MessageKind::password_reset:
      return "password_reset";
  }
  return "invitation_to_sign_up";
}

std::optional<MessageKind> parse_message_kind(std::string_view text) {
  return parse(text, std::array{MessageKind::invitation_to_sign_up, MessageKind::invitation_to_accept,
                                MessageKind::already_has_access, MessageKind::password_reset});
}

std::string_view to_string(MessageState state) {
  switch (state) {
    case MessageState::queued:
      return "queued";
    case MessageState::sent:
      return "sent";
    case MessageState::failed:
      return "failed";
    case MessageState::quarantined:
      return "quarantined";
    case MessageState::cancelled:
      return "cancelled";
  }
  return "queued";
}

std::optional<MessageState> parse_message_state(std::string_view text) {
  return parse(text, std::array{MessageState::queued, MessageState::sent, MessageState::failed,
                                MessageState::quarantined, MessageState::cancelled});
}

std::string_view to_string(DeliveryOutcome outcome) {
  switch (outcome) {
    case DeliveryOutcome::sent:
      return "sent";
    case DeliveryOutcome::deferred:
      return "deferred";
    case DeliveryOutcome::rejected:
      return "rejected";
    case DeliveryOutcome::held:
      return "held";
    case DeliveryOutcome::poisoned:
      return "poisoned";
  }
  return "deferred";
}

std::optional<DeliveryOutcome> parse_delivery_outcome(std::string_view text) {
  return parse(text, std::array{DeliveryOutcome::sent, DeliveryOutcome::deferred, DeliveryOutcome::rejected,
                                DeliveryOutcome::held, DeliveryOutcome::poisoned});
}

bool is_held(const OutboxMessage& message) {
  return message.state == MessageState::queued && message.due_at >= message.expires_at;
}

std::string message_id_of(const OutboxMessage& message) { return message.id.to_string(); }

std::chrono::milliseconds retry_delay(std::uint32_t attempts, const RetryPolicy& policy, double random) {
  const std::size_t index = attempts == 0 ? 0 : attempts - 1;
  const minutes plain = index < kFirstDelays.size() ? kFirstDelays[index] : kLaterDelay;
  const double factor = 1 + policy.jitter * (2 * random - 1);
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double, std::milli>(plain) * factor);
}

base::Timestamp tried_since(const OutboxMessage& message, std::span<const Attempt> attempts) {
  std::uint32_t left = message.attempts;
  base::Timestamp since = attempts.empty() ? message.not_before : attempts.back().started_at;
  for (auto attempt = attempts.rbegin(); attempt != attempts.rend() && left > 0; ++attempt) {
    if (!attempt->result || attempt->result->outcome == DeliveryOutcome::held) continue;
    since = attempt->started_at;
    --left;
  }
  return since;
}

std::optional<base::Timestamp> next_attempt_at(const OutboxMessage& message, base::Timestamp tried_since,
                                               const RetryPolicy& policy, base::Timestamp now, double random) {
  const base::Timestamp next = now + retry_delay(message.attempts + 1, policy, random);
  const base::Timestamp last = std::min(message.expires_at, tried_since + policy.give_up_after);
  if (next >= last) return std::nullopt;
  return next;
}

base::Timestamp next_mailbox_slot(std::span<const base::Timestamp> taken, const MailboxLimit& limit,
                                  base::Timestamp now) {
  struct Window {
    std::uint32_t count;
    std::chrono::milliseconds length;
  };
  const std::array<Window, 3> windows{{{limit.per_minute, minutes(1)},
                                       {limit.per_hour, std::chrono::hours(1)},
                                       {limit.per_day, std::chrono::hours(24)}}};
  // Slots are given in order, so a new one is never before the newest: then each window only looks back.
  base::Timestamp slot = taken.empty() ? now : std::max(now, taken.back());
  for (const auto& [count, length] : windows) {
    if (count == 0 || taken.size() < count) continue;
    slot = std::max(slot, taken[taken.size() - count] + length);
  }
  return slot;
}

}  // namespace invited::domain
