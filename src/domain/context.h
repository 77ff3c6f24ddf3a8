// What the use cases work with, put together once in main. References to what outlives every request. Thread-safe, as
// all its members are.
#pragma once

#include <functional>

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
  AttemptLimiter& sign_ups;     ///< posts of sign-up and sign-in forms
  /// Called after a commit that queued mail: wakes the delivery worker. Must not block.
  std::function<void()> mail_queued = [] {};
};

}  // namespace invited::domain
