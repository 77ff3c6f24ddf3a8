// Rows T of the hostile cases, named by their id.
#include <gmock/gmock.h>

#include <barrier>
#include <thread>

#include "http/pages/invitation_pages_fixture.h"

namespace invited::http {
namespace {

using domain::LinkState;
using testing::HasSubstr;
using testing::Not;

class HostileLinkTest : public InvitationPagesTest {
 protected:
  /// The hidden value of the page's first form.
  static std::string csrf_of(const Response& response) {
    return ParsedPage(response).text("//form[1]//input[@name='csrf']/@value");
  }

  static Request form_request(const Fields& fields) {
    Request request;
    request.method = "POST";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = form_encode(fields);
    return request;
  }
};

TEST_F(HostileLinkTest, T01ScannersThatOnlyLookChangeNothing) {
  const std::string token = invite();
  for (const char* agent :
       {"Mozilla/5.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "GoogleImageProxy", "BarracudaCentral", "curl/8"}) {
    Browser scanner(router_, "198.51.100.1");
    for (int i = 0; i < 25; ++i) {
      for (const char* method : {"GET", "HEAD"}) {
        Request request;
        request.method = method;
        request.headers.add("User-Agent", agent);
        request.headers.add("Purpose", "prefetch");
        request.headers.add("Sec-Purpose", "prefetch;prerender");
        EXPECT_EQ(scanner.send("/i/" + token, request).status, 200);
      }
      for (const char* action : {"accept", "decline", "fresh"})
        EXPECT_EQ(scanner.get("/i/" + token + "/" + action).status, 303);
    }
  }
  EXPECT_EQ(link(token), LinkState::open);
  Browser human(router_);
  EXPECT_EQ(human.submit(token, "accept", sign_up_form()).status, 200);
}

TEST_F(HostileLinkTest, T02AScannerThatSendsTheFormWithoutAPasswordConsumesNothing) {
  const std::string token = invite();
  Browser scanner(router_, "198.51.100.1");
  const Fields attempts[]{{},
                          {{"name", "Ada"}},
                          {{"name", "Ada"}, {"password", ""}, {"password_again", ""}},
                          {{"name", ""}, {"password", "test"}, {"password_again", "test"}}};
  for (const Fields& fields : attempts) EXPECT_EQ(scanner.submit(token, "accept", fields).status, 422);
  EXPECT_EQ(link(token), LinkState::open);
  EXPECT_FALSE(account("ada@example.org"));
}

TEST_F(HostileLinkTest, T03OfTwoPostsAtTheSameMomentExactlyOneSucceeds) {
  constexpr int kRounds = 25;
  for (int round = 0; round < kRounds; ++round) {
    const std::string invitee = "ada" + std::to_string(round) + "@example.org";
    const std::string token = invite(invitee);
    std::array<int, 2> statuses{};
    std::array<std::string, 2> bodies;
    std::barrier start(2);
    const auto post = [&](std::size_t which) {
      Browser browser(router_, "192.0.2." + std::to_string(10 + which));
      // Two people: with one password it would be one form that was sent twice.
      Fields fields = sign_up_form(which == 0 ? domain::kGoodPassword : "velvet tractor umbrella noon");
      fields["csrf"] = csrf_of(browser.get("/i/" + token));
      start.arrive_and_wait();
      const Response response = browser.post("/i/" + token + "/accept", fields);
      statuses[which] = response.status;
      bodies[which] = response.body;
    };
    std::thread other(post, 1);
    post(0);
    other.join();
    std::sort(statuses.begin(), statuses.end());
    EXPECT_EQ(statuses[0], 200);
    EXPECT_EQ(statuses[1], 404);
    EXPECT_TRUE(account(invitee));
    clock_.advance(std::chrono::minutes(2));  // past the limit on posts of one address
  }
  std::size_t accounts = 0;
  std::size_t accepted = 0;
  EXPECT_TRUE(store_->read([&](domain::Transaction& t) -> domain::Result<void> {
    accounts = t.list_accounts({1000, 0}).size();
    accepted =
        t.list_invitations({std::nullopt, std::nullopt, domain::InvitationState::accepted, now()}, {1000, 0}).size();
    return {};
  }));
  EXPECT_EQ(accounts, kRounds + 1u) << "one for each invitee, and the inviter";
  EXPECT_EQ(accepted, static_cast<std::size_t>(kRounds));
}

TEST_F(HostileLinkTest, T04LinksThatAreGoodForNothingCannotBeToldApartFromOutside) {
  const std::string accepted = invite("a@example.org");
  const std::string declined = invite("d@example.org");
  const std::string revoked = invite("r@example.org");
  const std::string superseded = invite("s@example.org");
  const std::string expired = invite("e@example.org");
  Browser actor(router_);
  EXPECT_EQ(actor.submit(accepted, "accept", sign_up_form()).status, 200);
  EXPECT_EQ(actor.submit(declined, "decline", {}).status, 200);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::revoke_invitation(domain::check_token(keys_, revoked)->invitation_id, "operator", t, now()));
    return {};
  });
  clock_.advance(policy_.invitation_lifetime);
  invite("s@example.org");

