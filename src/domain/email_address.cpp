#include "domain/email_address.h"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/ascii.h"

namespace invited::domain {
namespace {

constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxAddress = 254;
constexpr std::size_t kMaxLabel = 63;
constexpr std::string_view kAtextSpecials = "!#$%&'*+-/=?^_`{|}~";

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Looked up: addresses are parsed several times for every call.
constexpr std::array<bool, 256> kAtext = [] {
  std::array<bool, 256> atext{};
  for (int c = 0; c < 128; ++c)
    atext[static_cast<std::size_t>(c)] = is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c));
  for (const char c : kAtextSpecials) atext[static_cast<unsigned char>(c)] = true;
  return atext;
}();
bool is_atext(char c) { return kAtext[static_cast<unsigned char>(c)]; }

/// RFC 5322 dot-atom. A leading '-' is refused because mail programs take it for an option.
bool is_local_part(std::string_view local) {
  if (local.empty() || local.size() > kMaxLocalPart || local.front() == '-') return false;
  bool after_dot = true;
  for (const char c : local) {
    if (c == '.') {
      if (after_dot) return false;
      after_dot = true;
    } else {
      if (!is_atext(c)) return false;
      after_dot = false;
    }
  }
  return !after_dot;
}

struct IdnFree {
  void operator()(char* text) const { idn2_free(text); }
};

/// UTS 46, non-transitional; also checks A-labels that come in ("xn--…").
std::optional<std::string> to_a_labels(std::string_view domain) {
  char* output = nullptr;
  const int status = idn2_to_ascii_8z(std::string(domain).c_str(), &output,
                                      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);
  const std::unique_ptr<char, IdnFree> owner(output);
  if (status != IDN2_OK) return std::nullopt;
  return base::to_lower_ascii(output);
}

/// Letters, digits and hyphens in two labels or more, the last of which is not a number (that would be an IP address).
bool is_host_name(std::string_view domain) {
  std::size_t labels = 0;
  bool last_is_number = false;
  while (true) {
    const auto dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
    last_is_number = true;
    for (const char c : label) {
      if (!is_letter(c) && !is_digit(c) && c != '-') return false;
      if (!is_digit(c)) last_is_number = false;
    }
    ++labels;
    if (dot == std::string_view::npos) break;
    domain.remove_prefix(dot + 1);
  }
  return labels >= 2 && !last_is_number;
}

std::optional<std::string> parse_domain(std::string_view domain) {
  const bool plain = std::all_of(domain.begin(), domain.end(),
                                 [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; });
  std::string lower = base::to_lower_ascii(domain);
  if (plain && lower.find("xn--") == std::string::npos) {
    if (!is_host_name(lower)) return std::nullopt;
    return lower;
  }
  // libidn2 maps some ASCII characters away ('@', '_') instead of refusing them, and a NUL would end its C string.
  for (const char c : domain)
    if (static_cast<unsigned char>(c) < 0x80 && !is_letter(c) && !is_digit(c) && c != '-' && c != '.')
      return std::nullopt;
  auto ascii = to_a_labels(domain);
  if (!ascii || !is_host_name(*ascii)) return std::nullopt;
  return ascii;
}

}  // namespace

std::optional<EmailAddress> EmailAddress::parse(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || text.size() > 4 * kMaxAddress) return std::nullopt;
  const std::string_view local = text.substr(0, at);
  if (!is_local_part(local)) return std::nullopt;
  const auto domain = parse_domain(text.substr(at + 1));
  if (!domain || local.size() + 1 + domain->size() > kMaxAddress) return std::nullopt;
  std::string address;
  address.reserve(local.size() + 1 + domain->size());
  address.append(local).append(1, '@').append(*domain);
  std::string key = base::to_lower_ascii(address);
  return EmailAddress(std::move(address), std::move(key));
}

std::string EmailAddress::mailbox() const {
  const std::string_view key = key_;
  const auto at = key.find('@');
  std::string mailbox;
  mailbox.reserve(key.size());
  mailbox = key.substr(0, std::min(at, key.find('+')));
  std::erase(mailbox, '.');
  return mailbox += key.substr(at);
}

}  // namespace invited::domain
