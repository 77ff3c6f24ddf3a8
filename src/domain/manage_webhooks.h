// What operators do with webhooks. Inside a transaction of the caller's. Every function writes its audit event (actor
// "operator").
#pragma once

#include <string>
#include <vector>

#include "domain/store.h"

namespace invited::domain {

/// `url`: https; http only with `allow_private`. No `events`: all. Errors: not_found ("environment"), invalid_parameter
/// ("url", "event").
Result<Webhook> add_webhook(const base::Uuid& environment_id, std::string_view url,
                            const std::vector<std::string>& events, bool allow_private, Transaction& transaction,
                            base::Timestamp now);

/// What it is owed is cancelled, each when its turn comes. Errors: not_found.
Result<Webhook> remove_webhook(const base::Uuid& id, Transaction& transaction, base::Timestamp now);

/// A disabled one is owed nothing new; what it is owed is cancelled, but for what is being sent. Errors: not_found.
Result<Webhook> set_webhook_disabled(const base::Uuid& id, bool disabled, Transaction& transaction,
                                     base::Timestamp now);

/// Another secret; the one before it signs too for kSecretOverlap. Errors: not_found; invalid_parameter ("force"): the
/// one before still does, which another rotation would end. With `force` it does so.
Result<Webhook> rotate_webhook_secret(const base::Uuid& id, bool force, Transaction& transaction, base::Timestamp now);

/// A delivery is queued again, as the same (webhook-id, payload), due now. Errors: not_found; invalid_parameter: it is
/// being made, or its webhook is gone or disabled.
Result<WebhookDelivery> replay_delivery(const base::Uuid& id, Transaction& transaction, base::Timestamp now);

/// For those who look one up. Errors: not_found.
Result<Webhook> find_webhook(const base::Uuid& id, Transaction& transaction);
Result<WebhookDelivery> find_delivery(const base::Uuid& id, Transaction& transaction);

}  // namespace invited::domain
