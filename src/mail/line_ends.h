// Line ends as SMTP wants them (RFC 5321 section 2.3.8). A pure function; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::mail {

/// CR, LF and CRLF each become CRLF, the last line ends with one too, NUL is dropped: a lone CR or LF is what SMTP
/// smuggling is made of (M09). Whole lines are copied at once where nothing is odd in them: every mail comes by.
inline std::string with_crlf(std::string_view bytes) {
  std::string clean;
  clean.reserve(bytes.size() + bytes.size() / 32 + 2);
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find('\r') == std::string_view::npos && line.find('\0') == std::string_view::npos) {
      clean += line;
    } else {
      for (const char c : line) {
        if (c == '\r')
          clean += "\r\n";
        else if (c != '\0')
          clean += c;
      }
    }
    clean += "\r\n";
  }
  if (clean.empty()) clean = "\r\n";
  return clean;
}

}  // namespace invited::mail
