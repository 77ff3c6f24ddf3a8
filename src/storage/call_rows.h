// How calls and their attempts look as rows, whatever their kind: the variables that their statements bind. Only for
// storage's statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

/// What all calls have, besides what they say.
struct CallRow {
  Text id, target_id, state;
  Number queued_at = 0;
  Number due_at = 0;
  Number attempts = 0;
  Number claims = 0;
  NullableNumber finished_at;
  Text last_error;
  NullableText lease_id;
  NullableNumber lease_until;

  /// But the lease, which is written only.
  Columns columns() {
    return {&id, &target_id, &state, &queued_at, &due_at, &attempts, &claims, &finished_at, &last_error};
  }
  /// What a change of state writes.
  Parameters progress() {
    return {{"id", id},
            {"state", state},
            {"queued_at", queued_at},
            {"due_at", due_at},
            {"attempts", attempts},
            {"claims", claims},
            {"finished_at", finished_at},
            {"last_error", last_error},
            {"lease_id", lease_id},
            {"lease_until", lease_until}};
  }
  void settle(domain::CallState settled, base::Timestamp at) {
    state = domain::to_string(settled);
    finished_at = to_number(at);
  }
  void end_lease() {
    lease_id = std::nullopt;
    lease_until = std::nullopt;
  }
};

inline constexpr std::string_view kCallAttemptColumns =
    "SELECT call_id, number, started_at, finished_at, outcome, http_status, explanation FROM ";

struct CallAttemptRow {
  Text call_id;
  Number number = 0;
  Number started_at = 0;
  NullableNumber finished_at;
  NullableText outcome;
  NullableNumber http_status;
  NullableText explanation;

  /// In the order of kCallAttemptColumns.
  Columns columns() { return {&call_id, &number, &started_at, &finished_at, &outcome, &http_status, &explanation}; }
  domain::CallAttempt get() const {
    domain::CallAttempt attempt{.call_id = to_uuid(call_id),
                                .number = static_cast<std::uint32_t>(number),
                                .started_at = to_time(started_at),
                                .finished_at = to_optional_time(finished_at),
                                .result = std::nullopt};
    if (!outcome.null)
      attempt.result = domain::CallResult{known_word(domain::parse_call_outcome(outcome.value)),
                                          static_cast<int>(http_status.value), explanation.value};
    return attempt;
  }
};

}  // namespace invited::storage
