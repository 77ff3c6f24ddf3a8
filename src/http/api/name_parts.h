// A person's name as the two fields that some dialects show. People have one name here; this is only how it is written.
// Pure function.
#pragma once

#include <string>
#include <string_view>

namespace invited::http {

struct NameParts {
  std::string first;
  std::string last;  ///< empty for a name of one word
};

/// Cut at the first blank: "Grace", "Brewster Murray Hopper".
inline NameParts split_name(std::string_view name) {
  const auto blank = name.find(' ');
  if (blank == std::string_view::npos) return {std::string(name), {}};
  return {std::string(name.substr(0, blank)), std::string(name.substr(blank + 1))};
}

}  // namespace invited::http
