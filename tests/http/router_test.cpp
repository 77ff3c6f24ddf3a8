#include "http/router.h"

#include <gtest/gtest.h>

namespace invited::http {
namespace {

Handler answer(std::string text) {
  return [text = std::move(text)](const Request&) { return make_response(200, "text/plain", text); };
}

Router table() {
  Router router;
  RouteOptions soap;
  soap.error_renderer = [](int status, std::string_view, const Request&) {
    return make_response(status, "text/xml", "<fault/>");
  };
  router.add("GET", "/ws/InviteAPI/1/soap1", answer("wsdl"));
  router.add("POST", "/ws/InviteAPI/1/soap1", answer("soap"), soap);
  router.add("GET", "/ws-doc/", answer("doc"));
  router.add("GET", "/i/{token}", answer("page"));
  router.add("POST", "/i/{token}/accept", answer("accept"));
  router.add("GET", "/i/help", answer("help"));
  return router;
}

TEST(Router, FindsTheRouteOfAMethodAndAPath) {
  const auto router = table();
  const auto match = router.match("POST", "/ws/InviteAPI/1/soap1");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->handler({}).body, "soap");
}

TEST(Router, AnswersHeadWhereThereIsAGet) {
  const auto router = table();
  ASSERT_NE(router.match("HEAD", "/ws-doc/").route, nullptr);
  EXPECT_EQ(router.match("HEAD", "/ws-doc/").route->method, "GET");
  EXPECT_EQ(router.match("HEAD", "/i/t/accept").route, nullptr);
}

TEST(Router, TakesThePatternsSegmentsFromThePath) {
  const auto router = table();
  const auto match = router.match("POST", "/i/AbC-_9/accept");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/i/{token}/accept");
  ASSERT_EQ(match.path_parameters.size(), 1U);
  EXPECT_EQ(match.path_parameters[0], (std::pair<std::string, std::string>{"token", "AbC-_9"}));
}

TEST(Router, PrefersAnExactPathToAPattern) {
  const auto router = table();
  const auto match = router.match("GET", "/i/help");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->handler({}).body, "help");
  EXPECT_TRUE(match.path_parameters.empty());
}

TEST(Router, TellsTheMethodsOfAKnownPath) {
  const auto router = table();
  for (const char* method : {"OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "post", "get"}) {
    const auto match = router.match(method, "/ws/InviteAPI/1/soap1");
    EXPECT_EQ(match.route, nullptr) << method;
    EXPECT_EQ(match.allow, "GET, HEAD, POST") << method;
  }
}

TEST(Router, GivesThePathsErrorRendererForEveryMethod) {
  const auto router = table();
  for (const char* method : {"GET", "POST", "PUT", ""}) {
    const auto* renderer = router.match(method, "/ws/InviteAPI/1/soap1").error_renderer;
    ASSERT_NE(renderer, nullptr) << method;
    EXPECT_EQ((*renderer)(400, "", {}).body, "<fault/>");
  }
  EXPECT_EQ(router.match("GET", "/ws-doc/").error_renderer, nullptr);
}

TEST(Router, GivesTheLongestPrefixsErrorRendererWhereNoRouteKnowsThePath) {
  auto router = table();
  const auto renderer = [](std::string_view text) {
    return [text](int status, std::string_view, const Request&) {
      return make_response(status, "text/plain", std::string(text));
    };
  };
  router.set_error_renderer(renderer("page"));
  router.add_error_renderer("/api/", renderer("api"));
  router.add_error_renderer("/api/apps/", renderer("apps"));
  router.add_error_renderer("/ap", renderer("ap"));
  for (const auto& [path, text] : {std::pair{"/nothing", "page"},
                                   {"/api/x", "api"},
                                   {"/api/apps/x", "apps"},
                                   {"/api/apps", "api"},
                                   {"/apx", "ap"}}) {
    const auto* found = router.match("GET", path).error_renderer;
    ASSERT_NE(found, nullptr) << path;
    EXPECT_EQ((*found)(404, "", {}).body, text) << path;
  }
  EXPECT_EQ((*router.match("PUT", "/ws/InviteAPI/1/soap1").error_renderer)(405, "", {}).body, "<fault/>");
}

TEST(Router, KnowsInWhoseWordsATargetIsRefusedThatCannotBeRead) {
  auto router = table();
  const auto renderer = [](std::string_view text) {
    return [text](int status, std::string_view, const Request&) {
      return make_response(status, "text/plain", std::string(text));
    };
  };
  router.set_error_renderer(renderer("page"));
  router.add_error_renderer("/api/", renderer("api"));
  router.add_error_renderer("/api/apps/", renderer("apps"));
  for (const auto& [target, text] : {std::pair{"/api/%zz", "api"},
                                     {"/api/x;y", "api"},
                                     {"/api/apps/a%2Fb?q=1", "apps"},
                                     {"//api/apps/x/users", "apps"},
                                     {"///api//x", "api"},
                                     {"/%?y=/api/", "page"},
                                     {"//", "page"},
                                     {"", "page"}}) {
    ASSERT_FALSE(parse_target(target)) << target;
    const auto match = router.match_refused(target);
    EXPECT_EQ(match.route, nullptr);
    ASSERT_NE(match.error_renderer, nullptr) << target;
    EXPECT_EQ((*match.error_renderer)(404, "", {}).body, text) << target;
    EXPECT_EQ(match.cors != nullptr, std::string_view(text) != "page") << target;
  }
}

TEST(Router, ComparesPathsExactly) {
  const auto router = table();
  for (const char* path : {"/", "/ws/InviteAPI/1/soap1/", "/ws/inviteapi/1/soap1", "/WS/InviteAPI/1/soap1",
                           "/ws/InviteAPI/1/soap", "/ws-doc", "/i/", "/i", "/i/a/b", "/i/a/accept/", "/i//accept"}) {
    const auto match = router.match("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
    EXPECT_TRUE(match.path_parameters.empty()) << path;
  }
}

TEST(RouterDeathTest, EndsTheProgramWhereARouteIsAddedTwice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto router = table();
        router.add("GET", "/ws-doc/", answer("again"));
      },
      "route added twice: GET /ws-doc/");
}

