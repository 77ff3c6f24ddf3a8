#include "domain/redirect_url.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "domain/web_url.h"

namespace invited::domain {
namespace {

bool lies_below(std::string_view url, std::string_view allowed) {
  if (!url.starts_with(allowed)) return false;
  const std::string_view rest = url.substr(allowed.size());
  return rest.empty() || allowed.ends_with('/') || rest.front() == '/' || rest.front() == '?' || rest.front() == '#';
}

/// "/a/../b" would leave the folder that was allowed. So would "/a/..%2Fb" on servers that decode before they split.
bool has_dot_segment(std::string_view url) {
  std::string lower = base::to_lower_ascii(url.substr(0, url.find_first_of("?#")));
  for (const auto& [encoded, plain] : {std::pair("%2e", "."), std::pair("%2f", "/"), std::pair("%5c", "\\")})
    for (std::size_t at = lower.find(encoded); at != std::string::npos; at = lower.find(encoded, at))
      lower.replace(at, 3, plain);
  return lower.find("/../") != std::string::npos || lower.find("/./") != std::string::npos || lower.ends_with("/..") ||
         lower.ends_with("/.") || lower.find('\\') != std::string::npos;
}

}  // namespace

Result<void> check_redirect_url(const App& app, std::string_view url) {
  if (is_web_url(url) && !has_dot_segment(url) &&
      std::ranges::any_of(app.redirect_urls, [&](const std::string& allowed) { return lies_below(url, allowed); }))
    return {};
  return refuse(ErrorCode::invalid_parameter,
                "The redirect URL is not one that this app allows: an operator allows it with invited app set "
                "--redirect-url.",
                "redirect_url");
}

}  // namespace invited::domain
