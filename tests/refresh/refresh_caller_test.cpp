// One call over real sockets: what goes out, and what comes of whatever may come back.
#include "refresh/refresh_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "refresh/scripted_app.h"

namespace invited::refresh {
namespace {

using domain::RefreshOutcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::http_answer;
using test::refreshed;
using test::ScriptedApp;
using test::soap_body;
using testing::AnyOf;
using testing::HasSubstr;

class RefreshCallerTest : public testing::Test {
 protected:
  CallEnd call(const std::string& url) {
    RefreshCaller caller(settings_);
    return caller.call(url, make_refresh_message("http://home.mendix.com/", "somebody"));
  }

  Settings settings_;
};

TEST_F(RefreshCallerTest, posts_the_message_with_the_headers_of_the_contract) {
  ScriptedApp app;
  const auto end = call(app.url());
  EXPECT_EQ(end.how, CallEnd::How::answered);
  EXPECT_EQ(end.result.outcome, RefreshOutcome::done);
  EXPECT_EQ(end.result.http_status, 200);
  ASSERT_EQ(app.requests().size(), 1U);
  const auto request = app.requests()[0];
  EXPECT_EQ(request.line(), "POST /ws/RefreshAPI HTTP/1.1");
  EXPECT_EQ(request.header("Content-Type"), "text/xml; charset=utf-8");
  EXPECT_EQ(request.header("SOAPAction"), "\"http://home.mendix.com/RefreshUserPermissions\"");
  EXPECT_EQ(request.header("User-Agent"), std::string("invited/") + INVITED_VERSION);
  EXPECT_EQ(request.header("Content-Length"), std::to_string(request.body.size()));
  for (const char* name : {"Expect", "Cookie", "Authorization", "Accept-Encoding", "Transfer-Encoding"})
    EXPECT_FALSE(request.header(name)) << name;
  EXPECT_EQ(request.body, make_refresh_message("http://home.mendix.com/", "somebody").envelope);
}

TEST_F(RefreshCallerTest, says_what_came_of_it) {
  const std::string fault = soap_body("<soap:Fault><faultstring>Not now.</faultstring></soap:Fault>");
  const struct {
    std::string answer;
    CallEnd::How how;
    RefreshOutcome outcome;
    int status;
    std::string explanation;
  } rows[] = {
      {refreshed(), CallEnd::How::answered, RefreshOutcome::done, 200, ""},
      {http_answer("204 No Content", ""), CallEnd::How::answered, RefreshOutcome::done, 204, ""},
      {"HTTP/1.1 100 Continue\r\n\r\n" + refreshed(), CallEnd::How::answered, RefreshOutcome::done, 200, ""},
      {"HTTP/1.0 200 OK\r\n\r\n" + soap_body(""), CallEnd::How::answered, RefreshOutcome::done, 200, ""},
      {http_answer("500 Oops", fault), CallEnd::How::answered, RefreshOutcome::deferred, 500, "Not now."},
      {http_answer("404 Not Found", "nothing"), CallEnd::How::answered, RefreshOutcome::deferred, 404, "no RefreshAPI"},
      {http_answer("200 OK", "<html/>"), CallEnd::How::answered, RefreshOutcome::deferred, 200, "not a SOAP message"},
      {http_answer("200 OK", std::string(kMaxAnswer, ' ')), CallEnd::How::no_answer, RefreshOutcome::deferred, 200,
       "longer than 64 KiB"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(kMaxAnswer, 'x') + "\r\n\r\n", CallEnd::How::no_answer,
       RefreshOutcome::deferred, 200, "64 KiB"},
      {"garbage without a status line\r\n\r\n", CallEnd::How::no_answer, RefreshOutcome::deferred, 0, "HTTP/0.9"},
      {"", CallEnd::How::no_answer, RefreshOutcome::deferred, 0, "Empty reply"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<soap", CallEnd::How::no_answer, RefreshOutcome::deferred, 200,
       "bytes remaining"},
  };
  for (const auto& row : rows) {
    const std::string what = row.answer.substr(0, 80);
    ScriptedApp app;
    app.answer(row.answer);
    const auto end = call(app.url());
    EXPECT_EQ(end.how, row.how) << what;
    EXPECT_EQ(end.result.outcome, row.outcome) << what << end.result.explanation;
    EXPECT_EQ(end.result.http_status, row.status) << what;
    EXPECT_THAT(end.result.explanation, HasSubstr(row.explanation)) << what;
  }
}

TEST_F(RefreshCallerTest, follows_no_redirect_and_keeps_no_cookie) {
  ScriptedApp elsewhere;
  ScriptedApp app;
  app.answer(http_answer("307 Temporary Redirect", "", "Location: " + elsewhere.url() + "\r\nSet-Cookie: a=b\r\n"));
  RefreshCaller caller(settings_);
  for (int i = 0; i < 2; ++i) {
    const auto end = caller.call(app.url(), make_refresh_message("http://home.mendix.com/", "somebody"));
    EXPECT_EQ(end.result.outcome, RefreshOutcome::deferred);
    EXPECT_THAT(end.result.explanation, HasSubstr("redirect"));
  }
  EXPECT_TRUE(elsewhere.requests().empty());
  ASSERT_EQ(app.requests().size(), 2U);
  EXPECT_FALSE(app.requests()[1].header("Cookie"));
}

TEST_F(RefreshCallerTest, asks_no_proxy_that_the_environment_names) {
  ScriptedApp proxy;
  ScriptedApp app;
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("all_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(call(app.url()).result.outcome, RefreshOutcome::done);
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(RefreshCallerTest, waits_no_longer_than_it_may) {
  settings_.timeout = milliseconds(300);
  ScriptedApp app;
  app.say_nothing();
  const auto begin = std::chrono::steady_clock::now();
  const auto end = call(app.url());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(end.how, CallEnd::How::no_answer);
  EXPECT_EQ(end.result.outcome, RefreshOutcome::deferred);
  EXPECT_EQ(end.result.http_status, 0);
  EXPECT_THAT(end.result.explanation, HasSubstr("timed out"));
}

TEST_F(RefreshCallerTest, says_why_an_app_cannot_be_reached) {
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
    EXPECT_EQ(end.how, CallEnd::How::no_answer) << url;
    EXPECT_EQ(end.result.outcome, RefreshOutcome::deferred) << url;
    EXPECT_THAT(end.result.explanation, HasSubstr(explanation)) << url;
    EXPECT_THAT(end.result.explanation, testing::Not(HasSubstr("word"))) << url;
  }
}

TEST_F(RefreshCallerTest, speaks_tls_to_an_app_whose_certificate_it_can_check) {
  settings_.ca_file = test::test_ca_file();
  ScriptedApp app(test::CertificateKind::good);
  const auto end = call(app.url());
  EXPECT_EQ(end.result.outcome, RefreshOutcome::done) << end.result.explanation;
  EXPECT_EQ(app.requests().size(), 1U);
}

TEST_F(RefreshCallerTest, says_nothing_to_an_app_whose_certificate_does_not_prove_the_name) {
  for (const auto kind :
       {test::CertificateKind::self_signed, test::CertificateKind::expired, test::CertificateKind::wrong_name}) {
    settings_.ca_file = test::test_ca_file();
    ScriptedApp app(kind);
    const auto end = call(app.url());
    EXPECT_EQ(end.how, CallEnd::How::no_answer) << static_cast<int>(kind);
    EXPECT_EQ(end.result.outcome, RefreshOutcome::deferred) << static_cast<int>(kind);
    EXPECT_THAT(end.result.explanation, AnyOf(HasSubstr("certificate"), HasSubstr("SSL"))) << static_cast<int>(kind);
    EXPECT_TRUE(app.requests().empty()) << static_cast<int>(kind);
  }
  settings_.ca_file.clear();  // the system's authorities do not know the test's
  ScriptedApp app(test::CertificateKind::good);
  EXPECT_EQ(call(app.url()).how, CallEnd::How::no_answer);
  EXPECT_TRUE(app.requests().empty());
}

TEST_F(RefreshCallerTest, is_broken_off_from_another_thread) {
  ScriptedApp app;
  app.say_nothing();
  RefreshCaller caller(settings_);
  std::thread interrupter([&] {
    app.wait_for(1);
    caller.interrupt();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto end = caller.call(app.url(), make_refresh_message("http://home.mendix.com/", "somebody"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(15));
  EXPECT_EQ(end.how, CallEnd::How::interrupted);
  interrupter.join();
}

}  // namespace
}  // namespace invited::refresh
