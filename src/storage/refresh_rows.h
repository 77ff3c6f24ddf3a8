// How a call to an app looks as a row: the variables that its statements bind. Only for storage's statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

inline constexpr std::string_view kRefreshCallColumns =
    "SELECT id, environment_id, account_id, state, queued_at, due_at, attempts, finished_at, last_error"
    " FROM refresh_call ";

struct RefreshCallRow {
  Text id, environment_id, account_id, state;
  Number queued_at = 0;
  Number due_at = 0;
  Number attempts = 0;
  NullableNumber finished_at;
  Text last_error;

  /// In the order of kRefreshCallColumns.
  Columns columns() {
    return {&id, &environment_id, &account_id, &state, &queued_at, &due_at, &attempts, &finished_at, &last_error};
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
            .state = known_word(domain::parse_call_state(state)),
            .queued_at = to_time(queued_at),
            .due_at = to_time(due_at),
            .attempts = static_cast<std::uint32_t>(attempts),
            .finished_at = to_optional_time(finished_at),
            .last_error = last_error};
  }
};

}  // namespace invited::storage
