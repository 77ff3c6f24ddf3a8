#include "storage/sqlite_statement.h"

#include <soci/soci.h>

#include <utility>
#include <vector>

#include "storage/sqlite_connection.h"

namespace invited::storage {
namespace {

struct NullFlag {
  bool* null;
  soci::indicator indicator;
};

}  // namespace

struct SqliteStatement::Prepared {
  explicit Prepared(soci::session& session) : statement(session) {}

  // SOCI keeps the addresses of the indicators: sized once, never grown.
  std::vector<NullFlag> null_parameters;
  std::vector<NullFlag> null_columns;
  soci::statement statement;
};

SqliteStatement::SqliteStatement(SqliteConnection& connection, const std::string& sql, const Parameters& parameters,
                                 const Columns& columns) try
    : connection_(connection), prepared_(std::make_unique<Prepared>(connection.session())) {
  soci::statement& statement = prepared_->statement;
  prepared_->null_parameters.reserve(parameters.size());
  prepared_->null_columns.reserve(columns.size());
  statement.alloc();

  for (const Parameter& parameter : parameters)
    std::visit(
        [&](auto* variable) {
          if constexpr (requires { variable->null; }) {
            auto& flag = prepared_->null_parameters.emplace_back(&variable->null, soci::i_ok);
            statement.exchange(soci::use(variable->value, flag.indicator, parameter.name));
          } else {
            statement.exchange(soci::use(*variable, parameter.name));
          }
        },
        parameter.variable);
  for (const Variable& column : columns)
    std::visit(
        [&](auto* variable) {
          if constexpr (requires { variable->null; }) {
            auto& flag = prepared_->null_columns.emplace_back(&variable->null, soci::i_ok);
            statement.exchange(soci::into(variable->value, flag.indicator));
          } else {
            statement.exchange(soci::into(*variable));
          }
        },
        column);

  statement.prepare(sql);
  statement.define_and_bind();
} catch (const soci::soci_error& error) {
  throw connection.failure_of(error);
}

SqliteStatement::~SqliteStatement() = default;

bool SqliteStatement::first() try {
  for (NullFlag& flag : prepared_->null_parameters) flag.indicator = *flag.null ? soci::i_null : soci::i_ok;
  const bool found = prepared_->statement.execute(true);
  if (found)
    for (const NullFlag& flag : prepared_->null_columns) *flag.null = flag.indicator == soci::i_null;
  return found;
} catch (const soci::soci_error& error) {
  throw connection_.failure_of(error);
}

bool SqliteStatement::next() try {
  const bool found = prepared_->statement.fetch();
  if (found)
    for (const NullFlag& flag : prepared_->null_columns) *flag.null = flag.indicator == soci::i_null;
  return found;
} catch (const soci::soci_error& error) {
  throw connection_.failure_of(error);
}

long long SqliteStatement::affected() { return prepared_->statement.get_affected_rows(); }

}  // namespace invited::storage
