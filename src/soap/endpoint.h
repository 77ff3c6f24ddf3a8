// One SOAP service as a function from a call to an answer: gate, gSOAP, use case, fault. Knows no HTTP: main makes a
// route of it. Blocks as long as the use case does (a commit). Thread-safe; engine and context must outlive it.
#pragma once

#include <string_view>

#include "domain/context.h"
#include "soap/engine.h"
#include "soap/message.h"
#include "soap/service_description.h"
#include "soap/services.h"

namespace invited::soap {

class Endpoint {
 public:
  /// Throws std::logic_error as describe() in services.h does.
  Endpoint(const Service& service, Engine& engine, domain::Context& context);

  /// Where to serve it, e.g. "/ws/InviteAPI/1/soap1".
  std::string_view path() const { return service_.path; }

  /// Always an answer, never an exception: HTTP 200 with the response in the SOAP version of the call, or a fault.
  SoapAnswer handle(const SoapRequest& request) noexcept;

 private:
  SoapAnswer answer(const SoapRequest& request);

  Service service_;
  ServiceDescription description_;
  Engine& engine_;
  domain::Context& context_;
};

}  // namespace invited::soap
