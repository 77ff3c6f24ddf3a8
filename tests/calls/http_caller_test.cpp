// One call over real sockets: what goes out, and what comes of whatever may come back.
#include "calls/http_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "support/scripted_app.h"

namespace invited::calls {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::http_answer;
using test::refreshed;
using test::ScriptedApp;
using testing::AnyOf;
using testing::HasSubstr;

class HttpCallerTest : public testing::Test {
 protected:
  static HttpRequest request_to(const std::string& url) {
    return {url, {"Content-Type: text/plain", "X-Word: some word"}, "what is said"};
  }
  HttpAnswer call(const std::string& url) {
    HttpCaller caller(settings_);
    return caller.post(request_to(url));
  }

  Settings settings_;
};

TEST_F(HttpCallerTest, posts_the_body_with_the_headers_and_no_others_that_matter) {
  ScriptedApp app;
  const auto end = call(app.url());
  EXPECT_EQ(end.how, HttpAnswer::How::answered);
  EXPECT_EQ(end.status, 200);
  EXPECT_THAT(end.body, HasSubstr("RefreshUserPermissionsResponse"));
  ASSERT_EQ(app.requests().size(), 1U);
  const auto request = app.requests()[0];
  EXPECT_EQ(request.line(), "POST /ws/RefreshAPI HTTP/1.1");
  EXPECT_EQ(request.header("Content-Type"), "text/plain");
  EXPECT_EQ(request.header("X-Word"), "some word");
  EXPECT_EQ(request.header("User-Agent"), std::string("invited/") + INVITED_VERSION);
  EXPECT_EQ(request.header("Content-Length"), std::to_string(request.body.size()));
  for (const char* name : {"Expect", "Cookie", "Authorization", "Accept-Encoding", "Transfer-Encoding"})
    EXPECT_FALSE(request.header(name)) << name;
  EXPECT_EQ(request.body, "what is said");
}

TEST_F(HttpCallerTest, says_what_came_of_it) {
  const struct {
    std::string answer;
    HttpAnswer::How how;
    int status;
    std::string explanation;
  } rows[] = {
      {http_answer("204 No Content", ""), HttpAnswer::How::answered, 204, ""},
      {"HTTP/1.1 100 Continue\r\n\r\n" + refreshed(), HttpAnswer::How::answered, 200, ""},
      {"HTTP/1.0 200 OK\r\n\r\nyes", HttpAnswer::How::answered, 200, ""},
      {http_answer("500 Oops", "no"), HttpAnswer::How::answered, 500, ""},
      {http_answer("200 OK", std::string(kMaxAnswer, ' ')), HttpAnswer::How::answered, 200, ""},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(kMaxAnswer, 'x') + "\r\n\r\n", HttpAnswer::How::no_answer, 200, "64 KiB"},
      {"garbage without a status line\r\n\r\n", HttpAnswer::How::no_answer, 0, "HTTP/0.9"},
      {"", HttpAnswer::How::no_answer, 0, "Empty reply"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<soap", HttpAnswer::How::no_answer, 200, "bytes remaining"},
  };
  for (const auto& row : rows) {
    const std::string what = row.answer.substr(0, 80);
    ScriptedApp app;
    app.answer(row.answer);
    const auto end = call(app.url());
    EXPECT_EQ(end.how, row.how) << what;
    EXPECT_EQ(end.status, row.status) << what;
    EXPECT_THAT(end.explanation, HasSubstr(row.explanation)) << what;
  }
}

TEST_F(HttpCallerTest, cuts_a_body_that_is_too_long_and_still_says_the_status) {
  for (const char* status : {"200 OK", "500 Oops", "410 Gone"}) {
    ScriptedApp app;
    app.answer(http_answer(status, std::string(10 * kMaxAnswer, 'x')));
    const auto end = call(app.url());
    EXPECT_EQ(end.how, HttpAnswer::How::answered) << status;
    EXPECT_EQ(end.status, std::stoi(status));
    EXPECT_TRUE(end.is_cut);
    EXPECT_LT(end.body.size(), kMaxAnswer);
    EXPECT_GT(end.body.size(), kMaxAnswer / 2);
  }
  ScriptedApp app;
  EXPECT_FALSE(call(app.url()).is_cut);
}

TEST_F(HttpCallerTest, follows_no_redirect_and_keeps_no_cookie) {
  ScriptedApp elsewhere;
  ScriptedApp app;
  app.answer(http_answer("307 Temporary Redirect", "", "Location: " + elsewhere.url() + "\r\nSet-Cookie: a=b\r\n"));
  HttpCaller caller(settings_);
  for (int i = 0; i < 2; ++i) {
    const auto end = caller.post(request_to(app.url()));
    EXPECT_EQ(end.how, HttpAnswer::How::answered);
    EXPECT_EQ(end.status, 307);
  }
  EXPECT_TRUE(elsewhere.requests().empty());
  ASSERT_EQ(app.requests().size(), 2U);
  EXPECT_FALSE(app.requests()[1].header("Cookie"));
}

TEST_F(HttpCallerTest, asks_no_proxy_that_the_environment_names) {
  ScriptedApp proxy;
  ScriptedApp app;
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("all_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(call(app.url()).status, 200);
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(HttpCallerTest, waits_no_longer_than_it_may) {
  settings_.timeout = milliseconds(300);
  ScriptedApp app;
  app.say_nothing();
  const auto begin = std::chrono::steady_clock::now();
  const auto end = call(app.url());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(end.how, HttpAnswer::How::no_answer);
  EXPECT_EQ(end.status, 0);
  EXPECT_THAT(end.explanation, HasSubstr("timed out"));
}

TEST_F(HttpCallerTest, says_why_nobody_can_be_reached) {
  const std::string port = std::to_string(test::closed_port());
  const struct {
    std::string url;
    std::string explanation;
  } rows[] = {
      {"http://127.0.0.1:" + port + "/ws/RefreshAPI", "connect"},
      {"http://no-such-host.invalid/", "resolve"},
      {"ftp://127.0.0.1:" + port + "/", "rotocol"},
      {"file:///etc/passwd", "rotocol"},
      {"http://user:word@127.0.0.1:" + port + "/", "denied"},
      {"not a URL", "URL"},
  };
  for (const auto& [url, explanation] : rows) {
    const auto end = call(url);
    EXPECT_EQ(end.how, HttpAnswer::How::no_answer) << url;
    EXPECT_THAT(end.explanation, HasSubstr(explanation)) << url;
    EXPECT_THAT(end.explanation, testing::Not(HasSubstr("word"))) << url;
  }
}

TEST_F(HttpCallerTest, speaks_tls_to_an_app_whose_certificate_it_can_check) {
  settings_.ca_file = test::test_ca_file();
  ScriptedApp app(test::CertificateKind::good);
  const auto end = call(app.url());
  EXPECT_EQ(end.status, 200) << end.explanation;
  EXPECT_EQ(app.requests().size(), 1U);
}

TEST_F(HttpCallerTest, says_nothing_to_an_app_whose_certificate_does_not_prove_the_name) {
  for (const auto kind :
       {test::CertificateKind::self_signed, test::CertificateKind::expired, test::CertificateKind::wrong_name}) {
    settings_.ca_file = test::test_ca_file();
    ScriptedApp app(kind);
    const auto end = call(app.url());
    EXPECT_EQ(end.how, HttpAnswer::How::no_answer) << static_cast<int>(kind);
    EXPECT_THAT(end.explanation, AnyOf(HasSubstr("certificate"), HasSubstr("SSL"))) << static_cast<int>(kind);
    EXPECT_TRUE(app.requests().empty()) << static_cast<int>(kind);
  }
  settings_.ca_file.clear();  // the system's authorities do not know the test's
  ScriptedApp app(test::CertificateKind::good);
  EXPECT_EQ(call(app.url()).how, HttpAnswer::How::no_answer);
  EXPECT_TRUE(app.requests().empty());
}

TEST_F(HttpCallerTest, connects_to_no_private_address_unless_that_is_allowed) {
  settings_.allow_private = false;
  ScriptedApp app;
  const std::string port = app.url().substr(app.url().find("127.0.0.1") + 9);
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"}) {
    const auto end = call("http://" + host + port);
    EXPECT_EQ(end.how, HttpAnswer::How::no_answer) << host;
    EXPECT_THAT(end.explanation, HasSubstr("webhook.allow_private")) << host;
  }
  EXPECT_TRUE(app.requests().empty());
  settings_.allow_private = true;
  EXPECT_EQ(call(app.url()).status, 200);
}

TEST_F(HttpCallerTest, is_broken_off_from_another_thread) {
  ScriptedApp app;
  app.say_nothing();
  HttpCaller caller(settings_);
  std::thread interrupter([&] {
    app.wait_for(1);
    caller.interrupt();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto end = caller.post(request_to(app.url()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(15));
  EXPECT_EQ(end.how, HttpAnswer::How::interrupted);
  interrupter.join();
}

}  // namespace
}  // namespace invited::calls
