#include "http/client_address.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>

namespace invited::http {
namespace {

namespace ip = boost::asio::ip;

std::array<unsigned char, 16> bytes_of(const Address& address) {
  return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes() : address.to_v6().to_bytes();
}

/// "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443"
std::optional<Address> parse_address(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') == std::string_view::npos ? 0 : text.find(']') - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(text), ec);
  return ec ? std::nullopt : std::optional(normalized(address));
}

bool is_in(const std::array<unsigned char, 16>& bytes, const std::array<unsigned char, 16>& network, unsigned prefix) {
  for (unsigned i = 0; i < prefix; ++i) {
    const auto bit = static_cast<unsigned char>(0x80U >> (i % 8));
    if ((bytes[i / 8] & bit) != (network[i / 8] & bit)) return false;
  }
  return true;
}

}  // namespace

Address normalized(const Address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

std::optional<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& texts, std::string& bad) {
  TrustedProxies proxies;
  for (const auto& text : texts) {
    bad = text;
    const auto slash = text.find('/');
    boost::system::error_code ec;
    const auto address = ip::make_address(text.substr(0, slash), ec);
    if (ec) return std::nullopt;
    const unsigned bits = address.is_v4() ? 32 : 128;
    unsigned prefix = bits;
    if (slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
      if (error != std::errc{} || stop != end || prefix > bits) return std::nullopt;
    }
    proxies.networks_.push_back({bytes_of(address), prefix + (128 - bits)});
  }
  bad.clear();
  return proxies;
}

bool TrustedProxies::contains(const Address& address) const {
  if (networks_.empty()) return false;
  const auto bytes = bytes_of(address);
  return std::ranges::any_of(networks_, [&](const Network& n) { return is_in(bytes, n.bytes, n.prefix); });
}

TrustedProxies::Client TrustedProxies::client_of(const Address& proxy, bool secure, const Headers& headers) const {
  Client client{proxy.to_string(), secure};
  std::string_view protocol;
  std::vector<std::string_view> hops;
  for (const auto& [name, value] : headers.all()) {
    if (equals_ignoring_case(name, "X-Forwarded-For")) {
      for (std::string_view rest = value; !rest.empty();) {
        const auto comma = rest.find(',');
        hops.push_back(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      }
    } else if (equals_ignoring_case(name, "X-Forwarded-Proto")) {
      protocol = value;
    }
  }
  if (const auto comma = protocol.rfind(','); comma != std::string_view::npos) protocol.remove_prefix(comma + 1);
  while (protocol.starts_with(' ')) protocol.remove_prefix(1);
  if (!protocol.empty()) client.secure = equals_ignoring_case(protocol, "https");
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    const auto address = parse_address(*hop);
    if (!address) break;
    client.address = address->to_string();
    if (!contains(*address)) break;
  }
  return client;
}

AddressCounter::Key AddressCounter::key_of(const Address& address) {
  auto key = bytes_of(address);
  if (address.is_v6()) std::fill(key.begin() + 8, key.end(), static_cast<unsigned char>(0));
  return key;
}

bool AddressCounter::acquire(const Key& key, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  auto& count = counts_[key];
  if (count >= limit) {
    if (count == 0) counts_.erase(key);
    return false;
  }
  ++count;
  return true;
}

void AddressCounter::release(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace invited::http
