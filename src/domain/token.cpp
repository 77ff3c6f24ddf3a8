#include "domain/token.h"

#include "base/crypto.h"

namespace invited::domain {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kUuidSize = 16;
constexpr std::size_t kPayloadSize = 1 + 1 + kUuidSize + 4;
constexpr std::size_t kMacSize = 32;
constexpr std::size_t kTokenLength = (kPayloadSize + kMacSize) * 4 / 3;

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
std::string mac_of(const TokenKeys& keys, const TokenKey& key, std::string_view payload) {
  return base::hmac_sha256(key.key.reveal(),
                           "invited link 1" + to_big_endian(keys.epoch) + std::string(payload));
}

}  // namespace

std::string make_token(const TokenKeys& keys, const TokenSubject& subject) {
  const TokenKey& key = keys.keys.front();
  const std::string payload = std::string{kVersion, static_cast<char>(key.id)} + subject.invitation_id.to_bytes() +
                              to_big_endian(subject.generation);
  return base::to_base64url(payload + mac_of(keys, key, payload));
}

std::optional<TokenSubject> check_token(const TokenKeys& keys, std::string_view token) {
  if (token.size() != kTokenLength) return std::nullopt;
  const auto bytes = base::from_base64url(token);
  if (!bytes || bytes->size() != kPayloadSize + kMacSize || bytes->front() != kVersion) return std::nullopt;
  const std::string_view payload = std::string_view(*bytes).substr(0, kPayloadSize);
  const std::string_view mac = std::string_view(*bytes).substr(kPayloadSize);
  for (const TokenKey& key : keys.keys) {
    if (static_cast<char>(key.id) != payload[1] || !base::constant_time_equal(mac, mac_of(keys, key, payload)))
      continue;
    return TokenSubject{*base::Uuid::from_bytes(payload.substr(2, kUuidSize)),
                        from_big_endian(payload.substr(2 + kUuidSize))};
  }
  return std::nullopt;
}

}  // namespace invited::domain
