#include "mail/delivery_event.h"

#include <algorithm>

#include "domain/queue_event.h"

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using domain::EventType;

std::optional<EventType> type_of(DeliveryOutcome outcome, bool will_be_tried_again) {
  if (outcome == DeliveryOutcome::sent) return EventType::invitation_delivered;
  if (outcome == DeliveryOutcome::rejected) return EventType::invitation_bounced;
  if (outcome == DeliveryOutcome::deferred && !will_be_tried_again) return EventType::invitation_bounced;
  return std::nullopt;
}

}  // namespace

DeliveryEvent::DeliveryEvent(const domain::OutboxMessage& message, const domain::DeliveryResult& result,
                             bool will_be_tried_again, domain::Transaction& transaction)
    : message_id_(message.id),
      reason_(result.outcome == DeliveryOutcome::sent ? std::string() : result.explanation),
      type_(type_of(result.outcome, will_be_tried_again)) {
  if (!type_ || message.invitation_id.is_nil()) return;
  const auto webhooks = transaction.list_webhooks(message.environment_id);
  if (std::ranges::any_of(webhooks, [&](const domain::Webhook& webhook) { return webhook.wants(*type_); }))
    invitation_ = transaction.find_invitation(message.invitation_id);
}

void DeliveryEvent::queue(domain::Transaction& transaction, base::Timestamp now) const {
  if (!invitation_) return;
  // Cancelled meanwhile: nobody waits for a mail that was not delivered.
  const auto state = transaction.find_message_state(message_id_);
  if (!state || *state == domain::MessageState::cancelled) return;
  domain::queue_invitation_event(*type_, *invitation_, transaction, now, reason_);
}

}  // namespace invited::mail
