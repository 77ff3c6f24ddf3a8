// What ended and is kept only to be looked up: invitations that were answered or expired, mails that left, calls that
// apps and webhooks took, audit events. It may go after a while (retention; src/retention.h decides, exports and
// paces). What is alive or needs somebody (pending, queued, quarantined) is no history. Plain values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "domain/audit_event.h"
#include "domain/invitation.h"
#include "domain/outbox_message.h"
#include "domain/refresh_call.h"
#include "domain/webhook.h"

namespace invited::domain {

enum class History {
  invitations,         ///< settled or expired, and all their mails done; with these and their attempts
  mails,               ///< done, and of no invitation (notices, passwords); with their attempts
  attempts,            ///< of mails that are done; the mails stay
  refresh_calls,       ///< done, failed or cancelled; with their attempts
  webhook_deliveries,  ///< the same
  audit_events,
};

struct EndedMail {
  OutboxMessage message;
  std::vector<Attempt> attempts;
};

struct EndedInvitation {
  Invitation invitation;
  std::vector<EndedMail> mails;
};

struct EndedCall {
  RefreshCall call;
  std::vector<CallAttempt> attempts;
};

struct EndedDelivery {
  WebhookDelivery delivery;
  std::vector<CallAttempt> attempts;
};

/// A stretch of one history, oldest first. Only the member of the history that was asked for is filled; `attempts` are
/// in `mails`.
struct HistorySlice {
  std::vector<EndedInvitation> invitations;
  std::vector<EndedMail> mails;
  std::vector<EndedCall> calls;
  std::vector<EndedDelivery> deliveries;
  std::vector<AuditEvent> events;
  std::string end;       ///< where the next one begins; only the store knows what is in it
  bool is_last = false;  ///< what comes behind it is too young, or there is nothing

  bool empty() const {
    return invitations.empty() && mails.empty() && calls.empty() && deliveries.empty() && events.empty();
  }
};

}  // namespace invited::domain
