// Fills a database that the program created with years of invitations, fast: bulk SQL on the C API, without logs and
// syncs, for `./dev bench scale` and `./dev bench mail`. What the rows say is what the service itself would have left:
// ids in the order of time, addresses at random, most invitations answered or over, each mail sent at its first
// attempt. Every index is kept up row by row, so that its pages are as full as they would be after real traffic.
#pragma once

#include <string>

namespace invited::bench {

struct FillOptions {
  std::string path;
  long invitations = 0;  ///< more of these
  long queued = 0;       ///< and of these, whose mail is due
};

/// Says on standard error how far it is. Ends the program where the database cannot be filled.
void fill_database(const FillOptions& options);

/// Somebody's address: numbers next to each other are nowhere near each other, as real addresses come.
std::string address_of(long number);

}  // namespace invited::bench
