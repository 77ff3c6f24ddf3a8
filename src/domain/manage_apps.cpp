#include "domain/manage_apps.h"

#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "domain/environment_authentication.h"
#include "domain/openid.h"
#include "domain/person_name.h"
#include "domain/redirect_url.h"
#include "domain/web_url.h"

namespace invited::domain {
namespace {

constexpr std::string_view kOperator = "operator";
constexpr std::size_t kMaxNamespace = 400;
constexpr std::size_t kMaxRedirectUrls = 16;

void audit(std::string_view action, const base::Uuid& subject, std::string detail, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(AuditEvent{now, std::string(kOperator), std::string(action), subject, std::move(detail)});
}

/// About an environment, and its own: who has a token of it may read it.
void audit_environment(std::string_view action, const base::Uuid& id, std::string detail, Transaction& transaction,
                       base::Timestamp now) {
  transaction.insert(AuditEvent{now, std::string(kOperator), std::string(action), id, std::move(detail), id});
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

/// Puts what is given into the app, checked.
Result<void> describe_app(App& app, std::optional<std::string_view> name, std::optional<std::string_view> url,
                          std::optional<std::string_view> language) {
  if (name) {
    auto checked = parse_name(*name, "name");
    if (!checked) return std::unexpected(std::move(checked.error()));
    app.name = *std::move(checked);
  }
  if (url) {
    if (!is_web_url(*url))
      return refuse(ErrorCode::invalid_parameter,
                    "--url cannot be used: give the app's address as https://… without user name or blanks.", "url");
    app.url = *url;
  }
  if (language) {
    const auto known = base::parse_language(*language);
    if (!known) return refuse(ErrorCode::invalid_parameter, "--language is not one of en, nl, de, fr, es.", "language");
    app.language = *known;
  }
  return {};
}

/// Those that are not empty, each once.
Result<std::vector<std::string>> check_redirect_urls(const std::vector<std::string>& urls) {
  std::vector<std::string> checked;
  for (const std::string& url : urls) {
    if (url.empty() || std::ranges::find(checked, url) != checked.end()) continue;
    // What would not be allowed below itself could never be used.
    App alone;
    alone.redirect_urls = {url};
    if (!check_redirect_url(alone, url))
      return refuse(ErrorCode::invalid_parameter,
                    "--redirect-url cannot be used: give an address as https://… without user name, blanks or \"..\".",
                    "redirect-url");
    checked.push_back(url);
  }
  if (checked.size() > kMaxRedirectUrls)
    return refuse(ErrorCode::invalid_parameter, "An app has at most 16 redirect URLs.", "redirect-url");
  return checked;
}

/// Whom the role manages, as it is kept: in one order, and nobody by name where it manages all.
std::vector<base::Uuid> manageable_of(const ImportedRole& role) {
  if (role.manages_all) return {};
  std::vector<base::Uuid> ids = role.manageable;
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  return ids;
}

std::string managed_by(const Role& role) {
  return role.manages_all ? " manages=all" : " manages=" + std::to_string(role.manageable.size());
}

/// Whether another role is called so: by name, calls would mean neither any more.
bool is_name_taken(const base::Uuid& app_id, std::string_view name, const base::Uuid& except,
                   Transaction& transaction) {
  return std::ranges::any_of(transaction.list_roles(app_id),
                             [&](const Role& role) { return role.id != except && role.name == name; });
}

std::unexpected<Error> name_is_taken(std::string_view name) {
  return refuse(ErrorCode::already_exists,
                "The app has a role \"" + std::string(name) + "\" already: choose another name.", "name");
}

Result<Role> insert_role(const base::Uuid& app_id, std::optional<base::Uuid> id, const ImportedRole& described,
                         Transaction& transaction, base::Timestamp now) {
  if (!transaction.find_app(app_id)) return std::unexpected(no_such_app(app_id));
  auto name = parse_name(described.name, "name");
  if (!name) return std::unexpected(std::move(name.error()));
  if (id && id->is_nil()) return refuse(ErrorCode::invalid_parameter, "--uuid: the nil UUID cannot be a role.", "uuid");
  if (id && transaction.find_role(app_id, *id))
    return refuse(ErrorCode::already_exists, "The app has a role " + id->to_string() + " already.", "uuid");
  Role role{app_id,
            id.value_or(base::Uuid::random()),
            *std::move(name),
            now,
            described.manages_all,
            manageable_of(described)};
  transaction.insert(role);
  audit("role.added", role.id, "app=" + app_id.to_string(), transaction, now);
  return role;
}

/// Of many, the one that is at fault.
std::unexpected<Error> of_role(const ImportedRole& role, Error error) {
  error.message = "The role \"" + role.name + "\" (" + role.id.to_string() + ") cannot be imported: " + error.message;
  return std::unexpected(std::move(error));
}

/// What waited while it was disabled: its mails, and the calls about changes that the app was not told of.
void go_on(const base::Uuid& environment_id, Transaction& transaction, base::Timestamp now) {
  transaction.hurry_messages(environment_id, now);
  constexpr std::uint32_t kStep = 500;
  std::vector<base::Uuid> calls;
  for (std::uint32_t offset = 0;; offset += kStep) {
    const auto cancelled = transaction.list_refresh_calls(CallState::cancelled, {kStep, offset});
    for (const RefreshCall& call : cancelled)
      if (call.environment_id == environment_id) calls.push_back(call.id);
    if (cancelled.size() < kStep) break;
  }
  for (const base::Uuid& id : calls) transaction.retry_call(CallKind::refresh, id, now);
}

}  // namespace

Result<App> add_app(std::string_view name, std::string_view url, std::string_view language, Transaction& transaction,
                    base::Timestamp now) {
  App app{.id = base::Uuid::random(), .name = {}, .url = {}, .created_at = now};
  if (auto described = describe_app(app, name, url, language); !described)
    return std::unexpected(std::move(described.error()));
  transaction.insert(app);
  audit("app.added", app.id, {}, transaction, now);
  return app;
}

Result<App> set_app(const base::Uuid& app_id, const AppChange& change, Transaction& transaction, base::Timestamp now) {
  auto app = transaction.find_app(app_id);
  if (!app) return std::unexpected(no_such_app(app_id));
  if (auto described = describe_app(*app, change.name, change.url, change.language); !described)
    return std::unexpected(std::move(described.error()));
  if (change.grants) {
    const auto rule = parse_grant_rule(*change.grants);
    if (!rule)
      return refuse(ErrorCode::invalid_parameter,
                    "--grants is not one of any, manageable: manageable lets people invite only to the roles that one "
                    "of their own manages.",
                    "grants");
    app->grants = *rule;
  }
  if (change.redirect_urls) {
    auto checked = check_redirect_urls(*change.redirect_urls);
    if (!checked) return std::unexpected(std::move(checked.error()));
    app->redirect_urls = *std::move(checked);
  }
  transaction.update(*app);
  std::string changed;
  const auto note = [&changed](bool given, std::string_view what) {
    if (given) changed += (changed.empty() ? "" : " ") + std::string(what);
  };
  note(change.name.has_value(), "name");
  note(change.url.has_value(), "url");
  note(change.language.has_value(), "language");
  note(change.grants.has_value(), "grants=" + std::string(to_string(app->grants)));
  note(change.redirect_urls.has_value(), "redirect-urls=" + std::to_string(app->redirect_urls.size()));
  audit("app.changed", app_id, std::move(changed), transaction, now);
  return *std::move(app);
}

Result<Role> add_role(const base::Uuid& app_id, std::optional<base::Uuid> id, std::string_view name,
                      Transaction& transaction, base::Timestamp now) {
  auto role = insert_role(app_id, id, {.id = {}, .name = std::string(name)}, transaction, now);
  if (role && is_name_taken(app_id, role->name, role->id, transaction)) return name_is_taken(role->name);
  return role;
}

Result<Role> rename_role(const Role& role, std::string_view name, Transaction& transaction, base::Timestamp now) {
  auto checked_name = parse_name(name, "name");
  if (!checked_name) return std::unexpected(std::move(checked_name.error()));
  if (is_name_taken(role.app_id, *checked_name, role.id, transaction)) return name_is_taken(*checked_name);
  Role renamed = role;
  renamed.name = *std::move(checked_name);
  transaction.update(renamed);
  audit("role.renamed", role.id, "app=" + role.app_id.to_string(), transaction, now);
  return renamed;
}

Result<RoleImport> import_roles(const base::Uuid& app_id, const std::vector<ImportedRole>& roles,
                                Transaction& transaction, base::Timestamp now) {
  if (!transaction.find_app(app_id)) return std::unexpected(no_such_app(app_id));
  RoleImport result;
  for (const ImportedRole& role : roles) {
    auto known = transaction.find_role(app_id, role.id);
    if (!known) {
      auto added = insert_role(app_id, role.id, role, transaction, now);
      if (!added) return of_role(role, std::move(added.error()));
      ++result.added;
      continue;
    }
    auto checked_name = parse_name(role.name, "name");
    if (!checked_name) return of_role(role, std::move(checked_name.error()));
    const auto manageable = manageable_of(role);
    const bool renamed = known->name != *checked_name;
    const bool changed = known->manages_all != role.manages_all || known->manageable != manageable;
    if (!renamed && !changed) {
      ++result.unchanged;
      continue;
    }
    known->name = *checked_name;
    known->manages_all = role.manages_all;
    known->manageable = manageable;
    transaction.update(*known);
    if (renamed) audit("role.renamed", role.id, "app=" + app_id.to_string(), transaction, now);
    if (changed) audit("role.changed", role.id, "app=" + app_id.to_string() + managed_by(*known), transaction, now);
    ++(renamed ? result.renamed : result.changed);
  }
  std::map<std::string, std::uint32_t> times;
  for (const Role& role : transaction.list_roles(app_id))
    if (++times[role.name] == 2) result.ambiguous_names.push_back(role.name);
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
  audit_environment("environment.added", added.environment.id, "app=" + request.app_id.to_string(), transaction, now);
  return added;
}

Result<AddedEnvironment> rotate_password(const base::Uuid& environment_id, const Rotation& rotation,
                                         const base::Secret& pepper, Transaction& transaction, base::Timestamp now) {
  const std::chrono::seconds overlap = rotation.overlap;
  transaction.lock_environment(environment_id);
  auto environment = transaction.find_environment(environment_id);
  if (!environment) return std::unexpected(no_such_environment(environment_id));
  const bool ends_older = environment->passwords.size() > 1 && environment->passwords.back().valid_until > now;
  if (ends_older && overlap > std::chrono::seconds(0) && !rotation.may_end_older)
    return refuse(ErrorCode::already_exists,
                  "The password was rotated before, and the older one, which apps may use still, is valid until " +
                      base::to_rfc3339(*environment->passwords.back().valid_until) +
                      ": another rotation ends it now. Wait until then, or say --force.",
                  "force");
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
  audit_environment("environment.password_rotated", environment_id, "overlap=" + std::to_string(overlap.count()) + "s",
                    transaction, now);
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
  // Not in the environment's list: where the app is called is the operator's business, and may hold a key.
  audit("environment.changed", environment_id, changed.empty() ? changed : changed.substr(1), transaction, now);
  return *environment;
}

Result<Environment> set_environment_disabled(const base::Uuid& environment_id, bool disabled, Transaction& transaction,
                                             base::Timestamp now) {
  transaction.lock_environment(environment_id);
  auto environment = transaction.find_environment(environment_id);
  if (!environment) return std::unexpected(no_such_environment(environment_id));
  const bool comes_back = environment->disabled && !disabled;
  environment->disabled = disabled;
  transaction.update(*environment);
  if (comes_back) go_on(environment_id, transaction, now);
  audit_environment(disabled ? "environment.disabled" : "environment.enabled", environment_id, {}, transaction, now);
  return *environment;
}

}  // namespace invited::domain
