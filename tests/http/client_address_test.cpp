#include "http/client_address.h"

#include <gtest/gtest.h>

namespace invited::http {
namespace {

Address ip(const char* text) { return normalized(boost::asio::ip::make_address(text)); }

TrustedProxies proxies(const std::vector<std::string>& texts) {
  std::string bad;
  auto parsed = TrustedProxies::parse(texts, bad);
  EXPECT_TRUE(parsed) << bad;
  return parsed.value_or(TrustedProxies());
}

TEST(TrustedProxies, AreAddressesAndNetworks) {
  const auto trusted = proxies({"10.0.0.7", "192.168.0.0/16", "2001:db8::/32", "::1"});
  for (const char* yes : {"10.0.0.7", "::ffff:10.0.0.7", "192.168.255.1", "2001:db8:1::2", "::1"}) {
    EXPECT_TRUE(trusted.contains(ip(yes))) << yes;
  }
  for (const char* no : {"10.0.0.8", "192.169.0.1", "2001:db9::1", "::2", "127.0.0.1"}) {
    EXPECT_FALSE(trusted.contains(ip(no))) << no;
  }
  EXPECT_FALSE(proxies({}).contains(ip("127.0.0.1")));
  EXPECT_TRUE(proxies({"0.0.0.0/0"}).contains(ip("8.8.8.8")));
  EXPECT_FALSE(proxies({"0.0.0.0/0"}).contains(ip("2001:db8::1")));
}

TEST(TrustedProxies, RefuseWhatIsNeither) {
  for (const char* text :
       {"", "localhost", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "10.0.0.0/-1"}) {
    std::string bad;
    EXPECT_FALSE(TrustedProxies::parse({"127.0.0.1", text}, bad)) << text;
    EXPECT_EQ(bad, text);
  }
}

TEST(TrustedProxies, AreBelievedAboutTheLastHopOnly) {
  const auto trusted = proxies({"10.0.0.0/8"});
  struct {
    std::vector<std::string> forwarded;
    const char* client;
  } const cases[] = {
      {{}, "10.0.0.1"},
      {{"203.0.113.5"}, "203.0.113.5"},
      {{"1.1.1.1, 203.0.113.5"}, "203.0.113.5"},  // what the client wrote stands to the left
      {{"1.1.1.1", "203.0.113.5"}, "203.0.113.5"},
      {{"203.0.113.5, 10.0.0.9"}, "203.0.113.5"},  // through two proxies of ours
      {{"203.0.113.5:4711"}, "203.0.113.5"},
      {{"[2001:db8::5]:4711"}, "2001:db8::5"},
      {{"2001:db8::5"}, "2001:db8::5"},
      {{"::ffff:203.0.113.5"}, "203.0.113.5"},
      {{"unknown"}, "10.0.0.1"},
      {{"203.0.113.5, <script>"}, "10.0.0.1"},
      {{"[203.0.113.5"}, "10.0.0.1"},
      {{""}, "10.0.0.1"},
  };
  for (const auto& c : cases) {
    Headers headers;
    std::string shown;
    for (const auto& value : c.forwarded) {
      headers.add("X-Forwarded-For", value);
      shown += value + " | ";
    }
    EXPECT_EQ(trusted.client_of(ip("10.0.0.1"), false, headers).address, c.client) << shown;
  }
}

TEST(TrustedProxies, AreBelievedAboutTls) {
  const auto trusted = proxies({"10.0.0.1"});
  const auto secure = [&](const char* protocol, bool over_tls) {
    Headers headers;
    if (protocol != nullptr) headers.add("X-Forwarded-Proto", protocol);
    return trusted.client_of(ip("10.0.0.1"), over_tls, headers).secure;
  };
  EXPECT_TRUE(secure("https", false));
  EXPECT_TRUE(secure("HTTPS", false));
  EXPECT_TRUE(secure("http, https", false));
  EXPECT_FALSE(secure("https, http", false));
  EXPECT_FALSE(secure("http", true));
  EXPECT_FALSE(secure(nullptr, false));
  EXPECT_TRUE(secure(nullptr, true));
}

TEST(AddressCounter, CountsEachAddressByItself) {
  AddressCounter counter;
  const auto a = AddressCounter::key_of(ip("203.0.113.5"));
  const auto b = AddressCounter::key_of(ip("203.0.113.6"));
  EXPECT_TRUE(counter.acquire(a, 2));
  EXPECT_TRUE(counter.acquire(a, 2));
  EXPECT_FALSE(counter.acquire(a, 2));
  EXPECT_TRUE(counter.acquire(b, 2));
  counter.release(a);
  EXPECT_TRUE(counter.acquire(a, 2));
}

TEST(AddressCounter, TakesAnIpv6NetworkForOneClient) {
  EXPECT_EQ(AddressCounter::key_of(ip("2001:db8::1")), AddressCounter::key_of(ip("2001:db8::ffff:2")));
  EXPECT_NE(AddressCounter::key_of(ip("2001:db8::1")), AddressCounter::key_of(ip("2001:db8:0:1::1")));
  EXPECT_EQ(AddressCounter::key_of(ip("::ffff:10.0.0.1")), AddressCounter::key_of(ip("10.0.0.1")));
}

}  // namespace
}  // namespace invited::http
