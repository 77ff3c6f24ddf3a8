#include "http/cookies.h"

#include <algorithm>

namespace invited::http {
namespace {

std::string full_name(const Request& request, std::string_view name) {
  return (request.secure ? "__Host-" : "") + std::string(name);
}

}  // namespace

std::vector<std::string_view> cookies_of(const Request& request, std::string_view name) {
  std::vector<std::string_view> values;
  const std::string wanted = full_name(request, name);
  for (const auto& [field, value] : request.headers.all()) {
    if (!equals_ignoring_case(field, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.size() > wanted.size() && pair.starts_with(wanted) && pair[wanted.size()] == '=')
        values.push_back(pair.substr(wanted.size() + 1));
    }
  }
  return values;
}

std::string make_set_cookie(const Request& request, std::string_view name, std::string_view value,
                            std::optional<std::chrono::seconds> max_age) {
  // Lax, not Strict: links are followed from a mail program's site, and a second click there must not replace the
  // cookie of a page that is open already.
  std::string cookie = full_name(request, name) + '=' + std::string(value) + "; Path=/; HttpOnly; SameSite=Lax";
  if (max_age) cookie += "; Max-Age=" + std::to_string(max_age->count());
  if (request.secure) cookie += "; Secure";
  return cookie;
}

}  // namespace invited::http
