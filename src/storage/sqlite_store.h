// Opens the store on the embedded database: SQLite through SOCI. What the Store promises is said in domain/store.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/error.h"
#include "domain/store.h"
#include "storage/migrator.h"
#include "storage/sqlite_connection.h"

namespace invited::storage {

struct SqliteOptions {
  std::string path;
  std::string lock_path;  ///< empty: lock_path_of(path)
  /// Free bytes on the disk below which new work is refused; owed work goes on. 0: never refused.
  std::uint64_t watermark_bytes = 64ULL << 20;
  std::size_t queue_limit = 4'096;  ///< units of work waiting for the writer
  std::size_t batch_limit = 512;    ///< units of work in one commit
  std::size_t begun_limit = 256;    ///< units of work begun and not told yet, beyond which who begins one waits
  /// Pages of log (4 KiB each) after which it is written back.
  int checkpoint_pages = SqliteConnection::pages_of_log(SqliteConnection::kLogSize);
  std::size_t readers = 3;  ///< connections for Store::read
  OlderSchema older_schema = OlderSchema::migrate;
  /// Called once, on the writer thread, when nothing may be written any more (a commit's outcome is unknown, an fsync
  /// failed). The process should exit with an error, to be restarted.
  std::function<void(std::string_view reason)> on_fatal;
};

/// Takes the lock, creates or migrates the database, starts the writer thread. unavailable: the lock is another
/// process's (its pid is in the message), the file cannot be opened or is damaged (a small one is looked at as a whole,
/// a large one in part), the schema is newer than the program, or older and refused. `clock` is used here only.
domain::Result<std::unique_ptr<domain::Store>> open_sqlite_store(const SqliteOptions& options,
                                                                 const base::Clock& clock);

/// For who is about to read the database at `path`, which nobody has open: unavailable where its log is damaged, and
/// SQLite would leave out, without a word, what was acknowledged; the message says what to do.
domain::Result<void> expect_whole_sqlite_log(const std::string& path);

/// Looks at the whole of a database, which may be in use and may take a minute for each ten million rows. unavailable:
/// it is damaged or cannot be read; the message says what to do.
domain::Result<void> check_sqlite_database(const std::string& path);

}  // namespace invited::storage
