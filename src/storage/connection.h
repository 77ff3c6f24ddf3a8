// One connection to a database, as statements and the writer see it: what differs between SQLite and PostgreSQL is
// behind this. Statements keep a reference, so they die before it. Used by one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "domain/store.h"

namespace soci {
class session;
class soci_error;
}  // namespace soci

namespace invited::storage {

/// What a failure says about the database.
enum class FailureKind {
  statement,  ///< this statement only: constraint, type, syntax
  busy,       ///< somebody else holds a lock: nothing was done
  no_space,   ///< the disk is full: nothing was done
  sync,       ///< an fsync failed: what it was for may or may not be on disk, and must not be tried again
  io,         ///< reading or writing failed
  damaged,    ///< the files are damaged, or other files than before: nothing may be written into them
};

std::string_view to_string(FailureKind kind);

/// What statements throw.
struct DatabaseFailure : domain::StorageFailure {
  DatabaseFailure(FailureKind kind_in, const std::string& message) : StorageFailure(message), kind(kind_in) {}
  FailureKind kind;
};

class Connection {
 public:
  virtual ~Connection() = default;

  virtual soci::session& session() = 0;
  virtual FailureKind classify(const soci::soci_error& error) const = 0;
  /// False after COMMIT and ROLLBACK, and after the database gave up a whole transaction by itself.
  virtual bool in_transaction() const = 0;
  /// The statement that begins a transaction that writes.
  virtual std::string_view begin_write_sql() const = 0;
  /// Called between a COMMIT and its answers. Throws DatabaseFailure (damaged) where the next start would not find what
  /// was committed, because the database's files have no name any more.
  virtual void expect_in_place() {}
  /// Called by the writer after it acknowledged a batch, and every second while idle, outside any transaction:
  /// checkpoints and the like. Throws DatabaseFailure.
  virtual void maintain() = 0;
  /// Nothing may be written any more: closing must not try to either.
  virtual void give_up() = 0;
};

}  // namespace invited::storage
