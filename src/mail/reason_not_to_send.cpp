#include "mail/reason_not_to_send.h"

#include <string>
#include <utility>

#include "domain/answer_invitation.h"
#include "mail/link.h"

namespace invited::mail {

namespace {

using Reason = std::optional<domain::DeliveryResult>;

Reason no(std::string stage, std::string why) {
  return domain::DeliveryResult{domain::DeliveryOutcome::rejected, 0, std::move(stage), std::move(why)};
}

Reason not_now(const std::string& why) {
  return domain::DeliveryResult{domain::DeliveryOutcome::held, 0, std::string(kNotNow), "not sent yet: " + why};
}

Reason reason_of_account(const domain::OutboxMessage& message, domain::Transaction& transaction) {
  const auto account = transaction.find_account(message.account_id);
  if (!account || account->disabled) return no("cancelled", "not sent: the account is gone or disabled");
  if (account->password_generation != message.generation)
    return no("cancelled", "not sent: the password has been changed since");
  return std::nullopt;
}

Reason reason_of_invitation(const domain::OutboxMessage& message, domain::Transaction& transaction,
                            base::Timestamp now) {
  const auto invitation = transaction.find_invitation(message.invitation_id);
  if (!invitation || invitation->state_at(now) != domain::InvitationState::pending)
    return no("cancelled", "not sent: the invitation is no longer pending");
  if (invitation->generation != message.generation) return no("cancelled", "not sent: a newer mail replaces it");
  if (domain::link_state_of(*invitation, message.generation, transaction, now) != domain::LinkState::open)
    return not_now("the environment is disabled, or the inviter may not grant the roles any more");
  return std::nullopt;
}

/// Of a mail that only tells.
Reason reason_of_environment(const domain::OutboxMessage& message, domain::Transaction& transaction) {
  const auto environment = transaction.find_environment(message.environment_id);
  if (environment && environment->disabled) return not_now("the environment is disabled");
  return std::nullopt;
}

}  // namespace

domain::Result<Reason> reason_not_to_send(const domain::OutboxMessage& message, domain::Store& store,
                                          base::Timestamp now) {
  return domain::read_returning(store, [&](domain::Transaction& transaction) -> domain::Result<Reason> {
    if (transaction.find_message_state(message.id) != domain::MessageState::queued)
      return no("cancelled", "not sent: the message was cancelled");
    if (now >= message.expires_at) return no("expired", "not sent: its time was over");
    if (message.kind == domain::MessageKind::password_reset) return reason_of_account(message, transaction);
    if (carries_link(message.kind)) return reason_of_invitation(message, transaction, now);
    return reason_of_environment(message, transaction);
  });
}

}  // namespace invited::mail
