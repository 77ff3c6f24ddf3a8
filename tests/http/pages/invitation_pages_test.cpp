// What an invitee sees and does, page by page.
#include "http/invitation_pages.h"

#include <gmock/gmock.h>

#include "domain/manage_api_tokens.h"
#include "http/pages/invitation_pages_fixture.h"

namespace invited::http {
namespace {

using domain::LinkState;
using testing::HasSubstr;
using testing::Not;

TEST_F(InvitationPagesTest, SaysWhoInvitesToWhatAsWhatUntilWhen) {
  Browser browser(router_);
  const Response response = browser.get("/i/" + invite());
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "Grace Hopper invites you to Harbour Planner");
  EXPECT_EQ(page.text("//title"), "Grace Hopper invites you to Harbour Planner");
  EXPECT_EQ(page.text("//dl/div[1]/dd"), "User");
  EXPECT_EQ(page.text("//dl//time"),
            base::date_and_time_in_words(base::Language::en, now() + policy_.invitation_lifetime));
  EXPECT_EQ(page.text("//dl//time/@datetime"), base::to_rfc3339(now() + policy_.invitation_lifetime));
}

TEST_F(InvitationPagesTest, ANewAddressGetsAFormThatPasswordManagersUnderstand) {
  Browser browser(router_);
  const std::string token = invite();
  const ParsedPage page(browser.get("/i/" + token));
  EXPECT_EQ(page.text("(//form)[1]/@action"), "/i/" + token + "/accept");
  EXPECT_EQ(page.text("//input[@autocomplete='username']/@value"), "ada@example.org");
  EXPECT_TRUE(page.has("//input[@autocomplete='username'][@readonly][not(@name)]"));
  EXPECT_TRUE(page.has("//input[@name='name'][@autocomplete='name']"));
  EXPECT_TRUE(page.has("//input[@name='password'][@autocomplete='new-password'][@type='password']"));
  EXPECT_TRUE(page.has("//input[@name='password_again'][@autocomplete='new-password'][@type='password']"));
  EXPECT_THAT(page.text("//*[@id='password-rules']"), HasSubstr("15 to 128 characters"));
  EXPECT_FALSE(page.has("//input[@maxlength]")) << "browsers would cut a pasted password";
  EXPECT_EQ(page.text("(//form)[2]/@action"), "/i/" + token + "/decline");
}

TEST_F(InvitationPagesTest, SigningUpGivesAccessAndAButtonToTheApp) {
  Browser browser(router_);
  const Response response = browser.submit(invite(), "accept", sign_up_form());
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "You have access to Harbour Planner");
  EXPECT_EQ(page.text("//a[@class='button']/@href"), "https://planner.example.org/");
  EXPECT_EQ(page.text("//a[@class='button']/@rel"), "noreferrer noopener");
  const auto ada = account("ada@example.org");
  ASSERT_TRUE(ada);
  EXPECT_EQ(ada->name, "Ada Lovelace");
  EXPECT_TRUE(has_access(*ada, user_));
}

TEST_F(InvitationPagesTest, SpeaksOfSeveralRolesAsSeveral) {
  const std::string token = invite();
  Browser browser(router_);
  EXPECT_EQ(ParsedPage(browser.get("/i/" + token)).text("//dl/div[1]/dt"), "Your role");
  write([&](domain::Transaction& t) -> domain::Result<void> {
    auto invitation = *t.find_invitation(domain::check_token(keys_, token)->invitation_id);
    invitation.more_role_ids = {planner_.id};
    t.update(invitation);
    return {};
  });
  const ParsedPage open(browser.get("/i/" + token));
  EXPECT_EQ(open.text("//dl/div[1]/dt"), "Your roles");
  EXPECT_EQ(open.text("//dl/div[1]/dd"), "User, Planner");
  EXPECT_THAT(browser.submit(token, "accept", sign_up_form()).body, HasSubstr("Your roles are: User, Planner."));
  EXPECT_THAT(browser.get("/i/" + token).body,
              HasSubstr("has access to Harbour Planner with these roles: Planner, User."));
}

