// A statement on a PostgreSQL connection. Survives the connection's loss. Used by statement.cpp through
// PostgresConnection::prepare.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/postgres_connection.h"

namespace invited::storage {

class PostgresStatement final : public PreparedStatement {
 public:
  PostgresStatement(PostgresConnection& connection, const std::string& sql, const Parameters& parameters,
                    const Columns& columns);

  bool first() override;
  bool next() override;
  long long affected() override;
  void execute() override;

 private:
  void send();
  bool take_row();

  PostgresConnection& connection_;
  std::string sql_;               ///< with $1, $2, … in place of the names
  std::vector<Variable> values_;  ///< in the order of the numbers
  Columns columns_;
  std::vector<std::string> numbers_;  ///< texts of numeric parameters
  PostgresConnection::Result result_;
  int row_ = 0;
};

}  // namespace invited::storage
