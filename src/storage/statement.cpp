#include "storage/statement.h"

#include <algorithm>

namespace invited::storage {
namespace {

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
    case FailureKind::duplicate:
      return "duplicate";
    case FailureKind::conflict:
      return "conflict";
    case FailureKind::busy:
      return "busy";
    case FailureKind::no_space:
      return "no_space";
    case FailureKind::connection:
      return "connection";
    case FailureKind::sync:
      return "sync";
    case FailureKind::io:
      return "io";
    case FailureKind::damaged:
      return "damaged";
  }
  return "io";
}

Statement::Statement(Connection& connection, std::string_view sql, Parameters parameters, Columns columns)
    : connection_(connection), sql_(sql), parameters_(std::move(parameters)), columns_(std::move(columns)) {}

Statement::~Statement() = default;

PreparedStatement& Statement::prepared() {
  if (!prepared_) {
    check_all_bound(sql_, parameters_);
    prepared_ = connection_.prepare(sql_, parameters_, columns_);
  }
  return *prepared_;
}

bool Statement::first() try { return prepared().first(); } catch (const DatabaseFailure&) {
  prepared_.reset();
  throw;
}

bool Statement::next() try { return prepared_->next(); } catch (const DatabaseFailure&) {
  prepared_.reset();
  throw;
}

long long Statement::run() {
  first();
  return prepared_->affected();
}

void Statement::execute() try { prepared().execute(); } catch (const DatabaseFailure&) {
  prepared_.reset();
  throw;
}

bool Statement::find() {
  if (!first()) return false;
  // To the end: a query that stands in the middle of its rows keeps its snapshot, and with it the log, alive.
  while (next()) {
  }
  return true;
}

}  // namespace invited::storage