TEST_F(InvitationPagesTest, SaysTheWholeAddressInTextToo) {
  const std::string address = "a.very.long.local.part.of.an.address@and.a.long.domain.example.org";
  Browser browser(router_);
  EXPECT_EQ(ParsedPage(browser.get("/i/" + invite(address))).text("//*[@id='email-hint']"),
            "This invitation is for " + address + " only.");
}

TEST_F(InvitationPagesTest, TheLinkThenLeadsToTheApp) {
  Browser browser(router_);
  const std::string token = invite();
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form()).status, 200);
  const Response again = browser.get("/i/" + token);
  EXPECT_EQ(again.status, 404);
  const ParsedPage page(again);
  EXPECT_EQ(page.text("//h1"), "You have already accepted this invitation");
  EXPECT_EQ(page.text("//a[@class='button']/@href"), "https://planner.example.org/");
}

TEST_F(InvitationPagesTest, SendingTheFormTwiceIsAnsweredAsTheFirstTime) {
  Browser browser(router_);
  const std::string token = invite();
  const std::string path = "/i/" + token + "/accept";
  const Fields fields = Browser::fields_of(browser.get("/i/" + token), path, sign_up_form());
  const Response first = browser.post(path, fields);
  EXPECT_EQ(first.status, 200);
  const Response second = browser.post(path, fields);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  Fields others = fields;
  others["password"] = "not the password at all";
  const Response third = browser.post(path, others);
  EXPECT_EQ(third.status, 404);
  EXPECT_THAT(third.body, HasSubstr("You have already accepted this invitation"));
}

TEST_F(InvitationPagesTest, DecliningTwiceSaysThatItIsDeclined) {
  Browser browser(router_);
  const std::string token = invite();
  const std::string path = "/i/" + token + "/decline";
  const Fields fields = Browser::fields_of(browser.get("/i/" + token), path);
  EXPECT_EQ(browser.post(path, fields).status, 200);
  const Response second = browser.post(path, fields);
  EXPECT_EQ(second.status, 404);
  EXPECT_THAT(second.body, HasSubstr("This invitation was declined"));
}

TEST_F(InvitationPagesTest, AFormInAnotherTabStaysGood) {
  Browser browser(router_);
  const std::string first = invite("a@example.org");
  const std::string second = invite("b@example.org");
  const std::string third = invite("c@example.org");
  const auto opened = [&](const std::string& token, const std::string& action, const Fields& fields) {
    return Browser::fields_of(browser.get("/i/" + token), "/i/" + token + "/" + action, fields);
  };
  const Fields accept_first = opened(first, "accept", sign_up_form());
  const Fields decline_second = opened(second, "decline", {});
  const Fields accept_third = opened(third, "accept", sign_up_form());
  EXPECT_EQ(browser.post("/i/" + first + "/accept", accept_first).status, 200);
  EXPECT_EQ(browser.post("/i/" + second + "/decline", decline_second).status, 200);
  EXPECT_EQ(browser.post("/i/" + third + "/accept", accept_third).status, 200);
}

TEST_F(InvitationPagesTest, AFormThatIsOutOfDateIsShownAgainWithWhatWasTyped) {
  Browser browser(router_);
  browser.origin = "https://invite.example.org";
  const std::string token = invite();
  const std::string path = "/i/" + token + "/accept";
  Fields fields = sign_up_form();
  fields["csrf"] = "of another cookie";
  browser.get("/i/" + token);
  const Response again = browser.post(path, fields);
  EXPECT_EQ(again.status, 403);
  const ParsedPage page(again);
  expect_accessible(page);
  EXPECT_THAT(page.text("//*[@role='alert']"), HasSubstr("so it was not accepted"));
  EXPECT_EQ(page.text("//input[@id='name']/@value"), "Ada Lovelace");
  EXPECT_THAT(again.body, Not(HasSubstr(domain::kGoodPassword)));
  EXPECT_EQ(link(token), LinkState::open);
  EXPECT_EQ(browser.post("/i/" + token + "/decline", {{"csrf", "x"}}).status, 403);
  EXPECT_EQ(link(token), LinkState::open);

  Browser silent(router_);  // that does not say where the form comes from
  silent.get("/i/" + token);
  const Response dead_end = silent.post(path, fields);
  EXPECT_EQ(dead_end.status, 403);
  EXPECT_THAT(dead_end.body, HasSubstr("This form cannot be accepted"));
  EXPECT_THAT(dead_end.body, Not(HasSubstr("Nothing has been changed"))) << "it cannot know";

  EXPECT_EQ(browser.post(path, Browser::fields_of(again, path, sign_up_form())).status, 200);
  EXPECT_EQ(browser.post(path, fields).status, 404) << "and then the page says what became of it";
}

