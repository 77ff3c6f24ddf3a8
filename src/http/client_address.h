// Who the client is: the peer of the socket, or whom a trusted proxy names; and how many connections each has.
// TrustedProxies is immutable; AddressCounter is thread-safe.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace invited::http {

using Address = boost::asio::ip::address;

class TrustedProxies {
 public:
  /// Addresses ("10.0.0.7", "::1") and networks ("10.0.0.0/8"). Nothing where one is neither; `bad` then names it.
  static std::optional<TrustedProxies> parse(const std::vector<std::string>& texts, std::string& bad);

  bool contains(const Address& address) const;

  struct Client {
    std::string address;
    bool secure;
  };
  /// What X-Forwarded-For and X-Forwarded-Proto say of a request that came from the trusted `proxy`: the last address
  /// that is not itself a trusted proxy. Whatever a client wrote to the left of it is not believed.
  Client client_of(const Address& proxy, bool secure, const Headers& headers) const;

 private:
  struct Network {
    std::array<unsigned char, 16> bytes;
    unsigned prefix;  ///< bits, of 128
  };
  std::vector<Network> networks_;
};

/// An IPv4 address that comes in IPv6 clothes is taken for what it is.
Address normalized(const Address& address);

class AddressCounter {
 public:
  using Key = std::array<unsigned char, 16>;
  /// An IPv6 client owns its /64, so that is what counts.
  static Key key_of(const Address& address);

  /// False: `limit` is reached, nothing was counted.
  bool acquire(const Key& key, std::size_t limit);
  void release(const Key& key);

 private:
  std::mutex mutex_;
  std::map<Key, std::size_t> counts_;
};

}  // namespace invited::http
