// The state folder: keys and database in it, opened together in the right order. Used by the service and by commands
// that run without it. Opening takes the database's lock; closing (the destructor) leaves it clean.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "config.h"
#include "domain/store.h"
#include "keys.h"
#include "restore_guard.h"
#include "storage/lock_file.h"
#include "storage/migrator.h"

namespace invited {

struct StateFolder {
  Keys keys;
  std::unique_ptr<base::Clock> clock;  ///< by which everything is decided: the machine's, or the database server's
  std::unique_ptr<domain::Store> store;
  std::optional<domain::AcceptedRestore> accepted{};  ///< where --after-restore had something to accept
};

/// Whether the database is one that several instances share (PostgreSQL).
bool is_shared(const Config& config);

/// SQLite's file.
std::filesystem::path database_path(const Config& config);

/// False where there is certainly none yet.
bool may_have_database(const Config& config);

/// Makes the folder (mode 0700), the keys and the database where they are missing. `on_fatal` as in
/// storage::SqliteOptions. A database that came back from a backup is refused unless `said` accepts it. Error:
/// unavailable, with a sentence that names the remedy; its parameter is kSchemaParameter where it is `older`'s.
domain::Result<StateFolder> open_state_folder(const Config& config, const base::Clock& clock,
                                              std::function<void(std::string_view reason)> on_fatal,
                                              AfterRestore said = AfterRestore::not_said,
                                              storage::OlderSchema older = storage::OlderSchema::migrate);

GuardedFolder guarded_folder(const Config& config);

/// Looks at all of the database, in use or not. Error: unavailable, damaged, with the remedy.
domain::Result<void> check_database_content(const Config& config);

/// For work on the folder's files: makes the folder where it is missing, and keeps every other process out of its
/// database. Error: unavailable.
domain::Result<storage::LockFile> take_state_folder(const Config& config);

/// Whether another process has the database for itself right now: never where it is shared.
bool is_in_use(const Config& config);

}  // namespace invited
