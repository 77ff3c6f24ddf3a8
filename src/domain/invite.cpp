#include "domain/invite.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "domain/link_state.h"
#include "domain/manage_invitations.h"
#include "domain/queue_event.h"
#include "domain/queue_mail.h"
#include "domain/redirect_url.h"

namespace invited::domain {
namespace {

using std::chrono::hours;

Error rate_limited(std::string_view what, std::chrono::milliseconds wait) {
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
  return {ErrorCode::rate_limited,
          "Too many invitations for this " + std::string(what) + ": try again in " + std::to_string(seconds.count()) +
              " seconds.",
          {},
          seconds};
}

/// The rate of a subject with one call more.
struct Counted {
  std::string subject;
  std::optional<RateRecord> record;  ///< none: there is no limit
};

/// One call more against a subject's two limits, or how long to wait. Nothing is written yet.
Result<Counted> count(std::string_view what, const base::Uuid& id, const Rate& short_term, const Rate& long_term,
                      Transaction& transaction, base::Timestamp now) {
  Counted counted{std::string(what) + ':' + id.to_string(), std::nullopt};
  if (short_term.count == 0 && long_term.count == 0) return counted;
  const RateRecord record = transaction.find_rate(counted.subject);
  const Admission quick = admit(short_term, record.short_term, now);
  if (!quick.admitted) return std::unexpected(rate_limited(what, quick.wait));
  const Admission slow = admit(long_term, record.long_term, now);
  if (!slow.admitted) return std::unexpected(rate_limited(what, slow.wait));
  counted.record = {quick.theoretical_arrival, slow.theoretical_arrival};
  return counted;
}

/// Counts where both admit: what one of many invitations of a transaction is refused for counts nowhere.
Result<void> count_rates(const base::Uuid& environment_id, const base::Uuid& inviter_id, const Policy& policy,
                         Transaction& transaction, base::Timestamp now) {
  auto environment = count("environment", environment_id,
                           {policy.environment_per_second, std::chrono::seconds(1), policy.environment_burst},
                           {policy.environment_per_day, hours(24), policy.environment_per_day}, transaction, now);
  if (!environment) return std::unexpected(std::move(environment.error()));
  auto inviter = count("inviter", inviter_id, {policy.inviter_per_hour, hours(1), policy.inviter_per_hour},
                       {policy.inviter_per_day, hours(24), policy.inviter_per_day}, transaction, now);
  if (!inviter) return std::unexpected(std::move(inviter.error()));
  for (const Counted* counted : {&*environment, &*inviter})
    if (counted->record) transaction.set_rate(counted->subject, *counted->record);
  return {};
}

void audit(std::string_view action, const Caller& caller, const Invite& invite, const base::Uuid& subject,
           Transaction& transaction, base::Timestamp now) {
  std::string detail = "invitee=" + invite.invitee.key() + " inviter=" + caller.account.email.key();
  for (const Role& role : invite.roles) detail += " role=" + role.id.to_string();
  transaction.insert(
      AuditEvent{now, caller.actor, std::string(action), subject, std::move(detail), caller.environment.id});
}

std::vector<base::Uuid> ids_behind_first(const std::vector<Role>& roles) {
  std::vector<base::Uuid> ids;
  for (std::size_t i = 1; i < roles.size(); ++i) ids.push_back(roles[i].id);
  return ids;
}

/// Whether a mail was asked for with the newest generation, whatever became of it.
bool was_mailed(const Invitation& pending, Transaction& transaction) {
  return std::ranges::any_of(transaction.list_messages_of(pending.id),
                             [&](const OutboxMessage& message) { return message.generation == pending.generation; });
}

/// Whether the caller asked for the same a moment ago: a retry of a call whose answer was lost.
bool is_repeated(const Invitation& pending, const Caller& caller, const Invite& invite, const Policy& policy,
                 base::Timestamp now) {
  return pending.role_id == invite.roles.front().id && pending.more_role_ids == ids_behind_first(invite.roles) &&
         pending.inviter_id == caller.account.id && pending.metadata == invite.metadata &&
         pending.redirect_url == invite.redirect_url && pending.lifetime == invite.lifetime &&
         now - pending.sent_at < policy.repeat_window;
}

bool has_all(const Account& account, const Caller& caller, const std::vector<Role>& roles, Transaction& transaction) {
  return std::ranges::all_of(
      roles, [&](const Role& role) { return transaction.has_access(account.id, caller.environment.id, role.id); });
}

Result<void> check_allowed(const Caller& caller, const Invite& invite, Transaction& transaction) {
  if (!invite.send && !caller.may_see_links)
    return refuse(ErrorCode::not_allowed,
                  "This caller may not see links, so the invitation must be mailed: leave out \"send\", or use an API "
                  "token that was made with --links.",
                  "send");
  return check_grant(caller, invite.roles, transaction);
}

void retire(Invitation expired, Transaction& transaction, base::Timestamp now) {
  // While its stored state still says that its time was over, and not that it was replaced.
  constexpr std::uint32_t kStep = 100;
  while (queue_expired_events(kStep, transaction, now) == kStep) {
  }
  expired.state = InvitationState::expired;
  expired.settled_at = expired.expires_at;
  expired.updated_at = now;
  transaction.update(expired);
  transaction.cancel_messages(expired.id, now);
}

}  // namespace

std::string_view to_string(InviteEffect effect) {
  switch (effect) {
    case InviteEffect::invited:
      return "invited";
    case InviteEffect::resent:
      return "resent";
    case InviteEffect::repeated:
      return "repeated";
    case InviteEffect::has_access_already:
      return "has_access_already";
  }
  return "invited";
}

Result<void> check_metadata(std::string_view metadata) {
  if (metadata.size() <= kMaxMetadata) return {};
  return refuse(ErrorCode::invalid_parameter, "The metadata is longer than 4 KiB.", "metadata");
}

Result<Invite> check_invite(const App& app, const InviteText& text, std::vector<Role> roles) {
  if (text.email.empty()) return refuse(ErrorCode::missing_parameter, "The e-mail address is missing.", "email");
  auto invitee = EmailAddress::parse(text.email);
  if (!invitee)
    return refuse(ErrorCode::invalid_email_address, "The e-mail address cannot be used: write it as name@example.org.",
                  "email");
  if (auto checked = check_metadata(text.metadata); !checked) return std::unexpected(std::move(checked.error()));
  if (!text.redirect_url.empty())
    if (auto allowed = check_redirect_url(app, text.redirect_url); !allowed)
      return std::unexpected(std::move(allowed.error()));
  if (text.lifetime.count() != 0 && (text.lifetime < kShortestLifetime || text.lifetime > kLongestLifetime))
    return refuse(ErrorCode::invalid_parameter, "An invitation can live for 5 minutes to 90 days.", "expires_in");
  return Invite{*std::move(invitee), std::move(roles), text.lifetime, text.metadata, text.redirect_url, text.send};
}

Foresight foresee_invitees(const std::vector<std::string>& emails) {
  Foresight foresight;
  for (const std::string& email : emails)
    if (const auto address = EmailAddress::parse(email)) foresight.invitee_keys.push_back(address->key());
  return foresight;
}

Result<InvitePlan> plan_invite(const Caller& caller, const Invite& invite, Transaction& transaction,
                               const Policy& policy, base::Timestamp now) {
  if (auto allowed = check_allowed(caller, invite, transaction); !allowed)
    return std::unexpected(std::move(allowed.error()));
  InvitePlan plan;
  plan.invitee = transaction.find_account_by_email(invite.invitee.key());
  plan.pending = transaction.find_pending_invitation(caller.environment.id, invite.invitee.key());
  const bool is_open = plan.pending && plan.pending->state_at(now) == InvitationState::pending;
  if (is_open && is_repeated(*plan.pending, caller, invite, policy, now) &&
      (!invite.send || was_mailed(*plan.pending, transaction)))
    plan.effect = InviteEffect::repeated;
  else if (plan.invitee && has_all(*plan.invitee, caller, invite.roles, transaction))
    plan.effect = InviteEffect::has_access_already;
  else
    plan.effect = is_open ? InviteEffect::resent : InviteEffect::invited;
  if (plan.effect == InviteEffect::resent)  // it takes away what the pending one would grant
    if (auto granted = check_grant(caller, *plan.pending, transaction); !granted)
      return std::unexpected(std::move(granted.error()));
  return plan;
}

Result<Invited> carry_out(const InvitePlan& plan, const Caller& caller, const Invite& invite, Transaction& transaction,
                          const Policy& policy, base::Timestamp now) {
  if (plan.effect == InviteEffect::repeated) return Invited{plan.effect, plan.pending};  // nothing is counted
  if (auto counted = count_rates(caller.environment.id, caller.account.id, policy, transaction, now); !counted)
    return std::unexpected(std::move(counted.error()));
  const MailFacts facts{caller.app, invite.roles, caller.account};
  if (plan.effect == InviteEffect::has_access_already) {
    if (invite.send && queue_access_notice(caller.environment.id, plan.invitee->email, facts, transaction, policy, now))
      audit("invitation.not_needed", caller, invite, plan.invitee->id, transaction, now);
    return Invited{plan.effect, std::nullopt};
  }

  const bool resent = plan.effect == InviteEffect::resent;
  if (plan.pending && !resent) retire(*plan.pending, transaction, now);
  Invitation invitation = resent ? *plan.pending
                                 : Invitation{.id = base::Uuid::ordered(now),
                                              .environment_id = caller.environment.id,
                                              .role_id = {},
                                              .inviter_id = {},
                                              .invitee = invite.invitee,
                                              .generation = 0,
                                              .created_at = now,
                                              .sent_at = now,
                                              .expires_at = now,
                                              .settled_at = std::nullopt};
  invitation.role_id = invite.roles.front().id;
  invitation.more_role_ids = ids_behind_first(invite.roles);
  invitation.inviter_id = caller.account.id;
  invitation.token_id = caller.token_id;
  invitation.metadata = invite.metadata;
  invitation.redirect_url = invite.redirect_url;
  invitation.lifetime = invite.lifetime;
  raise_generation(invitation, transaction, policy, now);
  if (resent)
    transaction.update(invitation);
  else
    transaction.insert(invitation);
  if (invite.send)
    queue_invitation_mail(invitation, facts, plan.invitee, transaction, policy, now);
  else if (resent)
    transaction.cancel_messages(invitation.id, now);  // their link is dead
  audit(resent ? "invitation.resent" : "invitation.created", caller, invite, invitation.id, transaction, now);
  queue_invitation_event(resent ? EventType::invitation_resent : EventType::invitation_created, invitation, transaction,
                         now);
  return Invited{plan.effect, std::move(invitation)};
}

std::uint32_t most_at_once(const Policy& policy) {
  const std::uint32_t burst = policy.environment_per_second == 0 ? 0 : policy.environment_burst;
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t limit : {burst, policy.environment_per_day, policy.inviter_per_hour, policy.inviter_per_day})
    if (limit != 0) most = std::min(most, limit);
  return most;
}

