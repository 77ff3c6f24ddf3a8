// What a code of SQLite's means for whoever wanted something stored.
#pragma once

#include "storage/connection.h"

namespace invited::storage {

/// `code`: an extended result code (SQLite's "Result and Error Codes") other than SQLITE_OK.
FailureKind failure_kind_of(int code);

}  // namespace invited::storage
