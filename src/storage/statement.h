// A prepared statement and the variables that are bound to it: named parameters in, columns out. Prepared at its first
// use and kept; after a failure it is prepared anew. The variables outlive the statement. SQL never holds data.
// Belongs to its connection's thread. Every function throws DatabaseFailure where the database fails.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/connection.h"

namespace invited::storage {

/// A variable for a column that may be NULL.
template <class T>
struct Nullable {
  T value{};
  bool null = true;

  void operator=(std::nullopt_t) { null = true; }
  void operator=(T v) {
    value = std::move(v);
    null = false;
  }
};

using Text = std::string;
using Number = long long;
using NullableText = Nullable<Text>;
using NullableNumber = Nullable<Number>;
using Variable = std::variant<Text*, Number*, NullableText*, NullableNumber*>;

struct Parameter {
  Parameter(std::string_view n, Text& v) : name(n), variable(&v) {}
  Parameter(std::string_view n, Number& v) : name(n), variable(&v) {}
  Parameter(std::string_view n, NullableText& v) : name(n), variable(&v) {}
  Parameter(std::string_view n, NullableNumber& v) : name(n), variable(&v) {}

  std::string name;  ///< without the colon
  Variable variable;
};

using Parameters = std::vector<Parameter>;
using Columns = std::vector<Variable>;

class Statement {
 public:
  Statement(Connection& connection, std::string_view sql, Parameters parameters = {}, Columns columns = {});
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Runs a statement without a result; how many rows it touched.
  long long run();
  /// Runs a query for one row: true where there is one; the columns' variables hold it.
  bool find();
  /// Runs a query and calls `row()` for each row, with the columns' variables filled.
  template <class Function>
  void each(Function row) {
    bool more = first();
    try {
      for (; more; more = next()) row();
    } catch (...) {
      reset();  // it would keep its snapshot, and with it the log, alive
      throw;
    }
  }

 private:
  struct Prepared;

  bool first();
  bool next();
  void reset();
  void prepare();
  [[noreturn]] void fail();

  Connection& connection_;
  std::string sql_;
  Parameters parameters_;
  Columns columns_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
