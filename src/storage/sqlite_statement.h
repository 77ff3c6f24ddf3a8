// A prepared statement of SQLite. SOCI prepares it; values go in and come out by SQLite's own functions: SOCI's copy
// each of them, and look up each one's name, at every use. Used by statement.cpp through SqliteConnection::prepare.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/connection.h"

namespace invited::storage {

class SqliteConnection;

class SqliteStatement final : public PreparedStatement {
 public:
  SqliteStatement(SqliteConnection& connection, const std::string& sql, const Parameters& parameters,
                  const Columns& columns);
  ~SqliteStatement() override;

  bool first() override;
  bool next() override;
  long long affected() override;
  void execute() override { first(); }

 private:
  struct Prepared;
  struct Bound;

  void bind(Bound& bound, const Text& variable);
  void bind(Bound& bound, const Number& variable);
  template <class Value>
  void bind(Bound& bound, const Nullable<Value>& variable);
  /// Throws where `code`, SQLite's, is a failure.
  void expect(int code) const;

  SqliteConnection& connection_;
  std::unique_ptr<Prepared> prepared_;
  std::vector<Bound> parameters_;
  Columns columns_;
};

}  // namespace invited::storage
