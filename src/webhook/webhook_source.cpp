#include "webhook/webhook_source.h"

#include "calls/one_line.h"
#include "webhook/signature.h"

namespace invited::webhook {
namespace {

using domain::CallOutcome;
using domain::CallResult;

constexpr int kGone = 410;
constexpr std::string_view kGoneText = "the receiver answered 410 Gone: it wants nothing any more";

CallResult cancelled(std::string_view why) { return {CallOutcome::cancelled, 0, std::string(why)}; }

/// The newest secret first; for a while after a rotation the one before it too.
std::vector<base::Secret> secrets_of(const domain::Webhook& webhook, const base::Secret& pepper, base::Timestamp now) {
  std::vector<base::Secret> secrets{domain::webhook_secret(pepper, webhook.id, webhook.secret_version)};
  if (webhook.secret_version > 1 && webhook.old_secret_until && now < *webhook.old_secret_until)
    secrets.push_back(domain::webhook_secret(pepper, webhook.id, webhook.secret_version - 1));
  return secrets;
}

std::string explain(const calls::HttpAnswer& answer) {
  std::string text = "the receiver answered with HTTP status " + std::to_string(answer.status);
  if (answer.status / 100 == 3) text += ", a redirect, which is not followed: set the URL to where it leads";
  const std::string words = calls::one_line(answer.body);
  if (!words.empty()) text += ": " + words;
  return calls::one_line(text);
}

}  // namespace

std::string WebhookSource::url_of(const base::Uuid& webhook_id, domain::Transaction& transaction) const {
  const auto webhook = transaction.find_webhook(webhook_id);
  return webhook ? webhook->url : std::string();
}

std::expected<calls::PreparedCall, CallResult> WebhookSource::prepare(const domain::CallLease& lease,
                                                                      domain::Transaction& transaction,
                                                                      base::Timestamp now) const {
  const auto delivery = transaction.find_webhook_delivery(lease.call_id);
  const auto webhook = transaction.find_webhook(lease.target_id);
  if (!delivery || !webhook) return std::unexpected(cancelled(domain::kWebhookRemoved));
  if (webhook->disabled) return std::unexpected(cancelled(domain::kWebhookDisabled));
  if (!allow_private_ && !webhook->url.starts_with("https://"))
    return std::unexpected(
        CallResult{CallOutcome::deferred, 0, "not tried: http is allowed only with the setting webhook.allow_private"});
  const std::string id = delivery->id.to_string();
  const std::string timestamp = timestamp_text(now);
  return calls::PreparedCall{
      {webhook->url,
       {"Content-Type: application/json", "webhook-id: " + id, "webhook-timestamp: " + timestamp,
        "webhook-signature: " + sign(secrets_of(*webhook, pepper_, now), id, timestamp, delivery->payload)},
       delivery->payload},
      std::string(domain::to_string(delivery->event))};
}

CallResult WebhookSource::judge(const calls::HttpAnswer& answer) const {
  if (answer.status / 100 == 2) return {CallOutcome::done, answer.status, {}};
  if (answer.status == kGone) return {CallOutcome::cancelled, answer.status, std::string(kGoneText)};
  return {CallOutcome::deferred, answer.status, explain(answer)};
}

void WebhookSource::record(const domain::CallLease& lease, const CallResult& result, domain::Transaction& transaction,
                           base::Timestamp now) const {
  if (result.outcome == CallOutcome::done) return;
  const auto known = transaction.find_webhook(lease.target_id);
  if (result.outcome == CallOutcome::deferred) {
    // Whoever took the webhook away meanwhile could not cancel what was being sent.
    if (!known) transaction.cancel_deliveries(lease.target_id, domain::kWebhookRemoved, now);
    if (known && known->disabled) transaction.cancel_deliveries(lease.target_id, domain::kWebhookDisabled, now);
    return;
  }
  if (!known || result.http_status != kGone) return;
  transaction.lock_environment(known->environment_id);  // as whoever changes a webhook
  auto webhook = transaction.find_webhook(lease.target_id);
  if (!webhook || webhook->disabled) return;
  webhook->disabled = true;
  webhook->disabled_reason = kGoneText;
  transaction.update(*webhook);
  transaction.cancel_deliveries(webhook->id, kGoneText, now);
  transaction.insert(
      domain::AuditEvent{now, "webhook", "webhook.disabled", webhook->id, "reason=410 Gone", webhook->environment_id});
}

}  // namespace invited::webhook