Result<Invited> invite(const Caller& caller, const Invite& invite, Transaction& transaction, const Policy& policy,
                       base::Timestamp now) {
  const auto plan = plan_invite(caller, invite, transaction, policy, now);
  if (!plan) return std::unexpected(plan.error());
  return carry_out(*plan, caller, invite, transaction, policy, now);
}

Result<Invited> resend(const Caller& caller, const Invitation& invitation, bool send, Transaction& transaction,
                       const Policy& policy, base::Timestamp now) {
  if (auto unsettled = check_unsettled(invitation); !unsettled) return std::unexpected(std::move(unsettled.error()));
  auto roles = find_roles(caller.app, invitation.role_ids(), transaction);
  if (!roles) return std::unexpected(std::move(roles.error()));
  const Invite again{.invitee = invitation.invitee,
                     .roles = *std::move(roles),
                     .lifetime = invitation.lifetime,
                     .metadata = invitation.metadata,
                     .redirect_url = invitation.redirect_url,
                     .send = send};
  if (auto allowed = check_allowed(caller, again, transaction); !allowed)
    return std::unexpected(std::move(allowed.error()));
  const InvitePlan plan{InviteEffect::resent, transaction.find_account_by_email(invitation.invitee.key()), invitation};
  return carry_out(plan, caller, again, transaction, policy, now);
}

