#include "domain/manage_invitations.h"

#include "domain/queue_mail.h"

namespace invited::domain {
namespace {

/// The invitation, if it can still be sent again or revoked.
Result<Invitation> find_unsettled(const base::Uuid& id, Transaction& transaction) {
  auto invitation = transaction.find_invitation(id);
  if (!invitation)
    return refuse(ErrorCode::not_found, "There is no invitation " + id.to_string() + ": see `invitation list`.", "id");
  if (invitation->state != InvitationState::pending)
    return refuse(ErrorCode::invalid_parameter,
                  "The invitation is " + std::string(to_string(invitation->state)) + " already: invite anew.", "id");
  return *invitation;
}

}  // namespace

Result<Invitation> resend_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     const Policy& policy, base::Timestamp now) {
  auto invitation = find_unsettled(id, transaction);
  if (!invitation) return invitation;
  const auto environment = transaction.find_environment(invitation->environment_id);
  const auto app = environment ? transaction.find_app(environment->app_id) : std::nullopt;
  const auto role = environment ? transaction.find_role(environment->app_id, invitation->role_id) : std::nullopt;
  const auto inviter = transaction.find_account(invitation->inviter_id);
  if (!app || !role || !inviter) throw StorageFailure("an invitation without its environment, app, role or inviter");

  invitation->generation += 1;
  invitation->sent_at = now;
  invitation->expires_at = now + policy.invitation_lifetime;
  transaction.update(*invitation);
  queue_invitation_mail(*invitation, {*app, *role, *inviter},
                        transaction.find_account_by_email(invitation->invitee.key()), transaction, policy, now);
  transaction.insert(AuditEvent{now, std::string(actor), "invitation.resent", invitation->id, {}});
  return invitation;
}

Result<Invitation> revoke_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     base::Timestamp now) {
  auto invitation = find_unsettled(id, transaction);
  if (!invitation) return invitation;
  invitation->state = InvitationState::revoked;
  invitation->settled_at = now;
  transaction.update(*invitation);
  transaction.cancel_messages(invitation->id, now);
  transaction.insert(AuditEvent{now, std::string(actor), "invitation.revoked", invitation->id, {}});
  return invitation;
}

}  // namespace invited::domain
