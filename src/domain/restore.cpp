#include "domain/restore.h"

#include "domain/manage_invitations.h"

namespace invited::domain {

AcceptedRestore accept_restored_database(const KeyMarks& keys, Transaction& transaction, base::Timestamp now) {
  AcceptedRestore accepted;
  transaction.set_key_binding({keys.digest, keys.epoch, now});
  transaction.erase_incarnations();
  transaction.erase_all_sessions();
  accepted.held_messages = transaction.hold_queued_messages(
      "Held: it was owed when the backup was made that was restored, and may have been sent since.");
  transaction.insert(
      AuditEvent{now,
                 "operator",
                 "restore.accepted",
                 {},
                 "epoch=" + std::to_string(keys.epoch) + " held_mails=" + std::to_string(accepted.held_messages)});
  return accepted;
}

bool has_dead_link(const Invitation& invitation, const std::optional<KeyBinding>& binding, base::Timestamp now) {
  return binding && binding->restored_at && invitation.sent_at < *binding->restored_at &&
         invitation.state_at(now) == InvitationState::pending;
}

Result<OutboxMessage> release_held_message(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                           const Policy& policy, base::Timestamp now) {
  const auto message = transaction.find_message(id);
  if (!message)
    return refuse(ErrorCode::not_found, "There is no mail " + id.to_string() + ": see invited mail list.", "message");
  if (!is_held(*message))
    return refuse(ErrorCode::invalid_parameter,
                  "The mail is not held: only one that a restore has held back can be let go.", "message");
  if (message->kind == MessageKind::password_reset) {
    transaction.cancel_message(id, now);
  } else if (message->invitation_id.is_nil()) {
    transaction.release_message(id, now);
  } else {
    // Cancels this one and queues another.
    auto resent = resend_invitation(message->invitation_id, actor, transaction, policy, now);
    if (!resent) return std::unexpected(std::move(resent.error()));
  }
  transaction.insert(AuditEvent{now, std::string(actor), "mail.released", id, {}, message->environment_id});
  return *transaction.find_message(id);
}

}  // namespace invited::domain
