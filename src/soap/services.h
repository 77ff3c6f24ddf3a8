// The table of SOAP services. A new one is a file wsdl/<Name>.wsdl, its folder in generated/, one handler file like
// invite_service.cpp, and one line in services.cpp; gate, endpoint, faults and documentation need nothing new.
#pragma once

#include <span>
#include <string_view>

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

struct Service {
  std::string_view wsdl;  ///< the name of the file in wsdl/, without ".wsdl"
  std::string_view path;  ///< where it is served; version and port as the contract has them
  /// Dispatches the call that stands in the context, Body opened, to the operation, and writes the answer: gSOAP's
  /// status.
  int (*serve)(::soap* context, Call& call);
};

std::span<const Service> services();

}  // namespace invited::soap
