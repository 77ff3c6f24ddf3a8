// Opens the store for several instances: PostgreSQL. What the Store promises is said in domain/store.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/clock.h"
#include "domain/error.h"
#include "domain/store.h"
#include "storage/migrator.h"

namespace invited::storage {

struct PostgresOptions {
  std::string url;                  ///< postgresql://…, as in libpq; may hold a password: not for a log
  std::size_t queue_limit = 4'096;  ///< units of work waiting for the writer
  std::size_t batch_limit = 128;    ///< units of work in one commit, or what they foresee: each may hold a lock
  std::size_t begun_limit = 256;    ///< units of work begun and not told yet, beyond which who begins one waits
  std::size_t readers = 3;          ///< connections for Store::read
  std::chrono::milliseconds statement_timeout{4'000};  ///< the server's; a second later it is taken for gone
  std::chrono::milliseconds lock_timeout{2'000};
  OlderSchema older_schema = OlderSchema::migrate;
  /// Settings of the server that may be other than they should: "fsync", "full_page_writes", "synchronous_commit".
  std::set<std::string> allow_unsafe;
  /// Asked while the opening waits for another process that changes the schema: true ends it.
  std::function<bool()> gives_up{};
};

struct PostgresStore {
  // In this order: the store's writer sets the clock for as long as it runs.
  std::unique_ptr<base::Clock> clock;  ///< the server's time; outlives the store
  std::unique_ptr<domain::Store> store;
};

/// Connects, looks at the server's settings, migrates (one instance at a time), starts the writer thread. unavailable:
/// no server that takes writes, one that would lose what it acknowledges, a schema newer than the program, or older and
/// refused, another process that changes it for a minute, an encoding that is not UTF-8.
domain::Result<PostgresStore> open_postgres_store(const PostgresOptions& options);

}  // namespace invited::storage
