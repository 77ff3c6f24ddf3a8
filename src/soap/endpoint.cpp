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

/// What a call's faults are told and logged with; views into the request and the service's description.
struct Caller {
  SoapVersion version = SoapVersion::v1_1;
  std::string_view operation = "-";
  base::Uuid environment{};
  std::string_view client_address;
};

SoapAnswer refuse(const Fault& fault, const Caller& caller) {
  const auto log = fault.code == FaultCode::receiver ? &base::log::warning : &base::log::info;
  log("soap.fault", {{"code", domain::to_string(fault.error.code)},
                     {"status", fault.status},
                     {"parameter", fault.error.parameter},
                     {"operation", caller.operation},
                     {"environment", loggable(caller.environment)},
                     {"client", caller.client_address}});
  return to_answer(fault);
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

void Endpoint::handle(const SoapRequest& request, Respond respond) noexcept {
  try {
    answer(request, respond);
  } catch (const std::exception& exception) {
    base::log::error("soap.exception", {{"what", exception.what()}});
    // Otherwise it was given away with the use case, and is answered from there.
    if (respond) respond(to_answer(to_fault(failed_inside(service_.effect), SoapVersion::v1_1)));
  }
}

void Endpoint::answer(const SoapRequest& request, Respond& respond) {
  auto accepted = pass_gate(request.content_type, request.body, description_);
  if (!accepted) return respond(refuse(accepted.error(), {.client_address = request.client_address}));
  const WipeAtEnd wipe(*accepted);
  const Caller caller{accepted->version, accepted->operation->name, caller_of(*accepted), request.client_address};

  Call call{context_, request.idempotency_key, request.client_address, service_.effect};
  auto body = engine_.run(accepted->envelope, [&](::soap* context) { return service_.serve(context, call); });
  if (!body && !call.error) {
    // The gate let through what gSOAP refuses, or memory ran out: ours to mend either way.
    base::log::error("soap.engine", {{"status", body.error()}, {"operation", caller.operation}});
    call.error = call.done ? failed_inside(service_.effect) : not_processed();
  }
  if (call.error) return respond(refuse(to_fault(std::move(*call.error), caller.version), caller));

  SoapAnswer success{200, std::string(media_type(caller.version)), std::move(*body), {}};
  if (!call.begin) return respond(std::move(success));
  call.begin(context_, [caller, success = std::move(success),
                        respond = std::exchange(respond, nullptr)](std::optional<domain::Error> error) mutable {
    respond(error ? refuse(to_fault(std::move(*error), caller.version), caller) : std::move(success));
  });
}

}  // namespace invited::soap
