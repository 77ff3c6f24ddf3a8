#include "storage/app_statements.h"

#include <array>

#include "storage/role_row.h"
#include "storage/row_values.h"

namespace invited::storage {
namespace {

constexpr std::size_t kPasswordSlots = 2;

struct AppRow {
  Text id, name, url, language;
  Number created_at = 0;
  Text grants, redirect_urls;

  Parameters changeable() {
    return {{"id", id},         {"name", name},
            {"url", url},       {"language", language},
            {"grants", grants}, {"redirect_urls", redirect_urls}};
  }
  Parameters all() {
    Parameters parameters = changeable();
    parameters.emplace_back("created_at", created_at);
    return parameters;
  }
  Columns columns() { return {&id, &name, &url, &language, &created_at, &grants, &redirect_urls}; }

  void set(const domain::App& app) {
    id = app.id.to_string();
    name = app.name;
    url = app.url;
    language = base::to_string(app.language);
    created_at = to_number(app.created_at);
    grants = domain::to_string(app.grants);
    redirect_urls.clear();
    for (const std::string& one : app.redirect_urls) redirect_urls += (redirect_urls.empty() ? "" : "\n") + one;
  }
  domain::App get() const {
    domain::App app{to_uuid(id),
                    name,
                    url,
                    known_word(base::parse_language(language)),
                    to_time(created_at),
                    known_word(domain::parse_grant_rule(grants))};
    for (std::string_view rest = redirect_urls; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      app.redirect_urls.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return app;
  }
};

struct RoleRow {
  Text app_id, id, name;
  Number created_at = 0;
  Text manageable;

  Columns columns() { return {&app_id, &id, &name, &created_at, &manageable}; }

  void set(const domain::Role& role) {
    app_id = role.app_id.to_string();
    id = role.id.to_string();
    name = role.name;
    created_at = to_number(role.created_at);
    manageable = manageable_text(role);
  }
  domain::Role get() const { return to_role(app_id, id, name, created_at, manageable); }
};

struct AliasRow {
  Text app_id, dialect, name, role_id;
};

std::string_view to_word(domain::PasswordKind kind) {
  return kind == domain::PasswordKind::issued ? "issued" : "brought";
}

domain::PasswordKind to_password_kind(std::string_view word) {
  if (word == "issued") return domain::PasswordKind::issued;
  if (word == "brought") return domain::PasswordKind::brought;
  throw domain::StorageFailure("a stored word is unknown to this program");
}

struct EnvironmentRow {
  struct Slot {
    NullableText kind, hash;
    NullableNumber valid_from, valid_until;
  };

  Text id, app_id, name;
  Number disabled = 0;
  std::array<Slot, kPasswordSlots> slots;
  Number created_at = 0;
  Text openid_template, refresh_url, refresh_namespace;

  Parameters changeable() {
    return {{"id", id},
            {"name", name},
            {"disabled", disabled},
            {"kind_1", slots[0].kind},
            {"hash_1", slots[0].hash},
            {"from_1", slots[0].valid_from},
            {"until_1", slots[0].valid_until},
            {"kind_2", slots[1].kind},
            {"hash_2", slots[1].hash},
            {"from_2", slots[1].valid_from},
            {"until_2", slots[1].valid_until},
            {"openid_template", openid_template},
            {"refresh_url", refresh_url},
            {"refresh_namespace", refresh_namespace}};
  }
  Parameters all() {
    Parameters parameters = changeable();
    parameters.emplace_back("app_id", app_id);
    parameters.emplace_back("created_at", created_at);
    return parameters;
  }
  Columns columns() {
    Columns columns{&id, &app_id, &name, &disabled};
    for (Slot& slot : slots)
      for (const Variable& variable :
           {Variable(&slot.kind), Variable(&slot.hash), Variable(&slot.valid_from), Variable(&slot.valid_until)})
        columns.push_back(variable);
    for (const Variable& variable :
         {Variable(&created_at), Variable(&openid_template), Variable(&refresh_url), Variable(&refresh_namespace)})
      columns.push_back(variable);
    return columns;
  }

