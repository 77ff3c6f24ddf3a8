// The SQL of what all calls that are owed have in common, whatever they say: leases, attempts, outcomes. What makes a
// call change its state is here, in finish_call_attempt and retry_call, and nowhere else. One per connection and kind
// of call; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/call.h"
#include "storage/connection.h"
#include "storage/lock_statements.h"

namespace invited::storage {

class CallStatements {
 public:
  CallStatements(Connection& connection, domain::CallKind kind);
  ~CallStatements();

  std::vector<domain::CallAttempt> list_call_attempts(const base::Uuid& call_id);
  std::optional<domain::CallLease> claim_due_call(const domain::CallClaim& claim, LockStatements& locks);
  bool finish_call_attempt(const domain::CallLease& lease, const domain::CallResult& result,
                           std::optional<base::Timestamp> next_attempt, base::Timestamp now);
  bool retry_call(const base::Uuid& id, base::Timestamp now);
  /// For a start that knows that whoever claimed a call is dead. How many there were.
  long long end_all_leases(base::Timestamp now);

 private:
  struct Prepared;

  bool find_due(const domain::CallClaim& claim, LockStatements& locks);

  const domain::CallKind kind_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
