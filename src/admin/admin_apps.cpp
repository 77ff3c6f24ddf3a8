// The nouns app and environment.
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "base/utf8.h"
#include "domain/manage_apps.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// How long a rotated password goes on working.
constexpr std::chrono::seconds kDefaultOverlap = std::chrono::hours(24);
constexpr std::chrono::seconds kLongestOverlap = std::chrono::hours(24 * 90);

Result<Json> app_add(const Arguments& arguments, AdminContext& context) {
  auto name = arguments.text("name");
  auto url = arguments.text("url");
  auto language = arguments.text_or_empty("language");
  if (!name) return error_of(name);
  if (!url) return error_of(url);
  if (!language) return error_of(language);
  if (language->empty()) *language = "en";
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto app = domain::add_app(*name, *url, *language, transaction, context.clock.now());
    if (!app) return error_of(app);
    return to_json(*app);
  });
}

Result<Json> app_list(const Arguments&, AdminContext& context) {
  return domain::read_returning(context.store, [](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    for (const domain::App& app : transaction.list_apps()) list.push_back(to_json(app));
    return list;
  });
}

Result<Json> app_show(const Arguments& arguments, AdminContext& context) {
  auto named = arguments.text("app");
  if (!named) return error_of(named);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto app = find_app(*named, transaction);
    if (!app) return error_of(app);
    return to_json(*app);
  });
}

Result<Json> app_set(const Arguments& arguments, AdminContext& context) {
  auto named = arguments.text("app");
  auto name = arguments.optional_text("name");
  auto url = arguments.optional_text("url");
  auto language = arguments.optional_text("language");
  auto grants = arguments.optional_text("grants");
  auto redirect_urls = arguments.optional_texts("redirect-url");
  if (!named) return error_of(named);
  for (auto* value : {&name, &url, &language, &grants})
    if (!*value) return error_of(*value);
  if (!redirect_urls) return error_of(redirect_urls);
  const domain::AppChange change{*name, *url, *language, *grants, *redirect_urls};
  if (!change.name && !change.url && !change.language && !change.grants && !change.redirect_urls)
    return refuse(ErrorCode::missing_parameter,
                  "Say what to change: --name, --url, --language, --redirect-url or --grants.");
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto app = find_app(*named, transaction);
    if (!app) return error_of(app);
    const auto changed = domain::set_app(app->id, change, transaction, context.clock.now());
    if (!changed) return error_of(changed);
    return to_json(*changed);
  });
}

Json with_password(const domain::AddedEnvironment& added, const domain::App& app) {
  Json json = to_json(added.environment, app);
  // The password goes beside the UUID, where a person looks for it; null where the operator brought one.
  Json result{{"environment_uuid", json["environment_uuid"]}, {"environment_password", nullptr}};
  if (!added.password.empty()) result["environment_password"] = added.password.reveal();
  result.update(json);
  return result;
}

Result<Json> environment_add(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  auto name = arguments.text("name");
  auto id = arguments.optional_uuid("uuid");
  auto password_text = arguments.text_or_empty("password");
  if (!app_name) return error_of(app_name);
  if (!name) return error_of(name);
  if (!id) return error_of(id);
  if (!password_text) return error_of(password_text);
  const base::Secret password(*password_text);
  base::wipe(*password_text);
  domain::AddEnvironment request{.app_id = {}, .name = *name, .id = *id, .brought_password_hash = {}};
  if (!password.empty()) {
    // As long as people's may be; an operator's own machine password has no least length.
    if (!domain::can_be_password(password.reveal()))
      return refuse(ErrorCode::invalid_parameter,
                    "The password is longer than 128 characters, or has a NUL in it, which nobody can send.",
                    "password");
    // As it is verified: in normal form.
    request.brought_password_hash = context.password_hasher.hash(base::Secret(base::to_nfc(password.reveal())));
  }
  auto added = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto app = find_app(*app_name, transaction);
    if (!app) return error_of(app);
    request.app_id = app->id;
    const auto environment = domain::add_environment(request, context.pepper, transaction, context.clock.now());
    if (!environment) return error_of(environment);
    return with_password(*environment, *app);
  });
  if (added) context.environments_changed();
  return added;
}

