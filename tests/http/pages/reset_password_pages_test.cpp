// A forgotten password: asking for a link, and what the link leads to.
#include <gmock/gmock.h>

#include <barrier>
#include <thread>

#include "http/pages/account_pages_fixture.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class ResetPasswordPagesTest : public AccountPagesTest {
 protected:
  static Response ask(Browser& browser, const std::string& email) {
    return browser.fill_in("/forgot-password", "/forgot-password", {{"email", email}});
  }
  /// Follows the link and sends its form.
  static Response set_password(Browser& browser, const std::string& token, const Fields& fields = new_password()) {
    return browser.fill_in("/reset-password/" + token, "/reset-password/" + token, fields);
  }
};

/// The headers with what is random in them taken out, but not its length.
std::vector<std::pair<std::string, std::string>> comparable_headers(const Response& response) {
  auto headers = response.headers.all();
  for (auto& [name, value] : headers)
    if (name == "Set-Cookie")
      value.replace(value.find('='), value.find(';') - value.find('='), std::to_string(value.find(';')));
  return headers;
}

TEST_F(ResetPasswordPagesTest, TheAnswerIsTheSameWhetherTheAddressIsKnownOrNot) {
  add_account("disabled@example.org", "Dis Abled");
  change_account("disabled@example.org", [](domain::Account& account) { account.disabled = true; });
  Browser browser(router_);
  const Response before = ask(browser, "new@example.org");
  EXPECT_EQ(before.status, 200);
  expect_accessible(ParsedPage(before));
  EXPECT_EQ(reset_mails(), 0u);
  add_account("new@example.org", "Ne Wone");
  clock_.advance(std::chrono::minutes(2));
  const Response after = ask(browser, "new@example.org");
  EXPECT_EQ(reset_mails(), 1u);
  EXPECT_EQ(after.status, before.status);
  EXPECT_EQ(after.body, before.body);
  EXPECT_EQ(comparable_headers(after), comparable_headers(before));
  const Response disabled = ask(browser, "disabled@example.org");
  EXPECT_EQ(disabled.status, 200);
  EXPECT_EQ(comparable_headers(disabled), comparable_headers(before));
  EXPECT_EQ(reset_mails(), 1u) << "a disabled account gets none";
}

TEST_F(ResetPasswordPagesTest, AMailGoesToTheAccountInTheBrowsersLanguage) {
  Browser browser(router_);
  browser.language = "fr-BE, nl;q=0.5";
  EXPECT_EQ(ask(browser, " ADA@example.org ").status, 200);
  ASSERT_EQ(messages().size(), 1u);
  const domain::OutboxMessage message = messages()[0];
  EXPECT_EQ(message.kind, domain::MessageKind::password_reset);
  EXPECT_EQ(message.recipient.text(), kAda) << "as the account has it, not as it was typed";
  EXPECT_EQ(message.language, base::Language::fr);
  EXPECT_EQ(mail_queued_, 1);
}

TEST_F(ResetPasswordPagesTest, WhatIsNoAddressIsExplained) {
  const std::pair<const char*, const char*> cases[]{
      {"", "Enter your e-mail address."},
      {"   ", "Enter your e-mail address."},
      {"ada", "Write the e-mail address as name@example.org."},
      {"ada@", "Write the e-mail address as name@example.org."},
      {"ada@localhost", "Write the e-mail address as name@example.org."},
      {"a@example.org, b@example.org", "Write the e-mail address as name@example.org."},
      {"ada@example.org\r\nBcc: x@example.org", "Write the e-mail address as name@example.org."},
      {"<ada@example.org>", "Write the e-mail address as name@example.org."},
      {"\"><script>@example.org", "Write the e-mail address as name@example.org."}};
  for (const auto& [typed, message] : cases) {
    SCOPED_TRACE(typed);
    Browser browser(router_);
    const Response response = ask(browser, typed);
    EXPECT_EQ(response.status, 422);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_EQ(page.text("//*[@id='email-error']"), message);
    EXPECT_EQ(page.all("//*[@role='alert']//a/@href"), std::vector<std::string>{"#email"});
    EXPECT_THAT(response.body, Not(HasSubstr("<script>@")));
  }
  EXPECT_EQ(reset_mails(), 0u);
}

