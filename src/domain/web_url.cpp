#include "domain/web_url.h"

#include <algorithm>

namespace invited::domain {
namespace {

constexpr std::size_t kMaxUrl = 2048;

}  // namespace

bool is_web_url(std::string_view url) {
  if (url.size() > kMaxUrl) return false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return !authority.empty() && authority.find('@') == std::string_view::npos && authority.front() != ':' &&
           std::all_of(url.begin(), url.end(), [](char c) {
             return c > 0x20 && c < 0x7f && std::string_view("<>\"\\^`{|}").find(c) == std::string_view::npos;
           });
  }
  return false;
}

}  // namespace invited::domain
