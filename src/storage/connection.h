// One connection to a database, as statements and the writers see it: what differs between SQLite and PostgreSQL is
// behind this. Statements keep a reference, so they die before it. Used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "domain/store.h"
#include "storage/variables.h"

namespace invited::storage {

enum class Dialect { sqlite, postgresql };

/// What a failure says about the database.
enum class FailureKind {
  statement,   ///< this statement only: type, syntax
  duplicate,   ///< a unique key is taken already: by ourselves, or by somebody else just now
  conflict,    ///< the transaction as a whole cannot go on beside another one: it may be tried again
  busy,        ///< somebody else holds a lock for too long: the statement was not done
  no_space,    ///< the disk is full: nothing was done
  connection,  ///< the server is gone: an open transaction is undone, a COMMIT under way may have happened or not
  sync,        ///< an fsync failed: what it was for may or may not be on disk, and must not be tried again
  io,          ///< reading or writing failed
  damaged,     ///< the files are damaged, or other files than before: nothing may be written into them
};

std::string_view to_string(FailureKind kind);

/// What statements throw.
struct DatabaseFailure : domain::StorageFailure {
  DatabaseFailure(FailureKind kind_in, const std::string& message) : StorageFailure(message), kind(kind_in) {}
  FailureKind kind;
};

/// What a Statement is on its connection. Every function throws DatabaseFailure, after which it is not used any more.
class PreparedStatement {
 public:
  virtual ~PreparedStatement() = default;
  /// Runs it; true where there is a row, whose values the columns' variables hold then.
  virtual bool first() = 0;
  virtual bool next() = 0;
  /// Rows that the last run touched.
  virtual long long affected() = 0;
  /// Runs it without waiting for the result, where the connection can do that.
  virtual void execute() = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  virtual Dialect dialect() const = 0;
  /// Parameters stand in `sql` as :name.
  virtual std::unique_ptr<PreparedStatement> prepare(const std::string& sql, const Parameters& parameters,
                                                     const Columns& columns) = 0;
  /// Waits for what was only executed, and throws the first failure of it.
  virtual void flush() = 0;
  /// Connects anew where the connection was lost, though not too often. Throws while there is none.
  virtual void recover() = 0;
  /// False after COMMIT and ROLLBACK, and after the database gave up a whole transaction by itself.
  virtual bool in_transaction() const = 0;
  /// The statement that begins a transaction that writes.
  virtual std::string_view begin_write_sql() const = 0;
  /// The statement that begins a transaction that reads from one snapshot.
  virtual std::string_view begin_read_sql() const = 0;
  /// Called between a COMMIT and its answers. Throws DatabaseFailure (damaged) where the next start would not find what
  /// was committed, because the database's files have no name any more.
  virtual void expect_in_place() {}
  /// Called by the writer after it acknowledged a batch, and every second while idle, outside any transaction:
  /// checkpoints and the like. Throws DatabaseFailure.
  virtual void maintain() = 0;
  /// Instead of `maintain`, after a COMMIT that found the disk full: makes what space it can.
  virtual void make_space() { maintain(); }
  /// Called outside any transaction: one that changes most of the database comes next, or is over.
  virtual void expect_large_work(bool /*expected*/) {}
  /// Called by the writer when there is nothing more to come and all went well: waits for what `maintain` began. Only
  /// after this may closing write anything. Throws DatabaseFailure.
  virtual void end_maintenance() {}
};

/// The text for the connection's dialect, where the two need different ones.
inline std::string_view by_dialect(const Connection& connection, std::string_view sqlite, std::string_view postgresql) {
  return connection.dialect() == Dialect::sqlite ? sqlite : postgresql;
}

/// For what is read to be written. SQLite has one writer at a time, and no such clause.
inline std::string lock_clause(const Connection& connection) {
  return std::string(by_dialect(connection, "", " FOR UPDATE"));
}

/// The column by which rows of growing tables are ordered: the order of insertion in SQLite; in PostgreSQL, where
/// several instances insert, the id, which begins with the time (base::Uuid::ordered).
inline std::string row_order(const Connection& connection) { return std::string(by_dialect(connection, "seq", "id")); }

/// How the rows with one value in `column` (bound as a variable of that name) are listed in their order.
struct ListBy {
  std::string condition;
  std::string order;
};

/// The index on (`column`, row_order) must find them, however few they are. Said plainly, PostgreSQL's planner may walk
/// over all rows in their order instead, where its statistics say that every tenth has the value: over everything that
/// another environment did since. An order that begins with a column in a range is had only of an index that does.
inline ListBy list_by(const Connection& connection, const std::string& column, const std::string& direction) {
  const std::string row_key = row_order(connection);
  if (connection.dialect() == Dialect::sqlite) return {column + " = :" + column, row_key + direction};
  return {column + " >= :" + column + " AND " + column + " <= :" + column,
          column + direction + ", " + row_key + direction};
}

/// What is asked of rows that other conditions find. Written plainly, PostgreSQL's planner may look for them in a
/// partial index of that word instead, where its statistics are from a time when that index was empty: with 10,000
/// queued mails every acceptance took 4 ms. No partial index serves what is computed.
inline std::string row_is(std::string_view column, std::string_view word) {
  return "(" + std::string(column) + " || '') = '" + std::string(word) + "'";
}

}  // namespace invited::storage
