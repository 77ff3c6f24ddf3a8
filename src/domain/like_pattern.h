// Patterns for Comparison::like (invitation_query.h) and for searches. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/ascii.h"

namespace invited::domain {

/// For whatever holds `text`, ASCII letters without case: % and _ stand for themselves.
inline std::string pattern_holding(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += base::to_lower_ascii(c);
  }
  return pattern + '%';
}

}  // namespace invited::domain
