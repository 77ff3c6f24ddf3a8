#include "domain/profile.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/utf8.h"
#include "domain/web_url.h"

namespace invited::domain {
namespace {

bool is_phone(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return (c >= '0' && c <= '9') || std::string_view(" +-()./").contains(c); });
}

bool is_host_like(std::string_view text) {
  return text.find('.') != std::string_view::npos && text.find(' ') == std::string_view::npos &&
         text.find(':') == std::string_view::npos && text.front() != '.' && text.front() != '@';
}

/// A path as people read it ("/änne") becomes what travels; the host is left alone.
std::string with_escaped_path(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  std::string escaped = url.substr(0, path);
  for (const char c : std::string_view(url).substr(path)) {
    if (static_cast<unsigned char>(c) < 0x80)
      escaped += c;
    else
      escaped += '%' + base::to_hex(std::string_view(&c, 1));
  }
  return escaped;
}

/// The URL, or what was meant as one with its scheme put in front; nothing where it is neither.
std::optional<std::string> as_url(const std::string& typed) {
  const std::string text = with_escaped_path(typed);
  if (is_web_url(text)) return text;
  if (is_host_like(text) && is_web_url("https://" + text)) return "https://" + text;
  return std::nullopt;
}

bool has_hidden_characters(std::string_view text, ProfileFieldForm form) {
  if (form != ProfileFieldForm::text) return base::has_hidden_characters(text);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (base::has_hidden_characters(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// A browser sends the line ends of a text as CRLF.
std::string with_plain_line_ends(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    result += text[i];
  }
  return result;
}

std::unexpected<Error> refuse_value(std::string_view name, std::string message) {
  return refuse(ErrorCode::invalid_parameter, std::move(message), std::string(name));
}

}  // namespace

const ProfileFieldDescription& describe(ProfileField field) { return kProfileFields[static_cast<std::size_t>(field)]; }

std::optional<ProfileField> parse_profile_field(std::string_view name) {
  for (const ProfileFieldDescription& description : kProfileFields)
    if (description.name == name) return description.field;
  return std::nullopt;
}

Result<std::string> check_profile_value(ProfileField field, std::string_view value) {
  const ProfileFieldDescription& description = describe(field);
  if (!base::is_valid_utf8(value)) return refuse_value(description.name, "Use plain text without special characters.");
  std::string text = base::to_nfc(base::trim(with_plain_line_ends(value)));
  if (text.empty()) return text;
  if (has_hidden_characters(text, description.form))
    return refuse_value(description.name, "Use plain text without special characters.");
  switch (description.form) {
    case ProfileFieldForm::line:
    case ProfileFieldForm::text:
      break;
    case ProfileFieldForm::phone:
      if (!is_phone(text))
        return refuse_value(description.name, "Write a phone number with digits, such as +31 20 123 4567.");
      break;
    case ProfileFieldForm::url: {
      auto url = as_url(text);
      if (!url) return refuse_value(description.name, "Write a web address, such as https://www.example.org.");
      text = std::move(*url);
      break;
    }
    case ProfileFieldForm::handle:
      // A name may have a dot; with a path behind it, it is meant as an address.
      if (auto url = as_url(text); url && (text.starts_with("www.") || text.find('/') != std::string::npos))
        text = std::move(*url);
      else if (text.find(':') != std::string::npos)
        return refuse_value(description.name, "Write a name, or a web address such as https://www.example.org.");
      break;
  }
  if (base::count_code_points(text) > description.max_length)
    return refuse_value(description.name, "Use at most " + std::to_string(description.max_length) + " characters.");
  return text;
}

}  // namespace invited::domain
