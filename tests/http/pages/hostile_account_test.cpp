// Rows A and T of the hostile cases, for the pages of people with an account.
#include <gmock/gmock.h>

#include "http/pages/account_pages_fixture.h"
#include "http/pages/failing_store.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class HostileAccountTest : public AccountPagesTest {
 protected:
  /// A form of ours: where it stands, where it leads, and with what it would succeed.
  struct PostedForm {
    std::string page, action;
    Fields fields;
    int success;
    bool needs_session = false;
  };

  std::vector<PostedForm> forms() {
    const std::string reset = "/reset-password/" + ask_for_reset();
    return {{"/sign-in", "/sign-in", {{"email", kAda}, {"password", domain::kGoodPassword}}, 303},
            {"/forgot-password", "/forgot-password", {{"email", kAda}}, 200},
            {"/profile", "/profile", {{"name", "Ada King"}}, 200, true},
            {"/profile", "/sign-out", {}, 200, true},
            {reset, reset, new_password(), 303}};
  }

  Browser browser_for(const PostedForm& form) {
    return form.needs_session ? signed_in_browser() : Browser(router_, "192.0.2.90");
  }

  static Request form_request(const Fields& fields) {
    Request request;
    request.method = "POST";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = form_encode(fields);
    return request;
  }
};

TEST_F(HostileAccountTest, T10APostThatIsNotFromOurFormIsRefused) {
  const auto all = forms();
  const std::vector<std::string> before = audited();
  const std::size_t mails = reset_mails();
  std::size_t sign_ins = 0;
  for (const PostedForm& form : all) {
    Browser victim = browser_for(form);
    sign_ins += form.needs_session ? 1 : 0;
    const Fields genuine = Browser::fields_of(victim.get(form.page), form.action, form.fields);
    Browser attacker(router_, "198.51.100.66");
    const std::string attackers = Browser::fields_of(attacker.get("/sign-in"), "/sign-in").at("csrf");
    const std::string other_page = form.page == "/sign-in" ? "/forgot-password" : "/sign-in";
    Browser stranger(router_);
    stranger.cookie = "__Host-invited_csrf=" + victim.cookie_value("invited_csrf");
    const std::string of_other_form = Browser::fields_of(stranger.get(other_page), other_page).at("csrf");

    struct Case {
      const char* what;
      std::optional<std::string> csrf;
      std::vector<std::pair<const char*, const char*>> headers;
      bool with_csrf_cookie = true;
    };
    const std::string own = genuine.at("csrf");
    const Case cases[]{
        {"without a value", std::nullopt, {}},
        {"with an empty value", "", {}},
        {"with a made-up value", std::string(43, 'A'), {}},
        {"with another browser's value", attackers, {}},
        {"with another form's value", of_other_form, {}},
        {"without the cookie", own, {}, false},
        {"from a foreign origin", own, {{"Origin", "https://evil.example"}}},
        {"from no origin", own, {{"Origin", "null"}}},
        {"from plain HTTP", own, {{"Origin", "http://invite.example.org"}}},
        {"from a foreign site", own, {{"Sec-Fetch-Site", "cross-site"}}},
        {"from a neighbour", own, {{"Sec-Fetch-Site", "same-site"}}},
        {"from an origin like the Host", own, {{"Host", "evil.example"}, {"Origin", "https://evil.example"}}},
    };
    for (const Case& each : cases) {
      SCOPED_TRACE(form.action.substr(0, 20) + " " + each.what);
      Fields fields = genuine;
      fields.erase("csrf");
      if (each.csrf) fields["csrf"] = *each.csrf;
      Request request = form_request(fields);
      for (const auto& [name, value] : each.headers) request.headers.add(name, value);
      Browser browser = victim;
      if (!each.with_csrf_cookie) browser.cookie = "__Host-invited_session=" + victim.cookie_value("invited_session");
      const Response response = browser.send(form.action, request);
      EXPECT_EQ(response.status, 403);
      EXPECT_FALSE(response.headers.find("Set-Cookie")) << "nobody is signed in or out";
      const ParsedPage page(response);
      expect_accessible(page);
      EXPECT_EQ(page.text("//a[@class='button']/@href"), form.page) << "the way back";
    }
  }
  EXPECT_EQ(audited().size(), before.size() + sign_ins) << "nothing was done";
  EXPECT_EQ(reset_mails(), mails);
  EXPECT_EQ(account(kAda)->name, "Ada Lovelace");
}

