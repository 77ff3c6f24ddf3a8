// A call that is owed over HTTP and made until it is taken: what calls to apps (refresh_call.h) and to webhooks
// (webhook.h) have in common. Queued in the transaction that makes it necessary, made by calls/call_worker. Plain
// values; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace invited::domain {

enum class CallKind {
  refresh,  ///< to an environment's app; at most one at a time
  webhook,  ///< to a webhook
};

enum class CallState {
  queued,     ///< owed; due at `due_at`
  done,       ///< taken
  failed,     ///< given up
  cancelled,  ///< nobody wants it any more
};
std::string_view to_string(CallState state);
std::optional<CallState> parse_call_state(std::string_view text);

enum class CallOutcome { done, deferred, cancelled };
std::string_view to_string(CallOutcome outcome);
std::optional<CallOutcome> parse_call_outcome(std::string_view text);

struct CallResult {
  CallOutcome outcome = CallOutcome::deferred;
  int http_status = 0;      ///< 0 where there was no answer
  std::string explanation;  ///< what the other side said, or our reason; one line
};

/// One try at making a call, as listed by `invited refresh show` and `invited webhook show`.
struct CallAttempt {
  base::Uuid call_id;
  std::uint32_t number = 1;
  base::Timestamp started_at;
  std::optional<base::Timestamp> finished_at;  ///< none: under way, or the process died
  std::optional<CallResult> result;
};

/// A call that a worker has claimed until `lease_until`; the lease's id guards the outcome against a worker that comes
/// back late.
struct CallLease {
  base::Uuid id;
  base::Uuid call_id;
  base::Uuid target_id;  ///< the environment or the webhook
  base::Timestamp queued_at;
  base::Timestamp tried_since;  ///< when the first attempt began since it was queued (again), maybe this one
  std::uint32_t attempts = 0;   ///< finished ones
  base::Timestamp lease_until;
};

/// How a claim chooses among the targets that are owed a call: it takes the oldest due call of the one with the fewest
/// under lease.
struct CallClaim {
  base::Timestamp now;
  base::Timestamp lease_until;
  std::uint32_t most_at_once = 1;                            ///< leases that a target may have
  std::function<bool(const base::Uuid& target)> may_call{};  ///< empty: every target; may ask the transaction
};

}  // namespace invited::domain
