// Signing in and out, and what stands at the address of an OpenID, page by page.
#include "http/account_pages.h"

#include <gmock/gmock.h>

#include "http/home_page.h"
#include "http/invitation_pages.h"
#include "http/pages/account_pages_fixture.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> set_cookies(const Response& response) {
  std::vector<std::string> values;
  for (const auto& [name, value] : response.headers.all())
    if (name == "Set-Cookie") values.push_back(value);
  return values;
}

/// The body without what was typed into the form.
std::string body_without(std::string body, const std::string& typed) {
  for (auto at = body.find(typed); at != std::string::npos; at = body.find(typed, at)) body.erase(at, typed.size());
  return body;
}

TEST_F(AccountPagesTest, TheSignInFormIsOneThatPasswordManagersUnderstand) {
  Browser browser(router_);
  const Response response = browser.get("/sign-in");
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "Sign in");
  EXPECT_TRUE(page.has("//input[@name='email'][@type='email'][@autocomplete='username']"));
  EXPECT_TRUE(page.has("//input[@name='password'][@type='password'][@autocomplete='current-password']"));
  EXPECT_EQ(page.text("//a[contains(., 'Forgot')]/@href"), "/forgot-password");
  EXPECT_FALSE(page.has("//input[@maxlength]")) << "browsers would cut a pasted password";
}

TEST_F(AccountPagesTest, SigningInLeadsToTheProfileWithANewSession) {
  Browser browser(router_);
  const Response response = sign_in(browser);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.get("Location"), "/profile");
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_THAT(set_cookies(response),
              testing::Contains(testing::MatchesRegex("__Host-invited_session=[A-Za-z0-9_-]+; Path=/; HttpOnly; "
                                                      "SameSite=Lax; Max-Age=43200; Secure")));
  EXPECT_TRUE(is_signed_in(browser.cookie_value("invited_session")));
  const Response profile = browser.get("/profile");
  EXPECT_EQ(profile.status, 200);
  EXPECT_EQ(ParsedPage(profile).text("//input[@id='email']/@value"), kAda);
}

TEST_F(AccountPagesTest, OverPlainHttpTheCookieIsWithoutItsPrefixAndCountsNothingOverTls) {
  Browser browser(router_);
  browser.secure = false;
  const Response response = sign_in(browser);
  EXPECT_EQ(response.status, 303);
  EXPECT_THAT(set_cookies(response),
              testing::Contains(testing::MatchesRegex("invited_session=[A-Za-z0-9_-]+; Path=/; HttpOnly; "
                                                      "SameSite=Lax; Max-Age=43200")));
  EXPECT_EQ(browser.get("/profile").status, 200);
  browser.secure = true;
  EXPECT_EQ(browser.get("/profile").status, 303);
}

TEST_F(AccountPagesTest, TheAddressIsFoundWhateverItsLetterCaseAndTheBlanksAroundIt) {
  for (const char* typed : {"ADA@Example.ORG", "  ada@example.org ", "ada@example.org\t"}) {
    Browser browser(router_);
    EXPECT_EQ(sign_in(browser, domain::kGoodPassword, typed).status, 303) << typed;
  }
}

TEST_F(AccountPagesTest, WhatIsMissingIsSaidAtItsField) {
  struct Case {
    const char *email, *password;
    std::vector<std::string> fields;
  };
  for (const Case& each : {Case{"", "", {"#email", "#password"}}, Case{"  ", "x", {"#email"}},
                           Case{"ada@example.org", "", {"#password"}}}) {
    Browser browser(router_);
    const Response response = sign_in(browser, each.password, each.email);
    EXPECT_EQ(response.status, 422);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_EQ(page.all("//*[@role='alert']//a/@href"), each.fields);
    EXPECT_TRUE(page.text("//title").starts_with("Error: "));
  }
}

