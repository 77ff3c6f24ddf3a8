// The SQL function that makes short values of long texts, for an index of SQLite: an index whose keys come at random
// costs a page for every row, and the fewer pages it has, the more of them are in memory, and the fewer are written
// back. The database's columns hold them (migrations/0007_digests.sqlite.sql), so they never change. They find rows;
// the texts decide.
#pragma once

namespace invited::storage {

/// From now on SQL on this connection has `digest(size, text, ...)`: the first `size` bytes, 1 to 16, of BLAKE2b-128 of
/// the texts with a NUL after each; null where one is. With 16 nobody finds two that are equal; with 8 whoever looks
/// for them does. `connection` is a sqlite3*, for which SOCI's headers have a type of their own.
void add_digest_function(void* connection);

}  // namespace invited::storage
