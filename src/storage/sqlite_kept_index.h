// What a process that died has left behind of the index of SQLite's log (the -shm file). Usually nothing: whoever opens
// the database first builds it anew. But where another program (an sqlite3 shell) had the database open all the time,
// the index lives on, and says how much of the log was written back. That may be more than is on the disk: it is said
// before the database's file is synced, and a sync that failed may be why the process died.
#pragma once

#include <string>

namespace invited::storage {

/// For a writer, before it opens the database at `path`: where another process holds the index, all of the log counts
/// as not written back, which is always right (SQLite's "WAL-mode File Format", section 2.3: nBackfill). Throws
/// DatabaseFailure (io).
void distrust_kept_index(const std::string& path);

}  // namespace invited::storage
