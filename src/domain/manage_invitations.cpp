#include "domain/manage_invitations.h"

#include "domain/invite.h"
#include "domain/link_state.h"
#include "domain/queue_event.h"
#include "domain/queue_mail.h"
#include "domain/redirect_url.h"

namespace invited::domain {
namespace {

/// The invitation, if it can still be sent again or revoked.
Result<Invitation> find_unsettled(const base::Uuid& id, Transaction& transaction) {
  auto invitation = transaction.find_invitation(id);
  if (!invitation)
    return refuse(ErrorCode::not_found, "There is no invitation " + id.to_string() + ": see `invitation list`.", "id");
  if (auto unsettled = check_unsettled(*invitation); !unsettled) return std::unexpected(std::move(unsettled.error()));
  return *invitation;
}

std::vector<Role> roles_of(const Invitation& invitation, const base::Uuid& app_id, Transaction& transaction) {
  std::vector<Role> roles;
  for (const base::Uuid& id : invitation.role_ids()) {
    auto role = transaction.find_role(app_id, id);
    if (!role) throw StorageFailure("an invitation without its role");
    roles.push_back(*std::move(role));
  }
  return roles;
}

}  // namespace

Result<void> check_unsettled(const Invitation& invitation) {
  if (invitation.state == InvitationState::pending) return {};
  return refuse(ErrorCode::invalid_parameter,
                "The invitation is " + std::string(to_string(invitation.state)) + " already: invite anew.", "id");
}

Result<void> check_grant(const Caller& caller, const Invitation& invitation, Transaction& transaction) {
  auto granted = check_grant(caller, roles_of(invitation, caller.app.id, transaction), transaction);
  if (!granted) granted.error().message.insert(0, "The invitation stays as it is. ");
  return granted;
}

Result<Invitation> find_invitation_of(const Caller& caller, const base::Uuid& id, Transaction& transaction) {
  auto invitation = transaction.find_invitation(id);
  if (!invitation || invitation->environment_id != caller.environment.id)
    return refuse(ErrorCode::not_found, "There is no invitation " + id.to_string() + " in this environment.", "id");
  return *std::move(invitation);
}

Result<Invitation> change_invitation(Invitation invitation, const InvitationChange& change, const Caller& caller,
                                     Transaction& transaction, base::Timestamp now) {
  if (const auto state = invitation.state_at(now); state != InvitationState::pending)
    return refuse(ErrorCode::invalid_parameter,
                  "The invitation is " + std::string(to_string(state)) + " and cannot be changed: invite anew.", "id");
  if (auto granted = check_grant(caller, invitation, transaction); !granted)
    return std::unexpected(std::move(granted.error()));
  const auto roles = find_roles(caller.app, change.role_ids.value_or(invitation.role_ids()), transaction);
  if (!roles) return std::unexpected(roles.error());
  if (auto granted = check_grant(caller, *roles, transaction); !granted)
    return std::unexpected(std::move(granted.error()));
  if (auto checked = check_metadata(change.metadata.value_or("")); !checked)
    return std::unexpected(std::move(checked.error()));
  if (change.redirect_url && !change.redirect_url->empty())
    if (auto allowed = check_redirect_url(caller.app, *change.redirect_url); !allowed)
      return std::unexpected(std::move(allowed.error()));
  if (change.expires_at && (*change.expires_at <= now || *change.expires_at > now + kLongestLifetime))
    return refuse(ErrorCode::invalid_parameter, "The expiry must lie in the future, at most 90 days ahead.",
                  "expires_at");
  invitation.role_id = roles->front().id;
  invitation.more_role_ids.clear();
  for (std::size_t i = 1; i < roles->size(); ++i) invitation.more_role_ids.push_back((*roles)[i].id);
  if (change.role_ids) {  // whoever chose the roles is asked for them when they are accepted
    invitation.inviter_id = caller.account.id;
    invitation.token_id = caller.token_id;
  }
  if (change.metadata) invitation.metadata = *change.metadata;
  if (change.redirect_url) invitation.redirect_url = *change.redirect_url;
  if (change.expires_at) invitation.expires_at = *change.expires_at;
  invitation.updated_at = now;
  transaction.update(invitation);
  if (change.expires_at && transaction.set_expiry_of_messages(invitation.id, invitation.expires_at, now) > 0)
    queue_invitation_event(EventType::invitation_bounced, invitation, transaction, now,
                           "The invitation is to end before its mail could be sent.");
  transaction.insert(AuditEvent{now, caller.actor, "invitation.changed", invitation.id, {}, caller.environment.id});
  return invitation;
}

Result<void> note_link_shown(const Caller& caller, const Invitation& invitation, Transaction& transaction,
                             base::Timestamp now) {
  if (!caller.may_see_links)
    return refuse(ErrorCode::not_allowed,
                  "This caller may not see links: use an API token that was made with --links.");
  if (const auto state = invitation.state_at(now); state != InvitationState::pending)
    return refuse(ErrorCode::invalid_parameter,
                  "The invitation is " + std::string(to_string(state)) + " and has no link that works: " +
                      (state == InvitationState::expired ? "send it again." : "invite anew."),
                  "id");
  if (auto granted = check_grant(caller, invitation, transaction); !granted) return granted;
  transaction.end_older_links(invitation.id, invitation.generation, now);
  transaction.insert(AuditEvent{now, caller.actor, "invitation.link_shown", invitation.id,
                                "generation=" + std::to_string(invitation.generation), caller.environment.id});
  return {};
}

Result<Invitation> resend_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     const Policy& policy, base::Timestamp now) {
  auto invitation = find_unsettled(id, transaction);
  if (!invitation) return invitation;
  const auto environment = transaction.find_environment(invitation->environment_id);
  const auto app = environment ? transaction.find_app(environment->app_id) : std::nullopt;
  const auto inviter = transaction.find_account(invitation->inviter_id);
  if (!app || !inviter) throw StorageFailure("an invitation without its environment, app or inviter");

  raise_generation(*invitation, transaction, policy, now);
  transaction.update(*invitation);
  queue_invitation_mail(*invitation, {*app, roles_of(*invitation, app->id, transaction), *inviter},
                        transaction.find_account_by_email(invitation->invitee.key()), transaction, policy, now);
  queue_invitation_event(EventType::invitation_resent, *invitation, transaction, now);
  transaction.insert(
      AuditEvent{now, std::string(actor), "invitation.resent", invitation->id, {}, invitation->environment_id});
  return invitation;
}

Result<Invitation> revoke_invitation(const base::Uuid& id, std::string_view actor, Transaction& transaction,
                                     base::Timestamp now) {
  auto invitation = find_unsettled(id, transaction);
  if (!invitation) return invitation;
  invitation->state = InvitationState::revoked;
  invitation->settled_at = now;
  invitation->updated_at = now;
  transaction.update(*invitation);
  transaction.cancel_messages(invitation->id, now);
  queue_invitation_event(EventType::invitation_revoked, *invitation, transaction, now);
  transaction.insert(
      AuditEvent{now, std::string(actor), "invitation.revoked", invitation->id, {}, invitation->environment_id});
  return invitation;
}

Result<Invitation> revoke_invitation(const Caller& caller, const Invitation& invitation, Transaction& transaction,
                                     base::Timestamp now) {
  if (auto unsettled = check_unsettled(invitation); !unsettled) return std::unexpected(std::move(unsettled.error()));
  if (auto granted = check_grant(caller, invitation, transaction); !granted)
    return std::unexpected(std::move(granted.error()));
  return revoke_invitation(invitation.id, caller.actor, transaction, now);
}

}  // namespace invited::domain
