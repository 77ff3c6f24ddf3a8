#include "http/csrf.h"

#include <utility>

#include "base/crypto.h"
#include "http/cookies.h"

namespace invited::http {
namespace {

constexpr std::size_t kRandomBytes = 18;  // 24 characters
constexpr std::size_t kRandomLength = 24;

constexpr std::string_view kCookie = "invited_csrf";

}  // namespace

CsrfGuard::CsrfGuard(base::Secret key, std::string origin) : key_(std::move(key)), origin_(std::move(origin)) {}

CsrfTicket CsrfGuard::issue(const Request& request, std::string_view subject) const {
  for (const std::string_view cookie : cookies_of(request, kCookie))
    if (made_here(cookie)) return ticket(request, std::string(cookie), subject);
  return renew(request, subject);
}

CsrfTicket CsrfGuard::renew(const Request& request, std::string_view subject) const {
  return ticket(request, make_cookie(), subject);
}

CsrfVerdict CsrfGuard::judge(const Request& request, std::string_view form_value, std::string_view subject) const {
  if (!from_our_pages(request)) return CsrfVerdict::foreign;
  const auto cookies = cookies_of(request, kCookie);
  if (cookies.empty()) return CsrfVerdict::no_cookie;
  for (const std::string_view cookie : cookies)
    if (made_here(cookie) && base::constant_time_equal(form_value_for(cookie, subject), form_value))
      return CsrfVerdict::genuine;
  return CsrfVerdict::stale;
}

bool CsrfGuard::is_from_here(const Request& request) const {
  const auto site = request.headers.find("Sec-Fetch-Site");
  const auto origin = request.headers.find("Origin");
  return from_our_pages(request) && ((site && *site == "same-origin") || (origin && *origin == origin_));
}

CsrfTicket CsrfGuard::ticket(const Request& request, const std::string& cookie, std::string_view subject) const {
  return {form_value_for(cookie, subject), make_set_cookie(request, kCookie, cookie)};
}

std::string CsrfGuard::make_cookie() const {
  const std::string random = base::to_base64url(base::random_bytes(kRandomBytes));
  return random + base::to_base64url(base::hmac_sha256(key_.reveal(), "cookie " + random));
}

bool CsrfGuard::made_here(std::string_view cookie) const {
  if (cookie.size() <= kRandomLength) return false;
  const std::string expected =
      base::to_base64url(base::hmac_sha256(key_.reveal(), "cookie " + std::string(cookie.substr(0, kRandomLength))));
  return base::constant_time_equal(expected, cookie.substr(kRandomLength));
}

std::string CsrfGuard::form_value_for(std::string_view cookie, std::string_view subject) const {
  // The cookie's length is fixed, so that the two cannot run into each other.
  return base::to_base64url(
      base::hmac_sha256(key_.reveal(), "form " + std::string(cookie) + ' ' + std::string(subject)));
}

bool CsrfGuard::from_our_pages(const Request& request) const {
  const auto site = request.headers.find("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") return false;
  const auto origin = request.headers.find("Origin");
  if (!origin || *origin == origin_) return true;
  // A browser that is told to send no referrer writes "null" even to its own site (Fetch standard, "append a request
  // Origin header"). Where it vouches for the site itself, that is enough.
  return *origin == "null" && site && *site == "same-origin";
}

}  // namespace invited::http
