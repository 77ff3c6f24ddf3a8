// Whether a PostgreSQL server keeps what it has acknowledged, and can hold what people write: looked at once, at the
// start. (promises.md, 2 and 8)
#pragma once

#include <set>
#include <string>

#include "domain/error.h"
#include "storage/postgres_connection.h"

namespace invited::storage {

/// unavailable: one of the server's settings lets acknowledged work be lost, and its name is not in `allowed`; the
/// message names it and the remedy. What is allowed, and standbys that may lag behind, are logged as warnings.
domain::Result<void> check_durability(PostgresConnection& connection, const std::set<std::string>& allowed);

/// unavailable: the database holds less than Unicode; the message names the remedy.
domain::Result<void> check_encoding(PostgresConnection& connection);

}  // namespace invited::storage
