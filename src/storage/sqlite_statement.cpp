#include "storage/sqlite_statement.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <new>
#include <utility>

#include "storage/sqlite_connection.h"
#include "storage/sqlite_failure.h"

namespace invited::storage {
namespace {

using namespace sqlite_api;

std::string_view text_of(sqlite3_stmt* statement, int column) {
  const unsigned char* const text = sqlite3_column_text(statement, column);
  if (text == nullptr) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

void read(sqlite3_stmt* statement, int column, Text& variable) { variable = text_of(statement, column); }
void read(sqlite3_stmt* statement, int column, Number& variable) { variable = sqlite3_column_int64(statement, column); }

}  // namespace

/// SOCI's, for its lifetime and the way it is prepared.
struct SqliteStatement::Prepared {
  explicit Prepared(soci::session& session)
      : backend(static_cast<soci::sqlite3_statement_backend*>(session.make_statement_backend())) {
    backend->alloc();
  }
  ~Prepared() { backend->clean_up(); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  sqlite3_stmt* handle() const { return backend->stmt_; }

  std::unique_ptr<soci::sqlite3_statement_backend> backend;
};

struct SqliteStatement::Bound {
  int position;
  Variable variable;
  Text kept;  ///< a query's: its columns may be read into the variable that it was asked with
};

SqliteStatement::SqliteStatement(SqliteConnection& connection, const std::string& sql, const Parameters& parameters,
                                 const Columns& columns) try
    : connection_(connection), prepared_(std::make_unique<Prepared>(connection.session())), columns_(columns) {
  prepared_->backend->prepare(sql, soci::details::st_repeatable_query);
  for (const Parameter& parameter : parameters) {
    // One that the statement does not name is bound for the other database only.
    const int position = sqlite3_bind_parameter_index(prepared_->handle(), (":" + parameter.name).c_str());
    if (position != 0) parameters_.push_back({position, parameter.variable, {}});
  }
  if (std::cmp_not_equal(sqlite3_column_count(prepared_->handle()), columns_.size()) && !columns_.empty())
    throw DatabaseFailure(FailureKind::statement, "as many variables as columns are needed for: " + sql);
} catch (const soci::soci_error& error) {
  throw connection.failure_of(error);
}

SqliteStatement::~SqliteStatement() = default;

bool SqliteStatement::first() {
  sqlite3_reset(prepared_->handle());
  for (Bound& bound : parameters_) std::visit([&](auto* variable) { bind(bound, *variable); }, bound.variable);
  return next();
}

template <class Value>
void SqliteStatement::bind(Bound& bound, const Nullable<Value>& variable) {
  if (variable.null)
    expect(sqlite3_bind_null(prepared_->handle(), bound.position));
  else
    bind(bound, variable.value);
}

void SqliteStatement::bind(Bound& bound, const Number& variable) {
  expect(sqlite3_bind_int64(prepared_->handle(), bound.position, variable));
}

void SqliteStatement::bind(Bound& bound, const Text& variable) {
  const Text& text = columns_.empty() ? variable : bound.kept = variable;
  expect(
      sqlite3_bind_text64(prepared_->handle(), bound.position, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

bool SqliteStatement::next() {
  sqlite3_stmt* const statement = prepared_->handle();
  const int code = sqlite3_step(statement);
  if (code == SQLITE_DONE) return false;
  if (code != SQLITE_ROW) expect(code);
  int column = 0;
  for (const Variable& each : columns_) {
    const bool null = sqlite3_column_type(statement, column) == SQLITE_NULL;
    std::visit(
        [&](auto* variable) {
          if constexpr (requires { variable->null; }) {
            variable->null = null;
            if (!null) read(statement, column, variable->value);
          } else {
            if (null) throw DatabaseFailure(FailureKind::statement, "a column is NULL that is never to be");
            read(statement, column, *variable);
          }
        },
        each);
    ++column;
  }
  return true;
}

long long SqliteStatement::affected() { return sqlite3_changes64(sqlite3_db_handle(prepared_->handle())); }

void SqliteStatement::expect(int code) const {
  if (code != SQLITE_OK) throw connection_.failure_of(code);
}

}  // namespace invited::storage
