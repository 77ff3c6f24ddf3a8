// SQLite's own page cache, spared one thing: when pages of an index change places, SQLite lends one of them the number
// of the page that a database never uses (the one with the lock bytes, at 1 GiB). In a smaller database the cache then
// holds a number beyond the end for a moment, and at the end of the transaction SQLite looks through all of the cache
// for pages to drop. That took a seventh of the writer's time. Here a number that is only lent does not count.
#pragma once

namespace invited::storage {

/// For all connections that are opened from now on. Before the process's first connection; otherwise nothing changes
/// but speed.
void register_page_cache();

}  // namespace invited::storage
