// What operators do with invitations: send again, revoke. Both work inside a transaction of the caller's, so that the
// same functions serve every front door.
#pragma once

#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

/// A pending or expired invitation gets a new generation, expiry and mail. Errors: not_found; invalid_parameter where
/// it is settled.
Result<Invitation> resend_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     const Policy& policy, base::Timestamp now);

/// A pending or expired invitation becomes revoked; its mails are cancelled. Errors as above.
Result<Invitation> revoke_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     base::Timestamp now);

}  // namespace invited::domain
