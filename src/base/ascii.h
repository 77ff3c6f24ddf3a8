// The ASCII letters' cases and blanks, whatever the locale. Other bytes stay as they are. Pure functions; thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace invited::base {

constexpr char to_lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower_ascii(c);
  return lower;
}

/// As HTTP compares names, codings and media types.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower_ascii(x) == to_lower_ascii(y); });
}

/// Without `blanks` at either end; by default HTTP's (RFC 9110 section 5.6.3). For what people type: base::trim.
inline std::string_view trim_blanks(std::string_view text, std::string_view blanks = " \t") {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// XML's white space (XML 1.0 section 2.3), which UUIDs may stand in as well.
inline constexpr std::string_view kXmlBlanks = " \t\r\n";

}  // namespace invited::base
