// What happened to an invitation, in the order of time: made, sent again, its mails with every try to deliver them, and
// the answer. Put together from what is kept about it anyway. Inside a transaction of the caller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/store.h"

namespace invited::domain {

struct TimelineEntry {
  base::Timestamp at;
  /// "invitation.created", "invitation.resent", "invitation." and a state that ended it; "mail.queued", "mail.attempt",
  /// "mail." and the state in which it ended.
  std::string event;
  std::uint32_t generation = 0;          ///< 0: of the invitation as a whole
  std::optional<OutboxMessage> message;  ///< with mail events: as it is now
  std::optional<Attempt> attempt;        ///< with mail.attempt
};

/// Oldest first. A generation that was not mailed is told only while it is the newest.
std::vector<TimelineEntry> timeline_of(const Invitation& invitation, Transaction& transaction, base::Timestamp now);

}  // namespace invited::domain
