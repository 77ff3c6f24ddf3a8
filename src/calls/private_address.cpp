#include "calls/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace invited::calls {
namespace {

using Bytes4 = std::array<std::uint8_t, 4>;
using Bytes16 = std::array<std::uint8_t, 16>;

template <class Bytes>
struct Network {
  Bytes base;
  unsigned bits;

  bool has(const Bytes& address) const {
    for (unsigned bit = 0; bit < bits; ++bit) {
      const std::uint8_t mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      if ((base[bit / 8] & mask) != (address[bit / 8] & mask)) return false;
    }
    return true;
  }
};

constexpr std::array<Network<Bytes4>, 15> kPrivate4{{
    {{0, 0, 0, 0}, 8},        // "this network"
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // shared (CGNAT)
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local, and the metadata services of clouds
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // IETF protocol assignments
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // 6to4 relays
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // benchmarking
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved, broadcast
}};

// Globally reachable unicast is inside 2000::/3; of that, what is not.
constexpr Network<Bytes16> kUnicast6{{0x20}, 3};
constexpr std::array<Network<Bytes16>, 5> kPrivate6{{
    {{0x20, 0x01, 0x00}, 23},              // IETF protocol assignments, Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32},        // documentation
    {{0x20, 0x02}, 16},                    // 6to4: an IPv4 address inside
    {{0x3f, 0xff}, 20},                    // documentation
    {{0x26, 0x20, 0x00, 0x4f, 0x80}, 48},  // direct delegation AS112
}};
// An IPv4 address stands in the last four bytes.
constexpr Network<Bytes16> kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Network<Bytes16> kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};

bool is_private(const Bytes4& address) {
  return std::ranges::any_of(kPrivate4, [&](const auto& network) { return network.has(address); });
}

bool is_private(const Bytes16& address) {
  if (kMapped.has(address) || kNat64.has(address)) {
    Bytes4 inside{};
    std::copy(address.end() - 4, address.end(), inside.begin());
    return is_private(inside);
  }
  if (!kUnicast6.has(address)) return true;
  return std::ranges::any_of(kPrivate6, [&](const auto& network) { return network.has(address); });
}

// By memcpy: a sockaddr is a sockaddr_in or sockaddr_in6 only by its family.
Bytes4 bytes_of(const sockaddr_in& address) {
  Bytes4 bytes;
  std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
  return bytes;
}

Bytes16 bytes_of(const sockaddr_in6& address) {
  Bytes16 bytes;
  std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
  return bytes;
}

}  // namespace

bool is_private_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) return is_private(bytes_of(reinterpret_cast<const sockaddr_in&>(address)));
  if (address.sa_family == AF_INET6) return is_private(bytes_of(reinterpret_cast<const sockaddr_in6&>(address)));
  return true;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (bytes == nullptr || inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

}  // namespace invited::calls
