// The ASCII letters' cases, whatever the locale. Other bytes stay as they are. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::base {

constexpr char to_lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower_ascii(c);
  return lower;
}

}  // namespace invited::base
