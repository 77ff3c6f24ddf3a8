#include "domain/webhook.h"

#include <algorithm>

#include "base/crypto.h"

namespace invited::domain {

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::invitation_created:
      return "invitation.created";
    case EventType::invitation_resent:
      return "invitation.resent";
    case EventType::invitation_delivered:
      return "invitation.delivered";
    case EventType::invitation_bounced:
      return "invitation.bounced";
    case EventType::invitation_accepted:
      return "invitation.accepted";
    case EventType::invitation_declined:
      return "invitation.declined";
    case EventType::invitation_revoked:
      return "invitation.revoked";
    case EventType::invitation_expired:
      return "invitation.expired";
    case EventType::access_granted:
      return "access.granted";
    case EventType::access_withdrawn:
      return "access.withdrawn";
  }
  return "invitation.created";
}

std::optional<EventType> parse_event_type(std::string_view text) {
  for (const EventType type : kEventTypes)
    if (to_string(type) == text) return type;
  return std::nullopt;
}

bool Webhook::wants(EventType type) const {
  return !disabled && (events.empty() || std::ranges::find(events, type) != events.end());
}

base::Secret webhook_secret(const base::Secret& pepper, const base::Uuid& webhook_id, std::uint32_t version) {
  // The label keeps this use of the pepper apart from any other.
  return base::Secret(base::hmac_sha256(pepper.reveal(),
                                        "invited webhook 1 " + webhook_id.to_string() + ' ' + std::to_string(version)));
}

std::string shown_secret(const base::Secret& secret) { return "whsec_" + base::to_base64(secret.reveal()); }

}  // namespace invited::domain
