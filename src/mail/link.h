// The link that stands in a mail, to an invitation or to a new password: always under the configured public URL, never
// under a host from a request (design.md, decision 11). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "domain/outbox_message.h"
#include "domain/token.h"

namespace invited::mail {

/// `public_url`/i/<token> or `public_url`/reset-password/<token>; empty for kinds that carry no link. A slash at the
/// end of `public_url` does not matter.
std::string message_link(std::string_view public_url, const domain::TokenKeys& keys,
                         const domain::OutboxMessage& message);

/// The same with the token blotted out: what previews and listings show.
std::string redacted_link(std::string_view public_url, const domain::OutboxMessage& message);

/// Whether this kind of mail carries a link, which can die.
bool carries_link(domain::MessageKind kind);

}  // namespace invited::mail