Result<std::vector<Role>> find_roles(const App& app, const std::vector<base::Uuid>& ids, Transaction& transaction) {
  if (ids.empty()) return refuse(ErrorCode::missing_parameter, "Name at least one role.", "roles");
  if (ids.size() > kMaxRoles)
    return refuse(ErrorCode::invalid_parameter, "An invitation may name at most 16 roles.", "roles");
  std::vector<Role> roles;
  for (const base::Uuid& id : ids) {
    if (std::ranges::find(roles, id, &Role::id) != roles.end()) continue;
    auto role = transaction.find_role(app.id, id);
    if (!role)
      return refuse(ErrorCode::unknown_role, "The role " + id.to_string() + " is not one of this app's.", "roles");
    roles.push_back(*std::move(role));
  }
  return roles;
}

Result<std::vector<Role>> find_roles_by_text(const App& app, const std::vector<std::string>& texts,
                                             Transaction& transaction) {
  std::vector<base::Uuid> ids;
  std::optional<std::vector<Role>> all;  // asked for only where there are names
  for (const std::string& text : texts) {
    if (const auto id = base::Uuid::parse(text)) {
      ids.push_back(*id);
      continue;
    }
    if (!all) all = transaction.list_roles(app.id);
    const auto has_name = [&](const Role& role) { return role.name == text; };
    const auto found = std::ranges::find_if(*all, has_name);
    if (found == all->end())
      return refuse(ErrorCode::unknown_role, "The role \"" + text + "\" is not one of this app's.", "roles");
    if (std::find_if(found + 1, all->end(), has_name) != all->end())
      return refuse(ErrorCode::unknown_role, "Several roles are called \"" + text + "\": name it by its UUID.",
                    "roles");
    ids.push_back(found->id);
  }
  return find_roles(app, ids, transaction);
}

}  // namespace invited::domain
