// What a transaction that writes locks against those of other instances, until it ends. One per connection; used by its
// thread. All of it does nothing on SQLite, which has one writer at a time. Throws StorageFailure.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "storage/connection.h"

namespace invited::storage {

class LockStatements {
 public:
  explicit LockStatements(Connection& connection);
  ~LockStatements();

  void lock_account(const base::Uuid& id);
  void lock_environment(const base::Uuid& id);
  /// What has no row to lock yet: the mails to a mailbox, the use of an Idempotency-Key. `kind` tells names of one sort
  /// from those of another.
  void lock_name(std::string_view kind, std::string_view name);
  /// All of them in one round trip, in an order that every instance keeps.
  void lock_names(std::string_view kind, const std::set<std::string>& names);
  /// A transaction begins: nothing is locked.
  void forget();

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
