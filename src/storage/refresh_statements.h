// The SQL of the calls that are owed to apps: what they say, and that one which waits stands for all changes. Leases,
// attempts and outcomes are call_statements'. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/refresh_call.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class RefreshStatements {
 public:
  explicit RefreshStatements(Connection& connection);
  ~RefreshStatements();

  /// One that waits stands for it, and is owed anew from then on. One whose lease is over by `call.queued_at` waits
  /// too, and its late worker, which may have called before this change, loses its say.
  void insert(const domain::RefreshCall& call);
  std::optional<domain::RefreshCall> find_refresh_call(const base::Uuid& id);
  std::vector<domain::RefreshCall> list_refresh_calls(std::optional<domain::CallState> state, const domain::Page& page);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
