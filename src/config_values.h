// How the values of settings are written: durations ("7d", "200ms"), sizes ("64KiB"), numbers, addresses. Each parser
// gives the value or a complaint that says what was expected; the key is added by the caller. Knows no setting.
// Pure functions; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace invited {

/// An IP address and port to listen on. `host` is a literal without brackets.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;

  bool is_loopback() const;
  bool is_wildcard() const;
  /// "127.0.0.1:8080", "[::1]:8080".
  std::string to_string() const;
};

template <class T>
using Parsed = std::expected<T, std::string>;

/// A whole number and a unit: ms, s, m, h, d. "0s" is a duration.
Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The same in the largest unit that leaves no rest.
std::string format_duration(std::chrono::milliseconds duration);

/// Bytes: a whole number, bare or with KiB, MiB, GiB.
Parsed<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

Parsed<std::uint64_t> parse_whole_number(std::string_view text);
Parsed<bool> parse_bool(std::string_view text);

/// "127.0.0.1:8080", "[::1]:0", "localhost:8080". Port 0: the system chooses.
Parsed<ListenAddress> parse_listen_address(std::string_view text);

/// The port of `address`, or a free one where it is 0. The complaint says why it cannot be listened on now.
Parsed<std::uint16_t> find_port(const ListenAddress& address);

/// A URL of a PostgreSQL database, user and password in it percent-encoded. The complaint does not repeat it: it may
/// hold a password.
Parsed<std::string> parse_database_url(const std::string& given);

/// Absolute http or https URL, perhaps with port and path, without credentials, query or fragment. The result has
/// scheme and host in lower case and no slash at its end.
Parsed<std::string> parse_public_url(std::string_view text);
/// The host of what `parse_public_url` gave, without port and brackets.
std::string host_of_url(std::string_view public_url);

/// IP addresses and networks ("10.0.0.0/8"), separated by commas and blanks.
Parsed<std::vector<std::string>> parse_network_list(std::string_view text);

/// Origins of web pages ("https://app.example.com:8443"), separated by commas and blanks: a scheme and a host in lower
/// case, a port where it is not the scheme's own, nothing else, as browsers write them.
Parsed<std::vector<std::string>> parse_origin_list(std::string_view text);

/// Host name or IP literal, as one connects to.
Parsed<std::string> parse_host(std::string_view text);

bool is_loopback_host(std::string_view host);

/// How far two words are apart: insertions, deletions, replacements, swaps of neighbours. For "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace invited
