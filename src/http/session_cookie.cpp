#include "http/session_cookie.h"

#include <chrono>

#include "http/cookies.h"
#include "http/path_token.h"

namespace invited::http {
namespace {

constexpr std::string_view kCookie = "invited_session";
constexpr std::size_t kTokenLength = 43;

}  // namespace

std::string_view session_token_of(const Request& request) {
  for (const std::string_view value : cookies_of(request, kCookie))
    if (value.size() == kTokenLength && is_base64url(value)) return value;
  return {};
}

std::string set_session_cookie(const Request& request, const domain::SignedIn& session, base::Timestamp now) {
  return make_set_cookie(request, kCookie, session.token.reveal(),
                         std::chrono::floor<std::chrono::seconds>(session.expires_at - now));
}

std::string clear_session_cookie(const Request& request) {
  return make_set_cookie(request, kCookie, {}, std::chrono::seconds(0));
}

}  // namespace invited::http
