// The key that a caller gives to a call that is to be done once, however often it arrives. Thread-safe.
#pragma once

#include <string_view>

#include "domain/error.h"

namespace invited::domain {

/// Visible ASCII characters without blanks, 255 at most; empty: there is none. So of two headers of the name, which are
/// one with ", " between them (RFC 9110 section 5.2), neither counts. Error: invalid_parameter.
Result<void> check_idempotency_key(std::string_view key);

}  // namespace invited::domain
