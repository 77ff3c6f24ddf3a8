#include "domain/web_url.h"

#include <gtest/gtest.h>

#include <string>

namespace invited::domain {
namespace {

TEST(WebUrl, IsAbsoluteWithAHostAndMaybeAPort) {
  for (const char* url :
       {"https://example.org", "http://example.org/", "https://example.org:8443/hook?x=1#y", "https://example.org:/",
        "http://127.0.0.1:65535/x", "http://[::1]:8080/x", "https://[2001:db8::192.0.2.1]/", "https://localhost:1"})
    EXPECT_TRUE(is_web_url(url)) << url;
  EXPECT_TRUE(is_web_url("https://example.org/" + std::string(2028, 'x')));
}

TEST(WebUrl, WhatCanNeverBeCalledIsNone) {
  for (const char* url : {"", "example.org", "ftp://example.org", "https://", "https:///x", "https://:8443/",
                          "https://user@example.org/", "https://example.org/a b", "https://example.org/{x}",
                          // ports
                          "http://127.0.0.1:99999/x", "http://127.0.0.1:65536/", "https://example.org:0/",
                          "https://example.org:x/", "https://example.org:-1/", "https://example.org:80:81/",
                          "https://example.org:+80/", "https://example.org:4294967297/",
                          // brackets
                          "http://[::1/x", "http://::1]/x", "http://[]/x", "http://[::1]x/", "http://[::1]:99999/",
                          "http://[example.org]/", "http://x[::1]/", "http://[127.0.0.1]/"})
    EXPECT_FALSE(is_web_url(url)) << url;
  EXPECT_FALSE(is_web_url("https://example.org/" + std::string(2029, 'x')));
}

}  // namespace
}  // namespace invited::domain
