// Keeps a database that came back from a backup from being served as if nothing had happened: compares database, keys
// and the folder's note at every start (domain/incarnation.h), renews the folder's incarnation, and takes a restored
// database into use when an operator says so. Crash-safe at every step: what was broken off is said again, and nobody
// is locked out by a kill. Called by the process that holds the database; not thread-safe.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "domain/restore.h"
#include "domain/store.h"
#include "keys.h"

namespace invited {

/// What the operator said about a restore.
enum class AfterRestore {
  not_said,     ///< a restored database is refused
  if_restored,  ///< it is accepted; one that is not restored is left alone
  certainly,    ///< it is accepted, even where nothing shows it (a snapshot of the whole machine)
};

/// Which folder, and whether it alone serves the database (SQLite) or others do too.
struct GuardedFolder {
  std::filesystem::path state_dir;
  bool exclusive = true;
};

/// An instance on PostgreSQL may have the file still that it came from; nobody may take that for its database. Error:
/// unavailable, with the remedy.
domain::Result<void> refuse_file_of_shared(const GuardedFolder& folder);

/// Error: unavailable, in a sentence that says what shows it and what to do.
domain::Result<void> refuse_restored(const GuardedFolder& folder, domain::Store& store, const Keys& keys);

/// The above, or, where `said` allows it, acceptance: raises the epoch in the key file and in `keys` (links that were
/// mailed are dead), ends sessions, holds the mails that are owed. Nothing where there was nothing to accept.
domain::Result<std::optional<domain::AcceptedRestore>> answer_restore(const GuardedFolder& folder, AfterRestore said,
                                                                      domain::Store& store, Keys& keys,
                                                                      base::Timestamp now);

/// A new incarnation, in the folder and in the database. What fails leaves both in a state that the next start takes.
domain::Result<void> renew_incarnation(const GuardedFolder& folder, domain::Store& store, const Keys& keys,
                                       base::Timestamp now);

}  // namespace invited
