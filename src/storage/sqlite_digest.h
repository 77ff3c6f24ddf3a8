// Short values that stand for long texts in an index of SQLite: an index whose keys come at random costs a page for
// every row, and the fewer pages it has, the more of them are in memory, and the fewer are written back. The database's
// columns hold them (migrations/0007_digests.sqlite.sql), so they never change. They find rows; the texts decide.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace invited::storage {

/// The first `size` bytes, 16 at most, of BLAKE2b-128 of the texts with a NUL after each. With 16 nobody finds two that
/// are equal; with 8 whoever looks for them does.
std::string digest_of(std::size_t size, std::initializer_list<std::string_view> texts);

/// From now on SQL on this connection has `digest(size, text, ...)`, the same as a blob; null where a text is.
/// `connection` is a sqlite3*, for which SOCI's headers have a type of their own.
void add_digest_function(void* connection);

}  // namespace invited::storage