TEST_F(InvitationPagesTest, AnOutOfDateRequestForAFreshLinkSaysThatItWasNotAccepted) {
  Browser browser(router_);
  browser.origin = "https://invite.example.org";
  const std::string token = invite();
  clock_.advance(policy_.invitation_lifetime);
  browser.get("/i/" + token);
  const auto before = messages().size();
  const Response again = browser.post("/i/" + token + "/fresh", {{"csrf", "x"}});
  EXPECT_EQ(again.status, 403);
  expect_accessible(ParsedPage(again));
  EXPECT_THAT(again.body, HasSubstr("so it was not accepted"));
  EXPECT_EQ(messages().size(), before);
}

TEST_F(InvitationPagesTest, AUsedLinkDoesNotClaimAccessThatWasTakenAway) {
  Browser browser(router_);
  const std::string token = invite();
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form()).status, 200);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::revoke_access(environment_.id, "ada@example.org", user_.id, t, now()));
    return {};
  });
  const Response response = browser.get("/i/" + token);
  EXPECT_EQ(response.status, 404);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "You no longer have access");
  EXPECT_FALSE(page.has("//a[@class='button']"));
  EXPECT_THAT(response.body, HasSubstr("ask Grace Hopper"));
}

TEST_F(InvitationPagesTest, ADisabledAccountIsToldSoOnceItsPasswordIsRight) {
  add_account_of_ada();
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::set_account_disabled("ada@example.org", true, t, now()));
    return {};
  });
  Browser browser(router_);
  const std::string token = invite();
  const Response wrong = browser.submit(token, "accept", {{"password", "not the password at all"}});
  EXPECT_EQ(wrong.status, 422);
  EXPECT_THAT(wrong.body, HasSubstr("The password is not right"));
  const Response right = browser.submit(token, "accept", {{"password", domain::kGoodPassword}});
  EXPECT_EQ(right.status, 403);
  const ParsedPage page(right);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "Your account is disabled");
  EXPECT_THAT(right.body, HasSubstr("Ask Grace Hopper"));
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, ANewerMailThatHasNotLeftIsNotToBeLookedFor) {
  Browser browser(router_);
  const std::string token = invite();
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(browser.submit(token, "fresh", {}).status, 200);
  const Response waiting = browser.get("/i/" + token);
  EXPECT_THAT(waiting.body, HasSubstr("There is a newer link"));
  EXPECT_THAT(waiting.body, HasSubstr("That mail has not left yet"));
  EXPECT_THAT(waiting.body, Not(HasSubstr("Look for the newest mail")));
  write([&](domain::Transaction& t) -> domain::Result<void> {
    for (const domain::Lease& lease : t.claim_due_messages(1, now(), now() + std::chrono::minutes(1)))
      EXPECT_TRUE(t.finish_attempt(lease, {domain::DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, now()));
    return {};
  });
  EXPECT_THAT(browser.get("/i/" + token).body, HasSubstr("Look for the newest mail"));
}

TEST_F(InvitationPagesTest, AReplacedInvitationsPageTellsWhatBecameOfTheNewerOne) {
  Browser browser(router_);
  const std::string first = invite();
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(browser.submit(invite(), "decline", {}).status, 200);
  const Response response = browser.get("/i/" + first);
  EXPECT_EQ(response.status, 404);
  expect_accessible(ParsedPage(response));
  EXPECT_THAT(response.body, HasSubstr("A newer invitation to Harbour Planner was declined"));
}

TEST_F(InvitationPagesTest, ASlashBehindTheLinkLeadsToIt) {
  Browser browser(router_);
  const std::string token = invite();
  for (const char* method : {"GET", "HEAD"}) {
    const Response response = browser.get("/i/" + token + "/", method);
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(response.headers.get("Location"), "/i/" + token);
  }
}

TEST_F(InvitationPagesTest, AKnownAddressSignsIn) {
  add_account_of_ada();
  Browser browser(router_);
  const std::string token = invite();
  const Response response = browser.get("/i/" + token);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.has("//input[@name='password'][@autocomplete='current-password']"));
  EXPECT_FALSE(page.has("//input[@name='name'] | //input[@name='password_again']"));
  EXPECT_EQ(browser.submit(token, "accept", {{"password", domain::kGoodPassword}}).status, 200);
  EXPECT_TRUE(has_access(*account("ada@example.org"), user_));
}

