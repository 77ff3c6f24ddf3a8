#include "soap/xml_text.h"

#include <pugixml.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "soap/byte_set.h"

namespace invited::soap {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_noncharacter(std::string_view text, std::size_t at) {
  const auto three = text.substr(at, 3);
  return three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF";  // U+FFFE, U+FFFF
}

constexpr ByteSet kPlain = make_byte_set([](std::uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n';
  return c < 0x7F && c != '&' && c != '<' && c != '>' && c != '"';
});

}  // namespace

std::string escape_xml(std::string_view text) {
  const bool valid = base::is_valid_utf8(text);
  std::string escaped;
  escaped.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t begin = i;
    while (i < text.size() && has(kPlain, text[i])) ++i;
    escaped.append(text, begin, i - begin);
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case '&':
        escaped += "&amp;";
        continue;
      case '<':
        escaped += "&lt;";
        continue;
      case '>':
        escaped += "&gt;";
        continue;
      case '"':
        escaped += "&quot;";
        continue;
      case '\r':
        escaped += "&#xD;";
        continue;
      default:
        break;
    }
    if (c < 0x20 || c == 0x7F || (c >= 0x80 && !valid)) {
      escaped += kReplacement;
    } else if (c == 0xEF && is_noncharacter(text, i)) {
      escaped += kReplacement;
      i += 2;
    } else {
      escaped += static_cast<char>(c);
    }
  }
  return escaped;
}

std::string indent_xml(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_declaration))
    throw std::logic_error("XML to be indented is not well-formed");
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return std::move(out).str();
}

}  // namespace invited::soap
