// Text for HTML: what means something there is written as a reference. For elements and for attributes in either kind
// of quotes. A pure function; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::base {

/// Not &apos;, which not every mail program knows.
inline std::string escape_markup(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace invited::base
