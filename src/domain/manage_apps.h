// What operators do with apps, roles and environments. Inside a transaction of the caller's. Every function writes its
// audit event (actor "operator").
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "domain/password.h"
#include "domain/store.h"

namespace invited::domain {

/// Errors: invalid_parameter ("name", "url": absolute http or https without credentials, "language").
Result<App> add_app(std::string_view name, std::string_view url, std::string_view language, Transaction& transaction,
                    base::Timestamp now);

/// What is to be changed; the rest stays.
struct AppChange {
  std::optional<std::string> name{};
  std::optional<std::string> url{};
  std::optional<std::string> language{};
  std::optional<std::string> grants{};
  std::optional<std::vector<std::string>>
      redirect_urls{};  ///< in place of all that there were; empty ones do not count
};
/// Errors: not_found, invalid_parameter ("name", "url", "language", "grants", "redirect-url").
Result<App> set_app(const base::Uuid& app_id, const AppChange& change, Transaction& transaction, base::Timestamp now);

/// Without `id` a random one. Errors: not_found (app), invalid_parameter ("name"), already_exists (id or name).
Result<Role> add_role(const base::Uuid& app_id, std::optional<base::Uuid> id, std::string_view name,
                      Transaction& transaction, base::Timestamp now);

/// Errors: invalid_parameter ("name"), already_exists (another role of the app is called so).
Result<Role> rename_role(const Role& role, std::string_view name, Transaction& transaction, base::Timestamp now);

/// A role as a deployment package tells of it.
struct ImportedRole {
  base::Uuid id;
  std::string name;
  bool manages_all = false;
  std::vector<base::Uuid> manageable{};
};
/// Every role counts once.
struct RoleImport {
  std::uint32_t added = 0;
  std::uint32_t renamed = 0;  ///< whatever else changed
  std::uint32_t changed = 0;  ///< whom it manages, and not its name
  std::uint32_t unchanged = 0;
  std::vector<std::string> ambiguous_names{};  ///< that several roles of the app have now: none of them is meant by it
};
/// Adds, renames, takes over whom each role manages; never removes. All or nothing.
Result<RoleImport> import_roles(const base::Uuid& app_id, const std::vector<ImportedRole>& roles,
                                Transaction& transaction, base::Timestamp now);

struct AddEnvironment {
  base::Uuid app_id;
  std::string name;
  std::optional<base::Uuid> id;       ///< one that the app knows already; else random
  std::string brought_password_hash;  ///< PasswordHasher::hash of an operator's own; empty: one is issued
};
struct AddedEnvironment {
  Environment environment;
  base::Secret password;  ///< the issued one, to be shown once; empty where one was brought
};
/// Errors: not_found (app), invalid_parameter, already_exists.
Result<AddedEnvironment> add_environment(const AddEnvironment& request, const base::Secret& pepper,
                                         Transaction& transaction, base::Timestamp now);

struct Rotation {
  std::chrono::seconds overlap;  ///< how long the newest old password stays valid; 0: none does
  bool may_end_older = false;    ///< also that of a rotation before, which has not ended yet
};
/// A new issued password. Errors: not_found, already_exists (a rotation before has not ended).
Result<AddedEnvironment> rotate_password(const base::Uuid& environment_id, const Rotation& rotation,
                                         const base::Secret& pepper, Transaction& transaction, base::Timestamp now);

/// What is to be changed; the rest stays. An empty `refresh_url`: no calls any more.
struct EnvironmentChange {
  std::optional<std::string> name{};
  std::optional<std::string> openid_template{};
  std::optional<std::string> refresh_url{};
  std::optional<std::string> refresh_namespace{};
};
/// Errors: not_found, invalid_parameter ("name", "openid-template", "refresh-url", "refresh-namespace").
Result<Environment> set_environment(const base::Uuid& environment_id, const EnvironmentChange& change,
                                    std::string_view public_url, Transaction& transaction, base::Timestamp now);

/// Errors: not_found.
Result<Environment> set_environment_disabled(const base::Uuid& environment_id, bool disabled, Transaction& transaction,
                                             base::Timestamp now);

}  // namespace invited::domain
