// The token in the path of a link that we mailed. Whether it is genuine is the domain's to say; here it is only made
// sure that nothing else gets into pages and cookies. Pure functions; thread-safe.
#pragma once

#include <algorithm>
#include <string_view>

#include "http/message.h"

namespace invited::http {

inline bool is_base64url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// The path's `{token}` as it may stand in a link of ours; empty for everything else.
inline std::string_view path_token_of(const Request& request) {
  const std::string_view token = request.path_parameter("token");
  return token.size() <= 128 && is_base64url(token) ? token : std::string_view{};
}

}  // namespace invited::http
