// The SQL of the calls that are owed to apps, their attempts and leases. What makes a call change its state is here, in
// finish_refresh_attempt and retry_refresh_call, and nowhere else. One per connection; used by its thread. Throws
// StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/refresh_call.h"
#include "domain/store.h"
#include "storage/connection.h"
#include "storage/lock_statements.h"

namespace invited::storage {

class RefreshStatements {
 public:
  explicit RefreshStatements(Connection& connection);
  ~RefreshStatements();

  /// One that waits stands for it, and is owed anew from then on. One whose lease is over by `call.queued_at` waits
  /// too, and its late worker, which may have called before this change, loses its say.
  void insert(const domain::RefreshCall& call);
  std::optional<domain::RefreshCall> find_refresh_call(const base::Uuid& id);
  std::vector<domain::RefreshCall> list_refresh_calls(std::optional<domain::RefreshState> state,
                                                      const domain::Page& page);
  std::vector<domain::RefreshAttempt> list_refresh_attempts(const base::Uuid& call_id);

  std::optional<domain::RefreshLease> claim_due_refresh_call(base::Timestamp now, base::Timestamp lease_until,
                                                             LockStatements& locks);
  bool finish_refresh_attempt(const domain::RefreshLease& lease, const domain::RefreshResult& result,
                              std::optional<base::Timestamp> next_attempt, base::Timestamp now);
  bool retry_refresh_call(const base::Uuid& id, base::Timestamp now);
  /// For a start that knows that whoever claimed a call is dead. How many there were.
  long long end_all_leases(base::Timestamp now);

 private:
  struct Prepared;

  bool find_due(base::Timestamp now, LockStatements& locks);

  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
