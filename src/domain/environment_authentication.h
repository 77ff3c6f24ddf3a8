// Who is calling: checks EnvironmentUUID and password against a snapshot of the environments in memory, so that a
// refused call costs microseconds and no database. Unknown, wrong and disabled give one and the same Error after the
// same work (promises.md 13). Wrong passwords are slowed for each environment and client address, never locked.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "domain/app.h"
#include "domain/error.h"
#include "domain/policy.h"
#include "domain/store.h"

namespace invited::domain {

/// What is stored for a password that we issue: base64url of HMAC-SHA-256 under the pepper.
std::string hash_issued_password(const base::Secret& pepper, std::string_view password);
/// 256 bits as base64url: 43 characters.
base::Secret make_environment_password();

class EnvironmentAuthenticator {
 public:
  /// The references must outlive it. `pepper`: 32 bytes from the key file.
  EnvironmentAuthenticator(Store& store, const base::Clock& clock, base::Secret pepper, const Policy& policy);
  ~EnvironmentAuthenticator();

  /// The environment; or authentication_failed; or rate_limited after too many wrong ones from that address; or
  /// unavailable where the snapshot cannot be read. `client_address` is the text of an IP address.
  Result<Environment> authenticate(std::string_view environment_uuid, std::string_view password,
                                   std::string_view client_address);

  /// To be called after environments were changed here; changes made by other instances are seen within 2 s.
  void forget_snapshot();

  const base::Secret& pepper() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace invited::domain