TEST_F(InvitationPagesTest, WhereAnAppSeesLinksAnAccountsFirstPasswordIsSetByMail) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("ada@example.org", "Ada L.", {}, t, now()));
    EXPECT_TRUE(domain::add_api_token({.environment_id = environment_.id,
                                       .email = "grace@example.org",
                                       .name = "app",
                                       .role_ceiling = {},
                                       .may_see_links = true,
                                       .expires_at = std::nullopt},
                                      authenticator_->pepper(), t, now()));
    return {};
  });
  Browser browser(router_);
  const std::string token = invite();
  const Response response = browser.get("/i/" + token);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.has("//a[@class='button'][@href='/forgot-password']"));
  EXPECT_FALSE(page.has("//form[contains(@action, '/accept')]"));
  EXPECT_TRUE(page.has("//form[contains(@action, '/decline')]"));
  EXPECT_THAT(response.body, Not(HasSubstr("Ada L."))) << "a name is for those who know the person";
}

TEST_F(InvitationPagesTest, AWrongPasswordShowsTheFormAgain) {
  add_account_of_ada();
  Browser browser(router_);
  const std::string token = invite();
  for (const char* wrong : {"", "not the password at all"}) {
    const Response response = browser.submit(token, "accept", {{"password", wrong}});
    EXPECT_EQ(response.status, 422);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_TRUE(page.has("//*[@role='alert']//a[@href='#password']"));
    EXPECT_TRUE(page.has("//input[@id='password'][@aria-invalid='true']"));
  }
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, AnAddressThatAnOperatorEnteredKeepsItsNameInTheForm) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("ada@example.org", "Ada <Countess>", {}, t, now()));
    return {};
  });
  Browser browser(router_);
  EXPECT_EQ(ParsedPage(browser.get("/i/" + invite())).text("//input[@name='name']/@value"), "Ada <Countess>");
}

TEST_F(InvitationPagesTest, DecliningSaysSoAndEndsTheLink) {
  Browser browser(router_);
  const std::string token = invite();
  const Response response = browser.submit(token, "decline", {});
  EXPECT_EQ(response.status, 200);
  expect_accessible(ParsedPage(response));
  EXPECT_THAT(response.body, HasSubstr("You have declined the invitation"));
  EXPECT_EQ(link(token), LinkState::declined);
  EXPECT_EQ(browser.get("/i/" + token).status, 404);
}