  const std::pair<const char*, std::string> cases[]{
      {"accepted", accepted},
      {"declined", declined},
      {"revoked", revoked},
      {"superseded", superseded},
      {"expired", expired},
      {"random", std::string(72, 'x')},
      {"truncated", accepted.substr(0, 71)},
      {"another version", "Z" + accepted.substr(1)},
      {"last character changed", accepted.substr(0, 71) + (accepted.back() == 'A' ? 'B' : 'A')},
      {"10 KB", std::string(10 * 1024, 'A')},
      {"not base64", "ä'\"<script>"},
  };
  for (const base::Language language : base::kLanguages) {
    Browser reference_browser(router_, "203.0.113.200");
    reference_browser.language = base::to_string(language);
    const Response reference = reference_browser.get("/i/" + expired);
    const std::string cookie_length = std::to_string(reference.headers.get("Set-Cookie").size());
    for (const auto& [what, token] : cases) {
      SCOPED_TRACE(what);
      Browser browser(router_, "203.0.113." + std::to_string(static_cast<int>(language)));
      browser.language = base::to_string(language);
      const Response response = browser.get("/i/" + token);
      EXPECT_EQ(response.status, 404);
      EXPECT_LE(
          std::max(response.body.size(), reference.body.size()) - std::min(response.body.size(), reference.body.size()),
          16u);
      EXPECT_EQ(std::to_string(response.headers.get("Set-Cookie").size()), cookie_length);
      ASSERT_EQ(response.headers.all().size(), reference.headers.all().size());
      for (std::size_t i = 0; i < response.headers.all().size(); ++i)
        EXPECT_EQ(response.headers.all()[i].first, reference.headers.all()[i].first);
    }
  }
}

TEST_F(HostileLinkTest, T08AnExistingAccountsPasswordIsNeverSet) {
  add_account_of_ada();
  const std::string hash = account("ada@example.org")->password_hash;
  const std::string token = invite();
  Browser browser(router_);
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form("another long pass phrase")).status, 422);
  EXPECT_EQ(account("ada@example.org")->password_hash, hash);
  EXPECT_EQ(account("ada@example.org")->name, "Ada L.");
  EXPECT_EQ(link(token), LinkState::open);

  Fields with_the_right_one = sign_up_form();
  with_the_right_one["name"] = "Somebody Else";
  EXPECT_EQ(browser.submit(token, "accept", with_the_right_one).status, 200);
  EXPECT_EQ(account("ada@example.org")->password_hash, hash);
  EXPECT_EQ(account("ada@example.org")->name, "Ada L.");
  EXPECT_TRUE(has_access(*account("ada@example.org"), user_));
}

TEST_F(HostileLinkTest, T08AnAccountMadeWhileTheFormWasOpenIsNotTakenOver) {
  const std::string token = invite();
  Browser browser(router_);
  Fields fields = sign_up_form("another long pass phrase");
  fields["csrf"] = csrf_of(browser.get("/i/" + token));
  add_account_of_ada();
  const std::string hash = account("ada@example.org")->password_hash;
  EXPECT_EQ(browser.post("/i/" + token + "/accept", fields).status, 422);
  EXPECT_EQ(account("ada@example.org")->password_hash, hash);
}

