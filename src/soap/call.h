// One call on its way through gSOAP: what the generated service class cannot carry. A service's operations read it, run
// their use case and leave an error in it instead of an answer. Lives on one thread's stack for one call.
#pragma once

#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "domain/context.h"
#include "domain/error.h"
#include "soap/services.h"

namespace invited::soap {

struct Call {
  domain::Context& context;
  std::string_view idempotency_key;
  std::string_view client_address;
  Effect effect = Effect::writes;

  std::optional<domain::Error> error{};  ///< instead of an answer
  bool done = false;                     ///< the use case succeeded: what it wrote is durable
};

/// The error for a call that wrote nothing and cannot be answered.
inline domain::Error not_processed() {
  return {domain::ErrorCode::unavailable,
          "The service could not process the call, and nothing was stored: call again a little later.",
          {},
          std::nullopt};
}

/// The error for what failed in the middle: where the call may have written something, nobody can say the outcome.
inline domain::Error failed_inside(Effect effect) {
  if (effect == Effect::reads) return not_processed();
  return {domain::ErrorCode::outcome_unknown,
          "Something failed inside the service, and it cannot tell whether the call took effect: call again, that is "
          "safe.",
          {},
          std::nullopt};
}

/// Runs `use_case` (a function that returns a domain::Result), puts its outcome into `call`, and gives a good one to
/// `answer`. True: gSOAP may write the answer. No exception gets out, since gSOAP's frames, which are C in spirit, lie
/// above.
template <class UseCase, class Answer>
bool run_use_case(Call& call, UseCase use_case, Answer answer) noexcept try {
  auto result = use_case();
  if (!result) {
    call.error = std::move(result.error());
    return false;
  }
  call.done = true;
  answer(result);
  return true;
} catch (const std::exception& exception) {
  base::log::error("soap.exception", {{"what", exception.what()}});
  call.error = failed_inside(call.effect);
  return false;
}

/// The same, for operations whose answer is empty.
template <class UseCase>
bool run_use_case(Call& call, UseCase use_case) noexcept {
  return run_use_case(call, std::move(use_case), [](const auto&) {});
}

}  // namespace invited::soap
