#include "calls/one_line.h"

#include "base/utf8.h"

namespace invited::calls {
namespace {

constexpr std::size_t kMaxLine = 300;

}  // namespace

std::string one_line(std::string_view text) {
  const bool is_utf8 = base::is_valid_utf8(text);
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = !is_utf8 || lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view character = text.substr(at, length);
    at += length;
    if (lead <= 0x20 || lead == 0x7F) {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else if (lead < 0x80 || (is_utf8 && !base::has_hidden_characters(character))) {
      line += character;
    } else {
      line += '?';
    }
  }
  line = base::truncate_code_points(line, kMaxLine);
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace invited::calls
