// A Content-Type field, parsed as RFC 9110 section 8.3 says, and the charsets that are read. Pure functions;
// thread-safe.
#pragma once

#include <string_view>
#include <vector>

namespace invited::base {

/// Views of the field's text.
struct ContentType {
  std::string_view media_type;             ///< without parameters, as it was written: its letters' case means nothing
  std::vector<std::string_view> charsets;  ///< of every `charset`, without quotes; empty text where it has no value
};

/// Never fails: whoever asks compares with what he can read.
ContentType parse_content_type(std::string_view field);

/// Whether text in that charset is read, which is as UTF-8: under its name, the name that Python and others write, and
/// as its subset ASCII, which is what lxml declares by itself.
bool is_read_charset(std::string_view name);

}  // namespace invited::base
