#include "domain/answer_invitation.h"

#include <array>

#include "domain/password_guesses.h"
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
  std::vector<Role> granted{};  ///< accepted: what the person has by now
  bool proves_mailbox = true;   ///< having the link does
  bool is_replaced = false;     ///< the link's own invitation was, by this one
  std::optional<base::Timestamp> newer_mail_due{};
};

/// Nothing where the invitation, or something that it needs, is gone.
std::optional<Loaded> load(const TokenSubject& subject, Transaction& transaction, base::Timestamp now) {
  auto invitation = transaction.find_invitation(subject.invitation_id);
  if (!invitation) return std::nullopt;
  auto environment = transaction.find_environment(invitation->environment_id);
  if (!environment) return std::nullopt;
  LinkState link = link_state_of(*invitation, subject.generation, *environment, transaction, now);
  bool is_replaced = false;
  if (invitation->state == InvitationState::expired)
    if (auto successor = find_successor(*invitation, transaction, now)) {
      invitation = std::move(successor);
      is_replaced = true;
      // Its own link may be open, this one is not.
      if (invitation->state != InvitationState::pending)
        link = link_state_of(*invitation, invitation->generation, *environment, transaction, now);
    }
  auto app = transaction.find_app(environment->app_id);
  auto roles = find_all_roles(*invitation, environment->app_id, transaction);
  auto inviter = transaction.find_account(invitation->inviter_id);
  if (!app || !roles || !inviter) return std::nullopt;
  auto invitee = transaction.find_account_by_email(invitation->invitee.key());
  const bool has_no_password = invitee && invitee->password_hash.empty();
  const bool proves_mailbox = !has_no_password || only_invitee_has_links(*invitation, transaction);
  std::vector<Role> granted;
  if (link == LinkState::accepted && invitee && !invitee->disabled)
    granted = transaction.list_roles_of(invitee->id, environment->id);
  const auto due = link == LinkState::superseded ? find_due_time(*invitation, transaction) : std::nullopt;
  return Loaded{.invitation = std::move(*invitation),
                .environment = std::move(*environment),
                .app = std::move(*app),
                .roles = std::move(*roles),
                .inviter = std::move(*inviter),
                .invitee = std::move(invitee),
                .link = link,
                .granted = std::move(granted),
                .proves_mailbox = proves_mailbox,
                .is_replaced = is_replaced,
                .newer_mail_due = due};
}

/// An account that has no password yet is given one by whoever has the link, where that can be the invitee only. An app
/// that sees links could otherwise become whoever an operator entered, in every other environment too.
bool signs_in(const Loaded& loaded) {
  return loaded.invitee && (!loaded.invitee->password_hash.empty() || !loaded.proves_mailbox);
}

InvitationView view_of(const Loaded& loaded) {
  return {.link = loaded.link,
          .invitee_email = loaded.invitation.invitee.text(),
          .inviter_name = loaded.inviter.name,
          .app_name = loaded.app.name,
          .app_url = loaded.invitation.redirect_url.empty() ? loaded.app.url : loaded.invitation.redirect_url,
          .role_name = names_of(loaded.granted.empty() ? loaded.roles : loaded.granted),
          .expires_at = loaded.invitation.expires_at,
          .signs_in = signs_in(loaded),
          .needs_password = signs_in(loaded) && loaded.invitee->password_hash.empty(),
          .known_name = loaded.invitee ? loaded.invitee->name : std::string(),
          .has_access = !loaded.granted.empty(),
          .is_replaced = loaded.is_replaced,
          .newer_mail_due = loaded.newer_mail_due};
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

/// One more form with a password in it.
Result<void> admit_post(const AcceptInvitation& request, Context& context) {
  if (const auto wait = context.sign_ups.attempt(limited_as(request.client_address), context.clock.now()))
    return std::unexpected(too_many_attempts(*wait));
  return {};
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
  PasswordGuesses guesses(loaded.invitee->email, request.client_address, context);
  if (auto admitted = guesses.admit(); !admitted) return std::unexpected(std::move(admitted.error()));
  const auto verified = context.password_hasher.verify(loaded.invitee->password_hash, request.password.reveal());
  if (!verified.correct) {
    guesses.count_wrong();
    return refuse(ErrorCode::sign_in_failed, "The password is not right. Try again.", "Password");
  }
  // Only who has the password learns this.
  if (loaded.invitee->disabled) return refuse(ErrorCode::not_allowed, "This account is disabled.");
  guesses.forget();
  Credentials credentials{{}, {}, loaded.invitee->password_hash};
  if (verified.needs_rehash) credentials.password_hash = context.password_hasher.hash(request.password);
  return credentials;
}

/// Creates or updates the account. link_not_valid where it is no longer what the credentials were checked against.
Result<Account> settle_account(const Loaded& loaded, const Credentials& credentials, Transaction& transaction,
                               base::Timestamp now) {
  if (signs_in(loaded) != !credentials.verified_hash.empty()) return std::unexpected(link_not_valid());
  if (signs_in(loaded)) {
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
    if (account.name != credentials.name)
      transaction.insert(AuditEvent{now, "invitee", "account.profile_changed", account.id, "changed=name"});
    account.name = credentials.name;
    account.password_hash = credentials.password_hash;
    account.password_generation += 1;
    transaction.update(account);
    transaction.insert(AuditEvent{now, "invitee", "account.password_set", account.id, {}});
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
  loaded->granted = loaded->roles;
  loaded->invitee = *account;
  return view_of(*loaded);
}

}  // namespace

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

  if (auto admitted = admit_post(request, context); !admitted) return std::unexpected(std::move(admitted.error()));
  const auto credentials =
      signs_in(**loaded) ? check_sign_in(request, **loaded, context) : check_sign_up(request, **loaded, context);
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

Result<InvitationView> find_accepted(const AcceptInvitation& request, Context& context) {
  const auto subject = require(request.token, request.client_address, context);
  if (!subject) return std::unexpected(subject.error());
  const auto loaded = read(*subject, context);
  if (!loaded) return std::unexpected(loaded.error());
  if (!*loaded || (*loaded)->link != LinkState::accepted || (*loaded)->granted.empty())
    return std::unexpected(link_not_valid());
  if (auto admitted = admit_post(request, context); !admitted) return std::unexpected(std::move(admitted.error()));
  const Account& invitee = *(*loaded)->invitee;
  PasswordGuesses guesses(invitee.email, request.client_address, context);
  if (auto admitted = guesses.admit(); !admitted) return std::unexpected(std::move(admitted.error()));
  if (context.password_hasher.verify(invitee.password_hash, request.password.reveal()).correct)
    return view_of(**loaded);
  guesses.count_wrong();
  return std::unexpected(link_not_valid());
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
    // By whichever of its links: an older one may have been what counted.
    if (!invitation || invitation->state != InvitationState::accepted || !(invitation->invitee == person.email))
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
    raise_generation(invitation, transaction, context.policy, now);
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
