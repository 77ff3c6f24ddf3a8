// Taking a restored database into use. What it holds is true as of the backup; what happened since is not known: links
// that are out must be dead (a new epoch, which the caller has given the keys already), mails that were owed may have
// been sent (held), sessions may have been ended (all end). Pending invitations stay, and can be sent again.
#pragma once

#include <vector>

#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

struct AcceptedRestore {
  std::uint64_t held_messages = 0;
};

/// Binds the database to `keys`, whose epoch must be newer than any that its links were made in. Done again, it does no
/// more harm than ending sessions and holding mails again.
AcceptedRestore accept_restored_database(const KeyMarks& keys, Transaction& transaction, base::Timestamp now);

/// Whether a restore killed the invitation's newest link, and nobody has sent a fresh one yet.
bool has_dead_link(const Invitation& invitation, const std::optional<KeyBinding>& binding, base::Timestamp now);

/// Lets a held message go: an invitation is sent again (a fresh link is another mail, with a Message-ID of its own); a
/// notice goes as it is; a link to a new password is dropped, the person asks for another. Errors: not_found;
/// invalid_parameter where it is not held.
Result<OutboxMessage> release_held_message(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                           const Policy& policy, base::Timestamp now);

}  // namespace invited::domain
