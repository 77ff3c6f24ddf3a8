#include "domain/answer_invitation.h"

#include <array>

#include "domain/caller.h"
#include "domain/person_name.h"
#include "domain/queue_event.h"
#include "domain/queue_mail.h"
#include "domain/refresh_call.h"

namespace invited::domain {
namespace {

/// An invitation with everything that belongs to it, as one transaction sees it.
struct Loaded {
  Invitation invitation;
  Environment environment;
  App app;
  std::vector<Role> roles;
  Account inviter;
  std::optional<Account> invitee;
  LinkState link = LinkState::wrong;
};

LinkState link_state(const Invitation& invitation, std::uint32_t generation, bool disabled, base::Timestamp now) {
  // A stored `expired` was replaced by a newer invitation, whose mail holds the link that counts.
  if (invitation.state == InvitationState::expired) return LinkState::superseded;
  switch (invitation.state_at(now)) {
    case InvitationState::accepted:
      return LinkState::accepted;
    case InvitationState::declined:
      return LinkState::declined;
    case InvitationState::revoked:
      return LinkState::revoked;
    case InvitationState::pending:
    case InvitationState::expired:
      break;
  }
  if (generation != invitation.generation) return LinkState::superseded;
  if (disabled) return LinkState::revoked;
  return invitation.state_at(now) == InvitationState::expired ? LinkState::expired : LinkState::open;
}

/// Nothing where one is gone.
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

LinkState link_state_in(const Environment& environment, const Invitation& invitation, std::uint32_t generation,
                        Transaction& transaction, base::Timestamp now) {
  const LinkState link = link_state(invitation, generation, environment.disabled, now);
  if ((link == LinkState::open || link == LinkState::expired) &&
      !is_still_granted(invitation, environment, transaction))
    return LinkState::revoked;
  return link;
}

/// Nothing where the invitation, or something that it needs, is gone.
std::optional<Loaded> load(const TokenSubject& subject, Transaction& transaction, base::Timestamp now) {
  auto invitation = transaction.find_invitation(subject.invitation_id);
  if (!invitation) return std::nullopt;
  auto environment = transaction.find_environment(invitation->environment_id);
  if (!environment) return std::nullopt;
  auto app = transaction.find_app(environment->app_id);
  auto roles = find_all_roles(*invitation, environment->app_id, transaction);
  auto inviter = transaction.find_account(invitation->inviter_id);
  if (!app || !roles || !inviter) return std::nullopt;
  auto invitee = transaction.find_account_by_email(invitation->invitee.key());
  const LinkState link = link_state_in(*environment, *invitation, subject.generation, transaction, now);
  return Loaded{std::move(*invitation),
                std::move(*environment),
                std::move(*app),
                std::move(*roles),
                std::move(*inviter),
                std::move(invitee),
                link};
}

bool signs_in(const std::optional<Account>& invitee) { return invitee && !invitee->password_hash.empty(); }

InvitationView view_of(const Loaded& loaded) {
  return {.link = loaded.link,
          .invitee_email = loaded.invitation.invitee.text(),
          .inviter_name = loaded.inviter.name,
          .app_name = loaded.app.name,
          .app_url = loaded.invitation.redirect_url.empty() ? loaded.app.url : loaded.invitation.redirect_url,
          .role_name = names_of(loaded.roles),
          .expires_at = loaded.invitation.expires_at,
          .signs_in = signs_in(loaded.invitee),
          .known_name = loaded.invitee ? loaded.invitee->name : std::string()};
}

Error link_not_valid() {
  return {ErrorCode::link_not_valid, "This link is not valid any more: open it again to see why.", {}, std::nullopt};
}

/// The subject of a genuine token; nothing for a forged one, which counts against the client's address.
Result<std::optional<TokenSubject>> check(std::string_view token, std::string_view client_address, Context& context) {
  auto subject = check_token(context.token_keys, token);
  if (subject) return subject;
  if (const auto wait = context.wrong_links.attempt(limited_as(client_address), context.clock.now())) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
    return refuse(ErrorCode::rate_limited,
                  "Too many links that are not valid: try again in " + std::to_string(seconds.count()) + " seconds.",
                  {}, seconds);
  }
  return std::optional<TokenSubject>{};
}

/// For what changes something: a forged token is link_not_valid.
Result<TokenSubject> require(std::string_view token, std::string_view client_address, Context& context) {
  auto subject = check(token, client_address, context);
  if (!subject) return std::unexpected(std::move(subject.error()));
  if (!*subject) return std::unexpected(link_not_valid());
  return **subject;
}

Result<std::optional<Loaded>> read(const TokenSubject& subject, Context& context) {
  return read_returning(context.store, [&](Transaction& transaction) -> Result<std::optional<Loaded>> {
    return load(subject, transaction, context.clock.now());
  });
}

void settle(Invitation& invitation, InvitationState state, Transaction& transaction, base::Timestamp now) {
  invitation.state = state;
  invitation.settled_at = now;
  invitation.updated_at = now;
  transaction.update(invitation);
  transaction.cancel_messages(invitation.id, now);
}

/// What a person brings along to accept, checked and hashed before the transaction begins.
struct Credentials {
  std::string name;           ///< sign-up
  std::string password_hash;  ///< sign-up: the new one; sign-in: a better hash of the same password, or empty
  /// Sign-in: the hash that was verified. The account must still have it when the transaction runs.
  std::string verified_hash;
};

Result<Credentials> check_sign_up(const AcceptInvitation& request, const Loaded& loaded, Context& context) {
  auto name = parse_name(request.name, "Name");
  if (!name) return std::unexpected(std::move(name.error()));
  const std::array<std::string, 5> related{loaded.invitation.invitee.text(), *name, loaded.app.name,
                                           loaded.inviter.name, "invited"};
  auto password = check_new_password(request.password.reveal(), related);
  if (!password) return std::unexpected(std::move(password.error()));
  if (!base::constant_time_equal(request.password.reveal(), request.password_again.reveal()))
    return refuse(ErrorCode::invalid_parameter, "The two passwords differ. Type the same one twice.", "PasswordAgain");
  return Credentials{*name, context.password_hasher.hash(*password), {}};
}

Result<Credentials> check_sign_in(const AcceptInvitation& request, const Loaded& loaded, Context& context) {
  const auto verified = context.password_hasher.verify(loaded.invitee->password_hash, request.password.reveal());
  if (!verified.correct || loaded.invitee->disabled)
    return refuse(ErrorCode::sign_in_failed, "The password is not right. Try again.", "Password");
  Credentials credentials{{}, {}, loaded.invitee->password_hash};
  if (verified.needs_rehash) credentials.password_hash = context.password_hasher.hash(request.password);
  return credentials;
}

/// Creates or updates the account. link_not_valid where it is no longer what the credentials were checked against.
Result<Account> settle_account(const Loaded& loaded, const Credentials& credentials, Transaction& transaction,
                               base::Timestamp now) {
  if (signs_in(loaded.invitee) != !credentials.verified_hash.empty()) return std::unexpected(link_not_valid());
  if (signs_in(loaded.invitee)) {
    Account account = *loaded.invitee;
    if (account.disabled || account.password_hash != credentials.verified_hash)
      return std::unexpected(link_not_valid());
    if (!credentials.password_hash.empty()) {
      account.password_hash = credentials.password_hash;
      transaction.update(account);
    }
    return account;
  }
  if (loaded.invitee) {  // entered by an operator, never had a password
    Account account = *loaded.invitee;
    if (account.disabled) return std::unexpected(link_not_valid());
    account.name = credentials.name;
    account.password_hash = credentials.password_hash;
    account.password_generation += 1;
    transaction.update(account);
    return account;
  }
  Account account{.id = base::Uuid::ordered(now),
                  .email = loaded.invitation.invitee,
                  .name = credentials.name,
                  .password_hash = credentials.password_hash,
                  .disabled = false,
                  .created_at = now};
  transaction.insert(account);
  transaction.insert(AuditEvent{now, "invitee", "account.created", account.id, "email=" + account.email.key()});
  return account;
}

Result<InvitationView> accept_in_transaction(const TokenSubject& subject, const Credentials& credentials,
                                             Transaction& transaction, base::Timestamp now) {
  auto loaded = load(subject, transaction, now);
  if (!loaded || loaded->link != LinkState::open) return std::unexpected(link_not_valid());
  if (loaded->invitee) {
    transaction.lock_account(loaded->invitee->id);
    loaded->invitee = transaction.find_account(loaded->invitee->id);
  }
  const auto account = settle_account(*loaded, credentials, transaction, now);
  if (!account) return std::unexpected(account.error());

  for (const Role& role : loaded->roles) transaction.insert(Access{account->id, loaded->environment.id, role.id, now});
  queue_refresh(loaded->environment, account->id, transaction, now);
  settle(loaded->invitation, InvitationState::accepted, transaction, now);
  queue_invitation_event(EventType::invitation_accepted, loaded->invitation, transaction, now);
  queue_access_event(EventType::access_granted, loaded->environment.id, *account, loaded->roles, transaction, now);
  const std::string actor = "account:" + account->id.to_string();
  transaction.insert(AuditEvent{now, actor, "invitation.accepted", loaded->invitation.id, {}, loaded->environment.id});
  for (const Role& role : loaded->roles)
    transaction.insert(AuditEvent{now, actor, "access.granted", account->id,
                                  "environment=" + loaded->environment.id.to_string() + " role=" + role.id.to_string(),
                                  loaded->environment.id});
  loaded->link = LinkState::accepted;
  loaded->invitee = *account;
  return view_of(*loaded);
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

LinkState link_state_of(const Invitation& invitation, std::uint32_t generation, Transaction& transaction,
                        base::Timestamp now) {
  const auto environment = transaction.find_environment(invitation.environment_id);
  return environment ? link_state_in(*environment, invitation, generation, transaction, now) : LinkState::wrong;
}

Result<InvitationView> view_invitation(std::string_view token, std::string_view client_address, Context& context) {
  const auto subject = check(token, client_address, context);
  if (!subject) return std::unexpected(subject.error());
  if (!*subject) return InvitationView{};
  const auto loaded = read(**subject, context);
  if (!loaded) return std::unexpected(loaded.error());
  return *loaded ? view_of(**loaded) : InvitationView{};
}

Result<InvitationView> accept_invitation(const AcceptInvitation& request, Context& context) {
  const auto subject = require(request.token, request.client_address, context);
  if (!subject) return std::unexpected(subject.error());
  const auto loaded = read(*subject, context);
  if (!loaded) return std::unexpected(loaded.error());
  if (!*loaded || (*loaded)->link != LinkState::open) return std::unexpected(link_not_valid());

  if (const auto wait = context.sign_ups.attempt(limited_as(request.client_address), context.clock.now())) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
    return refuse(ErrorCode::rate_limited, "Too many attempts. Wait a minute and try again.", {}, seconds);
  }
  const auto credentials = signs_in((*loaded)->invitee) ? check_sign_in(request, **loaded, context)
                                                        : check_sign_up(request, **loaded, context);
  if (!credentials) return std::unexpected(credentials.error());
  auto accepted = write_returning(
      context.store,
      [&](Transaction& transaction) {
        return accept_in_transaction(*subject, *credentials, transaction, context.clock.now());
      },
      Urgency::owed);
  if (accepted) context.refresh_queued();
  return accepted;
}

Result<Account> accept_as(const TokenSubject& subject, const KnownInvitee& person, Context& context) {
  Credentials credentials{{}, person.password_hash, {}};
  if (!person.account_id) {
    auto name = parse_name(person.name, "Name");
    if (!name) return std::unexpected(std::move(name.error()));
    credentials.name = *std::move(name);
  }
  auto accepted = write_returning(
      context.store,
      [&](Transaction& transaction) -> Result<Account> {
        const base::Timestamp now = context.clock.now();
        const auto loaded = load(subject, transaction, now);
        if (!loaded || !(loaded->invitation.invitee == person.email)) return std::unexpected(link_not_valid());
        Credentials own = credentials;
        if (person.account_id) {
          if (!loaded->invitee || loaded->invitee->id != *person.account_id) return std::unexpected(link_not_valid());
          own.verified_hash = loaded->invitee->password_hash;
        }
        if (auto done = accept_in_transaction(subject, own, transaction, now); !done)
          return std::unexpected(std::move(done.error()));
        auto account = transaction.find_account_by_email(person.email.key());
        if (!account) throw StorageFailure("an account that is not there");
        return *std::move(account);
      },
      Urgency::owed);
  if (accepted) context.refresh_queued();
  return accepted;
}

Result<Account> find_accepted_as(const TokenSubject& subject, const KnownInvitee& person, Context& context) {
  return read_returning(context.store, [&](Transaction& transaction) -> Result<Account> {
    const auto invitation = transaction.find_invitation(subject.invitation_id);
    if (!invitation || invitation->state != InvitationState::accepted || invitation->generation != subject.generation ||
        !(invitation->invitee == person.email))
      return std::unexpected(link_not_valid());
    auto account = transaction.find_account_by_email(person.email.key());
    // By the very hash, which nobody else has, or signed in.
    const bool is_same =
        account && !account->disabled &&
        (person.account_id ? account->id == *person.account_id
                           : !person.password_hash.empty() &&
                                 base::constant_time_equal(account->password_hash, person.password_hash));
    if (!is_same) return std::unexpected(link_not_valid());
    return *std::move(account);
  });
}

Result<InvitationView> decline_invitation(std::string_view token, std::string_view client_address, Context& context) {
  const auto subject = require(token, client_address, context);
  if (!subject) return std::unexpected(subject.error());
  const auto decline = [&](Transaction& transaction) -> Result<InvitationView> {
    const base::Timestamp now = context.clock.now();
    auto loaded = load(*subject, transaction, now);
    if (!loaded || loaded->link != LinkState::open) return std::unexpected(link_not_valid());
    settle(loaded->invitation, InvitationState::declined, transaction, now);
    queue_invitation_event(EventType::invitation_declined, loaded->invitation, transaction, now);
    transaction.insert(
        AuditEvent{now, "invitee", "invitation.declined", loaded->invitation.id, {}, loaded->environment.id});
    loaded->link = LinkState::declined;
    return view_of(*loaded);
  };
  return write_returning(context.store, decline, Urgency::owed);
}

Result<void> request_fresh_link(std::string_view token, std::string_view client_address, Context& context) {
  const auto subject = require(token, client_address, context);
  if (!subject) return std::unexpected(subject.error());
  auto done = context.store.write([&](Transaction& transaction) -> Result<void> {
    const base::Timestamp now = context.clock.now();
    auto loaded = load(*subject, transaction, now);
    if (!loaded || loaded->link != LinkState::expired) return std::unexpected(link_not_valid());
    Invitation& invitation = loaded->invitation;
    invitation.generation += 1;
    invitation.sent_at = now;
    invitation.updated_at = now;
    invitation.expires_at = now + lifetime_of(invitation, context.policy);
    transaction.update(invitation);
    queue_invitation_mail(invitation, {loaded->app, loaded->roles, loaded->inviter}, loaded->invitee, transaction,
                          context.policy, now);
    queue_invitation_event(EventType::invitation_resent, invitation, transaction, now);
    transaction.insert(AuditEvent{now, "invitee", "invitation.resent", invitation.id, "reason=fresh link asked for",
                                  invitation.environment_id});
    return {};
  });
  if (done) context.mail_queued();
  return done;
}

}  // namespace invited::domain
