// What an invitee sees while the database refuses, or does not tell.
#include "http/pages/failing_store.h"

#include <gtest/gtest.h>

#include "http/pages/invitation_pages_fixture.h"

namespace invited::http {
namespace {

class FailingInvitationPagesTest : public InvitationPagesTest {
 protected:
  FailingInvitationPagesTest()
      : failing_(*store_), failing_context_{failing_, clock_,       policy_,   keys_,    *authenticator_,
                                            hasher_,  wrong_links_, sign_ups_, sign_ins_} {
    add_invitation_routes(failing_router_, std::make_shared<const InvitationPages>(failing_context_, renderer_,
                                                                                   base::Secret(std::string(32, 'c'))));
  }

  FailingStore failing_;
  domain::Context failing_context_;
  Router failing_router_;
};

TEST_F(FailingInvitationPagesTest, WhileTheDatabaseIsBusyTheFormKeepsWhatWasTyped) {
  const std::string token = invite();
  failing_.write_error = domain::Error{domain::ErrorCode::unavailable, "Busy.", {}, std::chrono::seconds(7)};
  Browser browser(failing_router_);
  const Response response = browser.submit(token, "accept", sign_up_form());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("Retry-After"), "7");
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.text("//*[@role='alert']").starts_with("The service is busy."));
  EXPECT_EQ(page.text("//input[@id='name']/@value"), "Ada Lovelace");

  EXPECT_EQ(browser.submit(token, "decline", {}).status, 503);
  failing_.read_error = failing_.write_error;
  const Response look = browser.get("/i/" + token);
  EXPECT_EQ(look.status, 503);
  EXPECT_EQ(look.headers.get("Retry-After"), "7");
  failing_.write_error = failing_.read_error = std::nullopt;
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form()).status, 200);
}

TEST_F(FailingInvitationPagesTest, WhereTheOutcomeIsUnknownThePageSaysSoAndLeadsToTheTruth) {
  const std::string token = invite();
  failing_.write_error = domain::Error{domain::ErrorCode::outcome_unknown, "Unknown.", {}, std::nullopt};
  Browser browser(failing_router_);
  for (const char* action : {"accept", "decline"}) {
    const Response response = browser.submit(token, action, sign_up_form());
    EXPECT_EQ(response.status, 503);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_EQ(page.text("//h1"), "We do not know whether that worked");
    EXPECT_EQ(page.text("//a[@class='button']/@href"), "/i/" + token);
  }
}

TEST_F(FailingInvitationPagesTest, EveryErrorHasAPage) {
  const std::string token = invite();
  for (const domain::ErrorCode code : domain::kErrorCodes) {
    SCOPED_TRACE(domain::to_string(code));
    failing_.write_error = domain::Error{code, "A sentence.", {}, std::nullopt};
    clock_.advance(std::chrono::minutes(2));
    for (const char* action : {"accept", "decline"}) {
      Browser browser(failing_router_);
      const Response response = browser.submit(token, action, sign_up_form());
      EXPECT_GE(response.status, 400 - 200 * (code == domain::ErrorCode::link_not_valid));
      EXPECT_EQ(response.headers.get("Content-Type"), "text/html; charset=utf-8");
      expect_accessible(ParsedPage(response));
    }
  }
}

}  // namespace
}  // namespace invited::http
