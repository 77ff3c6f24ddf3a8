// A prepared statement of SQLite, by SOCI. Used by statement.cpp through SqliteConnection::prepare.
#pragma once

#include <memory>
#include <string>

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

  SqliteConnection& connection_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
