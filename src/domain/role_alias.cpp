#include "domain/role_alias.h"

#include <algorithm>

#include "base/utf8.h"

namespace invited::domain {
namespace {

constexpr std::size_t kMaxName = 100;

}  // namespace

Result<Role> find_role_by_alias(const App& app, std::string_view dialect, std::string_view name,
                                Transaction& transaction) {
  for (const RoleAlias& alias : transaction.list_role_aliases(app.id))
    if (alias.dialect == dialect && alias.name == name)
      if (auto role = transaction.find_role(app.id, alias.role_id)) return *std::move(role);
  return refuse(ErrorCode::unknown_role,
                "The role \"" + std::string(name) +
                    "\" stands for none of this app's roles: an operator maps it with invited role map --dialect " +
                    std::string(dialect) + ".",
                "role");
}

std::string alias_of(const App& app, std::string_view dialect, const base::Uuid& role_id, Transaction& transaction) {
  std::string found;
  for (const RoleAlias& alias : transaction.list_role_aliases(app.id))
    if (alias.dialect == dialect && alias.role_id == role_id && (found.empty() || found == kDefaultRoleName))
      found = alias.name;
  return found;
}

Result<RoleAlias> map_role(const App& app, std::string_view dialect, std::string_view name, const base::Uuid& role_id,
                           Transaction& transaction, base::Timestamp now) {
  if (std::ranges::find(kAliasDialects, dialect) == kAliasDialects.end())
    return refuse(ErrorCode::invalid_parameter, "--dialect is not one of gorules, medusa, base44, base44-runtime.",
                  "dialect");
  if (name.empty() || name.size() > kMaxName || !base::is_valid_utf8(name) || base::trim(name) != name ||
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return refuse(ErrorCode::invalid_parameter,
                  "--name cannot be used: give the role's name as the clients send it, at most 100 bytes.", "name");
  if (!transaction.find_role(app.id, role_id))
    return refuse(ErrorCode::unknown_role, "The role is not one of this app's: see invited role list.", "role");
  RoleAlias alias{app.id, std::string(dialect), std::string(name), role_id};
  transaction.set_role_alias(alias);
  transaction.insert(AuditEvent{now, "operator", "role.mapped", role_id,
                                "app=" + app.id.to_string() + " dialect=" + alias.dialect + " name=" + alias.name});
  return alias;
}

Result<void> unmap_role(const App& app, std::string_view dialect, std::string_view name, Transaction& transaction,
                        base::Timestamp now) {
  if (!transaction.erase_role_alias(app.id, dialect, name))
    return refuse(ErrorCode::not_found, "There is no such name: see invited role mappings.", "name");
  transaction.insert(AuditEvent{now, "operator", "role.unmapped", app.id,
                                "dialect=" + std::string(dialect) + " name=" + std::string(name)});
  return {};
}

}  // namespace invited::domain