TEST_F(HostileAccountTest, T10OurOwnFormsPassWithTheHeadersOfABrowser) {
  for (const PostedForm& form : forms()) {
    SCOPED_TRACE(form.action.substr(0, 20));
    Browser browser = browser_for(form);
    Request request = form_request(Browser::fields_of(browser.get(form.page), form.action, form.fields));
    request.headers.add("Origin", "https://invite.example.org");
    request.headers.add("Sec-Fetch-Site", "same-origin");
    EXPECT_EQ(browser.send(form.action, request).status, form.success);
    clock_.advance(std::chrono::minutes(1));
  }
}

TEST_F(HostileAccountTest, T11ASessionCookiePlantedBeforeIsNeverTakenOver) {
  const std::string made_up(43, 'A');
  Browser attacker(router_, "198.51.100.66");
  add_account("mallory@example.org", "Mallory");
  EXPECT_EQ(sign_in(attacker, domain::kGoodPassword, "mallory@example.org").status, 303);
  const std::string mallorys = attacker.cookie_value("invited_session");
  EXPECT_EQ(signed_in_browser().get("/profile").status, 200);
  for (const std::string& planted : {made_up, mallorys, std::string("x")}) {
    SCOPED_TRACE(planted);
    Browser victim(router_);
    const Response form = victim.get("/sign-in");
    victim.cookie += "; __Host-invited_session=" + planted;
    const Response response = victim.post(
        "/sign-in", Browser::fields_of(form, "/sign-in", {{"email", kAda}, {"password", domain::kGoodPassword}}));
    EXPECT_EQ(response.status, 303);
    const std::string session = victim.cookie_value("invited_session");
    EXPECT_NE(session, planted);
    EXPECT_EQ(session.size(), 43u);
    EXPECT_FALSE(is_signed_in(planted)) << "what the browser had before has ended";
    EXPECT_EQ(ParsedPage(victim.get("/profile")).text("//input[@id='email']/@value"), kAda);
  }
}

TEST_F(HostileAccountTest, T11LookingAroundGivesNobodyASession) {
  Browser browser(router_);
  for (const char* path : {"/sign-in", "/forgot-password", "/profile", "/reset-password/x", "/id?id=x", "/sign-out"}) {
    const Response response = browser.get(path);
    for (const auto& [name, value] : response.headers.all()) EXPECT_THAT(value, Not(HasSubstr("session"))) << path;
  }
}

TEST_F(HostileAccountTest, T11SigningInAndOutRotatesBothCookies) {
  Browser browser(router_);
  browser.cookie = "__Host-invited_csrf=planted";
  browser.get("/sign-in");
  const std::string csrf = browser.cookie_value("invited_csrf");
  EXPECT_NE(csrf, "planted");
  EXPECT_EQ(sign_in(browser).status, 303);
  const std::string signed_in_csrf = browser.cookie_value("invited_csrf");
  const std::string first = browser.cookie_value("invited_session");
  EXPECT_NE(signed_in_csrf, csrf);
  EXPECT_EQ(browser.fill_in("/profile", "/sign-out", {}).status, 200);
  EXPECT_NE(browser.cookie_value("invited_csrf"), signed_in_csrf);
  EXPECT_EQ(sign_in(browser).status, 303);
  EXPECT_NE(browser.cookie_value("invited_session"), first);
}

