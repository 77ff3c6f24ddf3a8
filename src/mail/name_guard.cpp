#include "mail/name_guard.h"

#include "base/utf8.h"
#include "domain/person_name.h"

namespace invited::mail {

namespace {

constexpr std::size_t kMaxLineLength = 300;

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/// Letters of other scripts count as such: any byte of theirs.
bool is_word(char c) { return is_ascii_letter(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80; }
bool is_letter(char c) { return is_ascii_letter(c) || static_cast<unsigned char>(c) >= 0x80; }

/// Length of the code point that begins at `at` in valid UTF-8.
std::size_t length_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

std::string as_valid_utf8(std::string_view text) {
  if (base::is_valid_utf8(text)) return std::string(text);
  std::string ascii;
  for (const char c : text) ascii += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return ascii;
}

/// A dot between two words, the second of two letters or more, is how mail programs recognise a host.
bool makes_host(std::string_view text, std::size_t dot) {
  if (dot == 0 || dot + 1 >= text.size() || !is_word(text[dot - 1]) || !is_letter(text[dot + 1])) return false;
  const std::size_t second = dot + 1 + length_at(text, dot + 1);
  return second < text.size() && is_letter(text[second]);
}

}  // namespace

std::string visible_line(std::string_view bytes) {
  const std::string valid = as_valid_utf8(bytes);
  const std::string_view text = valid;
  std::string line;
  bool blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, length_at(text, at));
    const bool is_hidden = base::is_hidden_at(text, at);
    at += character.size();
    if (character == "\r" || character == "\n" || character == "\t" || base::trim(character).empty()) {
      blank = !line.empty();
    } else if (!is_hidden) {
      if (blank) line += ' ';
      blank = false;
      line += character;
    }
  }
  return line;
}

std::string guard_name(std::string_view name) {
  const std::string line = base::truncate_code_points(visible_line(name), domain::kMaxNameLength);
  std::string guarded;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '@') {
      guarded += " at ";
    } else if (line.compare(at, 3, "://") == 0) {
      guarded += ": //";
      at += 2;
    } else if (line.compare(at, 2, "=?") == 0) {
      guarded += "= ";  // the beginning of an encoded word, which some decode wherever they meet it
    } else if (line[at] == '.' && makes_host(line, at)) {
      guarded += ". ";
    } else {
      guarded += line[at];
    }
  }
  return guarded;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (line.size() == kMaxLineLength) break;
    if (c == '\r' || c == '\n' || c == '\t' || c == ' ') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c > 0x20 && c < 0x7F ? c : '?';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace invited::mail
