// What callers of Store::write are told when it did not work out: the same on both databases.
#pragma once

#include "domain/error.h"
#include "storage/connection.h"

namespace invited::storage {

inline domain::Error unavailable(std::string message) {
  return {domain::ErrorCode::unavailable, std::move(message), {}, std::chrono::seconds(1)};
}

inline domain::Error unavailable_because(FailureKind kind) {
  if (kind == FailureKind::no_space)
    return unavailable("The service has no disk space left: nothing was stored. Try again later.");
  return unavailable("The service cannot store anything right now: nothing was stored. Try again in a moment.");
}

inline domain::Error failed_inside() {
  return unavailable("The service failed inside: nothing was stored. Tell its operator.");
}

inline domain::Error outcome_unknown() {
  return {domain::ErrorCode::outcome_unknown,
          "It is not known whether this was stored: call again, a repetition does no harm.",
          {},
          std::nullopt};
}

}  // namespace invited::storage
