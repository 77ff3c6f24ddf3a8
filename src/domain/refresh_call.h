// A call that is owed to an app: "this person's roles changed, ask for them" (RefreshUserPermissions). Queued in the
// transaction that changes the access, made by calls/call_worker. It says only who, so one that waits stands for
// all changes until it is made. Plain values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "domain/call.h"

namespace invited::domain {

class Transaction;
struct Environment;

/// Its target is the environment; cancelled is one whose environment has no refresh URL any more.
struct RefreshCall {
  base::Uuid id;
  base::Uuid environment_id;
  base::Uuid account_id;
  CallState state = CallState::queued;
  base::Timestamp queued_at;  ///< of the newest change that it stands for: from then on it is owed
  base::Timestamp due_at;
  std::uint32_t attempts = 0;  ///< finished ones
  std::optional<base::Timestamp> finished_at;
  std::string last_error;  ///< of the newest attempt; empty if none
};

/// Owes the app a call about the person, where the environment has a refresh URL. In the transaction that changed the
/// access.
void queue_refresh(const Environment& environment, const base::Uuid& account_id, Transaction& transaction,
                   base::Timestamp now);

}  // namespace invited::domain
