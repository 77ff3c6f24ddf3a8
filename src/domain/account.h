// A person who can sign in, and their access (a role in an environment). Plain values as stored.
#pragma once

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
};

/// An account may have several roles in one environment.
struct Access {
  base::Uuid account_id;
  base::Uuid environment_id;
  base::Uuid role_id;
  base::Timestamp granted_at;
};

}  // namespace invited::domain
