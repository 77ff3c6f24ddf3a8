#include "cli/table.h"

#include <algorithm>

#include "base/text_width.h"
#include "base/utf8.h"

namespace invited::cli {
namespace {

void append_padded(std::string& line, const std::string& text, std::size_t to) {
  line += text;
  line.append(to - std::min(to, base::count_columns(text)), ' ');
}

}  // namespace

std::string printable(std::string_view text) {
  if (!base::is_valid_utf8(text)) return "?";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) {
      result += '?';
    } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {  // C1 controls, U+0080 to U+009F
      result += '?';
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string format_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines;
  if (!header.empty()) lines.push_back(header);
  for (const auto& row : rows) {
    lines.emplace_back();
    for (const std::string& cell : row) lines.back().push_back(cell.empty() ? "-" : printable(cell));
  }
  std::vector<std::size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], base::count_columns(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i + 1 == line.size())
        text += line[i];
      else
        append_padded(text, line[i], widths[i] + 2);
    }
    text += '\n';
  }
  return text;
}

std::string format_lines(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t widest = 0;
  for (const auto& [name, value] : lines) widest = std::max(widest, base::count_columns(name));
  std::string text;
  for (const auto& [name, value] : lines) {
    text += "  ";
    append_padded(text, name, widest + 3);
    text += printable(value.empty() ? "-" : value) + "\n";
  }
  return text;
}

}  // namespace invited::cli
