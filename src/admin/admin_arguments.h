// The arguments of one admin command, taken out of its JSON with checks: what is missing, of the wrong type, or not
// known to the command is an Error that names it. Also: how operators name things (a UUID, or a name that only one
// thing has). Belongs to one thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/admin_commands.h"

namespace invited::admin {

class Arguments {
 public:
  explicit Arguments(const Json& values) : values_(values) {}

  /// Errors: missing_parameter (absent or blank), invalid_parameter (not a text).
  domain::Result<std::string> text(std::string_view name) const;
  /// Empty where absent. Error: invalid_parameter.
  domain::Result<std::string> text_or_empty(std::string_view name) const;
  /// Nothing where absent; an empty text is a value. Error: invalid_parameter.
  domain::Result<std::optional<std::string>> optional_text(std::string_view name) const;
  /// A list of texts, or one. Nothing where absent; an empty list is a value. Error: invalid_parameter.
  domain::Result<std::optional<std::vector<std::string>>> optional_texts(std::string_view name) const;
  /// Errors: missing_parameter, invalid_parameter.
  domain::Result<base::Uuid> uuid(std::string_view name) const;
  /// Error: invalid_parameter.
  domain::Result<std::optional<base::Uuid>> optional_uuid(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// "limit" (at most kMaxPage) and "offset". Error: invalid_parameter.
  domain::Result<domain::Page> page() const;
  /// Error: invalid_parameter.
  domain::Result<std::uint64_t> number(std::string_view name, std::uint64_t fallback) const;

  const Json& values() const { return values_; }

 private:
  const Json& values_;
};

/// `if (!x) return error_of(x);`
template <class T>
std::unexpected<domain::Error> error_of(T& failed) {
  return std::unexpected(std::move(failed.error()));
}

using Handler = domain::Result<Json> (*)(const Arguments&, AdminContext&);

struct Command {
  std::string_view name;       ///< "app add"
  std::string_view arguments;  ///< the names that it knows, separated by blanks
  Handler handler;
};

/// By UUID, or by a name that only one has, whatever its letter case. Errors: not_found; invalid_parameter where
/// several have the name.
domain::Result<domain::App> find_app(std::string_view named, domain::Transaction& transaction);
domain::Result<domain::Environment> find_environment(std::string_view named, domain::Transaction& transaction);
domain::Result<domain::Role> find_role(const base::Uuid& app_id, std::string_view named,
                                       domain::Transaction& transaction);

// One table for each noun.
std::span<const Command> app_commands();
std::span<const Command> role_commands();
std::span<const Command> people_commands();
std::span<const Command> token_commands();
std::span<const Command> invitation_commands();
std::span<const Command> mail_commands();
std::span<const Command> refresh_commands();
std::span<const Command> webhook_commands();

}  // namespace invited::admin
