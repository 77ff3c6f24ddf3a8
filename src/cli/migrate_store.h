// `invited migrate-store`: moves a SQLite file's contents into PostgreSQL (storage/store_move.h), tells how far it is,
// and what to change in the configuration afterwards. Belongs to the main thread.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace invited::cli {

struct MigrateStoreOptions {
  std::string from;                       ///< sqlite:/var/lib/invited/invited.db
  std::string to;                         ///< postgresql://…
  std::vector<std::string> allow_unsafe;  ///< as storage.allow_unsafe
  bool json = false;
};

/// The exit code.
int run_migrate_store(const MigrateStoreOptions& options);

}  // namespace invited::cli
