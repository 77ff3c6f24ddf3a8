#include "config_values.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace invited {
namespace {

std::unexpected<std::string> complain(std::string complaint) { return std::unexpected(std::move(complaint)); }

/// Digits only: no sign, no blank, no exponent.
std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// 4, 6, or nothing.
std::optional<int> ip_version(const std::string& literal) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  if (inet_pton(AF_INET, literal.c_str(), buffer.data()) == 1) return 4;
  if (inet_pton(AF_INET6, literal.c_str(), buffer.data()) == 1) return 6;
  return std::nullopt;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                                    Unit{"ms", 1}};
constexpr std::array kSizeUnits{Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10}};

/// "250ms" as 250 times the factor of "ms"; nothing where number or unit is not known or the product too large.
template <std::size_t size>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, size>& units) {
  const std::size_t split = text.find_first_not_of("0123456789");
  if (split == std::string_view::npos) return std::nullopt;
  const auto number = digits(text.substr(0, split));
  const auto* unit = std::ranges::find(units, text.substr(split), &Unit::name);
  if (!number || unit == units.end()) return std::nullopt;
  if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit->factor)
    return std::nullopt;
  return *number * unit->factor;
}

template <std::size_t size>
std::string in_largest_unit(std::uint64_t value, const std::array<Unit, size>& units, std::string_view bare) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return std::to_string(value / unit.factor).append(unit.name);
  return std::to_string(value).append(bare);
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (label == 0 || text[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!letter && (c != '-' || label == 0)) return false;
    if (++label > 63) return false;
  }
  return label > 0 && text.back() != '-';
}

/// "" or "/part/part" of unreserved characters (RFC 3986 section 2.3).
bool is_plain_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '_' || c == '~' || (c == '.' && path[i - 1] != '/' && path[i - 1] != '.');
    if (!unreserved && (c != '/' || i + 1 == path.size() || path[i + 1] == '/')) return false;
  }
  return true;
}

/// For a complaint about a name of a host.
std::string how_other_letters_are_written(std::string_view host) {
  const bool is_ascii = std::ranges::all_of(host, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return is_ascii ? "" : ": write other letters than a to z as the DNS has them, like \"xn--mller-kva.example\"";
}

std::optional<std::uint16_t> port_number(std::string_view text) {
  const auto value = digits(text);
  if (!value || *value > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

/// Of a URL, behind its scheme: whether user and password hold nothing that would end them too early.
bool is_percent_encoded(std::string_view rest) {
  for (auto at = rest.find('%'); at != std::string_view::npos; at = rest.find('%', at + 1)) {
    const auto digits = rest.substr(at + 1, 2);
    if (digits.size() != 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
      return false;
  }
  const auto authority_end = rest.find_first_of("/?#");
  const auto last_at = rest.rfind('@');
  if (last_at == std::string_view::npos) return true;
  return rest.find('@') == last_at && (authority_end == std::string_view::npos || last_at < authority_end);
}

const char* remedy_for(int bind_error) {
  if (bind_error == EACCES)
    return "give the service the right to a port below 1024 (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or "
           "choose a higher one";
  if (bind_error == EADDRNOTAVAIL) return "choose an address that this machine has, or 0.0.0.0 for all of them";
  return "stop what listens there, or choose another address or port";
}

}  // namespace

bool ListenAddress::is_loopback() const { return is_loopback_host(host); }
bool ListenAddress::is_wildcard() const { return host == "0.0.0.0" || host == "::"; }

std::string ListenAddress::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = with_unit(text, kDurationUnits);
  if (!value) {
    if (digits(text)) return complain("a duration needs its unit: \"" + std::string(text) + "s\", or ms, m, h, d");
    return complain("is not a duration: write a whole number and a unit, like \"200ms\", \"60s\", \"30m\", \"7d\"");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::string format_duration(std::chrono::milliseconds duration) {
  return in_largest_unit(static_cast<std::uint64_t>(duration.count()), kDurationUnits, "s");
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  if (const auto bare = digits(text)) return *bare;
  if (const auto value = with_unit(text, kSizeUnits)) return *value;
  return complain("is not a size: write bytes as a whole number, or like \"64KiB\", \"10MiB\", \"1GiB\"");
}

std::string format_size(std::uint64_t bytes) { return in_largest_unit(bytes, kSizeUnits, ""); }

Parsed<std::uint64_t> parse_whole_number(std::string_view text) {
  if (const auto value = digits(text)) return *value;
  return complain("is not a whole number");
}

Parsed<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return complain("must be true or false");
}

Parsed<ListenAddress> parse_listen_address(std::string_view text) {
  static constexpr const char* kExpected =
      "is not an address to listen on: write an IP address and a port, like \"127.0.0.1:8080\" or \"[::]:8080\"";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return complain(kExpected);
  std::string host(text.substr(0, colon));
  const auto port = port_number(text.substr(colon + 1));
  if (!port) return complain("has no port from 0 to 65535 at its end");
  if (host == "localhost") host = "127.0.0.1";
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (ip_version(host) != (bracketed ? 6 : 4)) return complain(kExpected);
  return ListenAddress{.host = host, .port = *port};
}

Parsed<std::string> parse_database_url(const std::string& given) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (!given.starts_with(scheme) || given.size() == scheme.size()) continue;
    if (is_percent_encoded(std::string_view(given).substr(scheme.size()))) return given;
    // What libpq would say of it may hold half of the password.
    return std::unexpected(
        "holds a character in its user or password that must be encoded: write %40 for @, %2F for /, %3A for :, "
        "%3F for ?, %23 for # and %25 for %");
  }
  // It may hold a password: not repeated.
  return std::unexpected("is no URL of a database: write postgresql://user@host:5432/name, or nothing for SQLite");
}

Parsed<std::uint16_t> find_port(const ListenAddress& address) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(address.port);
  const bool is_v6 = inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1;
  if (!is_v6 && inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) != 1)
    return complain(address.host + " is not an IP address");
  auto* bound = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
  const int probe = ::socket(bound->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  const bool done = probe >= 0 && ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
                    ::bind(probe, bound, size) == 0 && ::getsockname(probe, bound, &size) == 0;
  const int error = errno;
  if (probe >= 0) ::close(probe);
  if (!done)
    return complain("cannot listen on " + address.to_string() + ": " + std::strerror(error) + ": " + remedy_for(error));
  return ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
}

