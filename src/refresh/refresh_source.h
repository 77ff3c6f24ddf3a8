// Makes the calls that are owed to apps (domain/refresh_call.h): tells an app that a person's roles changed, until it
// has taken notice; made twice it does no harm. One at a time for each environment. What if it fails, threads and
// stopping: calls/call_worker.h.
#pragma once

#include <string>
#include <utility>

#include "calls/call_worker.h"

namespace invited::refresh {

class RefreshSource final : public calls::CallSource {
 public:
  /// `public_url`: what OpenIDs are made with.
  explicit RefreshSource(std::string public_url) : public_url_(std::move(public_url)) {}

  domain::CallKind kind() const override { return domain::CallKind::refresh; }
  calls::CallWords words() const override { return {"refresh", "environment", "account"}; }
  std::string url_of(const base::Uuid& environment_id, domain::Transaction& transaction) const override;
  std::expected<calls::PreparedCall, domain::CallResult> prepare(const domain::CallLease& lease,
                                                                 domain::Transaction& transaction,
                                                                 base::Timestamp now) const override;
  domain::CallResult judge(const calls::HttpAnswer& answer) const override;
  void record(const domain::CallLease&, const domain::CallResult&, domain::Transaction&,
              base::Timestamp) const override {}

 private:
  const std::string public_url_;
};

}  // namespace invited::refresh
