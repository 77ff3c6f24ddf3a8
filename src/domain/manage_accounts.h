// What operators do with accounts and access. Inside a transaction of the caller's; every function writes its audit
// event (actor "operator").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/password.h"
#include "domain/store.h"

namespace invited::domain {

/// `password_hash`: PasswordHasher::hash, or empty: the person chooses one when accepting an invitation. `id`: one by
/// which apps know the person already (it stands in OpenIDs); else a new one. Errors: invalid_email_address ("email"),
/// invalid_parameter ("name", "uuid"), already_exists ("email", "uuid").
Result<Account> add_account(std::string_view email, std::string_view name, std::string_view password_hash,
                            Transaction& transaction, base::Timestamp now,
                            const std::optional<base::Uuid>& id = std::nullopt);

/// Errors: invalid_email_address, not_found.
Result<Account> set_account_password(std::string_view email, std::string_view password_hash, Transaction& transaction,
                                     base::Timestamp now);
Result<Account> set_account_disabled(std::string_view email, bool disabled, Transaction& transaction,
                                     base::Timestamp now);

/// What is to be changed; the rest stays. An empty value takes a field away.
struct AccountChange {
  std::optional<std::string> name;
  std::vector<std::pair<ProfileField, std::string>> fields;
};
/// Errors: not_found, invalid_email_address, invalid_parameter ("name", or the field's name).
Result<Account> set_account(std::string_view email, const AccountChange& change, Transaction& transaction,
                            base::Timestamp now);

/// `changed`: false where the access was as wanted already.
struct ChangedAccess {
  Access access;
  bool changed = false;
};
/// Granting what is there and withdrawing what is not are successes. Errors: not_found (environment, account),
/// unknown_role, invalid_email_address.
Result<ChangedAccess> grant_access(const base::Uuid& environment_id, std::string_view email, const base::Uuid& role_id,
                                   Transaction& transaction, base::Timestamp now, std::string_view actor = "operator");
Result<ChangedAccess> revoke_access(const base::Uuid& environment_id, std::string_view email, const base::Uuid& role_id,
                                    Transaction& transaction, base::Timestamp now, std::string_view actor = "operator");

}  // namespace invited::domain