/// The environment and its app.
Result<std::pair<domain::Environment, domain::App>> find_with_app(std::string_view named, Transaction& transaction) {
  auto environment = find_environment(named, transaction);
  if (!environment) return error_of(environment);
  auto app = transaction.find_app(environment->app_id);
  if (!app) throw domain::StorageFailure("an environment without its app");
  return std::pair(std::move(*environment), std::move(*app));
}

Result<Json> environment_list(const Arguments&, AdminContext& context) {
  return domain::read_returning(context.store, [](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    const auto apps = transaction.list_apps();
    for (const domain::Environment& environment : transaction.list_environments())
      for (const domain::App& app : apps)
        if (app.id == environment.app_id) list.push_back(to_json(environment, app));
    return list;
  });
}

Result<Json> environment_rotate_password(const Arguments& arguments, AdminContext& context) {
  auto named = arguments.text("environment");
  const auto overlap = arguments.number("overlap_seconds", kDefaultOverlap.count());
  if (!named) return error_of(named);
  if (!overlap) return error_of(overlap);
  if (*overlap > static_cast<std::uint64_t>(kLongestOverlap.count()))
    return refuse(ErrorCode::invalid_parameter, "The old password may stay valid for 90 days at most.", "overlap");
  auto rotated = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto found = find_with_app(*named, transaction);
    if (!found) return error_of(found);
    const domain::Rotation rotation{std::chrono::seconds(*overlap), arguments.flag("force")};
    const auto done =
        domain::rotate_password(found->first.id, rotation, context.pepper, transaction, context.clock.now());
    if (!done) return error_of(done);
    Json json = with_password(*done, found->second);
    json["old_password_until"] = nullptr;
    for (const domain::PasswordSlot& slot : done->environment.passwords)
      if (slot.valid_until) json["old_password_until"] = base::to_rfc3339(*slot.valid_until);
    return json;
  });
  if (rotated) context.environments_changed();
  return rotated;
}

Result<Json> environment_set(const Arguments& arguments, AdminContext& context) {
  auto named = arguments.text("environment");
  auto name = arguments.optional_text("name");
  auto openid_template = arguments.optional_text("openid-template");
  auto refresh_url = arguments.optional_text("refresh-url");
  auto refresh_namespace = arguments.optional_text("refresh-namespace");
  if (!named) return error_of(named);
  for (auto* value : {&name, &openid_template, &refresh_url, &refresh_namespace})
    if (!*value) return error_of(*value);
  const domain::EnvironmentChange change{*name, *openid_template, *refresh_url, *refresh_namespace};
  if (!change.name && !change.openid_template && !change.refresh_url && !change.refresh_namespace)
    return refuse(ErrorCode::missing_parameter,
                  "Say what to change: --name, --openid-template, --refresh-url or --refresh-namespace.");
  auto changed = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto found = find_with_app(*named, transaction);
    if (!found) return error_of(found);
    const auto done =
        domain::set_environment(found->first.id, change, context.public_url, transaction, context.clock.now());
    if (!done) return error_of(done);
    return to_json(*done, found->second);
  });
  if (changed) context.environments_changed();
  return changed;
}

Result<Json> set_disabled(const Arguments& arguments, AdminContext& context, bool disabled) {
  auto named = arguments.text("environment");
  if (!named) return error_of(named);
  auto changed = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto found = find_with_app(*named, transaction);
    if (!found) return error_of(found);
    const auto done = domain::set_environment_disabled(found->first.id, disabled, transaction, context.clock.now());
    if (!done) return error_of(done);
    return to_json(*done, found->second);
  });
  if (changed) context.environments_changed();
  return changed;
}

Result<Json> environment_disable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/true);
}

Result<Json> environment_enable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/false);
}

constexpr std::array kCommands{
    Command{"app add", "name url language", app_add},
    Command{"app list", "", app_list},
    Command{"app show", "app", app_show},
    Command{"app set", "app name url language redirect-url grants", app_set},
    Command{"environment add", "app name uuid password", environment_add},
    Command{"environment list", "", environment_list},
    Command{"environment set", "environment name openid-template refresh-url refresh-namespace", environment_set},
    Command{"environment rotate-password", "environment overlap_seconds force", environment_rotate_password},
    Command{"environment disable", "environment", environment_disable},
    Command{"environment enable", "environment", environment_enable},
};

}  // namespace

std::span<const Command> app_commands() { return kCommands; }

}  // namespace invited::admin
