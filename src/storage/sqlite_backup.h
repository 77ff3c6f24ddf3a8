// A copy of a SQLite database as of one moment, while its writer goes on: SQLite's backup over a snapshot that a
// connection of its own holds, in bounded steps. The copy is one file without a log, is marked as a backup
// (domain/incarnation.h), checked, and on disk when this returns. Blocks for as long as that takes; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "domain/error.h"

namespace invited::storage {

enum class BackupStage { copying, checking };

struct SqliteBackup {
  std::string source;
  std::string target;  ///< made by this; must not be there
  /// Called between steps, and before the first, with what is done of how much (bytes of the copy while copying, 0 of 0
  /// while checking). False gives up.
  std::function<bool(BackupStage stage, std::uint64_t done, std::uint64_t total)> go_on;
};

struct CopiedDatabase {
  int schema_version = 0;
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::uint64_t>> counts;  ///< "invitations" and so on, as listed to people
};

/// Error: unavailable, with the reason; the target may be there in part then. `now` goes into the mark.
domain::Result<CopiedDatabase> copy_sqlite_database(const SqliteBackup& backup, base::Timestamp now);

/// The newest schema that this program knows.
int newest_sqlite_schema();

}  // namespace invited::storage
