// ETags of invitations. The tag has two halves: the invitation, and what happened to it since (its timeline), so that
// whoever asks again sees a mail leave, but a mail that left stands in nobody's way who changes the invitation:
// If-Match asks for the first half only. Pure functions.
#pragma once

#include <string>

#include "http/api/strict_json.h"
#include "http/message.h"

namespace invited::http::v1 {

/// "…"
std::string tag_of(const Json& invitation);
/// "….…"
std::string tag_of(const Json& invitation, const Json& timeline);

/// Whether If-Match, if there is any, lets an invitation that looks like this be changed.
bool allows_change(const Request& request, const Json& invitation);

}  // namespace invited::http::v1
