#include "config_values.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

namespace invited {
namespace {

using namespace std::chrono_literals;

TEST(DatabaseUrl, WhatMustBeEncodedInItIsSaidWithoutRepeatingIt) {
  for (const char* url :
       {"postgresql://invited@db.example.org/invited", "postgres://u:p%40%2Fq@h:5432/n?sslmode=require",
        "postgresql://u@one,two/n", "postgresql:///n?host=/run/postgresql"})
    EXPECT_TRUE(parse_database_url(url)) << url;
  for (const char* url : {"postgresql://invited:Tr0ub/4dor@db.example.org/invited",
                          "postgresql://invited:Tr0ub@4dor@db.example.org/invited",
                          "postgresql://invited:Tr0ub%xx4dor@db.example.org/invited",
                          "postgresql://invited:Tr0ub?4dor@db.example.org/invited",
                          "postgresql://invited:Tr0ub#4dor@db.example.org/invited", "postgresql://invited:4dor%"}) {
    const auto refused = parse_database_url(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_NE(refused.error().find("%40"), std::string::npos);
    EXPECT_EQ(refused.error().find("Tr0ub"), std::string::npos);
    EXPECT_EQ(refused.error().find("4dor"), std::string::npos);
  }
}

TEST(ConfigValues, DurationsHaveANumberAndAUnit) {
  struct Case {
    const char* text;
    std::optional<std::chrono::milliseconds> value;
  };
  for (const Case& c :
       {Case{"200ms", 200ms}, Case{"60s", 60s}, Case{"30m", 30min}, Case{"24h", 24h}, Case{"7d", 168h}, Case{"0s", 0s},
        Case{"60", std::nullopt}, Case{"", std::nullopt}, Case{"s", std::nullopt}, Case{"-1s", std::nullopt},
        Case{"1.5h", std::nullopt}, Case{" 1s", std::nullopt}, Case{"1s ", std::nullopt}, Case{"1 s", std::nullopt},
        Case{"1w", std::nullopt}, Case{"1H", std::nullopt}, Case{"1h30m", std::nullopt},
        Case{"99999999999999999999s", std::nullopt}, Case{"9223372036854775807d", std::nullopt}}) {
    const auto parsed = parse_duration(c.text);
    EXPECT_EQ(parsed.has_value(), c.value.has_value()) << c.text;
    if (parsed && c.value) {
      EXPECT_EQ(*parsed, *c.value) << c.text;
    }
  }
}

TEST(ConfigValues, ADurationWithoutUnitIsToldToHaveOne) {
  EXPECT_NE(parse_duration("60").error().find("\"60s\""), std::string::npos);
}

TEST(ConfigValues, DurationsAndSizesAreWrittenAsTheyAreRead) {
  for (const char* text : {"200ms", "61s", "2m", "5h", "7d"}) EXPECT_EQ(format_duration(*parse_duration(text)), text);
  for (const char* text : {"500", "64KiB", "3MiB", "1GiB"}) EXPECT_EQ(format_size(*parse_size(text)), text);
}

TEST(ConfigValues, SizesAreBytesOrPowersOf1024) {
  EXPECT_EQ(parse_size("1000"), 1000U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  for (const char* text : {"", "64K", "64KB", "-1", "1.5MiB", "KiB", "18446744073709551616", "99999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(ConfigValues, ListenAddressesAreIpLiteralsWithAPort) {
  struct Case {
    const char* text;
    const char* written;
  };
  for (const Case& c : {Case{"127.0.0.1:8080", "127.0.0.1:8080"}, Case{"[::1]:0", "[::1]:0"},
                        Case{"localhost:1", "127.0.0.1:1"}, Case{"0.0.0.0:65535", "0.0.0.0:65535"}}) {
    const auto parsed = parse_listen_address(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->to_string(), c.written);
  }
  for (const char* text : {"", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:http",
                           "::1:80", "[127.0.0.1]:80", "example.org:80", "127.0.0.1:-1", "[::1]"})
    EXPECT_FALSE(parse_listen_address(text)) << text;
}

TEST(ConfigValues, TellsWhichAddressesOnlyThisMachineReaches) {
  EXPECT_TRUE(parse_listen_address("127.0.0.1:1")->is_loopback());
  EXPECT_TRUE(parse_listen_address("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(is_loopback_host("127.evil.example"));
}

TEST(ConfigValues, PublicUrlsAreHttpUrlsOfAHost) {
  struct Case {
    const char* text;
    const char* result;  ///< null: refused
  };
  for (const Case& c : {Case{"https://invite.example.com", "https://invite.example.com"},
                        Case{"HTTPS://Invite.Example.com/", "https://invite.example.com"},
                        Case{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
                        Case{"https://[::1]:8443/", "https://[::1]:8443"},
                        Case{"https://example.com/invited/", "https://example.com/invited"},
                        Case{"https://example.com/a/b.c", "https://example.com/a/b.c"},
                        Case{"example.com", nullptr},
                        Case{"ftp://example.com", nullptr},
                        Case{"https:example.com", nullptr},
                        Case{"https://", nullptr},
                        Case{"https://user:pass@example.com", nullptr},
                        Case{"https://example.com?x", nullptr},
                        Case{"https://example.com#x", nullptr},
                        Case{"https://example.com//x", nullptr},
                        Case{"https://example.com/../x", nullptr},
                        Case{"https://example.com/%2e", nullptr},
                        Case{"https://exa mple.com", nullptr},
                        Case{"https://example.com:0", nullptr},
                        Case{"https://example.com:70000", nullptr},
                        Case{"https://-x.example", nullptr},
                        Case{"https://[127.0.0.1]", nullptr}}) {
    const auto parsed = parse_public_url(c.text);
    EXPECT_EQ(parsed.has_value(), c.result != nullptr) << c.text;
    if (parsed && c.result != nullptr) {
      EXPECT_EQ(*parsed, c.result);
    }
  }
}

TEST(ConfigValues, FindsTheHostOfAUrl) {
  EXPECT_EQ(host_of_url("https://invite.example.com"), "invite.example.com");
  EXPECT_EQ(host_of_url("https://invite.example.com:8443/x"), "invite.example.com");
  EXPECT_EQ(host_of_url("http://[::1]:80"), "::1");
}

TEST(ConfigValues, OriginsAreWrittenAsBrowsersSendThem) {
  const auto parsed = parse_origin_list("https://app.example.com, http://localhost:5173,https://[::1]:8443");
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(*parsed,
            (std::vector<std::string>{"https://app.example.com", "http://localhost:5173", "https://[::1]:8443"}));
  EXPECT_TRUE(parse_origin_list("")->empty());
  for (const char* text : {"*", "https://*.example.com", "null", "app.example.com", "//app.example.com", "https://",
                           "ftp://a.example.com", "https://app.example.com/", "https://app.example.com/path",
                           "https://app.example.com?x", "https://u@example.com", "https://App.example.com",
                           "HTTPS://app.example.com", "https://app.example.com:443", "http://a.example.com:80",
                           "https://app.example.com:0", "https://app.example.com:99999", "https://ok.example.com, *"})
    EXPECT_FALSE(parse_origin_list(text)) << text;
}

TEST(ConfigValues, ProxiesAreAddressesOrNetworks) {
  const auto parsed = parse_network_list("10.0.0.1, 192.168.0.0/16,::1,2001:db8::/32");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 4U);
  EXPECT_TRUE(parse_network_list("")->empty());
  for (const char* text : {"proxy.example", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0"})
    EXPECT_FALSE(parse_network_list(text)) << text;
}

TEST(ConfigValues, SaysHowNamesWithOtherLettersAreWritten) {
  for (const auto& complaint :
       {parse_public_url("https://m\u00fcller.example/invite").error(), parse_host("smtp.m\u00fcller.example").error()})
    EXPECT_NE(complaint.find("xn--"), std::string::npos) << complaint;
  EXPECT_TRUE(parse_public_url("https://xn--mller-kva.example"));
  EXPECT_EQ(parse_host("a b").error().find("xn--"), std::string::npos);
}

TEST(ConfigValues, FindsAFreePortAndSaysWhenOneIsTaken) {
  const auto port = find_port({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(port);
  EXPECT_GT(*port, 0);

  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto taken = find_port({.host = "127.0.0.1", .port = ntohs(address.sin_port)});
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().find("in use"), std::string::npos);
  ::close(listener);
}

TEST(ConfigValues, WordsThatAreNearlyTheSameAreFewEditsApart) {
  EXPECT_EQ(edit_distance("mail.host", "mail.host"), 0U);
  EXPECT_EQ(edit_distance("mail.hsot", "mail.host"), 1U);
  EXPECT_EQ(edit_distance("mail.hos", "mail.host"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

}  // namespace
}  // namespace invited
