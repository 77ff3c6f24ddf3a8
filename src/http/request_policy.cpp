#include "http/request_policy.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/content_type.h"

namespace invited::http {
namespace {

constexpr std::size_t kLongestMethod = 32;

constexpr bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

template <class Predicate>
constexpr std::array<bool, 256> make_table(Predicate predicate) {
  std::array<bool, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = predicate(static_cast<unsigned char>(i));
  return table;
}

constexpr auto kToken = make_table([](unsigned char c) { return is_token_char(static_cast<char>(c)); });
constexpr auto kTarget = make_table([](unsigned char c) { return c > 0x20 && c != 0x7f; });
constexpr auto kValue = make_table([](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
// No '/', '?', '#', '@', '\' or blank: a host cannot be mistaken for anything longer.
constexpr auto kHost = make_table([](unsigned char c) {
  return c > 0x20 && c < 0x7f &&
         std::string_view("\"#/<>?@\\^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
});

bool all(std::string_view text, const std::array<bool, 256>& table) {
  return std::ranges::all_of(text, [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

/// A name that other programs might take for one that frames the message: "Transfer_Encoding", "Content--Length".
bool resembles(std::string_view name, std::string_view letters) {
  std::size_t i = 0;
  for (const char c : name) {
    const char lower = base::to_lower_ascii(c);
    if (lower < 'a' || lower > 'z') continue;
    if (i == letters.size() || letters[i] != lower) return false;
    ++i;
  }
  return i == letters.size();
}

constexpr Refusal kBadRequestLine{400, "The first line is not an HTTP/1.1 request line."};
constexpr Refusal kBadLineEnd{400, "Lines of a request end with CR LF, and hold no other control characters."};
constexpr Refusal kUriTooLong{414, "The request target is too long."};
constexpr Refusal kLineTooLong{431, "A header line is too long."};
constexpr Refusal kHeadTooLarge{431, "The header block is too large."};
constexpr Refusal kTooManyLines{431, "There are too many header lines."};

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view bytes) {
  while (!refusal_) {
    const auto end = bytes.find('\n', searched_);
    if (end == std::string_view::npos) {
      searched_ = bytes.size();
      if (bytes.size() - prefix_ > limits_->header_block) {
        refusal_ = lines_ == 0 ? kUriTooLong : kHeadTooLarge;
      } else {
        refusal_ = check_unfinished_line(bytes.substr(line_start_));
      }
      if (refusal_) break;
      return State::need_more;
    }
    const auto line = bytes.substr(line_start_, end - line_start_);
    if (line == "\r" && lines_ == 0 && prefix_ == 0) {
      // One empty line before a request is to be ignored (RFC 9112 section 2.2): old clients end a body with it.
      prefix_ = line_start_ = searched_ = end + 1;
      continue;
    }
    refusal_ = check_line(line);
    if (!refusal_ && end + 1 - prefix_ > limits_->header_block) refusal_ = kHeadTooLarge;
    if (refusal_) break;
    line_start_ = searched_ = end + 1;
    if (lines_ > 0 && line.size() == 1) return State::complete;
    if (++lines_ > limits_->header_lines + 1) refusal_ = kTooManyLines;
  }
  return State::refused;
}

/// `line` is without its LF.
std::optional<Refusal> HeadScanner::check_line(std::string_view line) {
  if (lines_ == 0) note_target(line);
  if (!line.ends_with('\r')) {
    // Which mistake it is matters to a client that speaks another protocol: the request line first.
    return lines_ == 0 ? kBadRequestLine : kBadLineEnd;
  }
  line.remove_suffix(1);
  if (lines_ == 0) return check_request_line(line);
  if (line.empty()) return std::nullopt;
  if (line.front() == ' ' || line.front() == '\t') {
    return Refusal{400, "A header line begins with a blank: folded lines are not accepted."};
  }
  if (line.size() > limits_->header_line) return kLineTooLong;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return Refusal{400, "A header line has no colon."};
  if (colon == 0 || !all(line.substr(0, colon), kToken)) return Refusal{400, "A header's name is not a token."};
  if (!all(line.substr(colon + 1), kValue)) return kBadLineEnd;
  return std::nullopt;
}

std::optional<Refusal> HeadScanner::check_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || first > kLongestMethod || !all(line.substr(0, first), kToken)) {
    return kBadRequestLine;
  }
  if (last == first) return kBadRequestLine;  // two words are HTTP/0.9, which has no way to tell an error
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (target.size() > limits_->uri) return kUriTooLong;
  if (target.empty() || !all(target, kTarget)) return kBadRequestLine;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return kBadRequestLine;
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return Refusal{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  return std::nullopt;
}

/// Whatever else is wrong with the line: the answer to it may depend on whom it was meant for.
void HeadScanner::note_target(std::string_view line) {
  const auto start = line.find(' ');
  if (start == std::string_view::npos) return;
  target_start_ = line_start_ + start + 1;
  target_size_ = std::min(line.find_first_of(" \r", start + 1), line.size()) - start - 1;
}

std::optional<Refusal> HeadScanner::check_unfinished_line(std::string_view line) const {
  if (line.empty()) return std::nullopt;
  if (lines_ == 0) {
    const auto space = line.find(' ');
    const auto method = line.substr(0, space);
    if (line == "\r" && prefix_ == 0) return std::nullopt;
    if (method.empty() || method.size() > kLongestMethod || !all(method, kToken)) return kBadRequestLine;
    if (space == std::string_view::npos) return std::nullopt;
    const auto target = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    if (target.size() > limits_->uri) return kUriTooLong;
    if (line.size() > limits_->uri + kLongestMethod + 16) return kBadRequestLine;
    return std::nullopt;
  }
  if (line.front() == ' ' || line.front() == '\t') {
    return Refusal{400, "A header line begins with a blank: folded lines are not accepted."};
  }
  if (line.size() > limits_->header_line + 1) return kLineTooLong;
  return std::nullopt;
}

std::optional<Refusal> FieldPolicy::add(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "Content-Length")) {
    if (content_length_) return Refusal{400, "Content-Length is given twice."};
    std::uint64_t length = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, length);
    if (value.empty() || error != std::errc{} || stop != end) return Refusal{400, "Content-Length is not a number."};
    content_length_ = length;
    if (chunked_) return Refusal{400, "Content-Length and Transfer-Encoding are both given."};
  } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
    if (chunked_) return Refusal{400, "Transfer-Encoding is given twice."};
    if (!equals_ignoring_case(value, "chunked"))
      return Refusal{400, "The only transfer coding spoken here is chunked."};
    chunked_ = true;
    if (content_length_) return Refusal{400, "Content-Length and Transfer-Encoding are both given."};
  } else if (equals_ignoring_case(name, "Host")) {
    if (has_host_) return Refusal{400, "Host is given twice."};
    if (value.empty() || !all(value, kHost)) return Refusal{400, "Host is not a host."};
    has_host_ = true;
  } else if (equals_ignoring_case(name, "Content-Type")) {
    if (has_content_type_) return Refusal{400, "Content-Type is given twice."};
    has_content_type_ = true;
    const auto type = base::parse_content_type(value);
    media_type_ = type.media_type;
    charset_unknown_ = !std::ranges::all_of(type.charsets, base::is_read_charset);
  } else if (equals_ignoring_case(name, "Content-Encoding")) {
    if (!equals_ignoring_case(value, "identity")) content_coded_ = true;
  } else if (equals_ignoring_case(name, "Expect")) {
    (equals_ignoring_case(value, "100-continue") ? expects_continue_ : expects_unknown_) = true;
  } else if (resembles(name, "contentlength") || resembles(name, "transferencoding")) {
    return Refusal{400, "A header's name can be mistaken for Content-Length or Transfer-Encoding."};
  }
  return std::nullopt;
}

std::optional<Refusal> FieldPolicy::finish(std::string_view method, int version) const {
  if (version == 11 && !has_host_) return Refusal{400, "Host is missing."};
  if (version == 10 && chunked_) return Refusal{400, "HTTP/1.0 has no Transfer-Encoding."};
  if ((method == "GET" || method == "HEAD") && has_body()) return Refusal{400, "GET and HEAD have no body."};
  return std::nullopt;
}

std::optional<Refusal> FieldPolicy::check_route(const Route& route, const Limits& limits) const {
  if (expects_unknown_) return Refusal{417, "The only expectation met here is 100-continue."};
  if (content_coded_) return Refusal{415, "Send the body without a Content-Encoding."};
  const auto& accepted = route.options.content_types;
  const auto is_accepted = [&](const std::string& type) { return equals_ignoring_case(type, media_type_); };
  if (route.method != "GET" && !accepted.empty() && std::ranges::none_of(accepted, is_accepted)) {
    return Refusal{415, "The body's Content-Type is not one that this address accepts."};
  }
  if (charset_unknown_) return Refusal{415, "Send the body in UTF-8."};
  const auto max_body = route.options.max_body != 0 ? route.options.max_body : limits.body;
  if (content_length_.value_or(0) > max_body) return Refusal{413, "The body is too large."};
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace invited::http
