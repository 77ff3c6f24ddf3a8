// Who may change the schema of a PostgreSQL database: an advisory lock of the session. Exclusive for whoever migrates
// it or moves a database into it, shared for whoever begins to use it as it is. Belongs to its connection's thread.
#pragma once

#include <utility>

#include "domain/error.h"
#include "storage/patience.h"
#include "storage/postgres_connection.h"

namespace invited::storage {

class SchemaLock {
 public:
  enum class Mode { shared, exclusive };

  /// Waits for others as long as `patience` allows; unavailable after that. With the exclusive one the connection's
  /// statements may take as long as they like, but for waiting for other locks. The connection outlives it. Throws
  /// DatabaseFailure.
  static domain::Result<SchemaLock> take(PostgresConnection& connection, Mode mode, Patience& patience);

  SchemaLock(SchemaLock&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)), mode_(other.mode_) {}
  SchemaLock& operator=(SchemaLock&&) = delete;
  ~SchemaLock();

 private:
  SchemaLock(PostgresConnection& connection, Mode mode) : connection_(&connection), mode_(mode) {}

  PostgresConnection* connection_;
  Mode mode_;
};

}  // namespace invited::storage
