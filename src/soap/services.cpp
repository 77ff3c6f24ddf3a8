#include "soap/services.h"

#include <array>
#include <stdexcept>

#include "soap/invite_service.h"
#include "soap/permissions_service.h"
#include "soap/profile_service.h"
#include "soap/profile_service_1.h"
#include "soap/wsdl_document.h"

namespace invited::soap {
namespace {

using enum domain::ErrorCode;

constexpr std::array kInviteFaults{
    authentication_failed, missing_parameter, invalid_email_address, inviter_without_access,
    unknown_role,          role_not_allowed,  invalid_parameter,     idempotency_mismatch,
    rate_limited,          unavailable,       outcome_unknown};
constexpr std::array kPersonFaults{authentication_failed, missing_parameter, unknown_person, rate_limited, unavailable};

/// The other services call it so, and the contract's name is misleading: it carries the UUID.
constexpr std::array kPermissionsAliases{ParameterAlias{"EnvironmentID", "EnvironmentUUID"}};

constexpr std::array kServices{
    Service{"InviteAPI", "1", "/ws/InviteAPI/1/soap1", Effect::writes, &serve_invite_api, kInviteFaults},
    Service{"PermissionsAPI", "1", "/ws/PermissionsAPI/1/soap1", Effect::reads, &serve_permissions_api, kPersonFaults,
            kPermissionsAliases},
    Service{"ProfileService", "3", "/ws/ProfileService/3/soap1", Effect::reads, &serve_profile_service, kPersonFaults},
    Service{"ProfileService-1", "1", "/ws/ProfileService/1/soap1", Effect::reads, &serve_profile_service_1,
            kPersonFaults},
};

void add_alias(ServiceDescription& description, const ParameterAlias& alias) {
  bool found = false;
  for (auto& operation : description.operations)
    for (auto& parameter : operation.parameters)
      if (parameter.name == alias.parameter) {
        parameter.alias = alias.alias;
        found = true;
      }
  if (!found) throw std::logic_error("no parameter " + std::string(alias.parameter) + " in " + description.name);
}

}  // namespace

std::span<const Service> services() { return kServices; }

ServiceDescription describe(const Service& service) {
  auto description = describe_wsdl(find_wsdl(service.wsdl));
  description.version = service.version;
  for (const auto& alias : service.aliases) add_alias(description, alias);
  return description;
}

}  // namespace invited::soap
