// What is done with invitations besides making and answering them: sent again by an operator, changed, revoked. All
// inside a transaction of the caller's, so that the same functions serve every front door.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/caller.h"
#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

/// A pending or expired invitation gets a new generation, expiry and mail. Errors: not_found; invalid_parameter where
/// it is settled.
Result<Invitation> resend_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     const Policy& policy, base::Timestamp now);

/// The caller's environment's invitation with that id. Error: not_found, also where it is another's.
Result<Invitation> find_invitation_of(const Caller& caller, const base::Uuid& id, Transaction& transaction);

/// Error: invalid_parameter, where it was accepted, declined, revoked or replaced.
Result<void> check_unsettled(const Invitation& invitation);

/// Whether `caller` may end, replace or send what the invitation, one of its environment, would grant: as with access,
/// what may not be given may not be taken away either. Error: role_not_allowed.
Result<void> check_grant(const Caller& caller, const Invitation& invitation, Transaction& transaction);

/// What is to be changed of a pending invitation; the rest stays. Nothing is mailed, the link stays. With other roles
/// it is the caller's invitation from then on.
struct InvitationChange {
  std::optional<std::vector<base::Uuid>> role_ids{};
  std::optional<std::string> metadata{};
  std::optional<std::string> redirect_url{};
  std::optional<base::Timestamp> expires_at{};
};
/// Errors: invalid_parameter (not pending any more; an expiry in the past or too far ahead; "metadata",
/// "redirect_url"), unknown_role, role_not_allowed (of what would be granted before or after).
Result<Invitation> change_invitation(Invitation invitation, const InvitationChange& change, const Caller& caller,
                                     Transaction& transaction, base::Timestamp now);

/// That the link of a pending invitation was shown to the caller, who hands it over: older ones are over. Errors:
/// not_allowed (Caller::may_see_links), invalid_parameter (not pending any more), role_not_allowed.
Result<void> note_link_shown(const Caller& caller, const Invitation& invitation, Transaction& transaction,
                             base::Timestamp now);

/// By an operator: a pending or expired invitation becomes revoked; its mails are cancelled. Errors: not_found;
/// invalid_parameter where it is settled.
Result<Invitation> revoke_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     base::Timestamp now);
/// By a caller. Errors: invalid_parameter where it is settled; role_not_allowed.
Result<Invitation> revoke_invitation(const Caller& caller, const Invitation& invitation, Transaction& transaction,
                                     base::Timestamp now);

}  // namespace invited::domain
