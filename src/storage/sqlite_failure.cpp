#include "storage/sqlite_failure.h"

#include <sqlite3.h>

namespace invited::storage {

FailureKind failure_kind_of(int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return FailureKind::sync;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return FailureKind::no_space;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return FailureKind::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return FailureKind::damaged;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return FailureKind::io;
    default:
      return FailureKind::statement;
  }
}

}  // namespace invited::storage
