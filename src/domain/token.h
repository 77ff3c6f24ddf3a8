// The token that stands in a link: derived from the invitation's id and generation under a key that lives in a file,
// never stored (design.md, decision 3). Making and checking need no database: forged tokens are refused before it is
// asked. Also signs CSRF values for the pages. `TokenKeys` is immutable and shared between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace invited::domain {

struct TokenKey {
  std::uint8_t id = 0;
  base::Secret key;  ///< 32 bytes
};

struct TokenKeys {
  std::vector<TokenKey> keys;  ///< the first makes tokens; all of them check (rotation)
  std::uint32_t epoch = 1;     ///< raised after a restore from backup: kills every link
};

/// What a genuine token says.
struct TokenSubject {
  base::Uuid invitation_id;
  std::uint32_t generation = 0;
};

/// 72 characters of base64url: version ‖ key id ‖ invitation id ‖ generation ‖ HMAC-SHA-256.
std::string make_token(const TokenKeys& keys, const TokenSubject& subject);

/// Nothing for everything that `make_token` did not make under one of `keys` and this epoch.
std::optional<TokenSubject> check_token(const TokenKeys& keys, std::string_view token);

/// `public_url`/i/<token>: the link in the mail. A slash at the end of `public_url` does not matter.
std::string invitation_link(std::string_view public_url, const TokenKeys& keys, const TokenSubject& subject);

/// What a genuine token of a link that resets a password says.
struct ResetSubject {
  base::Uuid account_id;
  std::uint32_t password_generation = 0;
  base::Timestamp expires_at;  ///< whole seconds
};

/// 78 characters of base64url: version ‖ key id ‖ account id ‖ password generation ‖ expiry ‖ HMAC-SHA-256.
std::string make_reset_token(const TokenKeys& keys, const ResetSubject& subject);

/// Nothing for everything that `make_reset_token` did not make under one of `keys` and this epoch. Time and generation
/// are for the caller to compare.
std::optional<ResetSubject> check_reset_token(const TokenKeys& keys, std::string_view token);

}  // namespace invited::domain
