#include "http/response_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace invited::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ResponseWriter, WritesStatusHeadersAndBody) {
  const auto bytes = serialize(make_response(200, "text/plain", "hello"), {});
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(bytes, HasSubstr(" GMT\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(bytes, EndsWith("\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_THAT(bytes, Not(HasSubstr("Connection:")));
  EXPECT_THAT(bytes, Not(HasSubstr("Server:")));
}

TEST(ResponseWriter, PutsTheSecurityHeadersOnEveryAnswer) {
  for (const int status : {200, 303, 400, 404, 500, 503}) {
    const auto bytes = serialize(make_response(status, "text/html", "x"), {});
    for (const char* line :
         {"Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
          "frame-ancestors 'none'; base-uri 'none'\r\n",
          "X-Content-Type-Options: nosniff\r\n", "X-Frame-Options: DENY\r\n", "Referrer-Policy: no-referrer\r\n",
          "Cache-Control: no-store\r\n", "Cross-Origin-Opener-Policy: same-origin\r\n",
          "Cross-Origin-Resource-Policy: same-origin\r\n"}) {
      EXPECT_THAT(bytes, HasSubstr(line)) << status;
    }
    EXPECT_THAT(bytes, Not(HasSubstr("Strict-Transport-Security")));
  }
}

TEST(ResponseWriter, AddsStrictTransportSecurityWhereTheClientCameOverTls) {
  EXPECT_THAT(serialize({}, {.secure = true}), HasSubstr("Strict-Transport-Security: max-age=31536000\r\n"));
}

TEST(ResponseWriter, KeepsWhatTheHandlerSetsItself) {
  auto response = make_response(200, "text/html", "x");
  response.headers.set("content-security-policy", "default-src 'self'");
  response.headers.set("Cache-Control", "public, max-age=60");
  const HeaderList extra{{"X-Extra", "1"}, {"Cache-Control", "private"}};
  const auto bytes = serialize(response, {.extra_headers = &extra});
  EXPECT_THAT(bytes, HasSubstr("content-security-policy: default-src 'self'\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("default-src 'none'")));
  EXPECT_THAT(bytes, HasSubstr("Cache-Control: public, max-age=60\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("no-store")));
  EXPECT_THAT(bytes, Not(HasSubstr("private")));
  EXPECT_THAT(bytes, HasSubstr("X-Extra: 1\r\n"));
}

TEST(ResponseWriter, DecidesTheFramingItself) {
  auto response = make_response(200, "text/plain", "hello");
  for (const char* name : {"Content-Length", "Connection", "Transfer-Encoding", "Date", "Keep-Alive", "Server"}) {
    response.headers.add(name, "forged");
  }
  EXPECT_THAT(serialize(response, {}), Not(HasSubstr("forged")));
}

TEST(ResponseWriter, LeavesOutAHeaderThatWouldSplitTheAnswer) {
  auto response = make_response(200, "text/plain", "x");
  response.headers.add("Location", "/a\r\nSet-Cookie: b=c");
  response.headers.add("X\r\nY", "z");
  response.headers.add("X-Null", std::string("a\0b", 3));
  const auto bytes = serialize(response, {});
  EXPECT_THAT(bytes, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(bytes, Not(HasSubstr("Y: z")));
  EXPECT_THAT(bytes, Not(HasSubstr("X-Null")));
}

TEST(ResponseWriter, SendsNoBodyWhereThereIsNone) {
  const auto head = serialize(make_response(200, "text/plain", "hello"), {.head = true});
  EXPECT_THAT(head, EndsWith("Content-Length: 5\r\n\r\n"));
  for (const int status : {204, 304}) {
    const auto bytes = serialize(make_response(status, "text/plain", "hello"), {});
    EXPECT_THAT(bytes, EndsWith("\r\n\r\n"));
    EXPECT_THAT(bytes, Not(HasSubstr("Content-Length")));
  }
}

TEST(ResponseWriter, TellsWhatBecomesOfTheConnection) {
  EXPECT_THAT(serialize({}, {.keep_alive = false}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(serialize({}, {.keep_alive = true, .to_http_1_0 = true}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(ErrorRendering, IsPlainTextUnlessThePathHasItsOwn) {
  const auto plain = render_error(nullptr, 404, "There is nothing here.");
  EXPECT_EQ(plain.status, 404);
  EXPECT_EQ(plain.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(plain.body, "There is nothing here.\n");
  const ErrorRenderer fault = [](int status, std::string_view reason, const Request&) {
    return make_response(status, "text/xml", "<" + std::string(reason) + "/>");
  };
  EXPECT_EQ(render_error(&fault, 400, "x").body, "<x/>");
}

TEST(ErrorRendering, SurvivesARendererThatThrows) {
  const ErrorRenderer broken = [](int, std::string_view, const Request&) -> Response {
    throw std::runtime_error("broken");
  };
  EXPECT_EQ(render_error(&broken, 400, "x").status, 400);
}

}  // namespace
}  // namespace invited::http
