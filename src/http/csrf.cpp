#include "http/csrf.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/crypto.h"

namespace invited::http {
namespace {

constexpr std::size_t kRandomBytes = 18;  // 24 characters
constexpr std::size_t kRandomLength = 24;

/// `__Host-` makes the browser refuse a cookie that a neighbouring subdomain or plain HTTP planted; it needs TLS.
std::string_view cookie_name(const Request& request) { return request.secure ? "__Host-invited_csrf" : "invited_csrf"; }

/// A browser may send several of one name, of which a neighbour may have planted some.
std::vector<std::string_view> cookies_of(const Request& request) {
  std::vector<std::string_view> values;
  const std::string_view name = cookie_name(request);
  for (const auto& [field, value] : request.headers.all()) {
    if (!equals_ignoring_case(field, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        values.push_back(pair.substr(name.size() + 1));
    }
  }
  return values;
}

}  // namespace

CsrfGuard::CsrfGuard(base::Secret key, std::string origin) : key_(std::move(key)), origin_(std::move(origin)) {}

CsrfTicket CsrfGuard::issue(const Request& request, std::string_view subject) const {
  for (const std::string_view cookie : cookies_of(request))
    if (made_here(cookie)) return ticket(request, std::string(cookie), subject);
  return renew(request, subject);
}

CsrfTicket CsrfGuard::renew(const Request& request, std::string_view subject) const {
  return ticket(request, make_cookie(), subject);
}

CsrfVerdict CsrfGuard::judge(const Request& request, std::string_view form_value, std::string_view subject) const {
  if (!from_our_pages(request)) return CsrfVerdict::foreign;
  const auto cookies = cookies_of(request);
  if (cookies.empty()) return CsrfVerdict::no_cookie;
  for (const std::string_view cookie : cookies)
    if (made_here(cookie) && base::constant_time_equal(form_value_for(cookie, subject), form_value))
      return CsrfVerdict::genuine;
  return CsrfVerdict::stale;
}

CsrfTicket CsrfGuard::ticket(const Request& request, const std::string& cookie, std::string_view subject) const {
  // Lax, not Strict: the link is followed from a mail program's site, and a second click there must not replace the
  // cookie of a page that is open already.
  std::string set_cookie = std::string(cookie_name(request)) + '=' + cookie + "; Path=/; HttpOnly; SameSite=Lax";
  if (request.secure) set_cookie += "; Secure";
  return {form_value_for(cookie, subject), std::move(set_cookie)};
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
