// Moves everything that one SQLite file holds into a PostgreSQL database, and proves that all of it arrived: the way
// from one machine to several instances. Safe to run again, however the run before ended: rows that are there already
// are recognised, and any other row in the target is an error. Belongs to one thread; nobody else uses either database.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.h"

namespace invited::storage {

struct StoreMove {
  std::string sqlite_path;
  std::string postgres_url;                 ///< may hold a password: not for a log
  std::set<std::string> allow_unsafe = {};  ///< as in PostgresOptions
  /// Told now and then: "check", "copy" or "verify"; rows of the table so far; rows of it in the SQLite file.
  std::function<void(std::string_view step, std::string_view table, std::uint64_t rows, std::uint64_t of)> progress =
      {};
};

struct MovedRows {
  std::string table;
  std::uint64_t rows = 0;
  std::string digest;  ///< the same on both sides
};

/// unavailable: the file is not there, in use, damaged or of another schema; the server cannot be used; the target
/// holds something else, or does not hold the same afterwards. The message names table and key.
domain::Result<std::vector<MovedRows>> move_store(const StoreMove& move);

}  // namespace invited::storage