TEST_F(AccountPagesTest, WhoCannotSignInGetsTheSameAnswerWhateverTheReason) {
  add_account("disabled@example.org", "Dis Abled");
  change_account("disabled@example.org", [](domain::Account& account) { account.disabled = true; });
  add_account("nopassword@example.org", "No Password", "");
  const std::pair<const char*, const char*> cases[]{
      {"ada@example.org", "not the right password"},     {"nobody@example.org", domain::kGoodPassword},
      {"disabled@example.org", domain::kGoodPassword},   {"nopassword@example.org", ""},
      {"nopassword@example.org", domain::kGoodPassword}, {"no address", domain::kGoodPassword},
      {"ada@example.org", "lighthouse piano carg"},      {"ada@example.org", "Lighthouse Piano Cargo"}};
  Browser browser(router_);
  const Response reference = sign_in(browser, "wrong wrong wrong", "somebody@example.org");
  for (const auto& [email, password] : cases) {
    SCOPED_TRACE(std::string(email) + " " + password);
    clock_.advance(std::chrono::minutes(2));
    const Response response = sign_in(browser, *password ? password : "x", email);
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(body_without(response.body, email), body_without(reference.body, "somebody@example.org"));
    EXPECT_EQ(response.headers.all(), reference.headers.all());
    EXPECT_TRUE(browser.cookie_value("invited_session").empty());
    const ParsedPage page(response);
    EXPECT_EQ(page.text("//*[@id='password-error']"), "The e-mail address or the password is not right. Try again.");
    EXPECT_EQ(page.text("//input[@id='email']/@value"), email);
    EXPECT_FALSE(page.has("//input[@type='password'][@value]"));
  }
}

TEST_F(AccountPagesTest, TooManyAttemptsFromOneAddressHaveToWait) {
  Browser browser(router_);
  Response response;
  for (int i = 0; i < 11; ++i)
    response = sign_in(browser, "wrong wrong wrong", "x" + std::to_string(i) + "@example.org");
  EXPECT_EQ(response.status, 429);
  EXPECT_GT(std::stoi(std::string(response.headers.get("Retry-After"))), 0);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.text("//*[@role='alert']").starts_with("Too many attempts."));
  EXPECT_EQ(page.text("//input[@id='email']/@value"), "x10@example.org");
  Browser neighbour(router_, "192.0.2.8");
  EXPECT_EQ(sign_in(neighbour).status, 303);
}

TEST_F(AccountPagesTest, WhoTriesManyPasswordsForOneAccountHasToWaitAndLocksItsOwnerNotOut) {
  for (const std::string email : {"ada@example.org", "nobody@example.org"}) {
    Browser browser(router_, "198.51.100.1");
    int last = 0;
    for (int i = 0; i < 6; ++i) {
      clock_.advance(std::chrono::minutes(1));  // away from the limit of a client's attempts
      last = sign_in(browser, "wrong wrong wrong", email).status;
    }
    EXPECT_EQ(last, 429) << email << ": known or not";
  }
  Browser ada(router_, "203.0.113.9");
  EXPECT_EQ(sign_in(ada).status, 303);
}

TEST_F(AccountPagesTest, WhoIsSignedInIsLedFromTheSignInPageToTheProfile) {
  Browser browser = signed_in_browser();
  const Response response = browser.get("/sign-in");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.get("Location"), "/profile");
}

TEST_F(AccountPagesTest, ASessionEndsWithItsTime) {
  Browser browser = signed_in_browser();
  clock_.advance(policy_.session_lifetime - std::chrono::seconds(1));
  EXPECT_EQ(browser.get("/profile").status, 200) << "the last second";
  clock_.advance(std::chrono::seconds(1));
  const Response over = browser.get("/profile");
  EXPECT_EQ(over.status, 303);
  EXPECT_EQ(over.headers.get("Location"), "/sign-in");
  EXPECT_EQ(browser.get("/sign-in").status, 200);
}

TEST_F(AccountPagesTest, ASessionEndsWithTheAccount) {
  Browser browser = signed_in_browser();
  change_account(kAda, [](domain::Account& account) { account.disabled = true; });
  EXPECT_EQ(browser.get("/profile").status, 303);
  EXPECT_EQ(browser.get("/sign-in").status, 200);
}

