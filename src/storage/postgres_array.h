// PostgreSQL's text for an array of texts, to be bound to a parameter (CAST(:name AS TEXT[])).
#pragma once

#include <set>
#include <string>

namespace invited::storage {

inline std::string array_text(const std::set<std::string>& values) {
  std::string text = "{";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + '}';
}

}  // namespace invited::storage
