#include "domain/person_name.h"

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
    std::size_t letters = 0;
    while (dot + 1 + letters < text.size() && is_letter_byte(text[dot + 1 + letters])) ++letters;
    if (letters >= 2) return true;
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

}  // namespace

Result<std::string> parse_name(std::string_view text, std::string_view parameter) {
  const std::string subject(parameter);
  const auto invalid = [&](std::string_view why) {
    return refuse(ErrorCode::invalid_parameter, "The " + subject + " cannot be used: " + std::string(why), subject);
  };
  if (!base::is_valid_utf8(text)) return invalid("it is not valid UTF-8.");
  const std::string name = base::to_nfc(base::trim(text));
  if (name.empty()) return invalid("it is empty.");
  if (base::count_code_points(name) > kMaxNameLength) return invalid("it is longer than 128 characters.");
  if (base::has_hidden_characters(name)) return invalid("it holds line breaks, control or invisible characters.");
  if (looks_like_link(name))
    return invalid("a mail program would turn it into a link. Leave out addresses and put a blank after each dot.");
  return name;
}

}  // namespace invited::domain
