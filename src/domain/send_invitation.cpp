#include "domain/send_invitation.h"

#include <array>

#include "base/crypto.h"
#include "base/log.h"
#include "base/utf8.h"
#include "domain/idempotency_key.h"

namespace invited::domain {
namespace {

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
                    "The " + std::string(whose) +
                        "'s e-mail address cannot be used: write it as name@example.org, without blanks.",
                    std::string(name));
    return *parsed;
  };
  auto invitee = address("InviteeEmailAddress", "invitee", request.invitee_email_address);
  if (!invitee) return std::unexpected(invitee.error());
  auto inviter = address("InviterEmailAddress", "inviter", request.inviter_email_address);
  if (!inviter) return std::unexpected(inviter.error());
  if (auto checked = check_idempotency_key(request.idempotency_key); !checked)
    return std::unexpected(std::move(checked.error()));

  // A role that cannot be a UUID is looked up as the nil UUID: unknown, at its place in the order of checks.
  const base::Uuid role_id = base::Uuid::parse(request.role_uuid).value_or(base::Uuid{});
  std::string digest;
  if (!request.idempotency_key.empty())
    digest = base::to_hex(base::sha256(role_id.to_string() + '\n' + invitee->key() + '\n' + inviter->key()));
  return ValidRequest{environment.id, role_id, *invitee, *inviter, request.idempotency_key, digest};
}

Result<SentInvitation> send_in_transaction(const ValidRequest& request, Transaction& transaction, const Policy& policy,
                                           base::Timestamp now) {
  auto environment = transaction.find_environment(request.environment_id);
  if (!environment || environment->disabled)
    return refuse(ErrorCode::authentication_failed,
                  "The environment could not be authenticated: check EnvironmentUUID and EnvironmentPassword.");
  auto inviter = transaction.find_account_by_email(request.inviter.key());
  if (!inviter || inviter->disabled || !transaction.has_any_access(inviter->id, environment->id))
    return refuse(ErrorCode::inviter_without_access,
                  "The inviter has no access to this app: invite with the address of a person who has.",
                  "InviterEmailAddress");
  auto role = transaction.find_role(environment->app_id, request.role_id);
  if (!role)
    return refuse(ErrorCode::unknown_role,
                  "The role is not one of this app's: use the ModelGUID of one of its user roles.", "RoleUUID");

  if (!request.idempotency_key.empty()) {
    const auto known = transaction.find_idempotency(environment->id, request.idempotency_key);
    const bool alive = known && now - known->created_at < policy.idempotency_lifetime;
    if (alive && known->request_digest != request.digest)
      return refuse(ErrorCode::idempotency_mismatch,
                    "This Idempotency-Key was used for another invitation: use a new key for each.", "Idempotency-Key");
    if (alive) return SentInvitation{InviteEffect::repeated, {}};
  }

  auto app = transaction.find_app(environment->app_id);
  if (!app) throw StorageFailure("an environment without its app");
  const Caller caller{.environment = *std::move(environment),
                      .app = *std::move(app),
                      .account = *std::move(inviter),
                      .role_ceiling = {},
                      .may_see_links = false,
                      .token_id = {},
                      .actor = "environment:" + request.environment_id.to_string()};
  const auto invited =
      invite(caller, {.invitee = request.invitee, .roles = {*std::move(role)}, .metadata = {}, .redirect_url = {}},
             transaction, policy, now);
  if (!invited) return std::unexpected(invited.error());
  if (!request.idempotency_key.empty())
    transaction.insert(IdempotencyRecord{caller.environment.id, request.idempotency_key, request.digest, now});
  return SentInvitation{invited->effect, invited->invitation ? invited->invitation->id : base::Uuid{}};
}

}  // namespace

void send_invitation(const SendInvitation& request, Context& context,
                     std::move_only_function<void(Result<SentInvitation>)> done) {
  const auto environment = context.authenticator.authenticate(
      request.environment_uuid, request.environment_password.reveal(), request.client_address);
  if (!environment) return done(std::unexpected(environment.error()));
  auto valid = validate(request, *environment);
  if (!valid) return done(std::unexpected(std::move(valid.error())));

  const Foresight foresight{.invitee_keys = {valid->invitee.key()}};
  begin_write_returning(
      context.store,
      [valid = *std::move(valid), &context](Transaction& transaction) {
        return send_in_transaction(valid, transaction, context.policy, context.clock.now());
      },
      Urgency::new_work, foresight,
      [&context, done = std::move(done)](Result<SentInvitation> sent) mutable {
        if (sent && sent->effect != InviteEffect::repeated) context.mail_queued();
        done(std::move(sent));
      });
}

}  // namespace invited::domain
