// What the link of an invitation is good for, and what ends one. A re-send makes a newer link; the older one counts on
// until the newer one has left, so that its invitee is never without a link that works. Who answers with a link is
// domain/answer_invitation.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "domain/app.h"
#include "domain/invitation.h"
#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

/// All but `wrong` are said only to holders of a genuine token.
enum class LinkState {
  open,        ///< can be accepted or declined
  wrong,       ///< not made by us, cut off, or of an invitation that is gone
  superseded,  ///< a newer mail holds the link that counts
  accepted,
  declined,
  revoked,
  expired,  ///< a fresh one can be asked for
};

std::string_view to_string(LinkState state);

/// What the link of this generation of `invitation`, one of that environment, would do now.
LinkState link_state_of(const Invitation& invitation, std::uint32_t generation, const Environment& environment,
                        Transaction& transaction, base::Timestamp now);
/// The same, where the environment is still to be found.
LinkState link_state_of(const Invitation& invitation, std::uint32_t generation, Transaction& transaction,
                        base::Timestamp now);

/// Nothing where one is gone.
std::optional<std::vector<Role>> find_all_roles(const Invitation& invitation, const base::Uuid& app_id,
                                                Transaction& transaction);

/// Whether its links were mailed to the invitee only: no API token of the environment may see links, or might when it
/// was made. Only then does a link prove the mailbox.
bool only_invitee_has_links(const Invitation& invitation, Transaction& transaction);

/// The newest invitation of the same person to the same environment, where that is another one.
std::optional<Invitation> find_successor(const Invitation& invitation, Transaction& transaction, base::Timestamp now);

/// When the mail with the newest link is to leave; nothing where it has, or where none will.
std::optional<base::Timestamp> find_due_time(const Invitation& invitation, Transaction& transaction);

/// Makes it the next generation, asked for now and living on from now. What had expired stays so: older links are over.
/// The caller stores it, and queues its mail.
void raise_generation(Invitation& invitation, Transaction& transaction, const Policy& policy, base::Timestamp now);

}  // namespace invited::domain
