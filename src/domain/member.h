// A person who is signed in, as the caller of a dialect whose clients sign people in (Medusa). Only those who have a
// role that the dialect has a name for are its users there; they grant what they have themselves, or, where the app
// says so, what their roles manage. Inside a transaction of the caller's.
#pragma once

#include <optional>
#include <string_view>

#include "domain/caller.h"

namespace invited::domain {

/// Whether the account has, in that environment, a role that the dialect has a name for.
bool is_member(const Account& account, const Environment& environment, std::string_view dialect,
               Transaction& transaction);

/// In `environment_id`, or, without, in the only one where the account is a member. Errors: authentication_failed (a
/// member of none), invalid_parameter (of several: the call must name one).
Result<Caller> find_member_caller(const Account& account, const std::optional<base::Uuid>& environment_id,
                                  std::string_view dialect, Transaction& transaction);

}  // namespace invited::domain
