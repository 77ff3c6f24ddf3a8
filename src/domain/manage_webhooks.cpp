#include "domain/manage_webhooks.h"

#include <algorithm>

#include "domain/web_url.h"

namespace invited::domain {
namespace {

void audit(std::string_view action, const Webhook& webhook, std::string detail, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(
      AuditEvent{now, "operator", std::string(action), webhook.id, std::move(detail), webhook.environment_id});
}

Result<std::vector<EventType>> parse_events(const std::vector<std::string>& words) {
  std::vector<EventType> events;
  for (const std::string& word : words) {
    const auto event = parse_event_type(word);
    if (!event) {
      std::string known;
      for (const EventType type : kEventTypes) known += (known.empty() ? "" : ", ") + std::string(to_string(type));
      return refuse(ErrorCode::invalid_parameter, "\"" + word + "\" is no event: " + known + ".", "event");
    }
    if (std::ranges::find(events, *event) == events.end()) events.push_back(*event);
  }
  return events;
}

/// For what changes it.
Result<Webhook> find_to_change(const base::Uuid& id, Transaction& transaction) {
  auto webhook = find_webhook(id, transaction);
  if (!webhook) return webhook;
  transaction.lock_environment(webhook->environment_id);
  return find_webhook(id, transaction);
}

}  // namespace

Result<Webhook> find_webhook(const base::Uuid& id, Transaction& transaction) {
  auto webhook = transaction.find_webhook(id);
  if (!webhook)
    return refuse(ErrorCode::not_found, "There is no webhook " + id.to_string() + ": see `webhook list`.", "webhook");
  return *std::move(webhook);
}

Result<WebhookDelivery> find_delivery(const base::Uuid& id, Transaction& transaction) {
  auto delivery = transaction.find_webhook_delivery(id);
  if (!delivery)
    return refuse(ErrorCode::not_found, "There is no delivery " + id.to_string() + ": see `webhook deliveries`.",
                  "delivery");
  return *std::move(delivery);
}

Result<Webhook> add_webhook(const base::Uuid& environment_id, std::string_view url,
                            const std::vector<std::string>& events, bool allow_private, Transaction& transaction,
                            base::Timestamp now) {
  if (!transaction.find_environment(environment_id))
    return refuse(ErrorCode::not_found,
                  "There is no environment " + environment_id.to_string() + ": see `environment list`.", "environment");
  if (!is_web_url(url))
    return refuse(ErrorCode::invalid_parameter,
                  "--url cannot be used: give an absolute https address without credentials.", "url");
  if (!allow_private && !url.starts_with("https://"))
    return refuse(ErrorCode::invalid_parameter,
                  "--url must begin with https://; http is for trying out, with the setting webhook.allow_private.",
                  "url");
  auto types = parse_events(events);
  if (!types) return std::unexpected(std::move(types.error()));
  Webhook webhook;
  webhook.id = base::Uuid::ordered(now);
  webhook.environment_id = environment_id;
  webhook.url = url;
  webhook.events = *std::move(types);
  webhook.created_at = now;
  transaction.insert(webhook);
  transaction.watch_expiry(now);
  // Not the URL's path: it may hold a key.
  audit("webhook.added", webhook, {}, transaction, now);
  return webhook;
}

Result<Webhook> remove_webhook(const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
  auto webhook = find_to_change(id, transaction);
  if (!webhook) return webhook;
  transaction.erase_webhook(id);
  transaction.cancel_deliveries(id, kWebhookRemoved, now);
  audit("webhook.removed", *webhook, {}, transaction, now);
  return webhook;
}

Result<Webhook> set_webhook_disabled(const base::Uuid& id, bool disabled, Transaction& transaction,
                                     base::Timestamp now) {
  auto webhook = find_to_change(id, transaction);
  if (!webhook) return webhook;
  webhook->disabled = disabled;
  webhook->disabled_reason.clear();
  transaction.update(*webhook);
  if (disabled) transaction.cancel_deliveries(id, kWebhookDisabled, now);
  audit(disabled ? "webhook.disabled" : "webhook.enabled", *webhook, {}, transaction, now);
  return webhook;
}

Result<Webhook> rotate_webhook_secret(const base::Uuid& id, bool force, Transaction& transaction, base::Timestamp now) {
  auto webhook = find_to_change(id, transaction);
  if (!webhook) return webhook;
  // Two secrets sign at most: another one would end the oldest, which the receiver may still be checking with.
  const auto until = webhook->old_secret_until;
  if (!force && until && now < *until && *until <= now + kSecretOverlap)
    return refuse(ErrorCode::invalid_parameter,
                  "The secret before this one still counts until " + base::to_rfc3339(*until) +
                      ", and another rotation would end that at once: wait until then, or say --force.",
                  "force");
  webhook->secret_version += 1;
  webhook->old_secret_until = now + kSecretOverlap;
  transaction.update(*webhook);
  audit("webhook.secret_rotated", *webhook, "version=" + std::to_string(webhook->secret_version), transaction, now);
  return webhook;
}

Result<WebhookDelivery> replay_delivery(const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
  const auto delivery = find_delivery(id, transaction);
  if (!delivery) return delivery;
  const auto webhook = transaction.find_webhook(delivery->webhook_id);
  if (!webhook || webhook->disabled)
    return refuse(ErrorCode::invalid_parameter,
                  webhook ? "Its webhook is disabled: see `webhook enable`." : "Its webhook was removed.", "delivery");
  if (!transaction.retry_call(CallKind::webhook, id, now))
    return refuse(ErrorCode::invalid_parameter, "The delivery is being made at this moment: see `webhook show`.",
                  "delivery");
  audit("webhook.replayed", *webhook, "delivery=" + id.to_string(), transaction, now);
  return find_delivery(id, transaction);
}

}  // namespace invited::domain
