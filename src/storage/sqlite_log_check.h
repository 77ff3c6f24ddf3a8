// Looks at a SQLite write-ahead log before SQLite does. SQLite takes the first frame that does not fit for the log's
// end: right after a power cut, where only the last transaction, which nobody was told of, can be torn; but where the
// disk damaged a frame in the middle, transactions that were acknowledged would vanish without a word, and be
// overwritten. Reads only; no state.
#pragma once

#include <string>

namespace invited::storage {

/// Throws DatabaseFailure (damaged) where the log of the database at `path` holds a transaction that SQLite would drop
/// although a later one was begun, which happens only after the first was synced; or where the log is there without
/// its database. A torn end is none of that. (What cannot be told from it: damage to the last transaction alone.)
void expect_whole_log(const std::string& path);

}  // namespace invited::storage