TEST_F(ResetPasswordPagesTest, AskingOnAndOnSendsNoMoreMailAndSaysNothingOfIt) {
  std::string first;
  for (int i = 0; i < 20; ++i) {
    Browser browser(router_, "198.51.100." + std::to_string(i));
    const Response response = ask(browser, kAda);
    EXPECT_EQ(response.status, 200);
    if (first.empty()) first = response.body;
    EXPECT_EQ(response.body, first);
    clock_.advance(std::chrono::seconds(61));
  }
  EXPECT_LE(reset_mails(), 4u) << "three an hour";
  EXPECT_GE(reset_mails(), 3u);
}

TEST_F(ResetPasswordPagesTest, OneClientThatAsksTooOftenHasToWait) {
  Browser browser(router_);
  Response response;
  for (int i = 0; i < 11; ++i) response = ask(browser, "x" + std::to_string(i) + "@example.org");
  EXPECT_EQ(response.status, 429);
  EXPECT_FALSE(response.headers.get("Retry-After").empty());
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//input[@id='email']/@value"), "x10@example.org");
}

TEST_F(ResetPasswordPagesTest, TheLinkShowsAFormThatPasswordManagersUnderstand) {
  const std::string token = ask_for_reset();
  Browser browser(router_);
  const Response response = browser.get("/reset-password/" + token);
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.has("//input[@autocomplete='username'][@value='ada@example.org'][@readonly][not(@name)]"));
  EXPECT_EQ(page.count("//input[@type='password'][@autocomplete='new-password']"), 2u);
  EXPECT_THAT(page.text("//*[@id='password-rules']"), HasSubstr("15 to 128 characters"));
  EXPECT_TRUE(page.has("//*[@id='password-strength']//output")) << "its strength, as on signing up";
  EXPECT_TRUE(page.has("//script[contains(@src, '/assets/password.')]"));
}

TEST_F(ResetPasswordPagesTest, TheNewPasswordCountsAtOnceAndEndsEverySession) {
  Browser laptop = signed_in_browser();
  Browser phone = signed_in_browser();
  const std::string token = ask_for_reset();
  Browser browser(router_, "192.0.2.50");
  const Response done = set_password(browser, token);
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.headers.get("Location"), "/password-set");
  const Response response = browser.get("/password-set");
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//h1"), "Your password is set");
  EXPECT_TRUE(page.has("//a[@class='button'][@href='/sign-in']"));
  for (Browser* old : {&laptop, &phone}) {
    EXPECT_FALSE(is_signed_in(old->cookie_value("invited_session")));
    EXPECT_EQ(old->get("/profile").status, 303);
  }
  EXPECT_EQ(browser.get("/profile").status, 303) << "a link signs nobody in";
  EXPECT_EQ(sign_in(browser, domain::kGoodPassword).status, 422) << "the old one";
  EXPECT_EQ(sign_in(browser, kOtherGoodPassword).status, 303);
}

