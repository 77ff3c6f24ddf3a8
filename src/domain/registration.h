// Choosing a password before there is an account: how Medusa's clients sign up. What a person registered is not stored
// but handed to them, sealed; it becomes an account only together with an invitation to the same address. So nobody can
// take an address by registering it first. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/email_address.h"

namespace invited::domain {

/// How long a registration can be used.
inline constexpr std::chrono::seconds kRegistrationLifetime = std::chrono::hours(1);

struct Registration {
  EmailAddress email;
  std::string password_hash;
  base::Timestamp expires_at;
};

/// Errors: rate_limited (client address), invalid_email_address, invalid_parameter ("Password"), already_exists (the
/// address has an account with a password), unavailable.
Result<Registration> register_person(std::string_view email, const base::Secret& password,
                                     std::string_view client_address, Context& context);

/// base64url, for the person to keep.
std::string seal_registration(const TokenKeys& keys, const Registration& registration);
/// Nothing for what was not sealed under one of `keys` and this epoch, or is over.
std::optional<Registration> open_registration(const TokenKeys& keys, std::string_view sealed, base::Timestamp now);

}  // namespace invited::domain
