// Cookies of ours: reading those that a browser sends, writing one. Over TLS their names begin with `__Host-`, which
// makes the browser refuse what a neighbouring subdomain or plain HTTP planted (RFC 6265bis section 4.1.3.2); over
// plain HTTP, as in the demo, there is no such protection. Pure functions; thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace invited::http {

/// The values of all cookies of that name ("invited_csrf"), in the order sent. A browser may send several, of which a
/// neighbour may have planted some. What is sent without the prefix counts nothing over TLS.
std::vector<std::string_view> cookies_of(const Request& request, std::string_view name);

/// The whole value of a Set-Cookie header: HttpOnly, SameSite=Lax, for the whole site, Secure over TLS. Without
/// `max_age` the browser forgets the cookie when it is closed; 0 makes it forget at once.
std::string make_set_cookie(const Request& request, std::string_view name, std::string_view value,
                            std::optional<std::chrono::seconds> max_age = std::nullopt);

}  // namespace invited::http
