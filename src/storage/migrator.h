// Brings a database's schema to what this program knows: numbered SQL files, forward only, each in one transaction with
// the row that records it, so that a run that was killed is simply run again. Used once, at the opening.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "domain/error.h"
#include "storage/connection.h"
#include "storage/patience.h"

namespace invited::storage {

struct Migration {
  int version = 0;
  std::string_view name;  ///< file name: "0001_initial.sqlite.sql"
  std::string_view sql;   ///< statements, each ended by a semicolon at the end of a line
};

/// The embedded ones for a dialect ("sqlite"), in ascending order.
std::vector<Migration> embedded_migrations(std::string_view dialect);

/// What is done with a schema that is older than the program. An empty database always gets the newest.
enum class OlderSchema {
  migrate,
  refuse,  ///< whoever only asks must not decide an upgrade: older programs cannot read the database afterwards
};

/// The parameter of the refusal of an older schema.
inline constexpr std::string_view kSchemaParameter = "schema";

/// Whether nothing is missing; changes nothing, and waits for nobody. unavailable: as migrate. Throws DatabaseFailure.
domain::Result<bool> is_migrated(Connection& connection, std::span<const Migration> migrations, OlderSchema older);

/// Applies what is missing. A table that others use is waited for as long as `patience`, where there is some, allows:
/// the migration is tried again, so that nobody queues up behind it for long. unavailable: the schema is newer than the
/// program (both versions are named), is older and refused (parameter kSchemaParameter), or a migration failed (its
/// name and the reason).
domain::Result<void> migrate(Connection& connection, std::span<const Migration> migrations, base::Timestamp now,
                             OlderSchema older = OlderSchema::migrate, Patience* patience = nullptr);

}  // namespace invited::storage
