#include "http/form.h"

#include <gtest/gtest.h>

namespace invited::http {
namespace {

Request post(std::string body, std::string_view content_type = "application/x-www-form-urlencoded") {
  Request request;
  request.method = "POST";
  request.headers.add("Content-Type", content_type);
  request.body = std::move(body);
  return request;
}

TEST(Form, ReadsWhatABrowserSends) {
  const auto form = parse_form(post("name=Jos%C3%A9+Garc%c3%ada&password=a%26b%3Dc%2B+&csrf=x-_&empty=&flag"));
  ASSERT_TRUE(form);
  EXPECT_EQ(form->get("name"), "José García");
  EXPECT_EQ(form->get("password"), "a&b=c+ ");
  EXPECT_EQ(form->get("csrf"), "x-_");
  EXPECT_EQ(form->get("empty"), "");
  EXPECT_EQ(form->get("flag"), "");
  EXPECT_EQ(form->get("absent"), "");
}

TEST(Form, TakesTheContentTypeWithItsParameters) {
  EXPECT_TRUE(parse_form(post("a=1", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")));
  EXPECT_TRUE(parse_form(post("", "application/x-www-form-urlencoded")));
}

TEST(Form, RefusesWhatNoBrowserSends) {
  const std::string many_fields = [] {
    std::string body;
    for (int i = 0; i < 17; ++i) body += "f" + std::to_string(i) + "=1&";
    return body;
  }();
  const std::pair<const char*, Request> cases[]{
      {"no content type", post("a=1", "")},
      {"multipart", post("a=1", "multipart/form-data; boundary=x")},
      {"text", post("a=1", "text/plain")},
      {"a longer type", post("a=1", "application/x-www-form-urlencodedx")},
      {"a broken escape", post("a=%4")},
      {"an escape of no digits", post("a=%zz")},
      {"a broken escape in a name", post("%=1")},
      {"invalid UTF-8", post("a=%ff")},
      {"overlong UTF-8", post("a=%c0%af")},
      {"a lone surrogate", post("a=%ed%a0%80")},
      {"NUL", post("a=x%00y")},
      {"a field twice", post("password=one&password=two")},
      {"a field twice, escaped", post("password=one&pass%77ord=two")},
      {"too many fields", post(many_fields)},
      {"too long", post("a=" + std::string(17 * 1024, 'x'))},
  };
  for (const auto& [what, request] : cases) EXPECT_FALSE(parse_form(request)) << what;
}

}  // namespace
}  // namespace invited::http
