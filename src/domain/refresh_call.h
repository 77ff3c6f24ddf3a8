// A call that is owed to an app: "this person's roles changed, ask for them" (RefreshUserPermissions). Queued in the
// transaction that changes the access, made by refresh/refresh_worker. It says only who, so one that waits stands for
// all changes until it is made. Plain values; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace invited::domain {

class Transaction;
struct Environment;

enum class RefreshState {
  queued,     ///< owed; due at `due_at`
  done,       ///< the app took it
  failed,     ///< given up
  cancelled,  ///< the environment has no refresh URL any more
};
std::string_view to_string(RefreshState state);
std::optional<RefreshState> parse_refresh_state(std::string_view text);

struct RefreshCall {
  base::Uuid id;
  base::Uuid environment_id;
  base::Uuid account_id;
  RefreshState state = RefreshState::queued;
  base::Timestamp queued_at;  ///< of the newest change that it stands for: from then on it is owed
  base::Timestamp due_at;
  std::uint32_t attempts = 0;  ///< finished ones
  std::optional<base::Timestamp> finished_at;
  std::string last_error;  ///< of the newest attempt; empty if none
};

/// Claimed by a worker until `lease_until`; the id guards the outcome against a worker that comes back late.
struct RefreshLease {
  base::Uuid id;
  RefreshCall call;
  base::Timestamp lease_until;
};

enum class RefreshOutcome { done, deferred, cancelled };
std::string_view to_string(RefreshOutcome outcome);
std::optional<RefreshOutcome> parse_refresh_outcome(std::string_view text);

struct RefreshResult {
  RefreshOutcome outcome = RefreshOutcome::deferred;
  int http_status = 0;      ///< 0 where there was no answer
  std::string explanation;  ///< the fault's text or our reason; one line
};

struct RefreshAttempt {
  base::Uuid call_id;
  std::uint32_t number = 1;
  base::Timestamp started_at;
  std::optional<base::Timestamp> finished_at;  ///< none: under way, or the process died
  std::optional<RefreshResult> result;
};

/// Owes the app a call about the person, where the environment has a refresh URL. In the transaction that changed the
/// access.
void queue_refresh(const Environment& environment, const base::Uuid& account_id, Transaction& transaction,
                   base::Timestamp now);

}  // namespace invited::domain
