-- Schema 3 for SQLite: how a database that came back from a backup is told from the one that was served last.

-- One row, made by the first start: the keys that the database belongs to (a digest that tells nothing of them), and the
-- epoch of its links. `restored_at` is when an operator last said --after-restore: links mailed before are dead.
CREATE TABLE key_binding (
  singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
  key_digest TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  restored_at INTEGER
) STRICT;

-- One row for each state folder that serves the database: a random id, renewed with every start and every minute, that
-- also stands in a file in that folder. A copy made by `invited backup` has one row instead, of the instance 'backup'.
CREATE TABLE incarnation (
  instance TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
