#include "soap/endpoint.h"

#include <chrono>
#include <cstdint>
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

/// Enough to see what goes wrong and for whom; one connection can have thousands of calls refused in that time.
constexpr std::uint32_t kFaultLinesPerSecond = 20;

/// The contract's names for who calls; PermissionsAPI calls the first one differently.
base::Uuid caller_of(const AcceptedCall& call) {
  for (const auto* name : {"EnvironmentUUID", "EnvironmentID"})
    if (const auto uuid = base::Uuid::parse(call.value(name))) return *uuid;
  return {};
}

/// Only a real UUID is logged: whoever mixes up the two fields has put the password there.
std::string loggable(const base::Uuid& environment) { return environment.is_nil() ? "-" : environment.to_string(); }

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

/// A call's answer, which is given once: where nobody else did, it says that something failed inside. Holds views into
/// the request and the service's description.
class Endpoint::Answer {
 public:
  Answer(Respond respond, Effect effect, std::string_view client, std::shared_ptr<base::LineLimiter> fault_lines)
      : client_address(client), effect_(effect), fault_lines_(std::move(fault_lines)), respond_(std::move(respond)) {}
  Answer(Answer&& other) noexcept
      : version(other.version),
        operation(other.operation),
        environment(other.environment),
        client_address(other.client_address),
        effect_(other.effect_),
        fault_lines_(std::move(other.fault_lines_)),
        respond_(std::exchange(other.respond_, nullptr)) {}
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (respond_) refuse(failed_inside(effect_));
  }

  void give(SoapAnswer answer) { std::exchange(respond_, nullptr)(std::move(answer)); }
  void refuse(domain::Error error) { refuse(to_fault(std::move(error), version)); }
  void refuse(const Fault& fault) {
    log_fault(fault);
    give(to_answer(fault));
  }

  // As far as they are known.
  SoapVersion version = SoapVersion::v1_1;
  std::string_view operation = "-";
  base::Uuid environment{};
  const std::string_view client_address;

 private:
  void log_fault(const Fault& fault) const {
    const auto left_out = fault_lines_->admit(std::chrono::steady_clock::now());
    if (!left_out) return;
    if (*left_out > 0) base::log::info("soap.faults_not_logged", {{"count", *left_out}});
    // Some clients show of a status 400 nothing else, so that the sentence is to be found here. It quotes no value.
    const bool is_malformed = fault.error.code == domain::ErrorCode::malformed_request;
    const auto log = fault.code == FaultCode::receiver ? &base::log::warning : &base::log::info;
    log("soap.fault", {{"code", domain::to_string(fault.error.code)},
                       {"status", fault.status},
                       {"parameter", fault.error.parameter},
                       {"reason", is_malformed ? std::string_view(fault.error.message) : std::string_view()},
                       {"operation", operation},
                       {"environment", loggable(environment)},
                       {"client", client_address}});
  }

  Effect effect_;
  std::shared_ptr<base::LineLimiter> fault_lines_;
  Respond respond_;
};

Endpoint::Endpoint(const Service& service, Engine& engine, domain::Context& context)
    : service_(service),
      description_(describe(service)),
      engine_(engine),
      context_(context),
      fault_lines_(std::make_shared<base::LineLimiter>(kFaultLinesPerSecond)) {}

void Endpoint::handle(const SoapRequest& request, Respond respond) noexcept {
  Answer answer(std::move(respond), service_.effect, request.client_address, fault_lines_);
  try {
    serve(request, answer);
  } catch (const std::exception& exception) {
    base::log::error("soap.exception", {{"what", exception.what()}});
  }
}

void Endpoint::serve(const SoapRequest& request, Answer& answer) {
  auto accepted = pass_gate(request.content_type, request.body, description_);
  if (!accepted) return answer.refuse(accepted.error());
  const WipeAtEnd wipe(*accepted);
  answer.version = accepted->version;
  answer.operation = accepted->operation->name;
  answer.environment = caller_of(*accepted);

  Call call{context_, request.idempotency_key, request.client_address, service_.effect};
  auto body = engine_.run(accepted->envelope, [&](::soap* context) { return service_.serve(context, call); });
  if (!body && !call.error) {
    // The gate let through what gSOAP refuses, or memory ran out: ours to mend either way.
    base::log::error("soap.engine", {{"status", body.error()}, {"operation", answer.operation}});
    call.error = call.done ? failed_inside(service_.effect) : not_processed();
  }
  if (call.error) return answer.refuse(std::move(*call.error));

  SoapAnswer success{200, std::string(media_type(answer.version)), std::move(*body), {}};
  if (!call.begin) return answer.give(std::move(success));
  call.begin(context_,
             [answer = std::move(answer), success = std::move(success)](std::optional<domain::Error> error) mutable {
               error ? answer.refuse(std::move(*error)) : answer.give(std::move(success));
             });
}

}  // namespace invited::soap
