#include "http/cookies.h"

#include <gmock/gmock.h>

#include "http/session_cookie.h"

namespace invited::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Request with_cookies(std::vector<std::string> headers, bool secure = true) {
  Request request;
  request.secure = secure;
  for (const std::string& header : headers) request.headers.add("Cookie", header);
  return request;
}

TEST(Cookies, AreFoundAmongOthersByTheirWholeName) {
  const Request request = with_cookies({"a=1; __Host-x=2; __Host-xy=3;__Host-x=4", "__Host-x=5; __host-x=6; x=7"});
  EXPECT_THAT(cookies_of(request, "x"), ElementsAre("2", "4", "5"));
  EXPECT_THAT(cookies_of(request, "y"), IsEmpty());
}

TEST(Cookies, OverPlainHttpHaveNoPrefix) {
  EXPECT_THAT(cookies_of(with_cookies({"__Host-x=1; x=2"}, false), "x"), ElementsAre("2"));
  EXPECT_THAT(cookies_of(with_cookies({"__Host-x=1; x=2"}, true), "x"), ElementsAre("1"));
}

TEST(Cookies, HeadersThatAreNoneHoldNone) {
  for (const char* header : {"", ";", ";;;", " ; ", "__Host-x", "__Host-", "=", "x=1", " __Host-x", "__Host-x ;"})
    EXPECT_THAT(cookies_of(with_cookies({header}), "x"), IsEmpty()) << header;
  EXPECT_THAT(cookies_of(with_cookies({"__Host-x="}), "x"), ElementsAre(""));
}

TEST(Cookies, AreWrittenForTheWholeSiteAndOutOfReachOfScripts) {
  EXPECT_EQ(make_set_cookie(with_cookies({}), "x", "v"), "__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Secure");
  EXPECT_EQ(make_set_cookie(with_cookies({}, false), "x", "v", std::chrono::hours(1)),
            "x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
}

TEST(SessionCookie, IsTakenOnlyInTheFormThatWeWrite) {
  const std::string good(43, 'a');
  EXPECT_EQ(session_token_of(with_cookies({"__Host-invited_session=" + good})), good);
  EXPECT_EQ(session_token_of(with_cookies({"__Host-invited_session=x; __Host-invited_session=" + good})), good);
  for (const std::string& bad : {std::string(), std::string(42, 'a'), std::string(44, 'a'), std::string(42, 'a') + "=",
                                 std::string(42, 'a') + "'", std::string(16'000, 'a')})
    EXPECT_EQ(session_token_of(with_cookies({"__Host-invited_session=" + bad})), "") << bad.size();
  EXPECT_EQ(session_token_of(with_cookies({"invited_session=" + good})), "") << "planted over plain HTTP";
}

}  // namespace
}  // namespace invited::http
