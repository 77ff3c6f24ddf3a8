// The media type in a Content-Type field (RFC 9110 section 8.3). A pure function; thread-safe.
#pragma once

#include <string_view>

namespace invited::http {

/// Without parameters, and as it was written: its letters' case means nothing.
inline std::string_view media_type_of(std::string_view content_type) {
  constexpr std::string_view kBlanks = " \t";
  std::string_view type = content_type.substr(0, content_type.find(';'));
  type.remove_prefix(type.find_first_not_of(kBlanks) == std::string_view::npos ? type.size()
                                                                               : type.find_first_not_of(kBlanks));
  return type.substr(0, type.find_last_not_of(kBlanks) + 1);
}

}  // namespace invited::http
