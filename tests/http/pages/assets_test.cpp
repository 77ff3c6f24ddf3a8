#include "http/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace invited::http {
namespace {

Request get(std::string name) {
  Request request;
  request.method = "GET";
  request.path_parameters.emplace_back("name", std::move(name));
  return request;
}

TEST(Assets, AreServedUnderADigestForAYear) {
  const std::pair<const char*, const char*> cases[]{{"invited.css", "text/css; charset=utf-8"},
                                                    {"password.js", "text/javascript; charset=utf-8"},
                                                    {"mails.js", "text/javascript; charset=utf-8"},
                                                    {"icon.svg", "image/svg+xml"}};
  for (const auto& [name, type] : cases) {
    const std::string path = asset_path(name);
    ASSERT_TRUE(path.starts_with("/assets/")) << name;
    const Response response = serve_asset(get(path.substr(8)));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.get("Content-Type"), type);
    EXPECT_EQ(response.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_FALSE(response.body.empty());
  }
}

TEST(Assets, UnderThePlainNameAreAskedForAgain) {
  const Response response = serve_asset(get("invited.css"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Cache-Control"), "public, max-age=300");

  Request again = get("invited.css");
  again.headers.add("If-None-Match", response.headers.get("ETag"));
  const Response unchanged = serve_asset(again);
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_TRUE(unchanged.body.empty());
  EXPECT_EQ(unchanged.headers.get("ETag"), response.headers.get("ETag"));
}

TEST(Assets, NothingElseIsThere) {
  for (const char* name : {"", "invited", "INVITED.CSS", "invited.000000000000.css", "../keys.json", "layout.html"}) {
    EXPECT_EQ(serve_asset(get(name)).status, 404) << name;
    EXPECT_EQ(asset_path(name).empty(), std::string_view(name) != "invited.css") << name;
  }
}

TEST(Assets, ComeFromNowhereElse) {
  for (const char* name : {"invited.css", "password.js", "mails.js", "icon.svg"}) {
    std::string body = serve_asset(get(name)).body;
    if (const auto at = body.find("http://www.w3.org/2000/svg"); at != std::string::npos) body.erase(at, 26);
    EXPECT_THAT(body, testing::Not(testing::HasSubstr("//fonts"))) << name;
    EXPECT_THAT(body, testing::Not(testing::HasSubstr("http:"))) << name;
    EXPECT_THAT(body, testing::Not(testing::HasSubstr("https:"))) << name;
    EXPECT_THAT(body, testing::Not(testing::HasSubstr("@import"))) << name;
  }
}

}  // namespace
}  // namespace invited::http
