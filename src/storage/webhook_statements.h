// The SQL of webhooks and of what they are owed, and how far expired invitations have been told of. Leases, attempts
// and outcomes of deliveries are call_statements'. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/store.h"
#include "domain/webhook.h"
#include "storage/connection.h"

namespace invited::storage {

class WebhookStatements {
 public:
  explicit WebhookStatements(Connection& connection);
  ~WebhookStatements();

  void insert(const domain::Webhook& webhook);
  void update(const domain::Webhook& webhook);
  bool erase_webhook(const base::Uuid& id);
  std::optional<domain::Webhook> find_webhook(const base::Uuid& id);
  std::vector<domain::Webhook> list_webhooks(const base::Uuid& environment_id);
  std::vector<domain::Webhook> list_all_webhooks();

  void insert(const domain::WebhookDelivery& delivery);
  std::uint64_t cancel_deliveries(const base::Uuid& webhook_id, std::string_view reason, base::Timestamp now);
  std::optional<domain::WebhookDelivery> find_webhook_delivery(const base::Uuid& id);
  std::vector<domain::WebhookDelivery> list_webhook_deliveries(const domain::DeliveryFilter& filter,
                                                               const domain::Page& page);

  void watch_expiry(base::Timestamp now);
  std::vector<domain::Invitation> take_expired_invitations(base::Timestamp now, std::uint32_t limit);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
