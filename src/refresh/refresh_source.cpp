#include "refresh/refresh_source.h"

#include <string>

#include "domain/openid.h"
#include "refresh/refresh_answer.h"
#include "refresh/refresh_message.h"

namespace invited::refresh {

using domain::CallOutcome;
using domain::CallResult;

std::string RefreshSource::url_of(const base::Uuid& environment_id, domain::Transaction& transaction) const {
  const auto environment = transaction.find_environment(environment_id);
  return environment ? environment->refresh_url : std::string();
}

std::expected<calls::PreparedCall, CallResult> RefreshSource::prepare(const domain::CallLease& lease,
                                                                      domain::Transaction& transaction,
                                                                      base::Timestamp) const {
  const auto call = transaction.find_refresh_call(lease.call_id);
  const auto environment = transaction.find_environment(lease.target_id);
  const auto account = call ? transaction.find_account(call->account_id) : std::nullopt;
  if (!environment || !account || environment->disabled || environment->refresh_url.empty())
    return std::unexpected(CallResult{CallOutcome::cancelled, 0, "the environment wants no calls any more"});
  const RefreshMessage message = make_refresh_message(
      environment->refresh_namespace, domain::make_openid(environment->openid_template, public_url_, *account));
  return calls::PreparedCall{
      {environment->refresh_url,
       {"Content-Type: text/xml; charset=utf-8", "SOAPAction: " + message.soap_action, "Accept: text/xml"},
       message.envelope},
      account->id.to_string()};
}

CallResult RefreshSource::judge(const calls::HttpAnswer& answer) const {
  // Whether it is a fault stands in what was cut off.
  if (answer.is_cut && answer.status / 100 == 2)
    return {CallOutcome::deferred, answer.status,
            "the answer is longer than " + std::to_string(calls::kMaxAnswer / 1024) +
                " KiB: the refresh URL must be the address of the app's RefreshAPI"};
  return judge_answer(answer.status, answer.body);
}

}  // namespace invited::refresh
