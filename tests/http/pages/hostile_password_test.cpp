// Rows P of the hostile cases, named by their id: passwords as they are typed into the page.
#include <gmock/gmock.h>
#include <sodium.h>

#include <set>

#include "http/account_pages.h"
#include "http/dialects/dialects.h"
#include "http/pages/invitation_pages_fixture.h"

namespace invited::http {
namespace {

using domain::LinkState;
using testing::HasSubstr;
using testing::Not;

class HostilePasswordTest : public InvitationPagesTest {
 protected:
  /// Posts the sign-up form of a fresh invitation; each from an address of its own, so that no limit is met.
  Response sign_up_with(const std::string& password, const std::string& again) {
    token_ = invite("ada" + std::to_string(++number_) + "@example.org");
    Browser browser(router_, "192.0.2." + std::to_string(number_));
    Fields fields = sign_up_form(password);
    fields["password_again"] = again;
    return browser.submit(token_, "accept", fields);
  }
  Response sign_up_with(const std::string& password) { return sign_up_with(password, password); }

  std::string token_;
  int number_ = 0;
};

/// `count` code points that nobody guesses: no two neighbours alike.
std::string unguessable(std::size_t count) {
  constexpr std::array<std::string_view, 13> kLetters{"k", "ß", "7",  "漢", "v", " ", "é",
                                                      "Q", "x", "😀", "m",  "2", "z"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += kLetters[(i * 5 + i / 13) % kLetters.size()];
  return text;
}

TEST_F(HostilePasswordTest, P01LengthIsCountedInCodePoints) {
  struct Case {
    std::size_t length;
    const char* reason;  ///< none: accepted
  };
  for (const Case& each : {Case{0, "Enter a password."}, Case{1, "Use a password of at least 15 characters."},
                           Case{14, "Use a password of at least 15 characters."}, Case{15, nullptr}, Case{64, nullptr},
                           Case{128, nullptr}, Case{129, "Use a password of at most 128 characters."},
                           Case{1000, "Use a password of at most 128 characters."}}) {
    SCOPED_TRACE(each.length);
    const Response response = sign_up_with(unguessable(each.length));
    EXPECT_EQ(response.status, each.reason ? 422 : 200);
    if (each.reason) {
      EXPECT_EQ(ParsedPage(response).text("//*[@id='password-error']"), each.reason);
      EXPECT_EQ(link(token_), LinkState::open);
    }
  }
}

TEST_F(HostilePasswordTest, P02GuessablePasswordsAreRefusedWithAReason) {
  for (const char* password :
       {"passwordpassword", "Harbour PlannerHarbour PlannerHarbour Planner", "123456789012345", "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaaaaaa", "grace hopper grace hopper", "adalovelaceadalovelace"}) {
    SCOPED_TRACE(password);
    const Response response = sign_up_with(password);
    EXPECT_EQ(response.status, 422);
    EXPECT_THAT(ParsedPage(response).text("//*[@id='password-error']"),
                testing::AnyOf(HasSubstr("too easy to guess"), HasSubstr("made of your name")));
    EXPECT_EQ(link(token_), LinkState::open);
  }
  const std::string token = invite("somebody.unusual@example.org");
  Browser browser(router_, "192.0.2.99");
  EXPECT_EQ(browser.submit(token, "accept", sign_up_form("somebody.unusual@example.org")).status, 422)
      << "the address itself";
}

TEST_F(HostilePasswordTest, P04OnlyLowerCaseLettersAreFine) {
  EXPECT_EQ(sign_up_with("vkwqzmtrhxbolgyfnpdu").status, 200);
}

TEST_F(HostilePasswordTest, P06AHashOfLowerParametersIsUpgradedWhateverTheNormalForm) {
  const std::string composed = "caf\u00e9 lighthouse cargo";
  const std::string decomposed = "cafe\u0301 lighthouse cargo";
  std::array<char, crypto_pwhash_STRBYTES> weak{};
  ASSERT_EQ(crypto_pwhash_str(weak.data(), composed.data(), composed.size(), 1, 8 * 1024 * 1024), 0);
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::add_account("ada@example.org", "Ada", weak.data(), t, now()));
    return {};
  });
  Browser browser(router_);
  EXPECT_EQ(browser.submit(invite(), "accept", {{"password", decomposed}}).status, 200);
  const std::string upgraded = account("ada@example.org")->password_hash;
  EXPECT_NE(upgraded, weak.data());
  for (const std::string& typed : {composed, decomposed}) {
    const auto verified = hasher_.verify(upgraded, typed);
    EXPECT_TRUE(verified.correct);
    EXPECT_FALSE(verified.needs_rehash);
  }
}

TEST_F(HostilePasswordTest, P07EntriesThatDifferShowThePageAgainAndConsumeNothing) {
  const Response response = sign_up_with(domain::kGoodPassword, "lighthouse piano cargo!");
  EXPECT_EQ(response.status, 422);
  const ParsedPage page(response);
  EXPECT_EQ(page.text("//*[@id='password_again-error']"), "The two passwords differ. Type the same one twice.");
  EXPECT_EQ(page.all("//*[@role='alert']//a/@href"), std::vector<std::string>{"#password_again"});
  EXPECT_THAT(response.body, Not(HasSubstr("lighthouse")));
  EXPECT_EQ(link(token_), LinkState::open);
  EXPECT_FALSE(account("ada1@example.org"));
}

/// Whatever runs Argon2 shares half of the workers, so that a flood of it leaves the others to everybody else.
TEST_F(HostilePasswordTest, WhateverHashesAPasswordMayNotHaveEveryWorker) {
  add_account_routes(router_, *context_, renderer_, base::Secret(std::string(32, 'c')));
  add_medusa_routes(router_, *context_);
  std::set<std::string> hashing;
  for (const Route* route : router_.routes())
    if (route->options.hashes_passwords) hashing.insert(route->method + ' ' + route->pattern);
  EXPECT_THAT(hashing,
              testing::UnorderedElementsAre("POST /i/{token}/accept", "POST /sign-in", "POST /reset-password/{token}",
                                            "POST /auth/user/emailpass", "POST /auth/user/emailpass/register",
                                            "POST /environments/{environment}/auth/user/emailpass",
                                            "POST /environments/{environment}/auth/user/emailpass/register"));
}

}  // namespace
}  // namespace invited::http
