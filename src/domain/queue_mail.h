// Puts the mail about an invitation into the outbox, in the transaction that made it necessary: the one place that
// decides wording, slot and expiry. Used by the use cases only.
#pragma once

#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

/// A mail is worth sending for this long where no link's expiry says otherwise.
inline constexpr std::chrono::hours kNoticeLifetime{24 * 4};

/// What the mail's text needs besides the invitation itself.
struct MailFacts {
  const App& app;
  const std::vector<Role>& roles;
  const Account& inviter;
};

/// The newest generation's mail; older ones of the invitation are cancelled. `account` is the invitee's, if any.
void queue_invitation_mail(const Invitation& invitation, const MailFacts& facts, const std::optional<Account>& account,
                           Transaction& transaction, const Policy& policy, base::Timestamp now);

/// "You already have access", unless one went to that address for that environment within Policy::notice_interval.
/// True if queued.
bool queue_access_notice(const base::Uuid& environment_id, const EmailAddress& recipient, const MailFacts& facts,
                         Transaction& transaction, const Policy& policy, base::Timestamp now);

}  // namespace invited::domain
