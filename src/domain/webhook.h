// A webhook: where an operator wants to be told what happens in an environment, signed as Standard Webhooks have it.
// Each event is one delivery for each webhook that wants it, queued in the transaction that makes it happen
// (queue_event.h), made by webhook/webhook_worker. The signing secret is derived from a key that is not in the
// database, never stored: a leaked database signs nothing. Plain values; thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/call.h"

namespace invited::domain {

enum class EventType {
  invitation_created,
  invitation_resent,
  invitation_delivered,  ///< the relay took its mail
  invitation_bounced,    ///< its mail was refused for good, or given up
  invitation_accepted,
  invitation_declined,
  invitation_revoked,
  invitation_expired,  ///< its time was over; said once for each expiry
  access_granted,
  access_withdrawn,
};

inline constexpr std::array kEventTypes{
    EventType::invitation_created, EventType::invitation_resent,   EventType::invitation_delivered,
    EventType::invitation_bounced, EventType::invitation_accepted, EventType::invitation_declined,
    EventType::invitation_revoked, EventType::invitation_expired,  EventType::access_granted,
    EventType::access_withdrawn,
};

/// "invitation.created", as it stands in payloads.
std::string_view to_string(EventType type);
std::optional<EventType> parse_event_type(std::string_view text);

/// How long a receiver may still check with the secret before the last rotation.
inline constexpr std::chrono::hours kSecretOverlap{24};

struct Webhook {
  base::Uuid id;
  base::Uuid environment_id;
  std::string url;
  std::vector<EventType> events;  ///< empty: all
  bool disabled = false;
  std::string disabled_reason{};  ///< why, where it was not an operator
  std::uint32_t secret_version = 1;
  std::optional<base::Timestamp> old_secret_until{};  ///< the version before this one signs too until then
  base::Timestamp created_at;

  bool wants(EventType type) const;
};

/// What a webhook is owed. Its target is the webhook; its id is the `webhook-id` of every copy. Cancelled is one whose
/// webhook was removed or disabled.
struct WebhookDelivery {
  base::Uuid id;
  base::Uuid webhook_id;
  base::Uuid environment_id;
  EventType event = EventType::invitation_created;
  std::string payload;  ///< JSON, fixed when queued: every copy has equal bytes
  CallState state = CallState::queued;
  base::Timestamp queued_at;  ///< or queued again by hand: from then on it is owed
  base::Timestamp due_at;
  std::uint32_t attempts = 0;  ///< finished ones
  std::optional<base::Timestamp> finished_at;
  std::string last_error;  ///< of the newest attempt; empty if none
};

/// Why a delivery is cancelled.
inline constexpr std::string_view kWebhookDisabled = "the webhook is disabled";
inline constexpr std::string_view kWebhookRemoved = "the webhook was removed";

struct DeliveryFilter {
  std::optional<base::Uuid> webhook_id;
  std::optional<CallState> state;
};

/// 32 bytes. `pepper` is the key file's.
base::Secret webhook_secret(const base::Secret& pepper, const base::Uuid& webhook_id, std::uint32_t version);

/// As receivers want it: "whsec_" and base64.
std::string shown_secret(const base::Secret& secret);

}  // namespace invited::domain
