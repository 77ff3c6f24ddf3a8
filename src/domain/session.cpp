#include "domain/session.h"

#include "base/crypto.h"
#include "domain/email_address.h"
#include "domain/password_guesses.h"
#include "domain/person_name.h"

namespace invited::domain {
namespace {

std::string hash_of(std::string_view token) { return base::to_base64url(base::sha256(token)); }

Error not_signed_in() {
  return {ErrorCode::sign_in_failed, "You are not signed in any more: sign in again.", {}, std::nullopt};
}

/// The session's account, where both still stand.
std::optional<Account> find_account(std::string_view token, Transaction& transaction, base::Timestamp now) {
  const auto session = transaction.find_session(hash_of(token));
  if (!session || now >= session->expires_at) return std::nullopt;
  auto account = transaction.find_account(session->account_id);
  if (!account || account->disabled || account->password_generation != session->password_generation)
    return std::nullopt;
  return account;
}

/// An event only where it ends a session that was not over: not for `stays`, who is signed in again in its place.
void end_session(std::string_view token, std::optional<base::Uuid> stays, Transaction& transaction,
                 base::Timestamp now) {
  const std::string hash = hash_of(token);
  const auto session = transaction.find_session(hash);
  if (!session || !transaction.erase_session(hash)) return;
  const base::Uuid& id = session->account_id;
  if (now >= session->expires_at || id == stays) return;
  transaction.insert(AuditEvent{now, "account:" + id.to_string(), "account.signed_out", id, {}});
}

}  // namespace

Result<SignedIn> sign_in(const SignIn& request, Context& context) {
  const base::Timestamp now = context.clock.now();
  if (const auto wait = context.sign_ups.attempt(limited_as(request.client_address), now))
    return std::unexpected(too_many_attempts(*wait));

  const auto email = EmailAddress::parse(request.email);
  std::optional<PasswordGuesses> guesses;
  std::optional<Account> account;
  if (email) {
    guesses.emplace(*email, request.client_address, context);
    if (auto admitted = guesses->admit(); !admitted) return std::unexpected(std::move(admitted.error()));
    auto found = read_returning(context.store, [&](Transaction& transaction) -> Result<std::optional<Account>> {
      return transaction.find_account_by_email(email->key());
    });
    if (!found) return std::unexpected(std::move(found.error()));
    account = std::move(*found);
  }
  const auto verified =
      context.password_hasher.verify(account ? account->password_hash : std::string(), request.password.reveal());
  if (!account || !verified.correct || account->disabled) {
    if (guesses) guesses->count_wrong();
    return refuse(ErrorCode::sign_in_failed, "The e-mail address or the password is not right. Try again.", "Password");
  }

  guesses->forget();
  SignedIn signed_in{base::Secret(base::to_base64url(base::random_bytes(32))), now + context.policy.session_lifetime};
  const std::string better_hash =
      verified.needs_rehash ? context.password_hasher.hash(request.password) : std::string();
  const auto done = context.store.write(
      [&](Transaction& transaction) -> Result<void> {
        transaction.lock_account(account->id);
        auto current = transaction.find_account(account->id);
        // By its generation: another sign-in may have stored the same password with a better hash meanwhile.
        if (!current || current->disabled || current->password_generation != account->password_generation)
          return refuse(ErrorCode::sign_in_failed, "The e-mail address or the password is not right. Try again.",
                        "Password");
        if (!better_hash.empty()) {
          current->password_hash = better_hash;
          transaction.update(*current);
        }
        if (!request.previous_token.empty()) end_session(request.previous_token, current->id, transaction, now);
        transaction.insert(Session{hash_of(signed_in.token.reveal()), current->id, current->password_generation, now,
                                   signed_in.expires_at});
        transaction.insert(AuditEvent{now, "account:" + current->id.to_string(), "account.signed_in", current->id, {}});
        return {};
      },
      Urgency::owed);
  if (!done) return std::unexpected(done.error());
  return signed_in;
}

Result<void> sign_out(std::string_view token, Context& context) {
  if (token.empty()) return {};
  return context.store.write(
      [&](Transaction& transaction) -> Result<void> {
        end_session(token, std::nullopt, transaction, context.clock.now());
        return {};
      },
      Urgency::owed);
}

Result<std::optional<SignedInPerson>> find_signed_in(std::string_view token, Context& context) {
  if (token.empty()) return std::optional<SignedInPerson>{};
  return read_returning(context.store, [&](Transaction& transaction) -> Result<std::optional<SignedInPerson>> {
    auto account = find_account(token, transaction, context.clock.now());
    if (!account) return std::optional<SignedInPerson>{};
    Profile profile = transaction.find_profile(account->id);
    return SignedInPerson{std::move(*account), std::move(profile)};
  });
}

Result<SignedInPerson> edit_profile(const EditProfile& request, Context& context) {
  auto name = parse_name(request.name, "Name");
  if (!name) return std::unexpected(std::move(name.error()));
  Profile wanted;
  for (const ProfileFieldDescription& description : kProfileFields) {
    if (!description.is_persons_own) continue;
    auto value = check_profile_value(description.field, request.profile.get(description.field));
    if (!value) return std::unexpected(std::move(value.error()));
    wanted.set(description.field, std::move(*value));
  }
  return write_returning(
      context.store,
      [&](Transaction& transaction) -> Result<SignedInPerson> {
        const base::Timestamp now = context.clock.now();
        auto account = find_account(request.token, transaction, now);
        if (account) {
          transaction.lock_account(account->id);
          account = find_account(request.token, transaction, now);
        }
        if (!account) return std::unexpected(not_signed_in());
        Profile profile = transaction.find_profile(account->id);
        const Profile before = profile;
        for (const ProfileFieldDescription& description : kProfileFields)
          if (description.is_persons_own) profile.set(description.field, wanted.get(description.field));
        if (account->name == *name && profile == before) return SignedInPerson{*account, profile};
        account->name = *name;
        transaction.update(*account);
        transaction.set_profile(account->id, profile);
        transaction.insert(
            AuditEvent{now, "account:" + account->id.to_string(), "account.profile_changed", account->id, {}});
        return SignedInPerson{*account, profile};
      },
      Urgency::owed);
}

}  // namespace invited::domain
