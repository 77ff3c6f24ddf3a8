#include "base/content_type.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace invited::base {
namespace {

/// Takes what stands before the next ';' off the front of `rest`. A ';' in quotes divides nothing.
std::string_view take_part(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (rest[end] == '\\' && quoted) ++end;
  }
  end = std::min(end, rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trim_blanks(part);
}

}  // namespace

ContentType parse_content_type(std::string_view field) {
  ContentType found;
  found.media_type = take_part(field);
  while (!field.empty()) {
    const auto parameter = take_part(field);
    const auto equals = parameter.find('=');
    if (!equals_ignoring_case(trim_blanks(parameter.substr(0, equals)), "charset")) continue;
    auto charset = equals == std::string_view::npos ? std::string_view() : trim_blanks(parameter.substr(equals + 1));
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    found.charsets.push_back(charset);
  }
  return found;
}

bool is_read_charset(std::string_view name) {
  constexpr std::array<std::string_view, 4> kRead{"utf-8", "utf8", "us-ascii", "ascii"};
  return std::ranges::any_of(kRead, [name](std::string_view read) { return equals_ignoring_case(name, read); });
}

}  // namespace invited::base
