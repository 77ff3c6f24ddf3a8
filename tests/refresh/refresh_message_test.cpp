// What an app is sent, byte for byte.
#include "refresh/refresh_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/app.h"

namespace invited::refresh {
namespace {

using testing::HasSubstr;

/// The message as clients of the contract write it: the operation qualified, its child not.
std::string expected(const std::string& name_space, const std::string& openid) {
  return R"(<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>)"
         R"(<home:RefreshUserPermissions xmlns:home=")" +
         name_space + R"("><OpenId>)" + openid +
         "</OpenId></home:RefreshUserPermissions></SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n";
}

TEST(RefreshMessage, is_in_the_namespace_that_the_environment_names) {
  const struct {
    std::string name_space;
    std::string soap_action;
  } rows[] = {
      {std::string(domain::kRefreshNamespace), R"("http://home.mendix.com/RefreshUserPermissions")"},
      {std::string(domain::kOldRefreshNamespace), R"("http://www.example.com/RefreshUserPermissions")"},
      {"http://www.example.com/", R"("http://www.example.com/RefreshUserPermissions")"},
      {"https://apps.example.org/roles", R"("https://apps.example.org/roles/RefreshUserPermissions")"},
  };
  for (const auto& [name_space, soap_action] : rows) {
    const auto message = make_refresh_message(name_space, "somebody");
    EXPECT_EQ(message.envelope, expected(name_space, "somebody"));
    EXPECT_EQ(message.soap_action, soap_action);
  }
}

TEST(RefreshMessage, escapes_what_stands_in_openid_and_namespace) {
  const auto message = make_refresh_message("http://apps.example.org/?a=1&b=2", "a&b<c>\"é漢字\"@example.org");
  EXPECT_EQ(message.envelope,
            expected("http://apps.example.org/?a=1&amp;b=2", "a&amp;b&lt;c&gt;\"é漢字\"@example.org"));
}

TEST(RefreshMessage, carries_the_longest_openid_whole) {
  std::string openid;
  for (int i = 0; i < 400; ++i) openid += "漢";
  EXPECT_THAT(make_refresh_message("http://home.mendix.com/", openid).envelope, HasSubstr(">" + openid + "<"));
}

}  // namespace
}  // namespace invited::refresh
