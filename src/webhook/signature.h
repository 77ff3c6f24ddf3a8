// Standard Webhooks 1.0.0: the signature by which a receiver knows that a delivery is ours and nobody changed it. Pure
// functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace invited::webhook {

/// "v1," and base64 of HMAC-SHA-256 over `id`.`timestamp`.`payload`; several secrets: several, with blanks between.
/// `timestamp`: whole seconds since 1970, as the header has them.
std::string sign(const std::vector<base::Secret>& secrets, std::string_view id, std::string_view timestamp,
                 std::string_view payload);

/// The value of webhook-timestamp.
std::string timestamp_text(base::Timestamp time);

}  // namespace invited::webhook
