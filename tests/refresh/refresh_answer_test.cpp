// What an app's answers mean: a table.
#include "refresh/refresh_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "support/scripted_app.h"

namespace invited::refresh {
namespace {

using domain::CallOutcome;
using test::soap_body;
using testing::HasSubstr;
using testing::Not;

std::string fault(const std::string& text) {
  return soap_body("<soap:Fault><faultcode>soap:Server</faultcode><faultstring>" + text +
                   "</faultstring></soap:Fault>");
}

const std::string kSoap12Fault =
    R"(<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Receiver)"
    R"(</e:Value></e:Code><e:Reason><e:Text xml:lang="en">No such user.</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>)";

TEST(RefreshAnswer, is_done_for_a_good_status_and_no_fault) {
  for (const std::string& body :
       {soap_body(R"(<m:RefreshUserPermissionsResponse xmlns:m="http://home.mendix.com/"/>)"),
        soap_body(
            R"(<RefreshUserPermissionsResponse xmlns="http://www.example.com"></RefreshUserPermissionsResponse>)"),
        soap_body(""), "\xEF\xBB\xBF" + soap_body("<a/>"), std::string(), std::string(" \r\n")}) {
    for (const int status : {200, 202, 204}) {
      const auto result = judge_answer(status, body);
      EXPECT_EQ(result.outcome, CallOutcome::done) << status << body;
      EXPECT_EQ(result.http_status, status);
      EXPECT_EQ(result.explanation, "");
    }
  }
}

TEST(RefreshAnswer, is_deferred_with_a_reason_for_everything_else) {
  const struct {
    int status;
    std::string body;
    std::string explanation;
  } rows[] = {
      {500, fault("The roles could not be set."), "The roles could not be set."},
      {200, fault("A fault with a good status"), "A fault with a good status"},
      {500, fault("<![CDATA[a & b <c>]]> &amp; d"), "a & b <c> & d"},
      {500, fault("two\n  lines\tand\x01 more"), "two lines and more"},
      {500, fault("two\n  lines\tand more "), "two lines and more"},
      {500, fault(""), "a fault that says nothing"},
      {500, soap_body("<soap:Fault/>"), "a fault that says nothing"},
      {500, kSoap12Fault, "No such user."},
      {500, "<html>Internal Server Error</html>", "HTTP status 500"},
      {500, "", "HTTP status 500"},
      {503, "busy", "HTTP status 503"},
      {404, "", "no RefreshAPI at the refresh URL"},
      {405, "", "no RefreshAPI at the refresh URL"},
      {401, "", "HTTP status 401: the call carries no credentials"},
      {403, "<html/>", "HTTP status 403: the call carries no credentials"},
      {302, "", "a redirect, which is not followed"},
      {308, soap_body(""), "a redirect, which is not followed"},
      {200, "<html><body>Sign in</body></html>", "not a SOAP message"},
      {200, "<Envelope/>", "not a SOAP message"},
      {200, "OK", "not a SOAP message"},
      {200, soap_body("<a>"), "not a SOAP message"},
      {200, std::string("\0\xFF\xFE garbage", 12), "not a SOAP message"},
  };
  for (const auto& [status, body, explanation] : rows) {
    const auto result = judge_answer(status, body);
    EXPECT_EQ(result.outcome, CallOutcome::deferred) << body;
    EXPECT_EQ(result.http_status, status) << body;
    EXPECT_THAT(result.explanation, HasSubstr(explanation)) << body;
  }
}

TEST(RefreshAnswer, takes_no_message_with_a_dtd_and_resolves_no_entity) {
  const std::string dtd =
      R"(<!DOCTYPE a [<!ENTITY x "xxxxxxxx"><!ENTITY y "&x;&x;&x;&x;"><!ENTITY f SYSTEM "file:///etc/passwd">]>)";
  EXPECT_EQ(judge_answer(200, dtd + soap_body("")).outcome, CallOutcome::deferred);
  const auto result = judge_answer(500, dtd + fault("&y;&f;"));
  EXPECT_THAT(result.explanation, HasSubstr("HTTP status 500"));
  EXPECT_THAT(result.explanation, Not(HasSubstr("xxx")));
  EXPECT_EQ(judge_answer(500, fault("&y;&f;")).explanation, "&y;&f;");
}

TEST(RefreshAnswer, keeps_one_cut_line_of_what_an_app_says) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "é";
  const auto cut = judge_answer(500, fault(many)).explanation;
  EXPECT_EQ(base::count_code_points(cut), 300U);
}

TEST(RefreshAnswer, takes_no_message_that_ends_too_soon) {
  const std::string whole = soap_body("<a><![CDATA[x]]>&amp;<b c='d'/></a>");
  ASSERT_EQ(judge_answer(200, whole).outcome, CallOutcome::done);
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_EQ(judge_answer(200, whole.substr(0, size)).outcome, CallOutcome::deferred) << whole.substr(0, size);
}

TEST(RefreshAnswer, survives_what_is_deep_and_wide) {
  std::string deep;
  for (int i = 0; i < 16'000; ++i) deep += "<a>";
  EXPECT_EQ(judge_answer(200, deep).outcome, CallOutcome::deferred);
  std::string wide = "<a";
  for (int i = 0; i < 5'000; ++i) wide += " b" + std::to_string(i) + "=''";
  EXPECT_EQ(judge_answer(200, soap_body(wide + "/>")).outcome, CallOutcome::done);
}

}  // namespace
}  // namespace invited::refresh
