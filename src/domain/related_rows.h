// What the rows of a list refer to (the inviter, a role, the environment and its app), each looked up once for the
// whole answer: a page of a hundred would ask the database some two hundred times, each a round trip on PostgreSQL.
//
// Made for one answer, in one transaction that does not change what is asked for meanwhile; used by one thread. What it
// returns lives as long as it does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "domain/role_alias.h"
#include "domain/store.h"

namespace invited::domain {

class RelatedRows {
 public:
  explicit RelatedRows(Transaction& transaction) : transaction_(transaction) {}

  const std::optional<Account>& account(const base::Uuid& id) const {
    return remembered(accounts_, id, [&] { return transaction_.find_account(id); });
  }
  const std::optional<Environment>& environment(const base::Uuid& id) const {
    return remembered(environments_, id, [&] { return transaction_.find_environment(id); });
  }
  const std::optional<App>& app(const base::Uuid& id) const {
    return remembered(apps_, id, [&] { return transaction_.find_app(id); });
  }
  /// The app of an environment that may be gone.
  const std::optional<App>& app_of(const std::optional<Environment>& environment) const {
    static const std::optional<App> kNone;
    return environment ? app(environment->app_id) : kNone;
  }
  const std::optional<Role>& role(const base::Uuid& app_id, const base::Uuid& id) const {
    return remembered(roles_, std::pair(app_id, id), [&] { return transaction_.find_role(app_id, id); });
  }
  bool has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id) const {
    return remembered(accesses_, std::pair(account_id, environment_id),
                      [&] { return transaction_.has_any_access(account_id, environment_id); });
  }
  /// Empty where it has none (alias_of).
  const std::string& role_alias(const App& app, std::string_view dialect, const base::Uuid& role_id) const {
    return remembered(aliases_, std::tuple(app.id, std::string(dialect), role_id),
                      [&] { return alias_of(app, dialect, role_id, transaction_); });
  }

 private:
  template <class Map, class Key, class LookUp>
  static const typename Map::mapped_type& remembered(Map& map, const Key& key, LookUp look_up) {
    auto found = map.find(key);
    if (found == map.end()) found = map.emplace(key, look_up()).first;
    return found->second;
  }

  Transaction& transaction_;
  mutable std::map<base::Uuid, std::optional<Account>> accounts_;
  mutable std::map<base::Uuid, std::optional<Environment>> environments_;
  mutable std::map<base::Uuid, std::optional<App>> apps_;
  mutable std::map<std::pair<base::Uuid, base::Uuid>, std::optional<Role>> roles_;
  mutable std::map<std::pair<base::Uuid, base::Uuid>, bool> accesses_;
  mutable std::map<std::tuple<base::Uuid, std::string, base::Uuid>, std::string> aliases_;
};

}  // namespace invited::domain
