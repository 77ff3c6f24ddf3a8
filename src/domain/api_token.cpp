#include "domain/api_token.h"

#include <algorithm>

#include "base/crypto.h"

namespace invited::domain {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretLength = 43;
constexpr std::size_t kChecksumLength = 6;

/// Says nothing of the secret that its own characters do not.
std::string checksum_of(std::string_view text) {
  return base::to_base64url(base::sha256(text)).substr(0, kChecksumLength);
}

}  // namespace

base::Secret make_api_token() {
  std::string text = std::string(kApiTokenPrefix) + base::to_base64url(base::random_bytes(kSecretBytes));
  text += checksum_of(text);
  return base::Secret(std::move(text));
}

bool looks_like_api_token(std::string_view text) {
  if (text.size() != kApiTokenPrefix.size() + kSecretLength + kChecksumLength || !text.starts_with(kApiTokenPrefix))
    return false;
  const std::string_view checked = text.substr(0, kApiTokenPrefix.size() + kSecretLength);
  return checksum_of(checked) == text.substr(checked.size());
}

std::string hash_api_token(const base::Secret& pepper, std::string_view text) {
  return base::to_base64url(base::hmac_sha256(pepper.reveal(), {"api token\n", text}));
}

}  // namespace invited::domain
