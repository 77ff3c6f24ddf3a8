// Owes the webhooks of an environment an event, in the transaction that makes it happen: the one place that decides
// what stands in a payload. No token and no link is ever in one. Cheap where an environment has no webhook: they are
// read once for a batch of units of work. Used by the use cases and by what records a mail's outcome.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "domain/store.h"

namespace invited::domain {

/// The invitation as it stands after the change. `reason` says more where there is more to say (the relay's words of a
/// bounce); one line, no secret.
void queue_invitation_event(EventType type, const Invitation& invitation, Transaction& transaction, base::Timestamp now,
                            std::string_view reason = {});

/// access_granted, access_withdrawn: one event for all roles that one act gave or took.
void queue_access_event(EventType type, const base::Uuid& environment_id, const Account& account,
                        const std::vector<Role>& roles, Transaction& transaction, base::Timestamp now);

/// invitation_expired for the next `limit` invitations whose time is over since this was asked the last time. Their
/// stored state stays `pending`. How many it looked at: fewer than `limit` are all for now.
std::size_t queue_expired_events(std::uint32_t limit, Transaction& transaction, base::Timestamp now);

}  // namespace invited::domain
