// The part of an address behind '?', as fields: application/x-www-form-urlencoded as a flat list, or nested as the `qs`
// package writes it (a[b]=1, a[0]=x, a[]=x, a.b=1). Bounded in number and depth. What can be read in two ways is
// refused with a sentence for people. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/api/strict_json.h"

namespace invited::http {

inline constexpr std::size_t kMaxQueryFields = 100;
/// Brackets and dots behind a name.
inline constexpr std::size_t kMaxQueryDepth = 6;

/// In their order; a name may come more than once.
using QueryFields = std::vector<std::pair<std::string, std::string>>;

/// `query` is raw, without '?'. Refuses broken escapes, what is not UTF-8, NUL, and too many fields.
std::expected<QueryFields, std::string> parse_query(std::string_view query);

/// The field's value, or nothing where it is absent. Refuses a field that comes more than once: none of them is meant.
std::expected<std::optional<std::string>, std::string> single_field(const QueryFields& fields, std::string_view name);

/// An object of strings, arrays and objects. A name that comes again, ends in [] or has a number in brackets makes an
/// array, in the order sent: numbers are not positions. Refuses a field that is used both as a value and as an object.
std::expected<Json, std::string> parse_nested_query(std::string_view query);

}  // namespace invited::http
