// One call on its way through gSOAP: what the generated service class cannot carry. A service's operations read it, run
// their use case and leave an error in it instead of an answer; one that has to wait for a commit leaves its use case
// in it, to be begun when gSOAP has written the answer for success. Lives on one thread's stack for one call.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "domain/context.h"
#include "domain/error.h"
#include "soap/services.h"

namespace invited::soap {

/// Is told how a use case ended that was begun: why it failed, or nothing.
using Conclude = std::move_only_function<void(std::optional<domain::Error>)>;

struct Call {
  domain::Context& context;
  std::string_view idempotency_key;
  std::string_view client_address;
  Effect effect = Effect::writes;

  std::optional<domain::Error> error{};  ///< instead of an answer
  bool done = false;                     ///< the use case succeeded: what it wrote is durable
  /// The use case that is still to be begun, of an operation whose answer does not depend on it. Calls `Conclude` once.
  std::move_only_function<void(domain::Context&, Conclude)> begin{};
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

/// Leaves in `call` the use case that `make` returns (see Call::begin). True: gSOAP may write the answer for success.
template <class Make>
bool put_off(Call& call, Make make) noexcept try {
  call.begin = make();
  return true;
} catch (const std::exception& exception) {
  base::log::error("soap.exception", {{"what", exception.what()}});
  call.error = not_processed();
  return false;
}

}  // namespace invited::soap