TEST_F(ResetPasswordPagesTest, ALinkThatIsGoodForNothingGetsOnePageThatSaysWhatToDo) {
  const std::string used = ask_for_reset();
  Browser actor(router_);
  EXPECT_EQ(set_password(actor, used).status, 303);
  clock_.advance(std::chrono::minutes(2));
  const std::string expired = ask_for_reset();
  clock_.advance(domain::kResetLinkLifetime - std::chrono::seconds(1));
  EXPECT_EQ(actor.get("/reset-password/" + expired).status, 200) << "the last second of its hour";
  clock_.advance(std::chrono::seconds(1));
  add_account("disabled@example.org", "Dis Abled");
  const std::string disabled = ask_for_reset("disabled@example.org");
  change_account("disabled@example.org", [](domain::Account& account) { account.disabled = true; });
  const std::string of_an_invitation = domain::make_token(keys_, {base::Uuid::random(), 1});

  Browser browser(router_);
  const Response reference = browser.get("/reset-password/" + expired);
  EXPECT_EQ(reference.status, 404);
  const ParsedPage page(reference);
  expect_accessible(page);
  EXPECT_TRUE(page.has("//a[@class='button'][@href='/forgot-password']"));
  for (const std::string& token :
       {used, disabled, of_an_invitation, expired.substr(1), expired.substr(0, 77), expired + "A", std::string("x"),
        std::string(78, 'x'), std::string(10'000, 'A'), std::string("\u00e4'\"<script>")}) {
    SCOPED_TRACE(token.substr(0, 100));
    const Response response = browser.get("/reset-password/" + token);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.body, reference.body);
    EXPECT_EQ(response.headers.all(), reference.headers.all());
  }
}

TEST_F(ResetPasswordPagesTest, ALinkThatDiesWhileTheFormIsOpenSetsNothing) {
  const std::string token = ask_for_reset();
  const std::string path = "/reset-password/" + token;
  Browser slow(router_);
  const Fields fields = Browser::fields_of(slow.get(path), path, new_password("violet anchor biscuit moon"));
  Browser fast(router_, "192.0.2.60");
  EXPECT_EQ(set_password(fast, token).status, 303);
  const Response response = slow.post(path, fields);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(ParsedPage(response).text("//h1"), "This link does not work");
  Browser browser(router_, "192.0.2.61");
  EXPECT_EQ(sign_in(browser, kOtherGoodPassword).status, 303);
}

TEST_F(ResetPasswordPagesTest, AFormThatIsSentTwiceIsAnsweredTwice) {
  const std::string token = ask_for_reset();
  const std::string path = "/reset-password/" + token;
  Browser browser(router_);
  const Fields fields = Browser::fields_of(browser.get(path), path, new_password());
  EXPECT_EQ(browser.post(path, fields).status, 303);
  const Response second = browser.post(path, fields);
  EXPECT_EQ(second.status, 303);
  EXPECT_EQ(second.headers.get("Location"), "/password-set");
  Fields others = fields;
  others["password"] = others["password_again"] = "violet anchor biscuit moon";
  EXPECT_EQ(browser.post(path, others).status, 404);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(browser.post(path, others).status, 404);
  EXPECT_EQ(browser.post(path, fields).status, 404) << "no place to guess at";
  clock_.advance(std::chrono::minutes(2));
  change_account(kAda, [](domain::Account& account) { account.password_generation += 1; });
  EXPECT_EQ(browser.post(path, fields).status, 404) << "it was changed once more";
}

TEST_F(ResetPasswordPagesTest, AFormThatIsOutOfDateIsShownAgain) {
  const std::string path = "/reset-password/" + ask_for_reset();
  Browser browser(router_);
  Fields fields = Browser::fields_of(browser.get(path), path, new_password());
  fields["csrf"] = "of another cookie";
  browser.origin = "https://invite.example.org";
  const Response again = browser.post(path, fields);
  EXPECT_EQ(again.status, 403);
  expect_accessible(ParsedPage(again));
  EXPECT_THAT(again.body, HasSubstr("so it was not accepted"));
  EXPECT_THAT(again.body, Not(HasSubstr(kOtherGoodPassword)));
  EXPECT_EQ(browser.post(path, Browser::fields_of(again, path, new_password())).status, 303);
}

TEST_F(ResetPasswordPagesTest, ASlashBehindTheLinkLeadsToIt) {
  const std::string path = "/reset-password/" + ask_for_reset();
  Browser browser(router_);
  const Response response = browser.get(path + "/");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.get("Location"), path);
}

