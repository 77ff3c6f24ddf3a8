// Who asks that something be done about invitations, once that is known: in which environment, as which person, and how
// far that reaches. Made by each front door from what its clients bring along (a password, an API token, a session).
// Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/account.h"
#include "domain/api_token.h"
#include "domain/app.h"
#include "domain/context.h"

namespace invited::domain {

struct Caller {
  Environment environment;
  App app;
  Account account;                       ///< the inviter
  std::vector<base::Uuid> role_ceiling;  ///< what may be granted; empty: no ceiling of the caller's own
  bool may_see_links = false;
  base::Uuid token_id;  ///< nil: no API token
  std::string actor;    ///< in audit events: "environment:<uuid>", "token:<uuid>", "account:<uuid>"
};

/// The caller behind an API token's text. One Error for unknown, expired and revoked tokens, disabled environments, and
/// accounts that are disabled or without access. Wrong tokens are counted against the client's address; the time of the
/// last use is noted. Errors: authentication_failed, rate_limited, unavailable.
Result<Caller> authenticate_token(std::string_view token, std::string_view client_address, Context& context);

/// The caller as it stands now: to be asked again inside the transaction that does what was asked for, as the answer
/// may have changed since. Error: authentication_failed.
Result<Caller> find_again(const Caller& caller, Transaction& transaction, base::Timestamp now);

/// Whether `caller` may grant these roles of its app: within its ceiling, and, where the app asks, managed by one of
/// the inviter's own roles (somebody disabled has none). Error: role_not_allowed.
Result<void> check_grant(const Caller& caller, const std::vector<Role>& roles, Transaction& transaction);

}  // namespace invited::domain
