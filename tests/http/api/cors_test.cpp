#include "http/api/cors.h"

#include <gtest/gtest.h>

#include <string>

#include "http/api/json_answer.h"
#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::http {
namespace {

using test::RawAnswer;
using test::RawHttpClient;
using test::TestListener;

const std::string kOrigin = "https://app.example.com";

/// A listener with an API path that pages of kOrigin may call, beside the paths that no page may.
class Cors : public testing::Test {
 protected:
  static Router router() {
    Router router;
    router.set_cors(CorsPolicy({"https://other.example.com:8443", kOrigin}));
    RouteOptions options;
    options.content_types = {"application/json"};
    options.error_renderer = render_problem;
    options.is_cross_origin = true;
    options.max_body = 100;
    router.add(
        "POST", "/api/things", [](const Request& request) { return make_json(200, {{"got", request.body}}); }, options);
    router.add("GET", "/api/things/{id}", [](const Request&) { return make_json(200, Json::object()); }, options);
    router.add_error_renderer("/api/", render_problem);
    router.add("DELETE", "/api/things/{id}", [](const Request&) -> Response { throw std::runtime_error("broken"); });
    return router;
  }

  RawAnswer ask(const std::string& line, const std::string& fields, const std::string& body = "") {
    RawHttpClient client(listener_.port());
    client.send(line + " HTTP/1.1\r\nHost: a\r\n" + fields +
                (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body);
    return client.read_answer();
  }
  static std::string from(std::string_view origin) { return "Origin: " + std::string(origin) + "\r\n"; }
  static const std::string& json() {
    static const std::string field = "Content-Type: application/json\r\n";
    return field;
  }

  TestListener listener_{{}, router()};
};

void expect_allowed(const RawAnswer& answer) {
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), kOrigin);
  EXPECT_EQ(answer.header("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer.header("Access-Control-Expose-Headers"), "etag, retry-after, location, link, idempotent-replayed");
  EXPECT_EQ(answer.header("Vary"), "Origin");
}

void expect_nothing_said(const RawAnswer& answer) {
  for (const auto& [name, value] : answer.headers)
    EXPECT_FALSE(name.starts_with("Access-Control-")) << name << ": " << value;
}

TEST_F(Cors, AnswersThePreflightOfAnAllowedOrigin) {
  const auto answer = ask("OPTIONS /api/things", from(kOrigin) +
                                                     "Access-Control-Request-Method: POST\r\n"
                                                     "Access-Control-Request-Headers: content-type,x-app-id\r\n");
  EXPECT_EQ(answer.status, 204);
  expect_allowed(answer);
  EXPECT_EQ(answer.header("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(answer.header("Access-Control-Max-Age"), "3600");
  const std::string headers = ", " + answer.header("Access-Control-Allow-Headers") + ",";
  for (const std::string name :
       {"authorization", "content-type", "accept", "idempotency-key", "if-match", "if-none-match", "x-app-id",
        "x-origin-url", "x-base44-anonymous-id", "on-behalf-of", "base44-functions-version", "base44-state",
        "x-data-env", "x-medusa-locale", "x-publishable-api-key"})
    EXPECT_NE(headers.find(", " + name + ","), std::string::npos) << name;
}

TEST_F(Cors, APreflightKnowsAllMethodsOfThePath) {
  const auto answer = ask("OPTIONS /api/things/5", from(kOrigin));
  EXPECT_EQ(answer.header("Access-Control-Allow-Methods"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
}

TEST_F(Cors, AnOriginThatIsNotAllowedIsToldNothing) {
  for (const std::string origin :
       {"https://evil.example.com", "http://app.example.com", "https://app.example.com:444", "https://app.example.com/",
        "HTTPS://APP.EXAMPLE.COM", "https://app.example.com.evil.com", "null", "*", ""}) {
    const auto preflight = ask("OPTIONS /api/things", from(origin) + "Access-Control-Request-Method: POST\r\n");
    EXPECT_EQ(preflight.status, 204) << origin;
    expect_nothing_said(preflight);
    const auto answer = ask("POST /api/things", from(origin) + json(), "{}");
    EXPECT_EQ(answer.status, 200) << origin;
    expect_nothing_said(answer);
    EXPECT_EQ(answer.header("Vary"), "Origin");
  }
  expect_nothing_said(ask("OPTIONS /api/things", ""));
  expect_nothing_said(ask("OPTIONS /api/things", from(kOrigin) + from(kOrigin)));
}

TEST_F(Cors, OrdinaryAnswersAndErrorsCarryTheHeaders) {
  expect_allowed(ask("POST /api/things", from(kOrigin) + json(), "{}"));
  struct Case {
    int status;
    RawAnswer answer;
  };
  for (const Case& c :
       {Case{405, ask("PUT /api/things", from(kOrigin))}, Case{415, ask("POST /api/things", from(kOrigin), "{}")},
        Case{413, ask("POST /api/things", from(kOrigin) + json(), std::string(101, ' '))},
        Case{413, ask("POST /api/things", from(kOrigin) + json() + "Transfer-Encoding: chunked\r\n\r\nFFFF\r\n")},
        Case{500, ask("DELETE /api/things/5", from(kOrigin))}, Case{404, ask("GET /api/nothing", from(kOrigin))},
        Case{404, ask("GET //api/things", from(kOrigin))}, Case{404, ask("GET /api/%zz", from(kOrigin))}}) {
    EXPECT_EQ(c.answer.status, c.status);
    EXPECT_EQ(c.answer.header("Content-Type"), "application/problem+json") << c.status;
    expect_allowed(c.answer);
  }
}

TEST_F(Cors, OtherPathsKnowNothingOfIt) {
  const auto page = ask("GET /page", from(kOrigin));
  EXPECT_EQ(page.status, 200);
  expect_nothing_said(page);
  EXPECT_EQ(ask("OPTIONS /page", from(kOrigin)).status, 405);
  EXPECT_EQ(ask("OPTIONS /nothing", from(kOrigin)).status, 404);
}

TEST(CorsPolicy, WithoutOriginsSaysNothingAtAll) {
  const CorsPolicy policy;
  Request request;
  request.headers.add("Origin", kOrigin);
  EXPECT_TRUE(policy.headers(request).empty());
  const Response preflight = policy.preflight(request, "POST, OPTIONS");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.all().size(), 1U);
  EXPECT_EQ(preflight.headers.get("Allow"), "POST, OPTIONS");
}

// What the clients' packages send, and other listeners trip over.

TEST_F(Cors, AnEmptyBodyOfTypeJsonReachesTheHandler) {
  const auto answer = ask("POST /api/things", json() + "Content-Length: 0\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"got":""})");
  EXPECT_EQ(ask("POST /api/things", json()).body, R"({"got":""})");
  EXPECT_EQ(ask("GET /api/things/5", json()).status, 200);
}

TEST_F(Cors, EmptyHeaderFieldsAreAccepted) {
  EXPECT_EQ(ask("POST /api/things", json() + "x-medusa-locale:\r\n", "{}").status, 200);
  EXPECT_EQ(ask("POST /api/things", json() + "x-medusa-locale: \r\nAccept:\t\r\n", "{}").status, 200);
}

}  // namespace
}  // namespace invited::http
