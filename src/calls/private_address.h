// Whether an IP address is one that only this machine, its network or nobody reaches: what a URL from outside must not
// lead us to, unless an operator allows it. By the registries of special-purpose addresses (RFC 6890 and its updates).
// Pure function; thread-safe.
#pragma once

#include <sys/socket.h>

#include <string>

namespace invited::calls {

/// True for everything but globally reachable unicast IPv4 and IPv6: loopback, private, link-local, unique local,
/// shared (CGNAT), multicast, documentation, unspecified, and IPv4 ones inside IPv6 (mapped, NAT64, 6to4) alike. True
/// for other families.
bool is_private_address(const sockaddr& address);

/// "10.0.0.1"; empty for other families.
std::string address_text(const sockaddr& address);

}  // namespace invited::calls
