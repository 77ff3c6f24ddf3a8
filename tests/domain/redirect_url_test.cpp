#include "domain/redirect_url.h"

#include <gtest/gtest.h>

#include <string>

namespace invited::domain {
namespace {

bool allows(const std::string& allowed, std::string_view url) {
  App app;
  app.redirect_urls = {"https://first.example.com/x", allowed};
  return check_redirect_url(app, url).has_value();
}

TEST(RedirectUrl, WhatEqualsAnAllowedOneOrLiesBelowItIsAllowed) {
  const struct {
    const char* allowed;
    const char* url;
  } kRows[] = {
      {"https://app.example.com", "https://app.example.com"},
      {"https://app.example.com", "https://app.example.com/"},
      {"https://app.example.com", "https://app.example.com/welcome?from=invited#top"},
      {"https://app.example.com", "https://app.example.com?x=1"},
      {"https://app.example.com", "https://app.example.com#x"},
      {"https://app.example.com/", "https://app.example.com/welcome"},
      {"https://app.example.com/a", "https://app.example.com/a"},
      {"https://app.example.com/a", "https://app.example.com/a/b"},
      {"https://app.example.com/a", "https://app.example.com/a?b=/../c"},  // a query has no segments
      {"https://app.example.com/a", "https://app.example.com/a/b..c/.d/e."},
      {"https://app.example.com/a", "https://app.example.com/a/@me"},
      {"https://app.example.com/a", "https://app.example.com/a//b"},
      {"https://app.example.com/#/start", "https://app.example.com/#/start/ada"},
      {"http://127.0.0.1:3000", "http://127.0.0.1:3000/x"},
  };
  for (const auto& row : kRows) EXPECT_TRUE(allows(row.allowed, row.url)) << row.allowed << " " << row.url;
}

TEST(RedirectUrl, WhatLeadsElsewhereIsRefused) {
  for (const char* url :
       {"", " ", "/", "//app.example.com/a", "app.example.com/a", "javascript:alert(1)", "data:text/html,x",
        "ftp://app.example.com/a", "http://app.example.com/a", "HTTPS://app.example.com/a", "https://app.example.com",
        "https://app.example.com/", "https://app.example.com/b", "https://app.example.com/ab",
        "https://app.example.com/a.b", "https://app.example.com/A",
        // another host
        "https://app.example.com.evil.com/a", "https://app.example.com.evil.com", "https://app.example.come/a",
        "https://evil.com/https://app.example.com/a", "https://evil.com?https://app.example.com/a",
        "https://app.example.com@evil.com/a", "https://app.example.com:x@evil.com/a",
        "https://evil.com@app.example.com/a", "https://app.example.com:8443/a", "https://app.example.com:443/a",
        "https://APP.example.com/a", "https://xapp.example.com/a",
        // out of the folder
        "https://app.example.com/a/../b", "https://app.example.com/a/..", "https://app.example.com/a/./b",
        "https://app.example.com/a/.", "https://app.example.com/a/%2e%2e/b", "https://app.example.com/a/%2E%2e",
        "https://app.example.com/a/.%2e/b", "https://app.example.com/a/%2e./b", "https://app.example.com/a/%2e/b",
        "https://app.example.com/a/..?x", "https://app.example.com/a/..#x", "https://app.example.com/a/..%2fb",
        "https://app.example.com/a/..%2Fb", "https://app.example.com/a%2f..%2fb", "https://app.example.com/a/x%2f../b",
        // what browsers read as a slash
        "https://app.example.com\\.evil.com/a", "https://app.example.com/a\\..\\b", "https://app.example.com/a/..\\b",
        "https://app.example.com/a/..%5cb", "https:\\\\app.example.com/a", "https:/app.example.com/a",
        // what browsers leave out
        "https://app.example.com/a/.\t./b", "https://app.example.com/a/.\n./b", "\thttps://app.example.com/a",
        "https://app.example.com/a ", "https://app.example.com/a\x7f", "https://app.example.com/a\xc2\xa0",
        // what could end an attribute
        "https://app.example.com/a\"b", "https://app.example.com/a<b", "https://app.example.com/a`b"})
    EXPECT_FALSE(allows("https://app.example.com/a", url)) << url;
}

TEST(RedirectUrl, AHostAloneDoesNotAllowHostsThatBeginWithIt) {
  for (const char* url :
       {"https://app.example.com.evil.com", "https://app.example.com:8443", "https://app.example.com@e",
        "https://app.example.com\\@evil.com", "https://app.example.com%2eevil.com", "https://app.example.com;x",
        "https://app.example.com&x"})
    EXPECT_FALSE(allows("https://app.example.com", url)) << url;
}

TEST(RedirectUrl, NothingIsAllowedWhereNothingWasEntered) {
  EXPECT_FALSE(check_redirect_url(App{}, "https://app.example.com/a"));
  const auto refused = check_redirect_url(App{}, "");
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_parameter);
  EXPECT_EQ(refused.error().parameter, "redirect_url");
}

TEST(RedirectUrl, IsNotLongerThanAUrlMayBe) {
  const std::string allowed = "https://app.example.com/a";
  EXPECT_TRUE(allows(allowed, allowed + "/" + std::string(2048 - allowed.size() - 1, 'x')));
  EXPECT_FALSE(allows(allowed, allowed + "/" + std::string(2048 - allowed.size(), 'x')));
}

}  // namespace
}  // namespace invited::domain
