#include "domain/invitation_timeline.h"

#include <algorithm>
#include <utility>

namespace invited::domain {
namespace {

void add_mail(const OutboxMessage& message, Transaction& transaction, std::vector<TimelineEntry>& entries) {
  entries.push_back({message.queued_at, "mail.queued", message.generation, message, std::nullopt});
  for (const Attempt& attempt : transaction.list_attempts(message.id))
    entries.push_back({attempt.started_at, "mail.attempt", message.generation, message, attempt});
  // A mail that left ended with its last attempt, at the same moment.
  if (message.finished_at)
    entries.push_back({*message.finished_at, "mail." + std::string(to_string(message.state)), message.generation,
                       message, std::nullopt});
}

}  // namespace

std::vector<TimelineEntry> timeline_of(const Invitation& invitation, Transaction& transaction, base::Timestamp now) {
  std::vector<TimelineEntry> entries{{invitation.created_at, "invitation.created", 1, {}, {}}};
  std::uint32_t told = 1;
  for (const OutboxMessage& message : transaction.list_messages_of(invitation.id)) {
    if (message.generation > told) {
      told = message.generation;
      entries.push_back({message.queued_at, "invitation.resent", told, {}, {}});
    }
    add_mail(message, transaction, entries);
  }
  if (invitation.generation > told)
    entries.push_back({invitation.sent_at, "invitation.resent", invitation.generation, {}, {}});
  if (const InvitationState state = invitation.state_at(now); state != InvitationState::pending)
    entries.push_back({invitation.settled_at.value_or(invitation.expires_at),
                       "invitation." + std::string(to_string(state)),
                       0,
                       {},
                       {}});
  // Of one moment, the invitation's own first: it is the reason why its mails are queued and cancelled.
  std::ranges::stable_sort(entries, {},
                           [](const TimelineEntry& entry) { return std::pair(entry.at, entry.message.has_value()); });
  return entries;
}

}  // namespace invited::domain
