// The write-ahead log of a SQLite writer, whose writes are gathered: SQLite writes every page of a commit by two small
// calls (24 bytes and a page), each of them as dear to the file system as a large one; here a commit's pages wait in
// memory until SQLite syncs the log, and are then written at once. Right because nobody reads them from the file
// before: other connections learn of a commit after its sync, and the writer's own reads are preceded by a write. Only
// for connections that sync every commit (synchronous=FULL). Everything else of SQLite's file access is untouched.
//
// An error of a gathered write is SQLite's own code, only that it is told at the sync; but a quota that is used up is a
// full disk. What is rolled back is not written any more: the connection's rollback hook is taken for that.
//
// register_log_files: once, thread-safe afterwards. A log belongs to its connection's thread.
#pragma once

namespace invited::storage {

/// Makes the logs of connections that are opened from now on able to gather. Before the process's first connection.
void register_log_files();

/// From now on the log of this connection, which must be in use already, gathers. (One that was opened before
/// register_log_files stays as it was.) `connection` is a sqlite3*, for which SOCI's headers have a type of their own.
void gather_log_writes(void* connection);

}  // namespace invited::storage
