#include "domain/app.h"

namespace invited::domain {

std::string_view to_string(GrantRule rule) { return rule == GrantRule::any ? "any" : "manageable"; }

std::optional<GrantRule> parse_grant_rule(std::string_view text) {
  for (const GrantRule rule : {GrantRule::any, GrantRule::manageable})
    if (to_string(rule) == text) return rule;
  return std::nullopt;
}

std::string names_of(const std::vector<Role>& roles) {
  std::string names;
  for (const Role& role : roles) names += (names.empty() ? "" : "\n") + role.name;
  return names;
}

bool are_several(std::string_view names) { return names.find('\n') != std::string_view::npos; }

std::string with_commas(std::string_view names) {
  std::string list;
  for (const char c : names) {
    if (c == '\n')
      list += ", ";
    else
      list += c;
  }
  return list;
}

}  // namespace invited::domain