TEST_F(HostileLinkTest, T10APostThatIsNotFromOurFormIsRefused) {
  const std::string token = invite();
  const std::string other = invite("bob@example.org");
  Browser victim(router_);
  Browser attacker(router_, "198.51.100.66");
  const std::string victims = csrf_of(victim.get("/i/" + token));
  const std::string attackers = csrf_of(attacker.get("/i/" + token));
  const std::string of_other_link = csrf_of(attacker.get("/i/" + other));

  struct Case {
    const char* what;
    Fields csrf;
    std::vector<std::pair<const char*, const char*>> headers;
    bool with_cookie = true;
  };
  const Case cases[]{
      {"without a value", {}, {}},
      {"with an empty value", {{"csrf", ""}}, {}},
      {"with a made-up value", {{"csrf", std::string(43, 'A')}}, {}},
      {"with another browser's value", {{"csrf", attackers}}, {}},
      {"with another link's value", {{"csrf", of_other_link}}, {}},
      {"without the cookie", {{"csrf", victims}}, {}, false},
      {"from a foreign origin", {{"csrf", victims}}, {{"Origin", "https://evil.example"}}},
      {"from no origin", {{"csrf", victims}}, {{"Origin", "null"}}},
      {"from plain HTTP", {{"csrf", victims}}, {{"Origin", "http://invite.example.org"}}},
      {"from a foreign site", {{"csrf", victims}}, {{"Sec-Fetch-Site", "cross-site"}}},
      {"from a neighbour", {{"csrf", victims}}, {{"Sec-Fetch-Site", "same-site"}}},
      {"from an origin like the Host",
       {{"csrf", victims}},
       {{"Host", "evil.example"}, {"Origin", "https://evil.example"}}},
  };
  for (const Case& each : cases) {
    for (const char* action : {"accept", "decline", "fresh"}) {
      SCOPED_TRACE(std::string(each.what) + " " + action);
      Fields fields = sign_up_form();
      fields.insert(each.csrf.begin(), each.csrf.end());
      Request request = form_request(fields);
      for (const auto& [name, value] : each.headers) request.headers.add(name, value);
      Browser browser(router_);
      if (each.with_cookie) browser.cookie = victim.cookie;
      const Response response = browser.send("/i/" + token + "/" + action, request);
      EXPECT_EQ(response.status, 403);
      const ParsedPage page(response);
      expect_accessible(page);
      EXPECT_EQ(page.text("//a[@class='button']/@href"), "/i/" + token) << "the way back";
    }
  }
  EXPECT_EQ(link(token), LinkState::open);
  EXPECT_FALSE(account("ada@example.org"));

  Fields fields = sign_up_form();
  fields["csrf"] = victims;
  Request request = form_request(fields);
  request.headers.add("Origin", "https://invite.example.org");
  request.headers.add("Sec-Fetch-Site", "same-origin");
  EXPECT_EQ(victim.send("/i/" + token + "/accept", request).status, 200) << "the victim's own form still works";
}

TEST_F(HostileLinkTest, T11ACookieThatWasPlantedIsNeverTakenOver) {
  Browser browser(router_);
  const std::string token = invite();
  browser.cookie = "__Host-invited_csrf=planted";
  browser.get("/i/" + token);
  const std::string before = browser.cookie;
  EXPECT_NE(before, "__Host-invited_csrf=planted");
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form()).status, 200);
  EXPECT_EQ(browser.cookie, before) << "it is no session, and the forms in other tabs are bound to it";
}

TEST_F(HostileLinkTest, T13NoParameterLeadsAnywhereElse) {
  const std::string token = invite();
  Browser browser(router_);
  const Response plain = browser.get("/i/" + token);
  for (const char* next : {"//evil.example", "https:evil.example", "\\\\evil.example", "javascript:alert(1)",
                           "https://evil.example/", "%2f%2fevil.example"}) {
    for (const char* name : {"next", "return_to", "redirect", "url", "continue", "lang"}) {
      const Response response = browser.get("/i/" + token + "?" + name + "=" + next);
      EXPECT_EQ(response.body, plain.body) << name << "=" << next;
      EXPECT_FALSE(response.headers.find("Location"));
    }
  }
  Fields fields = sign_up_form();
  fields["csrf"] = csrf_of(plain);
  fields["next"] = "https://evil.example/";
  const Response response = browser.post("/i/" + token + "/accept?next=https://evil.example/", fields);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("evil.example")));
}

