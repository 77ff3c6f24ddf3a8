#include "http/captured_mail_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/pages/parsed_page.h"
#include "http/router.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class CapturedMailPagesTest : public testing::Test {
 protected:
  CapturedMailPagesTest() {
    add_captured_mail_routes(router_, std::make_shared<const PageRenderer>("http://127.0.0.1:8080", base::Language::en),
                             {.list = [this] { return mails_; },
                              .find = [this](std::string_view file) -> std::optional<CapturedMail> {
                                for (const CapturedMail& mail : mails_)
                                  if (mail.file == file) return mail;
                                return std::nullopt;
                              }});
  }

  Response get(const std::string& path, const std::string& host = "127.0.0.1:8080") const {
    Request request;
    request.headers.add("Host", host);
    request.method = "GET";
    request.path = path;
    request.headers.add("Accept", "text/html");
    RouteMatch match = router_.match("GET", path);
    if (!match.route) return make_response(404, "text/plain", "no route");
    request.path_parameters = std::move(match.path_parameters);
    return match.route->handler(request);
  }

  std::vector<CapturedMail> mails_{
      {.file = "0002 é.eml",
       .from = "Invitations <invite@example.org>",
       .to = "ada@example.org",
       .subject = "Grace <b>Hopper</b> invites you",
       .date = "Fri, 20 Nov 2026 08:30:00 +0000",
       .text = "Hello,\n\nhttps://invite.example.org/i/AQE?x=1&y\n\n<b>Bye</b>",
       .html = "<html><head><title>x</title></head><body><p>Hello</p></body></html>"},
      {.file = "0001.eml", .from = "a", .to = "b", .subject = "Plain", .date = "d", .text = "no link", .html = ""}};
  Router router_;
};

TEST_F(CapturedMailPagesTest, ListsTheMailsAsGivenAndLooksForNewOnes) {
  const Response response = get("/demo/mails");
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.all("//ul[@class='mails']//a/@href"),
            (std::vector<std::string>{"/demo/mails/0002%20%C3%A9.eml", "/demo/mails/0001.eml"}));
  EXPECT_TRUE(page.has("//script[contains(@src, 'mails')]"));
  EXPECT_TRUE(page.has("//a[@href='/demo/mails']")) << "to look again, without scripts";
  EXPECT_THAT(response.body, Not(HasSubstr("<b>Hopper")));
}

// A page of evil.example whose name is made to lead to 127.0.0.1 is of the same origin as what it reads there.
TEST_F(CapturedMailPagesTest, AreShownUnderNoStrangersName) {
  for (const char* path : {"/demo/mails", "/demo/mails/0001.eml", "/demo/mails/0002 é.eml/html"}) {
    for (const char* host : {"evil.example:8080", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example"}) {
      const Response response = get(path, host);
      EXPECT_EQ(response.status, 303) << path << ' ' << host;
      EXPECT_EQ(response.headers.get("Location"), "http://127.0.0.1:8080/demo/mails");
      EXPECT_EQ(response.body, "");
    }
    for (const char* host : {"127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "192.0.2.1:8080"})
      EXPECT_EQ(get(path, host).status, 200) << path << ' ' << host;
  }
}

TEST_F(CapturedMailPagesTest, SaysWhenThereIsNone) {
  mails_.clear();
  EXPECT_THAT(get("/demo/mails").body, HasSubstr("No mail yet"));
}

TEST_F(CapturedMailPagesTest, ShowsAMailWithItsLinkToFollow) {
  const Response response = get("/demo/mails/0002 é.eml");
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "Grace <b>Hopper</b> invites you");
  EXPECT_EQ(page.text("//pre//a/@href"), "https://invite.example.org/i/AQE?x=1&y");
  EXPECT_EQ(page.text("//pre"), "Hello, https://invite.example.org/i/AQE?x=1&y <b>Bye</b>");
  EXPECT_EQ(page.text("//iframe/@src"), "/demo/mails/0002%20%C3%A9.eml/html");
  EXPECT_THAT(page.text("//iframe/@sandbox"), Not(HasSubstr("allow-scripts")));
  EXPECT_THAT(response.headers.get("Content-Security-Policy"), HasSubstr("frame-src 'self'"));
}

TEST_F(CapturedMailPagesTest, ShowsTheHtmlPartAloneAndSandboxed) {
  const Response response = get("/demo/mails/0002 é.eml/html");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("<head><base target=\"_top\"><title>"));
  const auto policy = response.headers.get("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("sandbox "));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'self'"));
  EXPECT_THAT(policy, Not(HasSubstr("allow-scripts")));
  EXPECT_THAT(policy, Not(HasSubstr("allow-same-origin")));
}

TEST_F(CapturedMailPagesTest, AMailWithoutHtmlHasNoFrame) {
  EXPECT_FALSE(ParsedPage(get("/demo/mails/0001.eml")).has("//iframe"));
  EXPECT_EQ(get("/demo/mails/0001.eml/html").status, 404);
}

TEST_F(CapturedMailPagesTest, AnUnknownFileIsNotFound) {
  EXPECT_EQ(get("/demo/mails/nothing.eml").status, 404);
  EXPECT_EQ(get("/demo/mails/nothing.eml/html").status, 404);
}

}  // namespace
}  // namespace invited::http
