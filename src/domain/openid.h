// The OpenID by which an app knows a person: a template of the environment, filled in; and the way back. Apps compare
// it exactly, and so do we. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/account.h"
#include "domain/error.h"

namespace invited::domain {

inline constexpr std::size_t kMaxOpenIdLength = 400;  ///< code points (soap-contract.md)
inline constexpr std::size_t kMaxOpenIdBytes = 1024;  ///< what the gate lets through as a value

/// `template_text` where it can serve: holds `{account_uuid}` or `{email}`, each at most once (so that it is unique in
/// an environment), apart from those and `{public_url}` no braces and no hidden characters, and is never longer than
/// both limits once filled in. Else invalid_parameter "openid-template".
Result<std::string> check_openid_template(std::string_view template_text, std::string_view public_url);

/// `{email}` is the address in lower case, `{account_uuid}` the account's id, `{public_url}` without a slash at its
/// end.
std::string make_openid(std::string_view template_text, std::string_view public_url, const Account& account);

/// Whose OpenID it may be. The caller looks the account up and compares what make_openid makes of it.
struct OpenIdSubject {
  std::optional<base::Uuid> account_id;
  std::string email_key;  ///< where the template has no {account_uuid}
};

/// Nothing where the template never makes that text, of whomever.
std::optional<OpenIdSubject> parse_openid(std::string_view template_text, std::string_view public_url,
                                          std::string_view openid);

}  // namespace invited::domain
