#include "storage/statement.h"

#include <soci/soci.h>

#include <algorithm>

namespace invited::storage {
namespace {

struct NullFlag {
  bool* null;
  soci::indicator indicator;
};

/// A parameter that nobody binds would be NULL, and a comparison with it silently false.
void check_all_bound(std::string_view sql, const Parameters& parameters) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_0123456789";
  for (auto at = sql.find(':'); at != std::string_view::npos; at = sql.find(':', at + 1)) {
    const auto end = sql.find_first_not_of(kLetters, at + 1);
    const std::string_view name = sql.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    if (!name.empty() && std::ranges::find(parameters, name, &Parameter::name) == parameters.end())
      throw DatabaseFailure(FailureKind::statement, "nothing is bound to :" + std::string(name));
  }
}

}  // namespace

std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::statement:
      return "statement";
    case FailureKind::busy:
      return "busy";
    case FailureKind::no_space:
      return "no_space";
    case FailureKind::sync:
      return "sync";
    case FailureKind::io:
      return "io";
    case FailureKind::damaged:
      return "damaged";
  }
  return "io";
}

struct Statement::Prepared {
  explicit Prepared(soci::session& session) : statement(session) {}

  // SOCI keeps the addresses of the indicators: sized once, never grown.
  std::vector<NullFlag> null_parameters;
  std::vector<NullFlag> null_columns;
  soci::statement statement;
};

Statement::Statement(Connection& connection, std::string_view sql, Parameters parameters, Columns columns)
    : connection_(connection), sql_(sql), parameters_(std::move(parameters)), columns_(std::move(columns)) {}

Statement::~Statement() = default;

void Statement::reset() { prepared_.reset(); }

void Statement::prepare() {
  check_all_bound(sql_, parameters_);
  auto prepared = std::make_unique<Prepared>(connection_.session());
  soci::statement& statement = prepared->statement;
  prepared->null_parameters.reserve(parameters_.size());
  prepared->null_columns.reserve(columns_.size());
  statement.alloc();

  for (const Parameter& parameter : parameters_)
    std::visit(
        [&](auto* variable) {
          if constexpr (requires { variable->null; }) {
            auto& flag = prepared->null_parameters.emplace_back(&variable->null, soci::i_ok);
            statement.exchange(soci::use(variable->value, flag.indicator, parameter.name));
          } else {
            statement.exchange(soci::use(*variable, parameter.name));
          }
        },
        parameter.variable);
  for (const Variable& column : columns_)
    std::visit(
        [&](auto* variable) {
          if constexpr (requires { variable->null; }) {
            auto& flag = prepared->null_columns.emplace_back(&variable->null, soci::i_ok);
            statement.exchange(soci::into(variable->value, flag.indicator));
          } else {
            statement.exchange(soci::into(*variable));
          }
        },
        column);

  statement.prepare(sql_);
  statement.define_and_bind();
  prepared_ = std::move(prepared);
}

void Statement::fail() {
  // SOCI has thrown the failed statement away; its `what` would tell parameters' values, which are no business of a
  // log.
  prepared_.reset();
  try {
    throw;
  } catch (const soci::soci_error& error) {
    throw DatabaseFailure(connection_.classify(error), error.get_error_message());
  }
}

bool Statement::first() try {
  if (!prepared_) prepare();
  for (NullFlag& flag : prepared_->null_parameters) flag.indicator = *flag.null ? soci::i_null : soci::i_ok;
  const bool found = prepared_->statement.execute(true);
  if (found)
    for (const NullFlag& flag : prepared_->null_columns) *flag.null = flag.indicator == soci::i_null;
  return found;
} catch (const soci::soci_error&) {
  fail();
}

bool Statement::next() try {
  const bool found = prepared_->statement.fetch();
  if (found)
    for (const NullFlag& flag : prepared_->null_columns) *flag.null = flag.indicator == soci::i_null;
  return found;
} catch (const soci::soci_error&) {
  fail();
}

long long Statement::run() {
  first();
  return prepared_->statement.get_affected_rows();
}

bool Statement::find() {
  if (!first()) return false;
  // To the end: a query that stands in the middle of its rows keeps its snapshot, and with it the log, alive.
  while (next()) {
  }
  return true;
}

}  // namespace invited::storage
