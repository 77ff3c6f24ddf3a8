// The variables that statements bind: what goes in as a parameter, what comes out as a column. They outlive the
// statement that they are bound to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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

}  // namespace invited::storage