TEST_F(HostileAccountTest, T11SigningInAgainEndsTheSessionBefore) {
  Browser browser(router_);
  const Response form = browser.get("/sign-in");
  const Fields fields = Browser::fields_of(form, "/sign-in", {{"email", kAda}, {"password", domain::kGoodPassword}});
  const std::string csrf = browser.cookie;
  EXPECT_EQ(browser.post("/sign-in", fields).status, 303);
  const std::string first = browser.cookie_value("invited_session");
  browser.cookie = csrf + "; __Host-invited_session=" + first;  // a second tab, opened before
  EXPECT_EQ(browser.post("/sign-in", fields).status, 303);
  EXPECT_FALSE(is_signed_in(first));
  EXPECT_TRUE(is_signed_in(browser.cookie_value("invited_session")));
}

TEST_F(HostileAccountTest, T13NothingLeadsElsewhere) {
  for (const char* target : {"//evil.example", "https:evil.example", "\\\\evil.example", "javascript:alert(1)",
                             "https://evil.example/", "%2f%2fevil.example"}) {
    for (const char* name : {"next", "return_to", "redirect", "url", "continue"}) {
      SCOPED_TRACE(std::string(name) + "=" + target);
      clock_.advance(std::chrono::minutes(1));
      const std::string query = std::string("?") + name + "=" + target;
      Browser browser(router_);
      const Response form = browser.get("/sign-in");
      EXPECT_EQ(browser.get("/sign-in" + query).body, form.body);
      EXPECT_EQ(browser.get("/profile" + query).headers.get("Location"), "/sign-in");
      const Response response = browser.post(
          "/sign-in" + query,
          Browser::fields_of(form, "/sign-in", {{"email", kAda}, {"password", domain::kGoodPassword}, {name, target}}));
      EXPECT_EQ(response.status, 303);
      EXPECT_EQ(response.headers.get("Location"), "/profile");
      EXPECT_EQ(browser.get("/sign-in" + query).headers.get("Location"), "/profile");
      EXPECT_EQ(browser.get("/sign-out" + query).headers.get("Location"), "/profile");
    }
  }
}

TEST_F(HostileAccountTest, T14TheHostHeaderIsUsedForNothing) {
  const std::string reset = "/reset-password/" + ask_for_reset();
  for (const std::string& path :
       {std::string("/sign-in"), std::string("/forgot-password"), reset, std::string("/id")}) {
    Browser browser(router_);
    const Response plain = browser.get(path);
    for (const char* header : {"Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host"}) {
      Request request;
      request.method = "GET";
      request.headers.add(header, "host=evil.example");
      const Response response = browser.send(path, request);
      EXPECT_EQ(response.body, plain.body);
      for (const auto& [name, value] : response.headers.all()) EXPECT_THAT(value, Not(HasSubstr("evil"))) << name;
    }
  }
}

TEST_F(HostileAccountTest, T15NothingComesFromElsewhereAndNoClickCarriesAToken) {
  const std::string reset = "/reset-password/" + ask_for_reset();
  Browser browser(router_);
  std::vector<Response> responses{browser.get("/sign-in"),
                                  browser.get("/forgot-password"),
                                  browser.get(reset),
                                  browser.get(reset + "x"),
                                  browser.fill_in(reset, reset, new_password("x")),
                                  browser.get("/password-set")};
  EXPECT_EQ(browser.fill_in(reset, reset, new_password()).status, 303);
  EXPECT_EQ(sign_in(browser, kOtherGoodPassword).status, 303);
  responses.push_back(browser.fill_in("/profile", "/profile", {{"website", "https://elsewhere.example/"}}));
  for (const Response& response : responses) {
    const ParsedPage page(response);
    for (const std::string& address : page.all("//@src | //@href | //@action"))
      EXPECT_TRUE((address.starts_with("/") && !address.starts_with("//")) || address.starts_with("#")) << address;
    EXPECT_EQ(page.text("//meta[@name='referrer']/@content"), "strict-origin");
    EXPECT_EQ(page.text("//meta[@name='robots']/@content"), "noindex, nofollow");
    EXPECT_FALSE(response.headers.find("Referrer-Policy")) << "the server's no-referrer stands";
  }
}