  void set(const domain::Environment& environment) {
    if (environment.passwords.size() > slots.size())
      throw domain::StorageFailure("an environment has at most two passwords");
    id = environment.id.to_string();
    app_id = environment.app_id.to_string();
    name = environment.name;
    disabled = environment.disabled ? 1 : 0;
    created_at = to_number(environment.created_at);
    openid_template = environment.openid_template;
    refresh_url = environment.refresh_url;
    refresh_namespace = environment.refresh_namespace;
    slots = {};
    for (std::size_t i = 0; i < environment.passwords.size(); ++i) {
      const domain::PasswordSlot& password = environment.passwords[i];
      slots[i].kind = Text(to_word(password.kind));
      slots[i].hash = password.hash;
      slots[i].valid_from = to_number(password.valid_from);
      storage::set(slots[i].valid_until, password.valid_until);
    }
  }
  domain::Environment get() const {
    domain::Environment environment{to_uuid(id),         to_uuid(app_id), name,        disabled != 0,    {},
                                    to_time(created_at), openid_template, refresh_url, refresh_namespace};
    for (const Slot& slot : slots)
      if (!slot.kind.null)
        environment.passwords.push_back({to_password_kind(slot.kind.value), slot.hash.value,
                                         to_time(slot.valid_from.value), to_optional_time(slot.valid_until)});
    return environment;
  }
};

constexpr std::string_view kAppColumns = "SELECT id, name, url, language, created_at, grants, redirect_urls FROM app ";

constexpr std::string_view kEnvironmentColumns =
    "SELECT id, app_id, name, disabled, password_1_kind, password_1_hash, password_1_valid_from,"
    " password_1_valid_until, password_2_kind, password_2_hash, password_2_valid_from, password_2_valid_until,"
    " created_at, openid_template, refresh_url, refresh_namespace FROM environment ";

}  // namespace

struct AppStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  AppRow app;
  RoleRow role;
  AliasRow alias;
  EnvironmentRow environment;

  Statement insert_app{connection,
                       "INSERT INTO app (id, name, url, language, created_at, grants, redirect_urls)"
                       " VALUES (:id, :name, :url, :language, :created_at, :grants, :redirect_urls)",
                       app.all()};
  Statement update_app{connection,
                       "UPDATE app SET name = :name, url = :url, language = :language, grants = :grants,"
                       " redirect_urls = :redirect_urls WHERE id = :id",
                       app.changeable()};
  Statement find_app{connection, std::string(kAppColumns) + "WHERE id = :id", {{"id", app.id}}, app.columns()};
  Statement list_apps{connection, std::string(kAppColumns) + "ORDER BY seq DESC", {}, app.columns()};

  Statement insert_role{connection,
                        "INSERT INTO role (app_id, id, name, created_at, manageable)"
                        " VALUES (:app_id, :id, :name, :created_at, :manageable)",
                        {{"app_id", role.app_id},
                         {"id", role.id},
                         {"name", role.name},
                         {"created_at", role.created_at},
                         {"manageable", role.manageable}}};
  Statement update_role{
      connection,
      "UPDATE role SET name = :name, manageable = :manageable WHERE app_id = :app_id AND id = :id",
      {{"name", role.name}, {"manageable", role.manageable}, {"app_id", role.app_id}, {"id", role.id}}};
  Statement find_role{connection,
                      "SELECT app_id, id, name, created_at, manageable FROM role WHERE app_id = :app_id AND id = :id",
                      {{"app_id", role.app_id}, {"id", role.id}},
                      role.columns()};
  Statement list_roles{connection,
                       "SELECT app_id, id, name, created_at, manageable FROM role WHERE app_id = :app_id"
                       " ORDER BY seq DESC",
                       {{"app_id", role.app_id}},
                       role.columns()};

  Statement set_alias{
      connection,
      "INSERT INTO role_alias (app_id, dialect, name, role_id)"
      " VALUES (:app_id, :dialect, :name, :role_id)"
      " ON CONFLICT (app_id, dialect, name) DO UPDATE SET role_id = excluded.role_id",
      {{"app_id", alias.app_id}, {"dialect", alias.dialect}, {"name", alias.name}, {"role_id", alias.role_id}}};
  Statement erase_alias{connection,
                        "DELETE FROM role_alias WHERE app_id = :app_id AND dialect = :dialect AND name = :name",
                        {{"app_id", alias.app_id}, {"dialect", alias.dialect}, {"name", alias.name}}};
  Statement list_aliases{connection,
                         "SELECT dialect, name, role_id FROM role_alias WHERE app_id = :app_id ORDER BY dialect, name",
                         {{"app_id", alias.app_id}},
                         {&alias.dialect, &alias.name, &alias.role_id}};

