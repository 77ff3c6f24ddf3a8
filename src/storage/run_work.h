// Runs one unit of work of a batch, on either database. What the work throws that is no failure of the database is its
// own fault inside: refused, like what it refuses itself. On the writer's thread.
#pragma once

#include "storage/group_commit.h"
#include "storage/sql_transaction.h"

namespace invited::storage {

/// Sets the submission's result. Throws DatabaseFailure.
void run_work(Submission& submission, SqlTransaction& transaction);

/// The same, and keeps what it wrote, or undoes it. Throws DatabaseFailure, of the kind `conflict` where it cannot be
/// undone alone.
void run_and_settle(Submission& submission, SqlTransaction& transaction);

}  // namespace invited::storage