TEST_F(HostileAccountTest, T16EveryAnswerForbidsFramingAndCaching) {
  std::vector<Response> responses;
  for (const PostedForm& form : forms()) {
    Browser browser = browser_for(form);
    responses.push_back(browser.get(form.page));
    responses.push_back(browser.post(form.action, {}));
    responses.push_back(browser.fill_in(form.page, form.action, form.fields));
    clock_.advance(std::chrono::minutes(1));
  }
  Browser stranger(router_);
  for (const char* path : {"/profile", "/sign-out", "/id?id=1", "/reset-password/x", "/password-set"})
    responses.push_back(stranger.get(path));
  for (const Response& response : responses) {
    EXPECT_EQ(response.headers.get("Cache-Control"), "no-store") << response.status;
    if (response.status == 303) continue;
    EXPECT_THAT(response.headers.get("Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(response.headers.get("Content-Security-Policy"), HasSubstr("form-action 'self'"));
    EXPECT_EQ(response.headers.get("Content-Type"), "text/html; charset=utf-8") << response.status;
  }
}

TEST_F(HostileAccountTest, T21WithoutCookiesAPageSaysWhatIsMissing) {
  for (const PostedForm& form : forms()) {
    Browser browser = browser_for(form);
    const Fields fields = Browser::fields_of(browser.get(form.page), form.action, form.fields);
    browser.cookie.clear();
    const Response response = browser.post(form.action, fields);
    EXPECT_EQ(response.status, 403);
    EXPECT_THAT(response.body, HasSubstr("Please allow cookies"));
  }
}

TEST_F(HostileAccountTest, AFormThatNoBrowserSendsIsNotUnderstood) {
  for (const PostedForm& form : forms()) {
    Browser browser = browser_for(form);
    const std::string csrf = Browser::fields_of(browser.get(form.page), form.action).at("csrf");
    std::string seventeen = "csrf=" + csrf;
    for (char c = 'a'; c < 'q'; ++c) seventeen += std::string("&") + c + "=1";
    const std::string bodies[]{"csrf=" + csrf + "&name=a&name=b",
                               "csrf=" + csrf + "&csrf=" + csrf,
                               "csrf=" + csrf + "&name=%ff",
                               "csrf=" + csrf + "&name=%00",
                               "csrf=" + csrf + "&%zz=1",
                               "csrf=" + csrf + "&bio=" + std::string(70'000, 'x'),
                               seventeen};
    for (const std::string& body : bodies) {
      Request request = form_request({});
      request.body = body;
      const Response response = browser.send(form.action, request);
      EXPECT_EQ(response.status, 400) << form.action.substr(0, 20) << " " << body.substr(0, 100);
      expect_accessible(ParsedPage(response));
    }
    Request wrong_type = form_request({{"csrf", csrf}});
    wrong_type.headers.set("Content-Type", "text/plain");
    EXPECT_EQ(browser.send(form.action, wrong_type).status, 400);
  }
  EXPECT_EQ(account(kAda)->name, "Ada Lovelace");
}

TEST_F(HostileAccountTest, LookingChangesNothing) {
  const auto all = forms();
  Browser browser = signed_in_browser();
  const auto before = audited();
  for (const PostedForm& form : all)
    for (const char* method : {"GET", "HEAD"})
      for (const std::string& path : {form.page, form.action}) browser.get(path + "?email=x&password=y&name=z", method);
  EXPECT_EQ(audited(), before);
  EXPECT_EQ(browser.get("/profile").status, 200);
  EXPECT_EQ(account(kAda)->name, "Ada Lovelace");
}

class FailingAccountPagesTest : public HostileAccountTest {
 protected:
  FailingAccountPagesTest() {
    failing_context_.public_url = context_->public_url;
    add_account_routes(failing_router_, failing_context_, renderer_, base::Secret(std::string(32, 'c')));
  }

  FailingStore failing_{*store_};
  domain::Context failing_context_{failing_, clock_,       policy_,   keys_,    *authenticator_,
                                   hasher_,  wrong_links_, sign_ups_, sign_ins_};
  Router failing_router_;
};

TEST_F(FailingAccountPagesTest, WhileTheDatabaseIsBusyTheFormKeepsWhatWasTyped) {
  Browser browser(failing_router_);
  EXPECT_EQ(sign_in(browser).status, 303);
  const Fields fields = Browser::fields_of(browser.get("/profile"), "/profile", {{"job_title", "Countess"}});
  failing_.write_error = domain::Error{domain::ErrorCode::unavailable, "Busy.", {}, std::chrono::seconds(7)};
  const Response busy = browser.post("/profile", fields);
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.get("Retry-After"), "7");
  const ParsedPage page(busy);
  expect_accessible(page);
  EXPECT_EQ(page.text("//input[@id='job_title']/@value"), "Countess");
  EXPECT_TRUE(page.text("//*[@role='alert']").starts_with("The service is busy."));
  failing_.read_error = failing_.write_error;
  for (const char* path : {"/profile", "/sign-in"}) EXPECT_EQ(browser.get(path).status, 503);
  failing_.read_error = failing_.write_error = std::nullopt;
  EXPECT_EQ(browser.post("/profile", fields).status, 200);
}

TEST_F(FailingAccountPagesTest, WhereTheOutcomeIsUnknownThePageSaysSoAndLeadsToTheTruth) {
  for (const PostedForm& form : forms()) {
    SCOPED_TRACE(form.action.substr(0, 20));
    Browser browser(failing_router_);
    if (form.needs_session) {
      EXPECT_EQ(sign_in(browser).status, 303);
    }
    const Fields fields = Browser::fields_of(browser.get(form.page), form.action, form.fields);
    failing_.write_error = domain::Error{domain::ErrorCode::outcome_unknown, "Unknown.", {}, std::nullopt};
    const Response response = browser.post(form.action, fields);
    failing_.write_error.reset();
    EXPECT_EQ(response.status, 503);
    const ParsedPage page(response);
    expect_accessible(page);
    EXPECT_EQ(page.text("//h1"), "We do not know whether that worked");
    EXPECT_EQ(page.text("//a[@class='button']/@href"), form.page);
  }
}

TEST_F(FailingAccountPagesTest, EveryErrorHasAPage) {
  const auto all = forms();
  for (const domain::ErrorCode code : domain::kErrorCodes) {
    for (const PostedForm& form : all) {
      SCOPED_TRACE(std::string(domain::to_string(code)) + " " + form.action.substr(0, 20));
      clock_.advance(std::chrono::seconds(20));
      Browser browser(failing_router_);
      if (form.needs_session) {
        EXPECT_EQ(sign_in(browser).status, 303);
      }
      const Fields fields = Browser::fields_of(browser.get(form.page), form.action, form.fields);
      failing_.write_error = domain::Error{code, "A sentence.", {}, std::nullopt};
      const Response response = browser.post(form.action, fields);
      failing_.write_error.reset();
      if (code == domain::ErrorCode::sign_in_failed && form.action == "/profile") {
        EXPECT_EQ(response.status, 303) << "signed out meanwhile";
        continue;
      }
      EXPECT_GE(response.status, 400);
      EXPECT_EQ(response.headers.get("Content-Type"), "text/html; charset=utf-8");
      expect_accessible(ParsedPage(response));
    }
  }
}

}  // namespace
}  // namespace invited::http
