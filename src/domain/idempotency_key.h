// The key that a caller gives to a call that is to be done once, however often it arrives. Thread-safe.
#pragma once

#include <string_view>

#include "domain/error.h"

namespace invited::domain {

/// Printable ASCII, 255 characters at most; empty: there is none. Two of them, of which nobody can tell which counts,
/// come as two lines. Error: invalid_parameter.
Result<void> check_idempotency_key(std::string_view key);

}  // namespace invited::domain