TEST_F(HostileLinkTest, T14TheHostHeaderIsUsedForNothing) {
  const std::string token = invite();
  Browser browser(router_);
  const Response plain = browser.get("/i/" + token);
  for (const char* header : {"Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host"}) {
    Request request;
    request.method = "GET";
    request.headers.add(header, "host=evil.example");
    const Response response = browser.send("/i/" + token, request);
    EXPECT_EQ(response.body, plain.body);
    for (const auto& [name, value] : response.headers.all()) EXPECT_THAT(value, Not(HasSubstr("evil"))) << name;
  }
}

TEST_F(HostileLinkTest, T15NothingIsLoadedFromElsewhereAndNoClickCarriesTheToken) {
  const std::string token = invite();
  Browser browser(router_);
  std::vector<Response> responses{browser.get("/i/" + token), browser.submit(token, "accept", sign_up_form("x")),
                                  browser.submit(token, "accept", sign_up_form()), browser.get("/i/" + token)};
  for (const Response& response : responses) {
    const ParsedPage page(response);
    for (const std::string& loaded : page.all("//@src | //link/@href | //form/@action"))
      EXPECT_TRUE(loaded.starts_with("/") && !loaded.starts_with("//")) << loaded;
    for (const auto& found : page.document().select_nodes("//a[starts-with(@href, 'http')]")) {
      EXPECT_STREQ(found.node().attribute("href").value(), "https://planner.example.org/");
      EXPECT_STREQ(found.node().attribute("rel").value(), "noreferrer noopener");
    }
    // Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    EXPECT_EQ(page.text("//meta[@name='referrer']/@content"), "strict-origin");
  }
}

TEST_F(HostileLinkTest, T16EveryPageForbidsFramingAndCaching) {
  const std::string token = invite();
  Browser browser(router_);
  const Response responses[]{browser.get("/i/" + token),
                             browser.get("/i/AQEwrong"),
                             browser.post("/i/" + token + "/accept", {}),
                             browser.submit(token, "accept", {}),
                             browser.submit(token, "accept", sign_up_form()),
                             browser.get("/i/" + token)};
  for (const Response& response : responses) {
    EXPECT_EQ(response.headers.get("Cache-Control"), "no-store") << response.status;
    const auto policy = response.headers.get("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'")) << response.status;
    EXPECT_THAT(policy, HasSubstr("default-src 'none'")) << response.status;
    EXPECT_EQ(response.headers.get("Content-Type"), "text/html; charset=utf-8") << response.status;
  }
}

TEST_F(HostileLinkTest, T21WithoutCookiesAPageSaysWhatIsMissing) {
  const std::string token = invite();
  Browser browser(router_);
  Fields fields = sign_up_form();
  fields["csrf"] = csrf_of(browser.get("/i/" + token));
  browser.cookie.clear();
  const Response response = browser.post("/i/" + token + "/accept", fields);
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, HasSubstr("Please allow cookies"));
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(HostileLinkTest, AFormThatNoBrowserSendsIsNotUnderstood) {
  const std::string token = invite();
  Browser browser(router_);
  const std::string csrf = csrf_of(browser.get("/i/" + token));
  const std::string bodies[]{"csrf=" + csrf + "&password=a&password=b", "csrf=" + csrf + "&name=%ff",
                             "csrf=" + csrf + "&name=%00", "csrf=" + csrf + "&%zz=1"};
  for (const std::string& body : bodies) {
    Request request = form_request({});
    request.body = body;
    const Response response = browser.send("/i/" + token + "/accept", request);
    EXPECT_EQ(response.status, 400) << body;
    expect_accessible(ParsedPage(response));
  }
  Request wrong_type = form_request({{"csrf", csrf}});
  wrong_type.headers.set("Content-Type", "text/plain");
  EXPECT_EQ(browser.send("/i/" + token + "/decline", wrong_type).status, 400);
  EXPECT_EQ(link(token), LinkState::open);
}

}  // namespace
}  // namespace invited::http
