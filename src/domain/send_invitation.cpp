#include "domain/send_invitation.h"

#include <array>

#include "base/crypto.h"
#include "base/log.h"
#include "base/utf8.h"
#include "domain/queue_mail.h"

namespace invited::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kMaxIdempotencyKey = 255;

/// The request after everything that can be checked without the database.
struct ValidRequest {
  base::Uuid environment_id;
  base::Uuid role_id;
  EmailAddress invitee;
  EmailAddress inviter;
  std::string idempotency_key;
  /// Over what the call means, for telling a repeated Idempotency-Key from a reused one.
  std::string digest;
};

bool is_blank(std::string_view text) { return base::is_valid_utf8(text) && base::trim(text).empty(); }

Result<ValidRequest> validate(const SendInvitation& request, const Environment& environment) {
  using Parameter = std::pair<std::string_view, std::string_view>;
  const std::array parameters{Parameter{"RoleUUID", request.role_uuid},
                              Parameter{"InviteeEmailAddress", request.invitee_email_address},
                              Parameter{"InviterEmailAddress", request.inviter_email_address}};
  for (const auto& [name, value] : parameters)
    if (is_blank(value))
      return refuse(ErrorCode::missing_parameter, "The parameter " + std::string(name) + " is missing or empty.",
                    std::string(name));

  const auto address = [](std::string_view name, std::string_view whose,
                          const std::string& text) -> Result<EmailAddress> {
    auto parsed = EmailAddress::parse(text);
    if (!parsed)
      return refuse(ErrorCode::invalid_email_address,
                    "The " + std::string(whose) + "'s e-mail address cannot be used: write it as name@example.org.",
                    std::string(name));
    return *parsed;
  };
  auto invitee = address("InviteeEmailAddress", "invitee", request.invitee_email_address);
  if (!invitee) return std::unexpected(invitee.error());
  auto inviter = address("InviterEmailAddress", "inviter", request.inviter_email_address);
  if (!inviter) return std::unexpected(inviter.error());
  if (request.idempotency_key.size() > kMaxIdempotencyKey)
    return refuse(ErrorCode::invalid_parameter, "The Idempotency-Key is longer than 255 characters.",
                  "Idempotency-Key");

  // A role that cannot be a UUID is looked up as the nil UUID: unknown, at its place in the order of checks.
  const base::Uuid role_id = base::Uuid::parse(request.role_uuid).value_or(base::Uuid{});
  std::string digest;
  if (!request.idempotency_key.empty())
    digest = base::to_hex(base::sha256(role_id.to_string() + '\n' + invitee->key() + '\n' + inviter->key()));
  return ValidRequest{environment.id, role_id, *invitee, *inviter, request.idempotency_key, digest};
}

Error rate_limited(std::string_view what, std::chrono::milliseconds wait) {
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
  return {ErrorCode::rate_limited,
          "Too many invitations for this " + std::string(what) + ": try again in " + std::to_string(seconds.count()) +
              " seconds.",
          {},
          seconds};
}

/// Counts one call against a subject's two limits, or says how long to wait.
Result<void> count(std::string_view what, const base::Uuid& id, const Rate& short_term, const Rate& long_term,
                   Transaction& transaction, base::Timestamp now) {
  if (short_term.count == 0 && long_term.count == 0) return {};
  const std::string subject = std::string(what) + ':' + id.to_string();
  const RateRecord record = transaction.find_rate(subject);
  const Admission quick = admit(short_term, record.short_term, now);
  if (!quick.admitted) return std::unexpected(rate_limited(what, quick.wait));
  const Admission slow = admit(long_term, record.long_term, now);
  if (!slow.admitted) return std::unexpected(rate_limited(what, slow.wait));
  transaction.set_rate(subject, {quick.theoretical_arrival, slow.theoretical_arrival});
  return {};
}

Result<void> count_rates(const base::Uuid& environment_id, const base::Uuid& inviter_id, const Policy& policy,
                         Transaction& transaction, base::Timestamp now) {
  auto counted = count("environment", environment_id,
                       {policy.environment_per_second, std::chrono::seconds(1), policy.environment_burst},
                       {policy.environment_per_day, hours(24), policy.environment_per_day}, transaction, now);
  if (!counted) return counted;
  return count("inviter", inviter_id, {policy.inviter_per_hour, hours(1), policy.inviter_per_hour},
               {policy.inviter_per_day, hours(24), policy.inviter_per_day}, transaction, now);
}

void audit(std::string_view action, const ValidRequest& request, const base::Uuid& subject, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(AuditEvent{now, "environment:" + request.environment_id.to_string(), std::string(action), subject,
                                "invitee=" + request.invitee.key() + " inviter=" + request.inviter.key() +
                                    " role=" + request.role_id.to_string()});
}

