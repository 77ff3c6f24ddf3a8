// "Forgot password": a mail with a link that is good for an hour and once. The link's token is derived, never stored:
// it names the account, the generation of its password and the hour's end; every change of the password raises the
// generation and kills all links. OWASP Forgot Password Cheat Sheet.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/translation.h"
#include "domain/context.h"

namespace invited::domain {

inline constexpr std::chrono::hours kResetLinkLifetime{1};

/// The answer and what it costs are the same whether the address has an account or not. At most one mail a minute,
/// three an hour and ten a day for an address, after as many at once; what is beyond is silently not sent. Errors:
/// invalid_email_address ("email"), rate_limited (client address), unavailable, outcome_unknown.
Result<void> request_password_reset(std::string_view email, base::Language language, std::string_view client_address,
                                    Context& context);

/// The address of the account whose password the link sets; nothing for a link that is wrong, used or over. Errors:
/// rate_limited (forged tokens), unavailable.
Result<std::optional<std::string>> view_password_reset(std::string_view token, std::string_view client_address,
                                                       Context& context);

struct ResetPassword {
  std::string token;
  base::Secret password;
  base::Secret password_again;
  std::string client_address;
};
/// Sets the password and ends all sessions of the account. Errors: link_not_valid, invalid_parameter ("Password",
/// "PasswordAgain"), rate_limited, unavailable, outcome_unknown.
Result<void> reset_password(const ResetPassword& request, Context& context);

/// For a form that is sent twice, by a double click: whether the link has set this very password. False also where too
/// many ask.
bool was_reset_to(const ResetPassword& request, Context& context);

}  // namespace invited::domain
