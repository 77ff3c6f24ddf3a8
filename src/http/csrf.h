// Protects the forms of our pages against other sites: a signed double submit. A random value in a cookie, and in the
// form its HMAC bound to what the form is about (a link's token, a page's path: never equal, for a path has slashes).
// Also judges `Origin` and `Sec-Fetch-Site`. No state: any instance with the same key checks. Immutable; shared between
// threads.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "http/message.h"

namespace invited::http {

enum class CsrfVerdict {
  genuine,
  foreign,    ///< another site sent the form
  no_cookie,  ///< the browser sent none of our cookies
  stale,      ///< the cookie and the form do not belong together
};

/// What a page with forms carries.
struct CsrfTicket {
  std::string form_value;  ///< for the hidden field `csrf`
  std::string set_cookie;  ///< the whole value of a Set-Cookie header
};

class CsrfGuard {
 public:
  /// `key`: 32 bytes, of its own. `origin`: PageRenderer::origin().
  CsrfGuard(base::Secret key, std::string origin);

  /// Keeps a genuine cookie that the browser has, so that two open tabs both work; else makes one. A value that was not
  /// made here is never taken over.
  CsrfTicket issue(const Request& request, std::string_view subject) const;

  /// Always a new cookie: where it is somebody else who uses the browser from now on. Every form that is open is out of
  /// date then.
  CsrfTicket renew(const Request& request, std::string_view subject) const;

  /// Whether the browser itself says that one of our pages sent it: more than that it does not say otherwise.
  bool is_from_here(const Request& request) const;

  /// `form_value`: the field `csrf` as submitted.
  CsrfVerdict judge(const Request& request, std::string_view form_value, std::string_view subject) const;

 private:
  CsrfTicket ticket(const Request& request, const std::string& cookie, std::string_view subject) const;
  std::string make_cookie() const;
  bool made_here(std::string_view cookie) const;
  std::string form_value_for(std::string_view cookie, std::string_view subject) const;
  bool from_our_pages(const Request& request) const;

  base::Secret key_;
  std::string origin_;
};

}  // namespace invited::http