/// Invites anew or sends a pending invitation again.
SentInvitation invite(const ValidRequest& request, std::optional<Invitation> pending, const MailFacts& facts,
                      const std::optional<Account>& invitee, Transaction& transaction, const Policy& policy,
                      base::Timestamp now) {
  if (pending && pending->state_at(now) == InvitationState::expired) {
    pending->state = InvitationState::expired;
    pending->settled_at = pending->expires_at;
    transaction.update(*pending);
    transaction.cancel_messages(pending->id, now);
    pending.reset();
  }
  const bool resent = pending.has_value();
  if (resent) {
    pending->role_id = facts.role.id;
    pending->inviter_id = facts.inviter.id;
    pending->generation += 1;
    pending->sent_at = now;
    pending->expires_at = now + policy.invitation_lifetime;
    transaction.update(*pending);
  } else {
    pending = Invitation{.id = base::Uuid::ordered(now),
                         .environment_id = request.environment_id,
                         .role_id = facts.role.id,
                         .inviter_id = facts.inviter.id,
                         .invitee = request.invitee,
                         .state = InvitationState::pending,
                         .generation = 1,
                         .created_at = now,
                         .sent_at = now,
                         .expires_at = now + policy.invitation_lifetime,
                         .settled_at = std::nullopt};
    transaction.insert(*pending);
  }
  queue_invitation_mail(*pending, facts, invitee, transaction, policy, now);
  audit(resent ? "invitation.resent" : "invitation.created", request, pending->id, transaction, now);
  return {resent ? SendInvitationEffect::resent : SendInvitationEffect::invited, pending->id};
}

Result<SentInvitation> send_in_transaction(const ValidRequest& request, Transaction& transaction, const Policy& policy,
                                           base::Timestamp now) {
  const auto environment = transaction.find_environment(request.environment_id);
  if (!environment || environment->disabled)
    return refuse(ErrorCode::authentication_failed,
                  "The environment could not be authenticated: check EnvironmentUUID and EnvironmentPassword.");
  const auto inviter = transaction.find_account_by_email(request.inviter.key());
  if (!inviter || inviter->disabled || !transaction.has_any_access(inviter->id, environment->id))
    return refuse(ErrorCode::inviter_without_access,
                  "The inviter has no access to this app: invite with the address of a person who has.",
                  "InviterEmailAddress");
  const auto role = transaction.find_role(environment->app_id, request.role_id);
  if (!role)
    return refuse(ErrorCode::unknown_role,
                  "The role is not one of this app's: use the ModelGUID of one of its user roles.", "RoleUUID");

  if (!request.idempotency_key.empty()) {
    const auto known = transaction.find_idempotency(environment->id, request.idempotency_key);
    const bool alive = known && now - known->created_at < policy.idempotency_lifetime;
    if (alive && known->request_digest != request.digest)
      return refuse(ErrorCode::idempotency_mismatch,
                    "This Idempotency-Key was used for another invitation: use a new key for each.", "Idempotency-Key");
    if (alive) return SentInvitation{SendInvitationEffect::repeated, {}};
  }

  const auto app = transaction.find_app(environment->app_id);
  if (!app) throw StorageFailure("an environment without its app");
  const MailFacts facts{*app, *role, *inviter};
  const auto invitee = transaction.find_account_by_email(request.invitee.key());
  auto pending = transaction.find_pending_invitation(environment->id, request.invitee.key());

  SentInvitation sent;
  if (pending && pending->state_at(now) == InvitationState::pending && pending->role_id == role->id &&
      pending->inviter_id == inviter->id && now - pending->sent_at < policy.repeat_window) {
    // A retry of a call whose answer was lost: one invitation, one mail, nothing counted.
    sent = {SendInvitationEffect::repeated, pending->id};
  } else if (invitee && transaction.has_access(invitee->id, environment->id, role->id)) {
    auto counted = count_rates(environment->id, inviter->id, policy, transaction, now);
    if (!counted) return std::unexpected(std::move(counted.error()));
    if (queue_access_notice(environment->id, invitee->email, facts, transaction, policy, now))
      audit("invitation.not_needed", request, invitee->id, transaction, now);
    sent = {SendInvitationEffect::has_access_already, {}};
  } else {
    auto counted = count_rates(environment->id, inviter->id, policy, transaction, now);
    if (!counted) return std::unexpected(std::move(counted.error()));
    sent = invite(request, std::move(pending), facts, invitee, transaction, policy, now);
  }
  if (!request.idempotency_key.empty())
    transaction.insert(IdempotencyRecord{environment->id, request.idempotency_key, request.digest, now});
  return sent;
}

}  // namespace

Result<SentInvitation> send_invitation(const SendInvitation& request, Context& context) {
  const auto environment = context.authenticator.authenticate(
      request.environment_uuid, request.environment_password.reveal(), request.client_address);
  if (!environment) return std::unexpected(environment.error());
  const auto valid = validate(request, *environment);
  if (!valid) return std::unexpected(valid.error());

  auto sent = write_returning(context.store,
                              [&](Transaction& transaction) {
                                return send_in_transaction(*valid, transaction, context.policy, context.clock.now());
                              },
                              Urgency::new_work, {.invitee_key = valid->invitee.key()});
  if (sent && sent->effect != SendInvitationEffect::repeated) context.mail_queued();
  return sent;
}

}  // namespace invited::domain
