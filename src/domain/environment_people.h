// What a caller may see of the people of its environment, and which of their roles it may give and take. People who
// have no access there do not exist for it: their address and name are other environments' business, and whoever is to
// come in is invited. Inside a transaction of the caller's.
#pragma once

#include <string_view>

#include "domain/caller.h"
#include "domain/manage_accounts.h"

namespace invited::domain {

/// Error: not_found, also for accounts without access to the caller's environment.
Result<Account> find_person_of(const Caller& caller, const base::Uuid& account_id, Transaction& transaction);

/// A grant or its end, with what it is about.
struct RoleChange {
  Account account;
  Role role;
  ChangedAccess access;
};

/// `role`: UUID or name. Only roles that the caller may grant, for taking them away too. Errors: missing_parameter,
/// invalid_email_address ("email"), unknown_role, role_not_allowed ("role"), not_found ("email").
Result<RoleChange> give_role(const Caller& caller, std::string_view email, std::string_view role,
                             Transaction& transaction, base::Timestamp now);
/// What is not there is taken already. Errors as above.
Result<RoleChange> take_role(const Caller& caller, std::string_view email, std::string_view role,
                             Transaction& transaction, base::Timestamp now);

}  // namespace invited::domain
