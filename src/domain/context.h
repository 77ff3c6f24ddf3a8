// What the use cases work with, put together once in main. References to what outlives every request. Thread-safe, as
// all its members are.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "domain/environment_authentication.h"
#include "domain/password.h"
#include "domain/policy.h"
#include "domain/rate_limit.h"
#include "domain/store.h"
#include "domain/token.h"

namespace invited::domain {

struct Context {
  Store& store;
  const base::Clock& clock;
  const Policy& policy;
  const TokenKeys& token_keys;
  EnvironmentAuthenticator& authenticator;
  PasswordHasher& password_hasher;
  AttemptLimiter& wrong_links;  ///< look-ups of forged tokens
  AttemptLimiter& sign_ups;     ///< posts of sign-up and sign-in forms, for a client address
  AttemptLimiter& sign_ins;     ///< see PasswordGuesses
  /// Called after a commit that queued mail: wakes the delivery worker. Must not block.
  std::function<void()> mail_queued = [] {};
  /// Called after a commit that queued calls to apps. Must not block.
  std::function<void()> refresh_queued = [] {};
  std::string public_url{};  ///< what OpenIDs are made with
};

}  // namespace invited::domain