TEST_F(ResetPasswordPagesTest, T03OfTwoPostsAtTheSameMomentExactlyOneSucceeds) {
  const std::array<const char*, 2> passwords{kOtherGoodPassword, "violet anchor biscuit moon"};
  for (int round = 0; round < 10; ++round) {
    const std::string token = ask_for_reset();
    const std::string path = "/reset-password/" + token;
    std::array<int, 2> statuses{};
    std::barrier start(2);
    const auto post = [&](std::size_t which) {
      Browser browser(router_, "192.0.2." + std::to_string(10 + which));
      const Fields fields = Browser::fields_of(browser.get(path), path, new_password(passwords[which]));
      start.arrive_and_wait();
      statuses[which] = browser.post(path, fields).status;
    };
    std::thread other(post, 1);
    post(0);
    other.join();
    const std::size_t winner = statuses[0] == 303 ? 0 : 1;
    EXPECT_EQ(statuses[winner], 303);
    EXPECT_EQ(statuses[1 - winner], 404);
    Browser browser(router_, "192.0.2.30");
    EXPECT_EQ(sign_in(browser, passwords[winner]).status, 303);
    clock_.advance(std::chrono::hours(1));  // past the limits on mails and posts
  }
}

TEST_F(ResetPasswordPagesTest, EveryBadPasswordIsExplainedAndUsesNothingUp) {
  struct Case {
    std::string password, again;
    const char *field, *message;
  };
  const std::string good = kOtherGoodPassword;
  const Case cases[]{
      {"", "", "password", "Enter a password."},
      {"fourteen chars", "fourteen chars", "password", "Use a password of at least 15 characters."},
      {std::string(129, 'x'), std::string(129, 'x'), "password", "Use a password of at most 128 characters."},
      {good, "", "password_again", "The two passwords differ. Type the same one twice."},
      {good, good + "!", "password_again", "The two passwords differ. Type the same one twice."},
      {"passwordpassword", "passwordpassword", "password",
       "This password is too easy to guess. Use several words that do not belong together."},
      {"ada@example.org ada", "ada@example.org ada", "password",
       "This password is made of your name, your address or the app's name. Choose another one."}};
  const std::string token = ask_for_reset();
  int number = 0;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.password);
    Browser browser(router_, "192.0.2." + std::to_string(70 + number++));
    const Response response =
        set_password(browser, token, {{"password", each.password}, {"password_again", each.again}});
    EXPECT_EQ(response.status, 422);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_EQ(page.text(("//*[@id='" + std::string(each.field) + "-error']").c_str()), each.message);
    EXPECT_FALSE(page.has("//input[@type='password'][@value]"));
  }
  Browser browser(router_);
  EXPECT_EQ(set_password(browser, token).status, 303) << "the link still works";
}

TEST_F(ResetPasswordPagesTest, ForgedLinksAreSlowedAndGenuineOnesAreNot) {
  const std::string token = ask_for_reset();
  Browser browser(router_);
  Response response;
  for (int i = 0; i < 31; ++i) response = browser.get("/reset-password/" + std::string(70, 'x') + std::to_string(i));
  EXPECT_EQ(response.status, 429);
  EXPECT_FALSE(response.headers.get("Retry-After").empty());
  expect_accessible(ParsedPage(response));
  EXPECT_EQ(browser.get("/reset-password/" + token).status, 200);
}

TEST_F(ResetPasswordPagesTest, ScannersThatOnlyLookUseNothingUp) {
  const std::string token = ask_for_reset();
  Browser scanner(router_, "198.51.100.1");
  for (int i = 0; i < 50; ++i)
    for (const char* method : {"GET", "HEAD"}) EXPECT_EQ(scanner.get("/reset-password/" + token, method).status, 200);
  Browser human(router_);
  EXPECT_EQ(set_password(human, token).status, 303);
}

}  // namespace
}  // namespace invited::http
