// The SQL of apps, roles and environments. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/app.h"
#include "storage/connection.h"

namespace invited::storage {

class AppStatements {
 public:
  explicit AppStatements(Connection& connection);
  ~AppStatements();

  void insert(const domain::App& app);
  void update(const domain::App& app);
  std::optional<domain::App> find_app(const base::Uuid& id);
  std::vector<domain::App> list_apps();
  void insert(const domain::Role& role);
  void update(const domain::Role& role);
  std::optional<domain::Role> find_role(const base::Uuid& app_id, const base::Uuid& role_id);
  std::vector<domain::Role> list_roles(const base::Uuid& app_id);
  void set_role_alias(const domain::RoleAlias& alias);
  bool erase_role_alias(const base::Uuid& app_id, std::string_view dialect, std::string_view name);
  std::vector<domain::RoleAlias> list_role_aliases(const base::Uuid& app_id);
  void insert(const domain::Environment& environment);
  void update(const domain::Environment& environment);
  std::optional<domain::Environment> find_environment(const base::Uuid& id);
  std::vector<domain::Environment> list_environments();

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
