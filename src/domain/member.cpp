#include "domain/member.h"

#include <algorithm>

namespace invited::domain {

bool is_member(const Account& account, const Environment& environment, std::string_view dialect,
               Transaction& transaction) {
  if (environment.disabled || account.disabled) return false;
  const auto aliases = transaction.list_role_aliases(environment.app_id);
  return std::ranges::any_of(aliases, [&](const RoleAlias& alias) {
    return alias.dialect == dialect && transaction.has_access(account.id, environment.id, alias.role_id);
  });
}

Result<Caller> find_member_caller(const Account& account, const std::optional<base::Uuid>& environment_id,
                                  std::string_view dialect, Transaction& transaction) {
  std::optional<Environment> found;
  for (const base::Uuid& id : transaction.list_environments_of(account.id)) {
    if (environment_id && id != *environment_id) continue;
    auto environment = transaction.find_environment(id);
    if (!environment || !is_member(account, *environment, dialect, transaction)) continue;
    if (found)
      return refuse(ErrorCode::invalid_parameter,
                    "This account belongs to several environments: put /environments/<environment UUID> in front of "
                    "the path, that is, behind the client's base URL.",
                    "environment");
    found = std::move(environment);
  }
  auto app = found ? transaction.find_app(found->app_id) : std::nullopt;
  if (!app) return refuse(ErrorCode::authentication_failed, "This account is no user of this environment.");

  std::vector<base::Uuid> ceiling;
  if (app->grants == GrantRule::any)
    for (const Role& role : transaction.list_roles_of(account.id, found->id)) ceiling.push_back(role.id);
  return Caller{.environment = *std::move(found),
                .app = *std::move(app),
                .account = account,
                .role_ceiling = std::move(ceiling),
                .may_see_links = false,
                .token_id = {},
                .actor = "account:" + account.id.to_string()};
}

}  // namespace invited::domain
