#include "calls/private_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace invited::calls {
namespace {

sockaddr_storage parse(const std::string& text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string::npos) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &address.sin_addr), 1) << text;
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &address.sin6_addr), 1) << text;
  }
  return storage;
}

bool is_private(const std::string& text) {
  const auto storage = parse(text);
  return is_private_address(reinterpret_cast<const sockaddr&>(storage));
}

TEST(PrivateAddress, is_whatever_only_a_machine_or_its_network_reaches) {
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.7",
                              "203.0.113.9",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::127.0.0.1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "2002:808:808::",
                              "3fff::1",
                              "fc00::1",
                              "fd12:3456:789a::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1"})
    EXPECT_TRUE(is_private(address)) << address;
}

TEST(PrivateAddress, is_none_that_all_the_world_reaches) {
  for (const char* address : {"1.1.1.1",          "8.8.8.8",          "9.255.255.255",        "11.0.0.0",
                              "100.63.255.255",   "100.128.0.0",      "126.255.255.255",      "128.0.0.1",
                              "169.253.255.255",  "172.15.255.255",   "172.32.0.0",           "192.167.255.255",
                              "192.169.0.0",      "198.17.0.0",       "198.20.0.0",           "223.255.255.255",
                              "::ffff:8.8.8.8",   "64:ff9b::8.8.8.8", "2001:4860:4860::8888", "2606:4700::1",
                              "2a00:1450:4001::1"})
    EXPECT_FALSE(is_private(address)) << address;
}

TEST(PrivateAddress, is_every_address_of_another_family) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_TRUE(is_private_address(address));
  EXPECT_EQ(address_text(address), "");
}

TEST(PrivateAddress, is_shown_as_people_write_it) {
  for (const char* text : {"10.0.0.1", "fd12::1"}) {
    const auto storage = parse(text);
    EXPECT_EQ(address_text(reinterpret_cast<const sockaddr&>(storage)), text);
  }
}

}  // namespace
}  // namespace invited::calls
