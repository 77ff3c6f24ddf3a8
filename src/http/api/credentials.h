// The caller's secret, taken out of a request's Authorization field (RFC 6750, RFC 7617). Only finds it; whose it is,
// and whether it is right, is another question. Thread-safe.
#pragma once

#include <cstdint>

#include "base/secret.h"
#include "http/message.h"

namespace invited::http {

struct Credential {
  enum class Kind : std::uint8_t {
    none,       ///< no Authorization at all
    bearer,     ///< "Bearer X"
    basic,      ///< "Basic base64(X:)", "Basic base64(:X)", or "Basic X" as it is
    malformed,  ///< another scheme, nothing behind it, a name and a password, or two fields
  };
  Kind kind = Kind::none;
  base::Secret secret;  ///< with bearer and basic; printable ASCII, never empty
};

Credential read_credential(const Request& request);

}  // namespace invited::http
