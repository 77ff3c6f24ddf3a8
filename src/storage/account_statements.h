// The SQL of accounts and access. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "domain/account.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class AccountStatements {
 public:
  explicit AccountStatements(Connection& connection);
  ~AccountStatements();

  void insert(const domain::Account& account);
  void update(const domain::Account& account);
  std::optional<domain::Account> find_account(const base::Uuid& id);
  std::optional<domain::Account> find_account_by_email(std::string_view email_key);
  std::vector<domain::Account> list_accounts(const domain::Page& page);
  std::vector<domain::Account> list_people(const base::Uuid& environment_id, std::string_view search,
                                           const domain::Page& page);
  std::vector<domain::Account> list_people_behind(const base::Uuid& environment_id, std::string_view search,
                                                  const base::Uuid& last, std::uint32_t limit);
  std::uint64_t count_people(const base::Uuid& environment_id, std::string_view search);
  void insert(const domain::Access& access);
  bool erase(const domain::Access& access);
  bool has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id);
  bool has_access(const base::Uuid& account_id, const base::Uuid& environment_id, const base::Uuid& role_id);
  std::vector<domain::AccessEntry> list_access(const base::Uuid& environment_id, const domain::Page& page);
  std::vector<domain::AccessEntry> list_access_behind(const domain::Access& last, std::uint32_t limit);
  std::vector<domain::Role> list_roles_of(const base::Uuid& account_id, const base::Uuid& environment_id);
  std::vector<base::Uuid> list_environments_of(const base::Uuid& account_id);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
