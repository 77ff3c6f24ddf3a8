// One call on its way through gSOAP: what the generated service class cannot carry. A service's operations read it, run
// their use case and leave an error in it instead of an answer. Lives on one thread's stack for one call.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "domain/context.h"
#include "domain/error.h"

namespace invited::soap {

struct Call {
  domain::Context& context;
  std::string_view idempotency_key;
  std::string_view client_address;

  std::optional<domain::Error> error{};  ///< instead of an answer
  bool done = false;                     ///< the use case succeeded: what it wrote is durable
};

/// The error for what nobody can say the outcome of.
inline domain::Error unknown_outcome() {
  return {domain::ErrorCode::outcome_unknown,
          "Something failed inside the service, and it cannot tell whether the call took effect: call again, that is "
          "safe.",
          {},
          std::nullopt};
}

/// Runs `use_case` (a function that returns a domain::Result) and puts its outcome into `call`. True: answer. No
/// exception gets out, since gSOAP's frames, which are C in spirit, lie above.
template <class UseCase>
bool run_use_case(Call& call, UseCase use_case) noexcept try {
  auto result = use_case();
  call.done = result.has_value();
  if (!call.done) call.error = std::move(result.error());
  return call.done;
} catch (const std::exception& exception) {
  base::log::error("soap.exception", {{"what", exception.what()}});
  call.error = unknown_outcome();
  return false;
}

}  // namespace invited::soap
