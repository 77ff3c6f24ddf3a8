// The cookie that holds a person's session (domain/session.h): only its token, for as long as the session lasts. Who is
// signed in is the domain's to say. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/session.h"
#include "http/message.h"

namespace invited::http {

/// The token that the browser sent, unchecked; empty where there is none of the right form.
std::string_view session_token_of(const Request& request);

/// Set-Cookie for a new session, and for one that is over.
std::string set_session_cookie(const Request& request, const domain::SignedIn& session, base::Timestamp now);
std::string clear_session_cookie(const Request& request);

}  // namespace invited::http
