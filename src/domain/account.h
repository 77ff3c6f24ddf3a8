// A person who can sign in, and their access (a role in an environment). Plain values as stored.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/uuid.h"
#include "domain/email_address.h"

namespace invited::domain {

struct Account {
  base::Uuid id;
  EmailAddress email;
  std::string name;
  std::string password_hash;  ///< Argon2id in libsodium's text form; empty where none was chosen yet
  bool disabled = false;
  base::Timestamp created_at;
  /// Raised by every change of the password: ends sessions and the links that reset it.
  std::uint32_t password_generation = 0;
};

/// Somebody is signed in to our pages (domain/session.h).
struct Session {
  std::string token_hash;  ///< SHA-256 of the token, base64url
  base::Uuid account_id;
  std::uint32_t password_generation = 0;  ///< of the account when it began
  base::Timestamp created_at;
  base::Timestamp expires_at;
};

/// An account may have several roles in one environment.
struct Access {
  base::Uuid account_id;
  base::Uuid environment_id;
  base::Uuid role_id;
  base::Timestamp granted_at;
};

}  // namespace invited::domain
