// The noun role: the roles of apps, and what JSON dialects call them.
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "domain/manage_apps.h"
#include "domain/role_alias.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// The app named, or all where none is.
Result<std::vector<domain::App>> find_apps(const std::string& named, Transaction& transaction) {
  if (named.empty()) return transaction.list_apps();
  auto app = find_app(named, transaction);
  if (!app) return error_of(app);
  return std::vector{*std::move(app)};
}

Result<std::pair<domain::App, domain::Role>> find_app_and_role(const std::string& app_name,
                                                               const std::string& role_name, Transaction& transaction) {
  auto app = find_app(app_name, transaction);
  if (!app) return error_of(app);
  auto role = find_role(app->id, role_name, transaction);
  if (!role) return error_of(role);
  return std::pair(*std::move(app), *std::move(role));
}

Result<Json> role_add(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  auto name = arguments.text("name");
  auto id = arguments.optional_uuid("uuid");
  if (!app_name) return error_of(app_name);
  if (!name) return error_of(name);
  if (!id) return error_of(id);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto app = find_app(*app_name, transaction);
    if (!app) return error_of(app);
    auto role = domain::add_role(app->id, *id, *name, transaction, context.clock.now());
    if (!role) return error_of(role);
    return to_json(*role, *app);
  });
}

Result<Json> role_list(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text_or_empty("app");
  if (!app_name) return error_of(app_name);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto apps = find_apps(*app_name, transaction);
    if (!apps) return error_of(apps);
    Json list = Json::array();
    for (const domain::App& app : *apps)
      for (const domain::Role& role : transaction.list_roles(app.id)) list.push_back(to_json(role, app));
    return list;
  });
}

Result<Json> role_set(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  auto role_name = arguments.text("role");
  auto name = arguments.text("name");
  for (auto* value : {&app_name, &role_name, &name})
    if (!*value) return error_of(*value);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto found = find_app_and_role(*app_name, *role_name, transaction);
    if (!found) return error_of(found);
    const auto renamed = domain::rename_role(found->second, *name, transaction, context.clock.now());
    if (!renamed) return error_of(renamed);
    return to_json(*renamed, found->first);
  });
}

/// One of "roles", as the command line writes what deployment_package.h reads.
Result<domain::ImportedRole> imported_role(const Json& entry) {
  if (!entry.is_object()) return refuse(ErrorCode::invalid_parameter, "A role must be an object.", "roles");
  const Arguments role(entry);
  auto id = role.uuid("uuid");
  auto name = role.text("name");
  auto manageable = role.optional_texts("manageable");
  if (!id) return error_of(id);
  if (!name)
    return refuse(ErrorCode::missing_parameter, "The role " + id->to_string() + " has no name in the package.",
                  "roles");
  if (!manageable) return error_of(manageable);
  domain::ImportedRole imported{.id = *id, .name = *std::move(name), .manages_all = role.flag("manages_all")};
  for (const std::string& text : manageable->value_or(std::vector<std::string>())) {
    const auto managed = base::Uuid::parse(text);
    if (!managed) return refuse(ErrorCode::invalid_parameter, "A role manages what is no UUID.", "roles");
    imported.manageable.push_back(*managed);
  }
  return imported;
}

/// "roles": [{"uuid", "name", "manages_all", "manageable": [uuid, …]}, …].
Result<Json> role_import(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  if (!app_name) return error_of(app_name);
  std::vector<domain::ImportedRole> roles;
  const auto list = arguments.values().find("roles");
  if (list == arguments.values().end() || !list->is_array() || list->empty())
    return refuse(ErrorCode::missing_parameter, "There are no roles to import.", "roles");
  for (const Json& entry : *list) {
    auto role = imported_role(entry);
    if (!role) return error_of(role);
    roles.push_back(*std::move(role));
  }
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto app = find_app(*app_name, transaction);
    if (!app) return error_of(app);
    const auto done = domain::import_roles(app->id, roles, transaction, context.clock.now());
    if (!done) return error_of(done);
    return Json{{"app_uuid", app->id.to_string()},
                {"app_name", app->name},
                {"added", done->added},
                {"renamed", done->renamed},
                {"changed", done->changed},
                {"unchanged", done->unchanged},
                {"ambiguous_names", done->ambiguous_names}};
  });
}

Result<Json> role_map(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  auto dialect = arguments.text("dialect");
  auto name = arguments.text("name");
  auto role_name = arguments.text("role");
  for (auto* value : {&app_name, &dialect, &name, &role_name})
    if (!*value) return error_of(*value);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto found = find_app_and_role(*app_name, *role_name, transaction);
    if (!found) return error_of(found);
    const auto& [app, role] = *found;
    const auto alias = domain::map_role(app, *dialect, *name, role.id, transaction, context.clock.now());
    if (!alias) return error_of(alias);
    return to_json(*alias, app, role);
  });
}

Result<Json> role_unmap(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text("app");
  auto dialect = arguments.text("dialect");
  auto name = arguments.text("name");
  for (auto* value : {&app_name, &dialect, &name})
    if (!*value) return error_of(*value);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto app = find_app(*app_name, transaction);
    if (!app) return error_of(app);
    auto done = domain::unmap_role(*app, *dialect, *name, transaction, context.clock.now());
    if (!done) return error_of(done);
    return Json{{"dialect", *dialect}, {"name", *name}, {"app_uuid", app->id.to_string()}, {"app_name", app->name}};
  });
}

Result<Json> role_mappings(const Arguments& arguments, AdminContext& context) {
  auto app_name = arguments.text_or_empty("app");
  if (!app_name) return error_of(app_name);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto apps = find_apps(*app_name, transaction);
    if (!apps) return error_of(apps);
    Json list = Json::array();
    for (const domain::App& app : *apps)
      for (const domain::RoleAlias& alias : transaction.list_role_aliases(app.id))
        if (const auto role = transaction.find_role(app.id, alias.role_id)) list.push_back(to_json(alias, app, *role));
    return list;
  });
}

constexpr std::array kCommands{
    Command{"role add", "app name uuid", role_add},         Command{"role list", "app", role_list},
    Command{"role set", "app role name", role_set},         Command{"role import", "app roles", role_import},
    Command{"role map", "app dialect name role", role_map}, Command{"role unmap", "app dialect name", role_unmap},
    Command{"role mappings", "app", role_mappings},
};

}  // namespace

std::span<const Command> role_commands() { return kCommands; }

}  // namespace invited::admin