TEST_F(InvitationPagesTest, AnExpiredLinkOffersAFreshOneToTheSameAddress) {
  Browser browser(router_);
  const std::string token = invite();
  clock_.advance(policy_.invitation_lifetime);
  const Response expired = browser.get("/i/" + token);
  EXPECT_EQ(expired.status, 404);
  const ParsedPage page(expired);
  EXPECT_EQ(page.text("//h1"), "This invitation has expired");
  EXPECT_TRUE(page.has("//form//button"));
  const auto before = messages().size();

  const Response sent = browser.submit(token, "fresh", {});
  EXPECT_EQ(sent.status, 200);
  expect_accessible(ParsedPage(sent));
  EXPECT_THAT(sent.body, HasSubstr("ada@example.org"));
  EXPECT_EQ(messages().size(), before + 1);
  EXPECT_EQ(messages()[0].recipient.text(), "ada@example.org");
  EXPECT_THAT(browser.get("/i/" + token).body, HasSubstr("There is a newer link"));
}

TEST_F(InvitationPagesTest, AFreshLinkIsOnlyForExpiredOnes) {
  Browser browser(router_);
  const std::string token = invite();
  const auto before = messages().size();
  const ParsedPage page(browser.get("/i/" + token));
  const Response response =
      browser.post("/i/" + token + "/fresh", {{"csrf", page.text("//form[1]//input[@name='csrf']/@value")}});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("invites you to")) << "the open invitation is shown";
  EXPECT_EQ(messages().size(), before);
}

TEST_F(InvitationPagesTest, EveryStateOfALinkHasItsPageInEveryLanguage) {
  struct Case {
    const char* title;
    std::string token;
  };
  std::vector<Case> cases{{"This link does not work", "AQEnonsense"}};
  const std::string superseded = invite("s@example.org");
  const std::string accepted = invite("a@example.org");
  const std::string declined = invite("d@example.org");
  const std::string revoked = invite("r@example.org");
  Browser actor(router_);
  EXPECT_EQ(actor.submit(accepted, "accept", sign_up_form()).status, 200);
  EXPECT_EQ(actor.submit(declined, "decline", {}).status, 200);
  clock_.advance(policy_.repeat_window + std::chrono::seconds(1));
  invite("s@example.org");
  write([&](domain::Transaction& t) -> domain::Result<void> {
    const auto id = domain::check_token(keys_, revoked)->invitation_id;
    EXPECT_TRUE(domain::revoke_invitation(id, "operator", t, now()));
    return {};
  });
  cases.push_back({"There is a newer link", superseded});
  cases.push_back({"You have already accepted this invitation", accepted});
  cases.push_back({"This invitation was declined", declined});
  cases.push_back({"This invitation was withdrawn", revoked});
  for (const base::Language language : base::kLanguages) {
    Browser browser(router_, "192.0.2." + std::to_string(50 + static_cast<int>(language)));
    browser.language = base::to_string(language);
    for (const Case& each : cases) {
      const Response response = browser.get("/i/" + each.token);
      EXPECT_EQ(response.status, 404);
      const ParsedPage page(response);
      expect_accessible(page);
      EXPECT_EQ(page.text("//h1"), base::translate(language, each.title));
      EXPECT_GE(page.count("//main//p"), 1u) << "says what to do next";
    }
  }
}

