// One SOAP service as a function from a call to an answer: gate, gSOAP, use case, fault. Knows no HTTP: main makes a
// route of it. Who has to wait for a commit is answered later, by another thread, and holds no thread and no gSOAP
// context meanwhile. Thread-safe; engine and context must outlive it and every answer.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/line_limiter.h"
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

  using Respond = std::move_only_function<void(SoapAnswer)>;

  /// Always an answer, never an exception: HTTP 200 with the response in the SOAP version of the call, or a fault. It
  /// is given to `respond` once, before this returns or later.
  void handle(const SoapRequest& request, Respond respond) noexcept;

 private:
  class Answer;
  void serve(const SoapRequest& request, Answer& answer);

  Service service_;
  ServiceDescription description_;
  Engine& engine_;
  domain::Context& context_;
  std::shared_ptr<base::LineLimiter> fault_lines_;  ///< also each answer's that is still to come
};

}  // namespace invited::soap
