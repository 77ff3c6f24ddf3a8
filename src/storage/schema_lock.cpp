#include "storage/schema_lock.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace invited::storage {
namespace {

/// "invited", for pg_advisory_lock.
constexpr std::uint64_t kNumber = 29687894410618212;
constexpr std::chrono::milliseconds kPause{100};

std::string call(std::string_view function, SchemaLock::Mode mode) {
  return "SELECT CAST(" + std::string(function) + (mode == SchemaLock::Mode::shared ? "_shared(" : "(") +
         std::to_string(kNumber) + ") AS TEXT)";
}

}  // namespace

domain::Result<SchemaLock> SchemaLock::take(PostgresConnection& connection, Mode mode, Patience& patience) {
  while (connection.ask(call("pg_try_advisory_lock", mode)) != "true")
    if (!patience.allows(kPause, "another process that changes the schema of the database, or moves one into it"))
      return domain::refuse(domain::ErrorCode::unavailable,
                            "Another process changes the schema of the PostgreSQL database, or moves one into it, and "
                            "was waited for in vain: try again when it has ended. (In pg_locks it is the one that "
                            "holds an advisory lock with the objid " +
                                std::to_string(kNumber & 0xFFFFFFFFU) + ".)");
  SchemaLock lock(connection, mode);
  if (mode == Mode::exclusive) connection.set_unhurried(true);
  return lock;
}

SchemaLock::~SchemaLock() {
  if (connection_ == nullptr) return;
  try {
    connection_->ask(call("pg_advisory_unlock", mode_));
    if (mode_ == Mode::exclusive) connection_->set_unhurried(false);
  } catch (const DatabaseFailure&) {
    // It ends with the session.
  }
}

}  // namespace invited::storage
