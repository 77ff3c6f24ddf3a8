// What is owed to webhooks (domain/webhook.h), as signed HTTP requests: 2xx is taken, 410 Gone disables the webhook,
// everything else is tried again. The same delivery has the same webhook-id in every copy, by which a receiver knows
// that it has it already. Without allow_private: https only, and no address that only our network reaches. Retries,
// threads and stopping: calls/call_worker.h.
#pragma once

#include "base/secret.h"
#include "calls/call_source.h"

namespace invited::webhook {

class WebhookSource final : public calls::CallSource {
 public:
  /// `pepper` is the key file's, from which secrets are derived; it must outlive this.
  WebhookSource(const base::Secret& pepper, bool allow_private) : pepper_(pepper), allow_private_(allow_private) {}

  domain::CallKind kind() const override { return domain::CallKind::webhook; }
  calls::CallWords words() const override { return {"webhook", "webhook", "event"}; }
  std::string url_of(const base::Uuid& webhook_id, domain::Transaction& transaction) const override;
  std::expected<calls::PreparedCall, domain::CallResult> prepare(const domain::CallLease& lease,
                                                                 domain::Transaction& transaction,
                                                                 base::Timestamp now) const override;
  domain::CallResult judge(const calls::HttpAnswer& answer) const override;
  void record(const domain::CallLease& lease, const domain::CallResult& result, domain::Transaction& transaction,
              base::Timestamp now) const override;

 private:
  const base::Secret& pepper_;
  const bool allow_private_;
};

}  // namespace invited::webhook
