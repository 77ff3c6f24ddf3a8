#include "domain/web_url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace invited::domain {
namespace {

constexpr std::size_t kMaxUrl = 2048;
constexpr std::uint32_t kMaxPort = 65'535;

/// Nothing, or ":" and a number from 1 to 65535 (RFC 3986 lets the number be missing).
bool is_port_part(std::string_view text) {
  if (text.empty() || text == ":") return true;
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), port);
  return text.front() == ':' && error == std::errc() && end == text.data() + text.size() && port >= 1 &&
         port <= kMaxPort;
}

/// A host and maybe a port. Of a host in brackets only the brackets and the characters are looked at.
bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    return address.find(':') != std::string_view::npos &&
           address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
           is_port_part(text.substr(end + 1));
  }
  const std::size_t host = std::min(text.find(':'), text.size());
  return host > 0 && text.find_first_of("@[]") == std::string_view::npos && is_port_part(text.substr(host));
}

}  // namespace

bool is_web_url(std::string_view url) {
  if (url.size() > kMaxUrl) return false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return is_authority(authority) && std::all_of(url.begin(), url.end(), [](char c) {
             return c > 0x20 && c < 0x7f && std::string_view("<>\"\\^`{|}").find(c) == std::string_view::npos;
           });
  }
  return false;
}

}  // namespace invited::domain
