#include "domain/registration.h"

#include <array>
#include <charconv>

#include "base/crypto.h"

namespace invited::domain {
namespace {

std::string sealing_key(const TokenKeys& keys, const TokenKey& key) {
  return base::hmac_sha256(key.key.reveal(), "invited registration 1 " + std::to_string(keys.epoch));
}

}  // namespace

Result<Registration> register_person(std::string_view email, const base::Secret& password,
                                     std::string_view client_address, Context& context) {
  const base::Timestamp now = context.clock.now();
  if (const auto wait = context.sign_ups.attempt(limited_as(client_address), now))
    return std::unexpected(too_many_attempts(*wait));
  auto address = EmailAddress::parse(email);
  if (!address)
    return refuse(ErrorCode::invalid_email_address, "The e-mail address cannot be used: write it as name@example.org.",
                  "email");
  const std::array<std::string, 2> related{address->text(), "invited"};
  const auto checked = check_new_password(password.reveal(), related);
  if (!checked) return std::unexpected(checked.error());
  const auto account = read_returning(context.store, [&](Transaction& transaction) -> Result<std::optional<Account>> {
    return transaction.find_account_by_email(address->key());
  });
  if (!account) return std::unexpected(account.error());
  // Before the answer differs: the time does not.
  std::string hash = context.password_hasher.hash(*checked);
  if (*account && !(*account)->password_hash.empty())
    return refuse(ErrorCode::already_exists, "There is an account with this address already: sign in instead.",
                  "email");
  return Registration{*std::move(address), std::move(hash), now + kRegistrationLifetime};
}

std::string seal_registration(const TokenKeys& keys, const Registration& registration) {
  const std::string message = std::to_string(registration.expires_at.time_since_epoch().count()) + '\n' +
                              registration.email.text() + '\n' + registration.password_hash;
  return base::to_base64url(base::seal(sealing_key(keys, keys.keys.front()), message));
}

std::optional<Registration> open_registration(const TokenKeys& keys, std::string_view sealed, base::Timestamp now) {
  const auto box = base::from_base64url(sealed);
  if (!box) return std::nullopt;
  for (const TokenKey& key : keys.keys) {
    const auto message = base::open_sealed(sealing_key(keys, key), *box);
    if (!message) continue;
    const std::size_t first = message->find('\n');
    const std::size_t second = message->find('\n', first + 1);
    if (second == std::string::npos) return std::nullopt;
    std::int64_t expiry = 0;
    std::from_chars(message->data(), message->data() + first, expiry);
    const base::Timestamp expires_at{base::Milliseconds(expiry)};
    auto email = EmailAddress::parse(std::string_view(*message).substr(first + 1, second - first - 1));
    if (!email || now >= expires_at) return std::nullopt;
    return Registration{*std::move(email), message->substr(second + 1), expires_at};
  }
  return std::nullopt;
}

}  // namespace invited::domain