TEST_F(InvitationPagesTest, FormErrorsAreNamedAtTheTopAndAtTheirFieldsWithWhatWasTyped) {
  Browser browser(router_);
  const std::string token = invite();
  const Response response = browser.submit(
      token, "accept",
      {{"name", "www.buy.example <b>"}, {"password", "short secret"}, {"password_again", "short secret"}});
  EXPECT_EQ(response.status, 422);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.text("//title").starts_with("Error: "));
  EXPECT_EQ(page.all("//*[@role='alert']//a/@href"), (std::vector<std::string>{"#name", "#password"}));
  EXPECT_TRUE(page.has("//*[@role='alert'][@tabindex='-1'][@autofocus]"));
  EXPECT_EQ(page.text("//input[@id='name']/@value"), "www.buy.example <b>");
  EXPECT_EQ(page.text("//input[@id='name']/@aria-describedby"), "name-error");
  EXPECT_EQ(page.text("//input[@id='password']/@aria-describedby"), "password-error password-rules");
  EXPECT_FALSE(page.has("//input[@type='password'][@value]"));
  EXPECT_THAT(response.body, Not(HasSubstr("short secret")));
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, EveryBadNameIsExplained) {
  const std::string token = invite();
  const std::pair<std::string, const char*> cases[]{
      {"", "Enter your name."},
      {"   ", "Enter your name."},
      {std::string(129, 'x'), "Use at most 128 characters for your name."},
      {"Ada@example.org",
       "Write your name without web addresses, @ signs and special characters, and with a space after each dot."},
      {"Ada\r\nBcc: x",
       "Write your name without web addresses, @ signs and special characters, and with a space after each dot."},
      {"Ada\u202eecalevol",
       "Write your name without web addresses, @ signs and special characters, and with a space after each dot."}};
  for (const auto& [name, message] : cases) {
    Browser browser(router_);
    Fields fields = sign_up_form();
    fields["name"] = name;
    const Response response = browser.submit(token, "accept", fields);
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(ParsedPage(response).text("//*[@id='name-error']"), message);
  }
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, TooManyPostsKeepWhatWasTypedAndSayWhenAgain) {
  Browser browser(router_);
  const std::string token = invite();
  Fields fields = sign_up_form("passwordpassword");
  Response response;
  for (int i = 0; i < 11; ++i) response = browser.submit(token, "accept", fields);
  EXPECT_EQ(response.status, 429);
  EXPECT_GT(std::stoi(std::string(response.headers.get("Retry-After"))), 0);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//input[@id='name']/@value"), "Ada Lovelace");
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, TooManyForgedLinksAreSlowed) {
  Browser browser(router_);
  Response response;
  for (int i = 0; i < 31; ++i) response = browser.get("/i/AQEforged" + std::to_string(i));
  EXPECT_EQ(response.status, 429);
  EXPECT_FALSE(response.headers.get("Retry-After").empty());
  expect_accessible(ParsedPage(response));
  EXPECT_EQ(Browser(router_).get("/i/" + invite()).status, 200) << "a genuine link is not";
}

TEST_F(InvitationPagesTest, WhileDrainingAnAnswerIsStillTaken) {
  Browser browser(router_);
  const std::string token = invite();
  store_->drain();
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form()).status, 200);
}

TEST_F(InvitationPagesTest, ReloadingTheAddressOfAFormLeadsBackToTheLink) {
  Browser browser(router_);
  const std::string token = invite();
  for (const char* action : {"accept", "decline", "fresh"}) {
    const Response response = browser.get("/i/" + token + "/" + action);
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(response.headers.get("Location"), "/i/" + token);
  }
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(InvitationPagesTest, SpeaksTheBrowsersLanguageFromFormToSuccess) {
  Browser browser(router_);
  browser.language = "fr-BE, nl;q=0.5";
  const std::string token = invite();
  EXPECT_EQ(ParsedPage(browser.get("/i/" + token)).text("//h1"),
            "Grace Hopper vous invite à rejoindre Harbour Planner");
  const Response refused = browser.submit(token, "accept", sign_up_form("passwordpassword"));
  EXPECT_EQ(ParsedPage(refused).text("//*[@id='password-error']"),
            "Ce mot de passe est trop facile à deviner. Utilisez plusieurs mots sans rapport entre eux.");
  EXPECT_EQ(ParsedPage(browser.submit(token, "accept", sign_up_form())).text("//h1"),
            "Vous avez accès à Harbour Planner");
}

TEST_F(InvitationPagesTest, AnAppsUrlIsALinkOnlyWhereItIsOneOfTheWeb) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    domain::App app = app_;
    app.id = base::Uuid::random();
    app.url = "javascript:alert(1)";
    t.insert(app);
    app_ = app;
    user_.app_id = app.id;
    t.insert(user_);
    domain::Environment environment = environment_;
    environment.id = base::Uuid::random();
    environment.app_id = app.id;
    t.insert(environment);
    environment_ = environment;
    EXPECT_TRUE(domain::grant_access(environment.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  Browser browser(router_);
  const Response response = browser.submit(invite(), "accept", sign_up_form());
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("javascript:")));
}

}  // namespace
}  // namespace invited::http
