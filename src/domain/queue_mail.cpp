#include "domain/queue_mail.h"

#include "domain/link_state.h"
#include "domain/queue_event.h"

namespace invited::domain {
namespace {

constexpr std::string_view kNoSlotInTime =
    "So many mails are waiting for this mailbox that its turn would come after its time is over.";

OutboxMessage new_message(MessageKind kind, const base::Uuid& environment_id, const EmailAddress& recipient,
                          const MailFacts& facts, Transaction& transaction, const Policy& policy, base::Timestamp now) {
  const auto taken = transaction.list_mailbox_slots(recipient.mailbox(), now - std::chrono::hours(24));
  const base::Timestamp slot = next_mailbox_slot(taken, policy.mailbox, now);
  return OutboxMessage{.id = base::Uuid::ordered(now),
                       .kind = kind,
                       .state = MessageState::queued,
                       .environment_id = environment_id,
                       .invitation_id = {},
                       .generation = 0,
                       .recipient = recipient,
                       .language = facts.app.language,
                       .inviter_name = facts.inviter.name,
                       .app_name = facts.app.name,
                       .app_url = facts.app.url,
                       .role_name = names_of(facts.roles),
                       .queued_at = now,
                       .not_before = slot,
                       .due_at = slot,
                       .expires_at = now + kNoticeLifetime,
                       .attempts = 0,
                       .deaths = 0,
                       .finished_at = std::nullopt,
                       .last_error = {}};
}

/// A slot that comes when it is too late is none: then the mail fails at once, for everybody to see. False: it did.
bool is_in_time(OutboxMessage& message, base::Timestamp now) {
  if (message.not_before < message.expires_at) return true;
  message.state = MessageState::failed;
  message.not_before = message.due_at = now;  // where an operator retries it
  message.finished_at = now;
  message.last_error = kNoSlotInTime;
  return false;
}

}  // namespace

void queue_invitation_mail(const Invitation& invitation, const MailFacts& facts, const std::optional<Account>& account,
                           Transaction& transaction, const Policy& policy, base::Timestamp now) {
  // Before the slot is chosen: a mail that will never be sent takes no slot. A first generation has none to cancel.
  if (invitation.generation > 1) transaction.cancel_messages(invitation.id, now);
  const bool can_sign_in =
      account && (!account->password_hash.empty() || !only_invitee_has_links(invitation, transaction));
  OutboxMessage message =
      new_message(can_sign_in ? MessageKind::invitation_to_accept : MessageKind::invitation_to_sign_up,
                  invitation.environment_id, invitation.invitee, facts, transaction, policy, now);
  message.invitation_id = invitation.id;
  message.generation = invitation.generation;
  message.expires_at = invitation.expires_at;
  const bool will_be_sent = is_in_time(message, now);
  transaction.insert(message);
  if (!will_be_sent) queue_invitation_event(EventType::invitation_bounced, invitation, transaction, now, kNoSlotInTime);
}

bool queue_access_notice(const base::Uuid& environment_id, const EmailAddress& recipient, const MailFacts& facts,
                         Transaction& transaction, const Policy& policy, base::Timestamp now) {
  const auto last = transaction.last_notice_at(environment_id, recipient.key());
  if (last && now - *last < policy.notice_interval) return false;
  OutboxMessage message =
      new_message(MessageKind::already_has_access, environment_id, recipient, facts, transaction, policy, now);
  is_in_time(message, now);
  transaction.insert(message);
  return true;
}

}  // namespace invited::domain