TEST_F(AccountPagesTest, SigningOutEndsTheSessionInTheDatabaseAndInTheBrowser) {
  Browser browser = signed_in_browser();
  const std::string session = browser.cookie_value("invited_session");
  const Response response = browser.fill_in("/profile", "/sign-out", {});
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "You are signed out");
  EXPECT_THAT(set_cookies(response), testing::Contains(HasSubstr("__Host-invited_session=; Path=/; HttpOnly; "
                                                                 "SameSite=Lax; Max-Age=0; Secure")));
  EXPECT_TRUE(browser.cookie_value("invited_session").empty());
  EXPECT_FALSE(is_signed_in(session));
  EXPECT_EQ(browser.get("/profile").status, 303);
  browser.cookie += "; __Host-invited_session=" + session;
  EXPECT_EQ(browser.get("/profile").status, 303) << "a copy of the cookie is worth nothing";
}

TEST_F(AccountPagesTest, AFormThatIsOutOfDateIsShownAgainWithWhatWasTyped) {
  Browser browser = signed_in_browser();
  browser.origin = "https://invite.example.org";
  const std::pair<const char*, Fields> forms[]{
      {"/sign-in", {{"email", "ada@example.org"}, {"password", domain::kGoodPassword}}},
      {"/forgot-password", {{"email", "ada@example.org"}}},
      {"/profile", {{"name", "Ada King"}, {"job_title", "Countess"}, {"phone", "call me"}}}};
  for (const auto& [path, typed] : forms) {
    SCOPED_TRACE(path);
    Fields fields = typed;
    fields["csrf"] = "of before";
    const Response response = browser.post(path, fields);
    EXPECT_EQ(response.status, 403);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_THAT(page.text("//*[@role='alert']"), HasSubstr("so it was not accepted"));
    for (const auto& [name, value] : typed) {
      if (name == "password") continue;
      EXPECT_EQ(page.text(("//input[@name='" + name + "']/@value").c_str()), value);
    }
    EXPECT_THAT(response.body, Not(HasSubstr(domain::kGoodPassword)));
  }
  EXPECT_EQ(reset_mails(), 0u);
  EXPECT_EQ(account(kAda)->name, "Ada Lovelace");
  Browser stranger(router_);
  stranger.origin = browser.origin;
  stranger.get("/sign-in");
  EXPECT_EQ(stranger.post("/profile", {{"csrf", "x"}}).status, 303) << "nothing is shown to who is not signed in";
  EXPECT_EQ(browser.post("/sign-out", {{"csrf", "x"}}).status, 403);
  EXPECT_TRUE(is_signed_in(browser.cookie_value("invited_session")));
}

TEST_F(AccountPagesTest, AskingForANewPasswordLeavesOtherFormsAsTheyAre) {
  Browser browser(router_);
  const Fields sign_in_form =
      Browser::fields_of(browser.get("/sign-in"), "/sign-in", {{"email", kAda}, {"password", domain::kGoodPassword}});
  EXPECT_EQ(browser.fill_in("/forgot-password", "/forgot-password", {{"email", kAda}}).status, 200);
  EXPECT_EQ(browser.post("/sign-in", sign_in_form).status, 303);
}

TEST_F(AccountPagesTest, SigningOutTwiceIsAsGoodAsOnce) {
  Browser browser = signed_in_browser();
  const Fields form = Browser::fields_of(browser.get("/profile"), "/sign-out");
  const std::string cookie = browser.cookie;
  EXPECT_EQ(browser.post("/sign-out", form).status, 200);
  browser.cookie = cookie;
  EXPECT_EQ(browser.post("/sign-out", form).status, 200);
}

TEST_F(AccountPagesTest, LookingAtTheAddressOfSignOutDoesNotSignOut) {
  Browser browser = signed_in_browser();
  for (const char* method : {"GET", "HEAD"}) {
    const Response response = browser.get("/sign-out", method);
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(response.headers.get("Location"), "/profile");
  }
  EXPECT_EQ(browser.get("/profile").status, 200);
}

TEST_F(AccountPagesTest, OneAccountMayBeSignedInInSeveralBrowsers) {
  Browser first = signed_in_browser();
  Browser second = signed_in_browser();
  EXPECT_NE(first.cookie_value("invited_session"), second.cookie_value("invited_session"));
  EXPECT_EQ(first.fill_in("/profile", "/sign-out", {}).status, 200);
  EXPECT_EQ(second.get("/profile").status, 200);
}

