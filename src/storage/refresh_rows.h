// How calls to apps and their attempts look as rows: the variables that their statements bind. Only for storage's
// statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

inline constexpr std::string_view kRefreshCallColumns =
    "SELECT id, environment_id, account_id, state, queued_at, due_at, attempts, claims, finished_at, last_error"
    " FROM refresh_call ";

struct RefreshCallRow {
  Text id, environment_id, account_id, state;
  Number queued_at = 0;
  Number due_at = 0;
  Number attempts = 0;
  Number claims = 0;
  NullableNumber finished_at;
  Text last_error;
  NullableText lease_id;
  NullableNumber lease_until;

  /// In the order of kRefreshCallColumns.
  Columns columns() {
    return {&id,     &environment_id, &account_id, &state,       &queued_at,
            &due_at, &attempts,       &claims,     &finished_at, &last_error};
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

  void set(const domain::RefreshCall& call) {
    id = call.id.to_string();
    environment_id = call.environment_id.to_string();
    account_id = call.account_id.to_string();
    state = domain::to_string(call.state);
    queued_at = to_number(call.queued_at);
    due_at = to_number(call.due_at);
    attempts = call.attempts;
    storage::set(finished_at, call.finished_at);
    last_error = call.last_error;
  }
  domain::RefreshCall get() const {
    return {.id = to_uuid(id),
            .environment_id = to_uuid(environment_id),
            .account_id = to_uuid(account_id),
            .state = known_word(domain::parse_refresh_state(state)),
            .queued_at = to_time(queued_at),
            .due_at = to_time(due_at),
            .attempts = static_cast<std::uint32_t>(attempts),
            .finished_at = to_optional_time(finished_at),
            .last_error = last_error};
  }
  void settle(domain::RefreshState settled, base::Timestamp at) {
    state = domain::to_string(settled);
    finished_at = to_number(at);
  }
  void end_lease() {
    lease_id = std::nullopt;
    lease_until = std::nullopt;
  }
};

struct RefreshAttemptRow {
  Text call_id;
  Number number = 0;
  Number started_at = 0;
  NullableNumber finished_at;
  NullableText outcome;
  NullableNumber http_status;
  NullableText explanation;

  domain::RefreshAttempt get() const {
    domain::RefreshAttempt attempt{.call_id = to_uuid(call_id),
                                   .number = static_cast<std::uint32_t>(number),
                                   .started_at = to_time(started_at),
                                   .finished_at = to_optional_time(finished_at),
                                   .result = std::nullopt};
    if (!outcome.null)
      attempt.result = domain::RefreshResult{known_word(domain::parse_refresh_outcome(outcome.value)),
                                             static_cast<int>(http_status.value), explanation.value};
    return attempt;
  }
};

}  // namespace invited::storage
