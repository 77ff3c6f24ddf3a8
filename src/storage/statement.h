// A statement and the variables that are bound to it: named parameters in, columns out. Prepared at its first use and
// kept; after a failure it is prepared anew. The variables outlive the statement. SQL never holds data. Belongs to its
// connection's thread. Every function throws DatabaseFailure where the database fails.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/connection.h"
#include "storage/variables.h"

namespace invited::storage {

class Statement {
 public:
  Statement(Connection& connection, std::string_view sql, Parameters parameters = {}, Columns columns = {});
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Runs a statement without a result; how many rows it touched.
  long long run();
  /// The same for whom the number does not matter: its failure may be thrown by a later statement of the connection,
  /// or by its flush.
  void execute();
  /// Runs a query for one row: true where there is one; the columns' variables hold it.
  bool find();
  /// Runs a query and calls `row()` for each row, with the columns' variables filled.
  template <class Function>
  void each(Function row) {
    bool more = first();
    try {
      for (; more; more = next()) row();
    } catch (...) {
      prepared_.reset();  // it would keep its snapshot, and with it the log, alive
      throw;
    }
  }

 private:
  bool first();
  bool next();
  PreparedStatement& prepared();

  Connection& connection_;
  std::string sql_;
  Parameters parameters_;
  Columns columns_;
  std::unique_ptr<PreparedStatement> prepared_;
};

}  // namespace invited::storage