TEST_F(AccountPagesTest, TheAddressOfAnOpenIdSaysWhatItIsAndNothingAboutThePerson) {
  Browser browser(router_);
  const Response plain = browser.get("/id");
  EXPECT_EQ(plain.status, 200);
  const ParsedPage page(plain);
  expect_accessible(page);
  EXPECT_THAT(page.text("//main"), HasSubstr("OpenID"));
  const std::string ada = account(kAda)->id.to_string();
  for (const std::string& query : {"?id=" + ada, "?id=" + base::Uuid::random().to_string(), std::string("?id="),
                                   std::string("?id=<script>"), std::string("?x=1"), std::string("?")}) {
    const Response response = browser.get("/id" + query);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, plain.body) << query;
    EXPECT_EQ(response.headers.all(), plain.headers.all()) << query;
    EXPECT_FALSE(response.headers.find("Set-Cookie"));
  }
  Browser herself = signed_in_browser();
  EXPECT_EQ(herself.get("/id?id=" + ada).body, plain.body);
}

TEST_F(AccountPagesTest, OtherPagesLeadHere) {
  policy_.mailbox = {0, 0, 0};
  add_home_route(router_, renderer_);
  add_invitation_routes(
      router_, std::make_shared<const InvitationPages>(*context_, renderer_, base::Secret(std::string(32, 'c'))));
  Browser browser(router_);
  EXPECT_TRUE(ParsedPage(browser.get("/")).has("//a[@href='/sign-in']"));
  ASSERT_TRUE(send(kAda));
  const std::string token = token_of(invitations()[0]);
  const ParsedPage invitation(browser.get("/i/" + token));
  EXPECT_TRUE(invitation.has("//form//a[@href='/forgot-password']")) << "the invitee has an account";
  const Response accepted = browser.submit(token, "accept", {{"password", domain::kGoodPassword}});
  EXPECT_EQ(accepted.status, 200);
  EXPECT_TRUE(ParsedPage(accepted).has("//a[@href='/profile']"));
  ASSERT_TRUE(send("new@example.org"));
  EXPECT_FALSE(ParsedPage(browser.get("/i/" + token_of(invitations()[0]))).has("//a[@href='/forgot-password']"))
      << "who signs up has nothing to forget";
}

TEST_F(AccountPagesTest, SpeakTheBrowsersLanguage) {
  for (const base::Language language : base::kLanguages) {
    Browser browser(router_, "192.0.2." + std::to_string(100 + static_cast<int>(language)));
    browser.language = base::to_string(language);
    const auto in = [&](const char* text) { return base::translate(language, text); };
    EXPECT_EQ(ParsedPage(browser.get("/sign-in")).text("//h1"), in("Sign in"));
    EXPECT_EQ(ParsedPage(sign_in(browser, "wrong wrong wrong", "x@example.org")).text("//*[@id='password-error']"),
              in("The e-mail address or the password is not right. Try again."));
    EXPECT_EQ(ParsedPage(browser.get("/forgot-password")).text("//h1"), in("Forgot your password?"));
    EXPECT_EQ(ParsedPage(browser.get("/reset-password/x")).text("//h1"), in("This link does not work"));
    EXPECT_EQ(ParsedPage(browser.get("/id")).text("//h1"), in("An address that stands for a person"));
    EXPECT_EQ(sign_in(browser).status, 303);
    EXPECT_EQ(ParsedPage(browser.get("/profile")).text("//h1"), in("Your profile"));
    EXPECT_EQ(ParsedPage(browser.fill_in("/profile", "/sign-out", {})).text("//h1"), in("You are signed out"));
  }
}

TEST_F(AccountPagesTest, LinksBeginWithThePublicUrlsPath) {
  Router router;
  add_account_routes(router, *context_,
                     std::make_shared<const PageRenderer>("https://example.org/in", base::Language::en),
                     base::Secret(std::string(32, 'c')));
  Browser browser(router);
  for (const std::string path : {"/sign-in", "/forgot-password", "/reset-password/x", "/id"}) {
    const ParsedPage page(browser.get(path));
    for (const std::string& link : page.all("//@href | //@src | //@action"))
      EXPECT_TRUE(link.starts_with("/in/")) << path << " " << link;
  }
  EXPECT_EQ(browser.get("/profile").headers.get("Location"), "/in/sign-in");
}

}  // namespace
}  // namespace invited::http
