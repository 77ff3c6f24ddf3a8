#include "domain/token.h"

#include "base/crypto.h"

namespace invited::domain {
namespace {

constexpr char kVersion = 1;
constexpr char kResetVersion = 2;
constexpr std::size_t kUuidSize = 16;
constexpr std::size_t kPayloadSize = 1 + 1 + kUuidSize + 4;
constexpr std::size_t kMacSize = 32;
constexpr std::size_t kTokenLength = (kPayloadSize + kMacSize) * 4 / 3;
constexpr std::size_t kResetPayloadSize = kPayloadSize + 4;
constexpr std::size_t kResetTokenLength = ((kResetPayloadSize + kMacSize) * 4 + 2) / 3;

std::string to_big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

std::uint32_t from_big_endian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// The epoch is under the MAC but not in the token; the label keeps this use of the key apart from any other.
std::string mac_of(const TokenKeys& keys, const TokenKey& key, std::string_view label, std::string_view payload) {
  return base::hmac_sha256(key.key.reveal(), std::string(label) + to_big_endian(keys.epoch) + std::string(payload));
}

std::string sign(const TokenKeys& keys, std::string_view label, char version, std::string_view content) {
  const TokenKey& key = keys.keys.front();
  const std::string payload = std::string{version, static_cast<char>(key.id)} + std::string(content);
  return base::to_base64url(payload + mac_of(keys, key, label, payload));
}

/// What stands behind version and key id of a token that one of the keys has signed.
std::optional<std::string> check(const TokenKeys& keys, std::string_view label, char version, std::size_t token_length,
                                 std::string_view token) {
  if (token.size() != token_length) return std::nullopt;
  const auto bytes = base::from_base64url(token);
  if (!bytes || bytes->size() <= kMacSize + 2 || bytes->front() != version) return std::nullopt;
  const std::string_view payload = std::string_view(*bytes).substr(0, bytes->size() - kMacSize);
  const std::string_view mac = std::string_view(*bytes).substr(payload.size());
  for (const TokenKey& key : keys.keys)
    if (static_cast<char>(key.id) == payload[1] && base::constant_time_equal(mac, mac_of(keys, key, label, payload)))
      return std::string(payload.substr(2));
  return std::nullopt;
}

constexpr std::string_view kLinkLabel = "invited link 1";
constexpr std::string_view kResetLabel = "invited reset 1";

}  // namespace

std::string make_token(const TokenKeys& keys, const TokenSubject& subject) {
  return sign(keys, kLinkLabel, kVersion, subject.invitation_id.to_bytes() + to_big_endian(subject.generation));
}

std::optional<TokenSubject> check_token(const TokenKeys& keys, std::string_view token) {
  const auto content = check(keys, kLinkLabel, kVersion, kTokenLength, token);
  if (!content) return std::nullopt;
  return TokenSubject{*base::Uuid::from_bytes(content->substr(0, kUuidSize)),
                      from_big_endian(content->substr(kUuidSize))};
}

std::string invitation_link(std::string_view public_url, const TokenKeys& keys, const TokenSubject& subject) {
  while (public_url.ends_with('/')) public_url.remove_suffix(1);
  return std::string(public_url) + "/i/" + make_token(keys, subject);
}

std::string make_reset_token(const TokenKeys& keys, const ResetSubject& subject) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(subject.expires_at).time_since_epoch().count();
  return sign(keys, kResetLabel, kResetVersion,
              subject.account_id.to_bytes() + to_big_endian(subject.password_generation) +
                  to_big_endian(static_cast<std::uint32_t>(seconds)));
}

std::optional<ResetSubject> check_reset_token(const TokenKeys& keys, std::string_view token) {
  const auto content = check(keys, kResetLabel, kResetVersion, kResetTokenLength, token);
  if (!content) return std::nullopt;
  return ResetSubject{*base::Uuid::from_bytes(content->substr(0, kUuidSize)),
                      from_big_endian(content->substr(kUuidSize, 4)),
                      base::Timestamp(std::chrono::seconds(from_big_endian(content->substr(kUuidSize + 4))))};
}

}  // namespace invited::domain