struct GoodTarget {
  const char* target;
  const char* path;
  const char* query;
  bool has_query;
};

TEST(Target, IsDecodedOnce) {
  const GoodTarget cases[] = {
      {"/", "/", "", false},
      {"/ws/InviteAPI/1/soap1?wsdl", "/ws/InviteAPI/1/soap1", "wsdl", true},
      {"/x?", "/x", "", true},
      {"/x?a=1?b=%41", "/x", "a=1?b=%41", true},
      {"/%41%62", "/Ab", "", false},
      {"/%2541", "/%41", "", false},
      {"/caf%C3%A9", "/caf\xC3\xA9", "", false},
      {"/a+b", "/a+b", "", false},
      {"/a%20b", "/a b", "", false},
      {"/.well-known/x", "/.well-known/x", "", false},
      {"http://invited.example/x?q", "/x", "q", true},
      {"HTTPS://invited.example:8443/x", "/x", "", false},
      {"http://invited.example", "/", "", false},
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c.target);
    ASSERT_TRUE(target) << c.target;
    EXPECT_EQ(target->path, c.path) << c.target;
    EXPECT_EQ(target->query, c.query) << c.target;
    EXPECT_EQ(target->has_query, c.has_query) << c.target;
  }
}

TEST(Target, IsNothingWhereNoRouteCanBeMeant) {
  const char* const cases[] = {
      "",
      "*",
      "x",
      "//",
      "/a//b",
      "//x",
      "/../../etc",
      "/..",
      "/a/..",
      "/./a",
      "/.",
      "/%2e%2e/",
      "/%2E%2e/etc",
      "/a/%2e",
      "/a%2eb",
      "/x;y",
      "/x%3By",
      "/%00",
      "/a%00b",
      "/a%2Fb",
      "/a%2fb",
      "/a%5Cb",
      "/a\\b",
      "/%0d%0a",
      "/%7f",
      "/%",
      "/%4",
      "/%zz",
      "/%C3",
      "/%c0%af",
      "/\xff",
      "ftp://h/x",
      "http://",
      "http:///x",
      "http://u@h/x",
      "invited.example:443",
      "javascript:x",
      "http:/x",
  };
  for (const char* c : cases) EXPECT_FALSE(parse_target(c)) << c;
}

}  // namespace
}  // namespace invited::http
