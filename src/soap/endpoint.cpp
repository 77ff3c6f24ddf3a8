#include "soap/endpoint.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "soap/call.h"
#include "soap/fault.h"
#include "soap/gate.h"

namespace invited::soap {
namespace {

/// The contract's names for who calls; PermissionsAPI calls the first one differently.
base::Uuid caller_of(const AcceptedCall& call) {
  for (const auto* name : {"EnvironmentUUID", "EnvironmentID"})
    if (const auto uuid = base::Uuid::parse(call.value(name))) return *uuid;
  return {};
}

/// Only a real UUID is logged: whoever mixes up the two fields has put the password there.
std::string loggable(const base::Uuid& environment) { return environment.is_nil() ? "-" : environment.to_string(); }

void log_fault(const Fault& fault, std::string_view operation, const base::Uuid& environment,
               std::string_view client_address) {
  const auto log = fault.code == FaultCode::receiver ? &base::log::warning : &base::log::info;
  log("soap.fault", {{"code", domain::to_string(fault.error.code)},
                     {"status", fault.status},
                     {"parameter", fault.error.parameter},
                     {"operation", operation},
                     {"environment", loggable(environment)},
                     {"client", client_address}});
}

/// Wipes what of the call holds the password, however the call ends.
class WipeAtEnd {
 public:
  explicit WipeAtEnd(AcceptedCall& call) : call_(call) {}
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;
  ~WipeAtEnd() {
    base::wipe(call_.envelope);
    for (auto& value : call_.values) base::wipe(value);
  }

 private:
  AcceptedCall& call_;
};

}  // namespace

Endpoint::Endpoint(const Service& service, Engine& engine, domain::Context& context)
    : service_(service), description_(describe(service)), engine_(engine), context_(context) {}

SoapAnswer Endpoint::handle(const SoapRequest& request) noexcept try {
  return answer(request);
} catch (const std::exception& exception) {
  base::log::error("soap.exception", {{"what", exception.what()}});
  return to_answer(to_fault(failed_inside(service_.effect), SoapVersion::v1_1));
}

SoapAnswer Endpoint::answer(const SoapRequest& request) {
  auto accepted = pass_gate(request.content_type, request.body, description_);
  if (!accepted) {
    log_fault(accepted.error(), "-", {}, request.client_address);
    return to_answer(accepted.error());
  }
  const WipeAtEnd wipe(*accepted);
  const auto environment = caller_of(*accepted);

  Call call{context_, request.idempotency_key, request.client_address, service_.effect};
  auto body = engine_.run(accepted->envelope, [&](::soap* context) { return service_.serve(context, call); });
  if (!body && !call.error) {
    // The gate let through what gSOAP refuses, or memory ran out: ours to mend either way.
    base::log::error("soap.engine", {{"status", body.error()}, {"operation", accepted->operation->name}});
    call.error = call.done ? failed_inside(service_.effect) : not_processed();
  }
  if (call.error) {
    const auto fault = to_fault(std::move(*call.error), accepted->version);
    log_fault(fault, accepted->operation->name, environment, request.client_address);
    return to_answer(fault);
  }
  return {200, std::string(media_type(accepted->version)), std::move(*body), {}};
}

}  // namespace invited::soap
