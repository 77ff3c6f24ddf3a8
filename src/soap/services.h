// The table of SOAP services. A new one is a file wsdl/<Name>.wsdl, its folder in generated/, one handler file like
// invite_service.cpp, and one entry in services.cpp; gate, endpoint, faults and documentation need nothing new.
#pragma once

#include <span>
#include <string_view>

#include "domain/error.h"
#include "soap/service_description.h"

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

/// What a service's calls do: decides what may be said when one fails inside.
enum class Effect {
  reads,   ///< nothing is ever stored
  writes,  ///< a call that failed inside may have taken effect
};

/// A second name under which a parameter is understood. It is not in the WSDL.
struct ParameterAlias {
  std::string_view parameter;  ///< the contract's name
  std::string_view alias;
};

struct Service {
  std::string_view wsdl;     ///< the name of the file in wsdl/, without ".wsdl"
  std::string_view version;  ///< the contract's, as it stands in the path
  std::string_view path;     ///< where it is served; version and port as the contract has them
  Effect effect;
  /// Dispatches the call that stands in the context, Body opened, to the operation, and writes the answer: gSOAP's
  /// status.
  int (*serve)(::soap* context, Call& call);
  std::span<const domain::ErrorCode> faults{};  ///< beside malformed_request, which all have: for the documentation
  std::span<const ParameterAlias> aliases{};
};

std::span<const Service> services();

/// The service's WSDL with what the table adds to it. Throws std::logic_error where the WSDL is missing or not of our
/// form, or an alias is of no parameter: mistakes of ours.
ServiceDescription describe(const Service& service);

}  // namespace invited::soap
