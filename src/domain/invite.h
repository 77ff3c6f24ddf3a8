// Inviting a person, as every front door does it once it knows who calls: one plan that says what would happen, and the
// one transaction that does it. All rules about new, pending, repeated and unneeded invitations are here. Inside a
// transaction of the caller's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "domain/caller.h"
#include "domain/policy.h"

namespace invited::domain {

/// Most bytes of an invitation's metadata, as JSON.
inline constexpr std::size_t kMaxMetadata = 4'096;
/// Most roles of one invitation.
inline constexpr std::size_t kMaxRoles = 16;

/// The lifetime that may be asked for.
inline constexpr std::chrono::seconds kShortestLifetime = std::chrono::minutes(5);
inline constexpr std::chrono::seconds kLongestLifetime = std::chrono::hours(24 * 90);

struct Invite {
  EmailAddress invitee;
  std::vector<Role> roles;           ///< at least one, of the caller's app, each once (find_roles)
  std::chrono::seconds lifetime{0};  ///< of the link; 0: the service's
  std::string metadata;              ///< a JSON object, or empty
  std::string redirect_url;          ///< one of those that the app allows (check_redirect_url), or empty
  bool send = true;                  ///< else no mail: the caller hands the link over (Caller::may_see_links)
};

/// What front doors have as text.
struct InviteText {
  std::string email;
  std::string metadata;  ///< as JSON
  std::string redirect_url;
  std::chrono::seconds lifetime{0};
  bool send = true;
};
/// Error: invalid_parameter ("metadata"), where it is too long.
Result<void> check_metadata(std::string_view metadata);

/// Checks all that needs no database. Errors: missing_parameter ("email"), invalid_email_address ("email"),
/// invalid_parameter ("metadata", "redirect_url", "expires_in").
Result<Invite> check_invite(const App& app, const InviteText& text, std::vector<Role> roles);

/// What work that invites these will ask about. What is no address is left out: it will be refused.
Foresight foresee_invitees(const std::vector<std::string>& emails);

enum class InviteEffect {
  invited,             ///< a new invitation and its mail
  resent,              ///< pending before: new generation; the old link ends once the new mail left (link_state)
  repeated,            ///< the same call again within the window, or the same Idempotency-Key: nothing new
  has_access_already,  ///< nothing to accept; a mail says so, unless one did lately
};
std::string_view to_string(InviteEffect effect);

struct InvitePlan {
  InviteEffect effect = InviteEffect::invited;
  std::optional<Account> invitee;     ///< the address has an account
  std::optional<Invitation> pending;  ///< as stored; may be over by now
};

/// What invite() would do now. Writes nothing, counts nothing. Errors: role_not_allowed (also of a pending invitation
/// that would be replaced), not_allowed (no mail wanted, and the caller may not see links).
Result<InvitePlan> plan_invite(const Caller& caller, const Invite& invite, Transaction& transaction,
                               const Policy& policy, base::Timestamp now);

struct Invited {
  InviteEffect effect = InviteEffect::invited;
  std::optional<Invitation> invitation;  ///< none with has_access_already
};

/// Carries a plan of this transaction out. Error: rate_limited, with nothing written.
Result<Invited> carry_out(const InvitePlan& plan, const Caller& caller, const Invite& invite, Transaction& transaction,
                          const Policy& policy, base::Timestamp now);

/// So many may one inviter invite in one moment, however long nobody did before: a call for more can never pass as one.
std::uint32_t most_at_once(const Policy& policy);

/// Both. Errors of both.
Result<Invited> invite(const Caller& caller, const Invite& invite, Transaction& transaction, const Policy& policy,
                       base::Timestamp now);

/// Another generation of a pending or expired invitation of the caller's environment, from now on the caller's. Errors:
/// invalid_parameter (settled), role_not_allowed, not_allowed, rate_limited.
Result<Invited> resend(const Caller& caller, const Invitation& invitation, bool send, Transaction& transaction,
                       const Policy& policy, base::Timestamp now);

/// The roles with these ids, each once. Errors: missing_parameter (none), unknown_role.
Result<std::vector<Role>> find_roles(const App& app, const std::vector<base::Uuid>& ids, Transaction& transaction);

/// The same, where each text is a UUID or a role's exact name. A name that two roles have is no name: unknown_role.
Result<std::vector<Role>> find_roles_by_text(const App& app, const std::vector<std::string>& texts,
                                             Transaction& transaction);

}  // namespace invited::domain
