// One table on its way from SQLite to PostgreSQL: all of its rows as text, whatever their columns, which are asked of
// both databases. What is moved is told apart by a digest of the rows that does not depend on their order. Used by
// store_move.cpp only; one thread. Every function throws DatabaseFailure, or MoveRefused with a sentence for the
// operator.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/connection.h"

namespace invited::storage {

struct MoveRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How many rows, and what is in them. Equal contents have equal sums in whatever order they are added.
class RowSum {
 public:
  void add(const std::vector<NullableText>& row);
  std::uint64_t rows() const { return rows_; }
  std::string digest() const;  ///< 32 hexadecimal digits
  bool operator==(const RowSum&) const = default;

 private:
  std::uint64_t rows_ = 0;
  std::array<std::uint64_t, 4> sum_{};
};

class MovedTable {
 public:
  struct Description {
    std::string_view name;
    std::vector<std::string_view> key;
  };
  /// In an order in which references are there before what refers to them.
  static const std::vector<Description>& all();

  using Progress = std::function<void(std::uint64_t rows)>;

  /// Refuses where the columns of the two do not fit.
  MovedTable(const Description& description, Connection& source, Connection& target);

  std::string_view name() const { return description_.name; }
  std::uint64_t count_source();
  bool is_target_empty();
  /// Copies what the target does not have yet, in chunks that are committed each; the sum of all of the source's rows.
  RowSum copy(const Progress& progress);
  RowSum sum_target(const Progress& progress);
  /// Refuses with table and key where the target has a row that is not the source's.
  void expect_only_rows_of_source(const Progress& progress);
  /// Rows that are inserted from now on come behind those that were moved.
  void continue_sequence();

 private:
  struct Column {
    std::string name;
    std::string type;    ///< the target's: uuid, text, bigint
    std::string source;  ///< what selects it there, as text
  };

  std::string select_source() const;
  std::string key_of(const std::vector<NullableText>& row) const;
  std::string insert_sql() const;
  void each_of_target(const std::function<void()>& row);
  [[noreturn]] void refuse(const std::string& what) const;

  const Description& description_;
  Connection& source_;
  Connection& target_;
  std::vector<Column> columns_;
  bool has_sequence_ = false;
  std::vector<NullableText> row_;  ///< what statements read into
};

}  // namespace invited::storage
