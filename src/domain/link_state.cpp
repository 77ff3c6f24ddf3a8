#include "domain/link_state.h"

#include <algorithm>

#include "domain/caller.h"

namespace invited::domain {
namespace {

/// Whether the inviter could still grant this: roles and the app's rule may have changed since.
bool is_still_granted(const Invitation& invitation, const Environment& environment, Transaction& transaction) {
  const auto app = transaction.find_app(environment.app_id);
  if (!app) return false;
  if (app->grants == GrantRule::any && invitation.token_id.is_nil()) return true;
  const auto roles = find_all_roles(invitation, app->id, transaction);
  const auto inviter = transaction.find_account(invitation.inviter_id);
  if (!roles || !inviter) return false;
  const auto token = invitation.token_id.is_nil() ? std::nullopt : transaction.find_api_token(invitation.token_id);
  const Caller caller{.environment = environment,
                      .app = *app,
                      .account = *inviter,
                      .role_ceiling = token ? token->role_ceiling : std::vector<base::Uuid>{},
                      .may_see_links = false,
                      .token_id = invitation.token_id,
                      .actor = {}};
  return check_grant(caller, *roles, transaction).has_value();
}

/// Of an older link that is the last one that left: when it is over. It is the last one where its mail was sent, and of
/// every newer one there is a mail, none of which was sent. A generation without a mail was handed over by the caller:
/// that one left. What is under way has not left: that both links work for a moment harms nobody, that neither does
/// would.
std::optional<base::Timestamp> end_of_last_that_left(const Invitation& invitation, std::uint32_t generation,
                                                     Transaction& transaction) {
  if (generation > invitation.generation) return std::nullopt;
  std::optional<base::Timestamp> end;
  std::uint32_t waiting = 0;
  for (const OutboxMessage& mail : transaction.list_messages_of(invitation.id)) {
    const bool sent = mail.state == MessageState::sent;
    if (mail.generation == generation && sent) end = mail.expires_at;
    if (mail.generation > generation && sent) return std::nullopt;
    if (mail.generation > generation) ++waiting;
  }
  return waiting == invitation.generation - generation ? end : std::nullopt;
}

LinkState state_of_settled(InvitationState state) {
  switch (state) {
    case InvitationState::accepted:
      return LinkState::accepted;
    case InvitationState::declined:
      return LinkState::declined;
    case InvitationState::revoked:
      return LinkState::revoked;
    case InvitationState::expired:  // replaced by a newer invitation, whose mail holds the link that counts
    case InvitationState::pending:
      break;
  }
  return LinkState::superseded;
}

}  // namespace

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::open:
      return "open";
    case LinkState::wrong:
      return "wrong";
    case LinkState::superseded:
      return "superseded";
    case LinkState::accepted:
      return "accepted";
    case LinkState::declined:
      return "declined";
    case LinkState::revoked:
      return "revoked";
    case LinkState::expired:
      return "expired";
  }
  return "wrong";
}

LinkState link_state_of(const Invitation& invitation, std::uint32_t generation, const Environment& environment,
                        Transaction& transaction, base::Timestamp now) {
  if (invitation.state != InvitationState::pending) return state_of_settled(invitation.state);
  const bool is_over = invitation.state_at(now) == InvitationState::expired;
  if (generation != invitation.generation) {
    const auto end = end_of_last_that_left(invitation, generation, transaction);
    if (!end || (now >= *end && !is_over)) return LinkState::superseded;
  }
  if (environment.disabled || !is_still_granted(invitation, environment, transaction)) return LinkState::revoked;
  return is_over ? LinkState::expired : LinkState::open;
}

LinkState link_state_of(const Invitation& invitation, std::uint32_t generation, Transaction& transaction,
                        base::Timestamp now) {
  const auto environment = transaction.find_environment(invitation.environment_id);
  return environment ? link_state_of(invitation, generation, *environment, transaction, now) : LinkState::wrong;
}

std::optional<std::vector<Role>> find_all_roles(const Invitation& invitation, const base::Uuid& app_id,
                                                Transaction& transaction) {
  std::vector<Role> roles;
  for (const base::Uuid& id : invitation.role_ids()) {
    auto role = transaction.find_role(app_id, id);
    if (!role) return std::nullopt;
    roles.push_back(*std::move(role));
  }
  return roles;
}

bool only_invitee_has_links(const Invitation& invitation, Transaction& transaction) {
  for (Page page;; page.offset += page.limit) {
    const auto tokens = transaction.list_api_tokens(invitation.environment_id, page);
    if (std::ranges::any_of(tokens, [&](const ApiToken& token) {
          return token.may_see_links && (!token.revoked_at || *token.revoked_at >= invitation.created_at);
        }))
      return false;
    if (tokens.size() < page.limit) return true;
  }
}

std::optional<Invitation> find_successor(const Invitation& invitation, Transaction& transaction, base::Timestamp now) {
  auto newest = transaction.list_invitations(
      {invitation.environment_id, std::string(invitation.invitee.key()), std::nullopt, now}, {.limit = 1, .offset = 0});
  if (newest.empty() || newest.front().id == invitation.id) return std::nullopt;
  return std::move(newest.front());
}

std::optional<base::Timestamp> find_due_time(const Invitation& invitation, Transaction& transaction) {
  if (invitation.state != InvitationState::pending) return std::nullopt;
  for (const OutboxMessage& mail : transaction.list_messages_of(invitation.id))
    if (mail.generation == invitation.generation && mail.state == MessageState::queued && !is_held(mail))
      return mail.due_at;
  return std::nullopt;
}

void raise_generation(Invitation& invitation, Transaction& transaction, const Policy& policy, base::Timestamp now) {
  invitation.generation += 1;
  if (invitation.generation > 1 && invitation.state_at(now) == InvitationState::expired)
    transaction.end_older_links(invitation.id, invitation.generation, now);
  invitation.sent_at = now;
  invitation.updated_at = now;
  invitation.expires_at = now + lifetime_of(invitation, policy);
}

}  // namespace invited::domain
