#include "storage/postgres_statement.h"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>

namespace invited::storage {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_0123456789";

Number to_number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    throw DatabaseFailure(FailureKind::statement, "a stored number is not one");
  return number;
}

}  // namespace

PostgresStatement::PostgresStatement(PostgresConnection& connection, const std::string& sql,
                                     const Parameters& parameters, const Columns& columns)
    : connection_(connection), columns_(columns) {
  std::vector<std::string_view> names;
  for (std::size_t at = 0; at < sql.size();) {
    const auto colon = sql.find(':', at);
    sql_.append(sql, at, colon == std::string::npos ? colon : colon - at);
    if (colon == std::string::npos) break;
    const auto end = std::min(sql.find_first_not_of(kLetters, colon + 1), sql.size());
    const std::string_view name = std::string_view(sql).substr(colon + 1, end - colon - 1);
    const auto parameter = std::ranges::find(parameters, name, &Parameter::name);
    if (parameter == parameters.end()) {  // no parameter's colon: in a literal
      sql_.append(sql, colon, end - colon);
    } else {
      auto known = std::ranges::find(names, name);
      if (known == names.end()) {
        names.push_back(name);
        values_.push_back(parameter->variable);
        known = names.end() - 1;
      }
      sql_ += '$' + std::to_string(known - names.begin() + 1);
    }
    at = end;
  }
  numbers_.resize(values_.size());
}

void PostgresStatement::send() {
  std::vector<const char*> values;
  values.reserve(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i)
    values.push_back(std::visit(
        [&](auto* variable) -> const char* {
          const auto text_of = [&](const auto& value) -> const char* {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Text>) {
              if (value.find('\0') != Text::npos)
                throw DatabaseFailure(FailureKind::statement, "a text with a NUL character cannot be stored");
              return value.c_str();
            } else {
              numbers_[i] = std::to_string(value);
              return numbers_[i].c_str();
            }
          };
          if constexpr (requires { variable->null; })
            return variable->null ? nullptr : text_of(variable->value);
          else
            return text_of(*variable);
        },
        values_[i]));
  connection_.send(sql_, values);
}

bool PostgresStatement::take_row() {
  if (row_ >= PQntuples(result_.get())) return false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const int column = static_cast<int>(i);
    const bool null = PQgetisnull(result_.get(), row_, column) != 0;
    const std::string_view text(PQgetvalue(result_.get(), row_, column),
                                static_cast<std::size_t>(PQgetlength(result_.get(), row_, column)));
    std::visit(
        [&](auto* variable) {
          const auto take = [&](auto& value) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Text>)
              value.assign(text);
            else
              value = null ? 0 : to_number_of(text);
          };
          if constexpr (requires { variable->null; }) {
            variable->null = null;
            take(variable->value);
          } else {
            take(*variable);
          }
        },
        columns_[i]);
  }
  ++row_;
  return true;
}

bool PostgresStatement::first() {
  send();
  result_ = connection_.await();
  row_ = 0;
  return take_row();
}

bool PostgresStatement::next() { return take_row(); }

long long PostgresStatement::affected() {
  const std::string_view text(PQcmdTuples(result_.get()));
  return text.empty() ? 0 : to_number_of(text);
}

void PostgresStatement::execute() {
  send();
  result_.reset();
}

}  // namespace invited::storage
