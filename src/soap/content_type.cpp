#include "soap/content_type.h"

#include <algorithm>

namespace invited::soap {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view strip(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes one parameter off the front of `rest`, up to the next ';' that is not in quotes.
std::string_view take_parameter(std::string_view& rest) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (rest[i] == ';' && !quoted) {
      break;
    }
  }
  const auto parameter = rest.substr(0, i);
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return strip(parameter);
}

}  // namespace

ContentTypeFinding check_content_type(std::string_view content_type) {
  constexpr std::string_view kOnlyThese = "has a Content-Type other than text/xml or application/soap+xml";
  std::string_view rest = content_type;
  const auto type = take_parameter(rest);
  ContentTypeFinding finding{SoapVersion::v1_1, std::nullopt};
  if (equal_ignoring_case(type, "application/soap+xml")) {
    finding.version = SoapVersion::v1_2;
  } else if (!equal_ignoring_case(type, "text/xml") && !equal_ignoring_case(type, "application/xml")) {
    finding.problem = kOnlyThese;
    return finding;
  }
  while (!rest.empty()) {
    const auto parameter = take_parameter(rest);
    const auto equals = parameter.find('=');
    if (!equal_ignoring_case(strip(parameter.substr(0, equals)), "charset")) continue;
    auto charset = equals == std::string_view::npos ? std::string_view{} : strip(parameter.substr(equals + 1));
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    if (!equal_ignoring_case(charset, "utf-8") && !equal_ignoring_case(charset, "utf8"))
      finding.problem = "has a charset other than UTF-8 in its Content-Type";
  }
  return finding;
}

}  // namespace invited::soap
