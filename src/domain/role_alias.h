// What dialects call an app's roles: an operator says that Base44's "admin" is this app's Administrator. Nothing is
// guessed: a name that nobody mapped grants nothing. Inside a transaction of the caller's.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "domain/app.h"
#include "domain/store.h"

namespace invited::domain {

/// The name that stands for the role of invitations in which a dialect's client names none.
inline constexpr std::string_view kDefaultRoleName = "default";

/// The dialects that have names of their own for roles. Base44's two calls may mean two different things.
inline constexpr std::array<std::string_view, 4> kAliasDialects{"gorules", "medusa", "base44", "base44-runtime"};

/// The role that the dialect's `name` stands for. Error: unknown_role, with what an operator has to do.
Result<Role> find_role_by_alias(const App& app, std::string_view dialect, std::string_view name,
                                Transaction& transaction);

/// The name that the dialect has for a role; empty: none. Where it has several, the first by alphabet, and "default"
/// only where there is no other.
std::string alias_of(const App& app, std::string_view dialect, const base::Uuid& role_id, Transaction& transaction);

/// Maps, or maps anew. Errors: invalid_parameter ("dialect", "name"), unknown_role.
Result<RoleAlias> map_role(const App& app, std::string_view dialect, std::string_view name, const base::Uuid& role_id,
                           Transaction& transaction, base::Timestamp now);
/// Error: not_found.
Result<void> unmap_role(const App& app, std::string_view dialect, std::string_view name, Transaction& transaction,
                        base::Timestamp now);

}  // namespace invited::domain
