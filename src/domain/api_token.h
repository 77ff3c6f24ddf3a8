// What programs call the JSON front doors with. A token stands for one environment and for an account with access to
// it, which is the inviter; it may be kept from granting some roles. The text is shown once and stored as its HMAC.
// Its prefix and checksum are there for scanners that look for secrets where none should be, and so that a mistyped one
// is refused before the database is asked. Plain values; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace invited::domain {

inline constexpr std::string_view kApiTokenPrefix = "invited_";

struct ApiToken {
  base::Uuid id;
  std::string hash;  ///< hash_api_token
  std::string name;  ///< what it is for, for operators
  base::Uuid environment_id;
  base::Uuid account_id;                 ///< the inviter
  std::vector<base::Uuid> role_ceiling;  ///< the roles that it may grant; empty: all that the inviter may
  bool may_see_links = false;            ///< links and invitation tokens are answered to it, not only mailed
  base::Timestamp created_at;
  std::optional<base::Timestamp> expires_at;
  std::optional<base::Timestamp> revoked_at;
  std::optional<base::Timestamp> last_used_at;  ///< to the minute

  bool is_valid_at(base::Timestamp now) const { return !revoked_at && (!expires_at || now < *expires_at); }
};

/// "invited_", 43 characters of base64url (256 bits), 6 characters of checksum.
base::Secret make_api_token();

/// Whether `make_api_token` may have made it: prefix, length, alphabet, checksum.
bool looks_like_api_token(std::string_view text);

/// What is stored: base64url of HMAC-SHA-256 under the pepper.
std::string hash_api_token(const base::Secret& pepper, std::string_view text);

}  // namespace invited::domain
