#include "domain/person_name.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace invited::domain {
namespace {

/// Part of a word, for this purpose: a letter or digit of any script.
bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}

bool is_letter_byte(char c) { return is_word_byte(c) && !(c >= '0' && c <= '9'); }

/// The full stops that UTS 46 takes for a dot in a host name, as '.'.
std::string with_plain_dots(std::string text) {
  constexpr std::array<std::string_view, 3> kDots{"\u3002", "\uFF0E", "\uFF61"};
  for (const std::string_view dot : kDots)
    for (auto at = text.find(dot); at != std::string::npos; at = text.find(dot, at)) text.replace(at, dot.size(), ".");
  return text;
}

/// "name.tld" without a blank after the dot: what mail programs link by themselves. "J. Smith" and "J.K." are not.
bool holds_host_name(std::string_view text) {
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    if (dot == 0 || !is_word_byte(text[dot - 1])) continue;
    const std::string_view behind = text.substr(dot + 1);
    const auto end = std::find_if_not(behind.begin(), behind.end(), is_letter_byte);
    if (base::count_code_points({behind.begin(), end}) >= 2) return true;
  }
  return false;
}

bool looks_like_link(std::string_view name) {
  const std::string folded = with_plain_dots(base::fold_case(name));
  constexpr std::array<std::string_view, 7> kMarks{"://", "www.", "@", "mailto:", "tel:", "sms:", "\\\\"};
  for (const std::string_view mark : kMarks)
    if (folded.find(mark) != std::string::npos) return true;
  return holds_host_name(folded);
}

/// The code point that begins at `at`; nothing at the end.
std::string_view character_at(std::string_view text, std::size_t at) {
  std::size_t size = at < text.size() ? 1 : 0;
  while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80) ++size;
  return text.substr(at, size);
}

bool is_upper_case(std::string_view character) { return base::fold_case(character) != character; }

/// "Dr.M" of "Dr.Müller", "R.T" of "J.R.R.Tolkien": a single letter, or a short word that begins the name or follows
/// another abbreviation; then a word that is capitalised, as those of host names are not.
bool abbreviates(std::string_view name, std::size_t dot) {
  constexpr std::size_t kLongest = 4;  // "Prof", "Dipl"
  const std::string_view first = character_at(name, dot + 1);
  const std::string_view second = character_at(name, dot + 1 + first.size());
  if (first.empty() || second.empty() || !is_letter_byte(first[0]) || !is_letter_byte(second[0])) return false;
  if (!is_upper_case(first) || is_upper_case(second)) return false;
  std::size_t begin = dot;
  while (begin > 0 && is_letter_byte(name[begin - 1])) --begin;
  const std::size_t letters = base::count_code_points(name.substr(begin, dot - begin));
  if (letters <= 1) return letters == 1;
  const auto before = name.find_last_not_of(" -", begin == 0 ? std::string_view::npos : begin - 1);
  return letters <= kLongest && (begin == 0 || before == std::string_view::npos || name[before] == '.');
}

std::string with_blanks_after_abbreviations(std::string_view name) {
  std::string spaced;
  for (std::size_t at = 0; at < name.size(); ++at) {
    spaced += name[at];
    if (name[at] == '.' && abbreviates(name, at)) spaced += ' ';
  }
  return spaced;
}

}  // namespace

Result<std::string> parse_name(std::string_view text, std::string_view parameter) {
  const std::string subject(parameter);
  const auto invalid = [&](std::string_view why) {
    return refuse(ErrorCode::invalid_parameter, "The " + subject + " cannot be used: " + std::string(why), subject);
  };
  if (!base::is_valid_utf8(text)) return invalid("it is not valid UTF-8.");
  const std::string name = with_blanks_after_abbreviations(base::to_nfc(base::trim(text)));
  if (name.empty()) return invalid("it is empty.");
  if (base::count_code_points(name) > kMaxNameLength) return invalid("it is longer than 128 characters.");
  if (base::has_hidden_characters(name)) return invalid("it holds line breaks, control or invisible characters.");
  if (looks_like_link(name))
    return invalid("a mail program would turn it into a link. Leave out addresses and put a blank after each dot.");
  return name;
}

}  // namespace invited::domain
