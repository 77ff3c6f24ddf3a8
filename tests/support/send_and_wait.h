// send_invitation() for callers who wait for the outcome.
#pragma once

#include "domain/send_invitation.h"
#include "support/await_answer.h"

namespace invited::domain {

inline Result<SentInvitation> send_invitation(const SendInvitation& request, Context& context) {
  return test::await_answer<Result<SentInvitation>>(
      [&](auto done) { send_invitation(request, context, std::move(done)); });
}

}  // namespace invited::domain