  Statement insert_environment{
      connection,
      "INSERT INTO environment (id, app_id, name, disabled, password_1_kind, password_1_hash,"
      " password_1_valid_from, password_1_valid_until, password_2_kind, password_2_hash, password_2_valid_from,"
      " password_2_valid_until, created_at, openid_template, refresh_url, refresh_namespace)"
      " VALUES (:id, :app_id, :name, :disabled, :kind_1, :hash_1, :from_1, :until_1, :kind_2, :hash_2, :from_2,"
      " :until_2, :created_at, :openid_template, :refresh_url, :refresh_namespace)",
      environment.all()};
  Statement update_environment{
      connection,
      "UPDATE environment SET name = :name, disabled = :disabled, password_1_kind = :kind_1,"
      " password_1_hash = :hash_1, password_1_valid_from = :from_1, password_1_valid_until = :until_1,"
      " password_2_kind = :kind_2, password_2_hash = :hash_2, password_2_valid_from = :from_2,"
      " password_2_valid_until = :until_2, openid_template = :openid_template, refresh_url = :refresh_url,"
      " refresh_namespace = :refresh_namespace WHERE id = :id",
      environment.changeable()};
  Statement find_environment{
      connection, std::string(kEnvironmentColumns) + "WHERE id = :id", {{"id", environment.id}}, environment.columns()};
  Statement list_environments{
      connection, std::string(kEnvironmentColumns) + "ORDER BY seq DESC", {}, environment.columns()};
};

AppStatements::AppStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
AppStatements::~AppStatements() = default;

void AppStatements::insert(const domain::App& app) {
  prepared_->app.set(app);
  prepared_->insert_app.execute();
}

void AppStatements::update(const domain::App& app) {
  prepared_->app.set(app);
  prepared_->update_app.execute();
}

std::optional<domain::App> AppStatements::find_app(const base::Uuid& id) {
  prepared_->app.id = id.to_string();
  if (!prepared_->find_app.find()) return std::nullopt;
  return prepared_->app.get();
}

std::vector<domain::App> AppStatements::list_apps() {
  std::vector<domain::App> apps;
  prepared_->list_apps.each([&] { apps.push_back(prepared_->app.get()); });
  return apps;
}

void AppStatements::insert(const domain::Role& role) {
  prepared_->role.set(role);
  prepared_->insert_role.execute();
}

void AppStatements::update(const domain::Role& role) {
  prepared_->role.set(role);
  prepared_->update_role.execute();
}

std::optional<domain::Role> AppStatements::find_role(const base::Uuid& app_id, const base::Uuid& role_id) {
  prepared_->role.app_id = app_id.to_string();
  prepared_->role.id = role_id.to_string();
  if (!prepared_->find_role.find()) return std::nullopt;
  return prepared_->role.get();
}

std::vector<domain::Role> AppStatements::list_roles(const base::Uuid& app_id) {
  std::vector<domain::Role> roles;
  prepared_->role.app_id = app_id.to_string();
  prepared_->list_roles.each([&] { roles.push_back(prepared_->role.get()); });
  return roles;
}

void AppStatements::set_role_alias(const domain::RoleAlias& alias) {
  prepared_->alias = {alias.app_id.to_string(), alias.dialect, alias.name, alias.role_id.to_string()};
  prepared_->set_alias.execute();
}

bool AppStatements::erase_role_alias(const base::Uuid& app_id, std::string_view dialect, std::string_view name) {
  prepared_->alias = {app_id.to_string(), Text(dialect), Text(name), {}};
  return prepared_->erase_alias.run() > 0;
}

std::vector<domain::RoleAlias> AppStatements::list_role_aliases(const base::Uuid& app_id) {
  std::vector<domain::RoleAlias> aliases;
  AliasRow& row = prepared_->alias;
  row.app_id = app_id.to_string();
  prepared_->list_aliases.each([&] { aliases.push_back({app_id, row.dialect, row.name, to_uuid(row.role_id)}); });
  return aliases;
}

void AppStatements::insert(const domain::Environment& environment) {
  prepared_->environment.set(environment);
  prepared_->insert_environment.execute();
}

void AppStatements::update(const domain::Environment& environment) {
  prepared_->environment.set(environment);
  prepared_->update_environment.execute();
}

std::optional<domain::Environment> AppStatements::find_environment(const base::Uuid& id) {
  prepared_->environment.id = id.to_string();
  if (!prepared_->find_environment.find()) return std::nullopt;
  return prepared_->environment.get();
}

std::vector<domain::Environment> AppStatements::list_environments() {
  std::vector<domain::Environment> environments;
  prepared_->list_environments.each([&] { environments.push_back(prepared_->environment.get()); });
  return environments;
}

}  // namespace invited::storage
