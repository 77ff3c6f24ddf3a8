#include "domain/manage_apps.h"

#include <algorithm>

#include "base/utf8.h"
#include "domain/environment_authentication.h"
#include "domain/openid.h"
#include "domain/person_name.h"
#include "domain/web_url.h"

namespace invited::domain {
namespace {

constexpr std::string_view kOperator = "operator";
constexpr std::size_t kMaxNamespace = 400;

void audit(std::string_view action, const base::Uuid& subject, std::string detail, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(AuditEvent{now, std::string(kOperator), std::string(action), subject, std::move(detail)});
}

Error no_such_app(const base::Uuid& id) {
  return {ErrorCode::not_found, "There is no app " + id.to_string() + ": see `app list`.", "app", std::nullopt};
}

Error no_such_environment(const base::Uuid& id) {
  return {ErrorCode::not_found, "There is no environment " + id.to_string() + ": see `environment list`.",
          "environment", std::nullopt};
}

PasswordSlot issue(const base::Secret& password, const base::Secret& pepper, base::Timestamp now) {
  return {PasswordKind::issued, hash_issued_password(pepper, password.reveal()), now, std::nullopt};
}

}  // namespace

Result<App> add_app(std::string_view name, std::string_view url, std::string_view language, Transaction& transaction,
                    base::Timestamp now) {
  auto checked_name = parse_name(name, "name");
  if (!checked_name) return std::unexpected(std::move(checked_name.error()));
  if (!is_web_url(url))
    return refuse(ErrorCode::invalid_parameter,
                  "--url cannot be used: give the app's address as https://… without user name or blanks.", "url");
  const auto known_language = base::parse_language(language);
  if (!known_language)
    return refuse(ErrorCode::invalid_parameter, "--language is not one of en, nl, de, fr, es.", "language");
  App app{base::Uuid::random(), *checked_name, std::string(url), *known_language, now};
  transaction.insert(app);
  audit("app.added", app.id, {}, transaction, now);
  return app;
}

Result<Role> add_role(const base::Uuid& app_id, std::optional<base::Uuid> id, std::string_view name,
                      Transaction& transaction, base::Timestamp now) {
  if (!transaction.find_app(app_id)) return std::unexpected(no_such_app(app_id));
  auto checked_name = parse_name(name, "name");
  if (!checked_name) return std::unexpected(std::move(checked_name.error()));
  if (id && id->is_nil()) return refuse(ErrorCode::invalid_parameter, "--uuid: the nil UUID cannot be a role.", "uuid");
  if (id && transaction.find_role(app_id, *id))
    return refuse(ErrorCode::already_exists, "The app has a role " + id->to_string() + " already.", "uuid");
  Role role{app_id, id.value_or(base::Uuid::random()), *checked_name, now};
  transaction.insert(role);
  audit("role.added", role.id, "app=" + app_id.to_string(), transaction, now);
  return role;
}

Result<RoleImport> import_roles(const base::Uuid& app_id, const std::vector<std::pair<base::Uuid, std::string>>& roles,
                                Transaction& transaction, base::Timestamp now) {
  if (!transaction.find_app(app_id)) return std::unexpected(no_such_app(app_id));
  RoleImport result;
  for (const auto& [id, name] : roles) {
    auto known = transaction.find_role(app_id, id);
    if (!known) {
      auto added = add_role(app_id, id, name, transaction, now);
      if (!added) return std::unexpected(std::move(added.error()));
      ++result.added;
      continue;
    }
    auto checked_name = parse_name(name, "name");
    if (!checked_name) return std::unexpected(std::move(checked_name.error()));
    if (known->name == *checked_name) {
      ++result.unchanged;
      continue;
    }
    known->name = *checked_name;
    transaction.update(*known);
    audit("role.renamed", id, "app=" + app_id.to_string(), transaction, now);
    ++result.renamed;
  }
  return result;
}

Result<AddedEnvironment> add_environment(const AddEnvironment& request, const base::Secret& pepper,
                                         Transaction& transaction, base::Timestamp now) {
  if (!transaction.find_app(request.app_id)) return std::unexpected(no_such_app(request.app_id));
  auto name = parse_name(request.name, "name");
  if (!name) return std::unexpected(std::move(name.error()));
  if (request.id && request.id->is_nil())
    return refuse(ErrorCode::invalid_parameter, "--uuid: the nil UUID cannot be an environment.", "uuid");
  if (request.id && transaction.find_environment(*request.id))
    return refuse(ErrorCode::already_exists,
                  "There is an environment " + request.id->to_string() + " already: see `environment list`.", "uuid");
  AddedEnvironment added;
  PasswordSlot slot{PasswordKind::brought, request.brought_password_hash, now, std::nullopt};
  if (request.brought_password_hash.empty()) {
    added.password = make_environment_password();
    slot = issue(added.password, pepper, now);
  }
  added.environment = {request.id.value_or(base::Uuid::random()), request.app_id, *name, false, {slot}, now};
  transaction.insert(added.environment);
  audit("environment.added", added.environment.id, "app=" + request.app_id.to_string(), transaction, now);
  return added;
}

Result<AddedEnvironment> rotate_password(const base::Uuid& environment_id, std::chrono::seconds overlap,
                                         const base::Secret& pepper, Transaction& transaction, base::Timestamp now) {
  transaction.lock_environment(environment_id);
  auto environment = transaction.find_environment(environment_id);
  if (!environment) return std::unexpected(no_such_environment(environment_id));
  AddedEnvironment rotated;
  rotated.password = make_environment_password();
  std::vector<PasswordSlot> slots{issue(rotated.password, pepper, now)};
  // The newest old one lives on for the overlap; the first of the list is always the newest.
  if (overlap > std::chrono::seconds(0) && !environment->passwords.empty()) {
    PasswordSlot old = environment->passwords.front();
    old.valid_until = now + overlap;
    slots.push_back(std::move(old));
  }
  environment->passwords = std::move(slots);
  transaction.update(*environment);
  audit("environment.password_rotated", environment_id, "overlap=" + std::to_string(overlap.count()) + "s", transaction,
        now);
  rotated.environment = std::move(*environment);
  return rotated;
}

Result<Environment> set_environment(const base::Uuid& environment_id, const EnvironmentChange& change,
                                    std::string_view public_url, Transaction& transaction, base::Timestamp now) {
  transaction.lock_environment(environment_id);
  auto environment = transaction.find_environment(environment_id);
  if (!environment) return std::unexpected(no_such_environment(environment_id));
  std::string changed;
  if (change.name) {
    auto name = parse_name(*change.name, "name");
    if (!name) return std::unexpected(std::move(name.error()));
    environment->name = std::move(*name);
    changed += " name";
  }
  if (change.openid_template) {
    auto checked = check_openid_template(*change.openid_template, public_url);
    if (!checked) return std::unexpected(std::move(checked.error()));
    environment->openid_template = std::move(*checked);
    changed += " openid-template=" + environment->openid_template;
  }
  if (change.refresh_url) {
    if (!change.refresh_url->empty() && !is_web_url(*change.refresh_url))
      return refuse(
          ErrorCode::invalid_parameter,
          "--refresh-url cannot be used: give the app's address as https://…/ws/RefreshAPI, or '' for no calls.",
          "refresh-url");
    environment->refresh_url = *change.refresh_url;
    changed += " refresh-url=" + environment->refresh_url;
  }
  if (change.refresh_namespace) {
    if (change.refresh_namespace->size() > kMaxNamespace || !is_web_url(*change.refresh_namespace))
      return refuse(ErrorCode::invalid_parameter,
                    "--refresh-namespace cannot be used: it is " + std::string(kRefreshNamespace) + " or, for old " +
                        "modules, " + std::string(kOldRefreshNamespace) + ".",
                    "refresh-namespace");
    environment->refresh_namespace = *change.refresh_namespace;
    changed += " refresh-namespace=" + environment->refresh_namespace;
  }
  transaction.update(*environment);
  audit("environment.changed", environment_id, changed.empty() ? changed : changed.substr(1), transaction, now);
  return *environment;
}

Result<Environment> set_environment_disabled(const base::Uuid& environment_id, bool disabled, Transaction& transaction,
                                             base::Timestamp now) {
  transaction.lock_environment(environment_id);
  auto environment = transaction.find_environment(environment_id);
  if (!environment) return std::unexpected(no_such_environment(environment_id));
  environment->disabled = disabled;
  transaction.update(*environment);
  audit(disabled ? "environment.disabled" : "environment.enabled", environment_id, {}, transaction, now);
  return *environment;
}

}  // namespace invited::domain
