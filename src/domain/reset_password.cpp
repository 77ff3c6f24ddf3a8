#include "domain/reset_password.h"

#include <array>

#include "base/crypto.h"
#include "domain/email_address.h"
#include "domain/password_guesses.h"

namespace invited::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Rate kPerMinute{1, minutes(1), 1};
constexpr Rate kPerHour{3, hours(1), 3};
constexpr Rate kPerDay{10, hours(24), 10};

/// The queue goes by when mails are due. This one is of use for an hour, the invitations before it for days: with a
/// slow relay, or one that was away, it would be too late behind them. As long as a mail can wait at most
/// (mail.give_up_after).
constexpr hours kAheadOfOthers{30 * 24};

Error link_not_valid() {
  return {ErrorCode::link_not_valid, "This link is not valid any more: ask for a new one.", {}, std::nullopt};
}

bool admit_mail(std::string_view email_key, Transaction& transaction, base::Timestamp now) {
  const std::string subject = "password_reset:" + std::string(email_key);
  const std::string day_subject = "password_reset_day:" + std::string(email_key);
  const RateRecord record = transaction.find_rate(subject);
  const Admission quick = admit(kPerMinute, record.short_term, now);
  const Admission slow = admit(kPerHour, record.long_term, now);
  const Admission day = admit(kPerDay, transaction.find_rate(day_subject).long_term, now);
  if (!quick.admitted || !slow.admitted || !day.admitted) return false;
  transaction.set_rate(subject, {quick.theoretical_arrival, slow.theoretical_arrival});
  transaction.set_rate(day_subject, {{}, day.theoretical_arrival});
  return true;
}

OutboxMessage make_message(const Account& account, base::Language language, base::Timestamp now) {
  return {.id = base::Uuid::ordered(now),
          .kind = MessageKind::password_reset,
          .state = MessageState::queued,
          .environment_id = {},
          .invitation_id = {},
          .generation = account.password_generation,
          .recipient = account.email,
          .language = language,
          .inviter_name = {},
          .app_name = {},
          .app_url = {},
          .role_name = {},
          .queued_at = now,
          .not_before = now,
          .due_at = now - kAheadOfOthers,
          // Whole seconds: so it stands in the link's token.
          .expires_at = std::chrono::floor<std::chrono::seconds>(now) + kResetLinkLifetime,
          .attempts = 0,
          .deaths = 0,
          .finished_at = std::nullopt,
          .last_error = {},
          .account_id = account.id};
}

/// The subject of a genuine token whose time is not over; nothing for others, of which forged ones count.
Result<std::optional<ResetSubject>> check(std::string_view token, std::string_view client_address, Context& context) {
  const base::Timestamp now = context.clock.now();
  auto subject = check_reset_token(context.token_keys, token);
  if (!subject) {
    if (const auto wait = context.wrong_links.attempt(limited_as(client_address), now))
      return std::unexpected(too_many_attempts(*wait));
    return std::optional<ResetSubject>{};
  }
  if (now >= subject->expires_at) return std::optional<ResetSubject>{};
  return subject;
}

/// The account that the link is for, while its password is still the one it was made for.
std::optional<Account> find_account(const ResetSubject& subject, Transaction& transaction) {
  auto account = transaction.find_account(subject.account_id);
  if (!account || account->disabled || account->password_generation != subject.password_generation) return std::nullopt;
  return account;
}

}  // namespace

Result<void> request_password_reset(std::string_view email, base::Language language, std::string_view client_address,
                                    Context& context) {
  const auto address = EmailAddress::parse(email);
  if (!address)
    return refuse(ErrorCode::invalid_email_address, "The e-mail address cannot be used: write it as name@example.org.",
                  "email");
  const base::Timestamp now = context.clock.now();
  if (const auto wait = context.sign_ups.attempt(limited_as(client_address), now))
    return std::unexpected(too_many_attempts(*wait));
  bool queued = false;
  // Known or not, one durable write: the rate.
  auto done = context.store.write([&](Transaction& transaction) -> Result<void> {
    if (!admit_mail(address->key(), transaction, now)) return {};
    const auto account = transaction.find_account_by_email(address->key());
    if (!account || account->disabled) return {};
    const OutboxMessage message = make_message(*account, language, now);
    transaction.insert(message);
    transaction.insert(AuditEvent{now, "visitor", "account.password_reset_asked", account->id, {}});
    queued = true;
    return {};
  });
  if (done && queued) context.mail_queued();
  return done;
}

Result<std::optional<std::string>> view_password_reset(std::string_view token, std::string_view client_address,
                                                       Context& context) {
  const auto subject = check(token, client_address, context);
  if (!subject) return std::unexpected(subject.error());
  if (!*subject) return std::optional<std::string>{};
  return read_returning(context.store, [&](Transaction& transaction) -> Result<std::optional<std::string>> {
    const auto account = find_account(**subject, transaction);
    return account ? std::optional(account->email.text()) : std::nullopt;
  });
}

Result<void> reset_password(const ResetPassword& request, Context& context) {
  const auto subject = check(request.token, request.client_address, context);
  if (!subject) return std::unexpected(subject.error());
  if (!*subject) return std::unexpected(link_not_valid());
  const auto account = read_returning(context.store, [&](Transaction& transaction) -> Result<Account> {
    auto found = find_account(**subject, transaction);
    if (!found) return std::unexpected(link_not_valid());
    return *found;
  });
  if (!account) return std::unexpected(account.error());

  const std::array<std::string, 3> related{account->email.text(), account->name, "invited"};
  const auto password = check_new_password(request.password.reveal(), related);
  if (!password) return std::unexpected(password.error());
  if (!base::constant_time_equal(request.password.reveal(), request.password_again.reveal()))
    return refuse(ErrorCode::invalid_parameter, "The two passwords differ. Type the same one twice.", "PasswordAgain");
  if (const auto wait = context.sign_ups.attempt(limited_as(request.client_address), context.clock.now()))
    return std::unexpected(too_many_attempts(*wait));
  const std::string hash = context.password_hasher.hash(*password);
  return context.store.write(
      [&](Transaction& transaction) -> Result<void> {
        const base::Timestamp now = context.clock.now();
        transaction.lock_account((*subject)->account_id);
        auto current = find_account(**subject, transaction);
        if (!current || now >= (*subject)->expires_at) return std::unexpected(link_not_valid());
        current->password_hash = hash;
        current->password_generation += 1;
        transaction.update(*current);
        transaction.erase_sessions(current->id);
        transaction.insert(
            AuditEvent{now, "account:" + current->id.to_string(), "account.password_reset", current->id, {}});
        return {};
      },
      Urgency::owed);
}

bool was_reset_to(const ResetPassword& request, Context& context) {
  const base::Timestamp now = context.clock.now();
  const auto subject = check_reset_token(context.token_keys, request.token);
  if (!subject || now >= subject->expires_at) return false;
  const auto account = read_returning(context.store, [&](Transaction& transaction) -> Result<Account> {
    auto found = transaction.find_account(subject->account_id);
    if (!found || found->disabled || found->password_generation != subject->password_generation + 1)
      return std::unexpected(link_not_valid());
    return *std::move(found);
  });
  if (!account || context.sign_ups.attempt(limited_as(request.client_address), now)) return false;
  PasswordGuesses guesses(account->email, request.client_address, context);
  if (!guesses.admit()) return false;
  if (context.password_hasher.verify(account->password_hash, request.password.reveal()).correct) return true;
  guesses.count_wrong();
  return false;
}

}  // namespace invited::domain