Parsed<std::string> parse_public_url(std::string_view text) {
  const std::string scheme = base::to_lower_ascii(text.substr(0, text.find(':')));
  if ((scheme != "http" && scheme != "https") || !text.substr(scheme.size()).starts_with("://"))
    return complain("must begin with https:// (or http://)");
  std::string_view rest = text.substr(scheme.size() + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("?#") != std::string_view::npos) return complain("must not hold a query or fragment");
  if (rest.find('@') != std::string_view::npos) return complain("must not hold a user name or password");
  // The host is whatever comes before the path; a proxy may map us below one.
  const std::string path(rest.substr(std::min(rest.find('/'), rest.size())));
  if (!is_plain_path(path)) return complain("has a path with an empty part or a character that needs escaping");
  rest.remove_suffix(path.size());
  std::string host(rest);
  std::string port;
  if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos && !rest.ends_with(']')) {
    host = rest.substr(0, colon);
    const auto number = port_number(rest.substr(colon + 1));
    if (!number || *number == 0) return complain("has a port that is not a number from 1 to 65535");
    port = ":" + std::to_string(*number);
  }
  const bool v6 =
      host.size() > 2 && host.front() == '[' && host.back() == ']' && ip_version(host.substr(1, host.size() - 2)) == 6;
  if (!v6 && !is_host_name(host))
    return complain("does not hold the name of a host" + how_other_letters_are_written(host));
  return scheme + "://" + base::to_lower_ascii(host) + port + path;
}

std::string host_of_url(std::string_view public_url) {
  const std::size_t start = public_url.find("://");
  std::string_view host = start == std::string_view::npos ? public_url : public_url.substr(start + 3);
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find_first_of(":/")));
}

Parsed<std::vector<std::string>> parse_network_list(std::string_view text) {
  std::vector<std::string> networks;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(", "), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const std::size_t slash = item.find('/');
    const auto version = ip_version(std::string(item.substr(0, slash)));
    const auto prefix =
        slash == std::string_view::npos ? std::optional<std::uint64_t>(0) : digits(item.substr(slash + 1));
    if (!version || !prefix || *prefix > (*version == 4 ? 32U : 128U))
      return complain("\"" + std::string(item) + "\" is not an IP address or network like \"10.0.0.0/8\"");
    networks.emplace_back(item);
  }
  return networks;
}

Parsed<std::vector<std::string>> parse_origin_list(std::string_view text) {
  std::vector<std::string> origins;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(", "), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const auto fail = [&](const char* why) { return complain("\"" + std::string(item) + "\" " + why); };
    const std::size_t host = item.find("://");
    if (host == std::string_view::npos || item.find('*') != std::string_view::npos)
      return fail("is not an origin like \"https://app.example.com\"");
    if (item.find('/', host + 3) != std::string_view::npos) return fail("must end behind its host and port");
    const auto url = parse_public_url(item);
    if (!url) return fail(url.error().c_str());
    // A browser leaves the scheme's own port out, and an entry that it never sends would be one that does not work.
    const bool own_port = url->ends_with(url->starts_with("https") ? ":443" : ":80");
    if (*url != item || own_port)
      return fail("must be written as browsers do: in lower case, and without the scheme's own port");
    origins.push_back(*url);
  }
  return origins;
}

Parsed<std::string> parse_host(std::string_view text) {
  std::string host(text);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (ip_version(host) || is_host_name(host)) return host;
  return complain("is not the name or address of a host (the port is a setting of its own)" +
                  how_other_letters_are_written(host));
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && ip_version(std::string(host)) == 4);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_previous(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
    }
    before_previous = previous;
    previous = current;
  }
  return previous[b.size()];
}

}  // namespace invited
