// The profile: what the form shows, what it takes, and that it says all that is wrong at once.
#include "http/profile_page.h"

#include <gmock/gmock.h>

#include "base/utf8.h"
#include "domain/profile.h"
#include "http/pages/account_pages_fixture.h"

namespace invited::http {
namespace {

using domain::kProfileFields;
using domain::ProfileField;
using domain::ProfileFieldForm;
using testing::HasSubstr;
using testing::Not;

class ProfilePageTest : public AccountPagesTest {
 protected:
  static Response save(Browser& browser, const Fields& fields) {
    return browser.fill_in("/profile", "/profile", fields);
  }

  static std::string error_at(const ParsedPage& page, std::string_view field) {
    return page.text(("//*[@id='" + std::string(field) + "-error']").c_str());
  }
};

TEST_F(ProfilePageTest, OnlyForWhoIsSignedIn) {
  Browser stranger(router_);
  const Response response = stranger.get("/profile");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.get("Location"), "/sign-in");
  for (const std::string session :
       {"x", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a'; drop table account;--"}) {
    stranger.cookie = "__Host-invited_session=" + session;
    EXPECT_EQ(stranger.get("/profile").status, 303) << session;
  }
}

TEST_F(ProfilePageTest, HasTheNameAndEveryFieldThatIsThePersonsOwnAndNoOther) {
  Browser browser = signed_in_browser();
  const Response response = browser.get("/profile");
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//input[@id='name']/@value"), "Ada Lovelace");
  EXPECT_TRUE(page.has("//input[@id='email'][@readonly][not(@name)]")) << "the address is not theirs to change";
  std::size_t own = 0;
  for (const auto& field : kProfileFields) {
    SCOPED_TRACE(field.name);
    const std::string name(field.name);
    const std::string element = field.form == ProfileFieldForm::text ? "textarea" : "input";
    EXPECT_EQ(page.has(("//" + element + "[@name='" + name + "'][@id='" + name + "']").c_str()), field.is_persons_own);
    own += field.is_persons_own ? 1 : 0;
  }
  EXPECT_EQ(page.count("//form[@action='/profile']//input[@name] | //textarea"), own + 2) << "and name and csrf";
}

TEST_F(ProfilePageTest, WhatIsSavedStandsInTheFormAndInTheDatabase) {
  Browser browser = signed_in_browser();
  Fields fields{{"name", "Ada King"}};
  for (const auto& field : kProfileFields) {
    if (!field.is_persons_own) continue;
    fields[std::string(field.name)] = field.form == ProfileFieldForm::phone ? "+44 (0)20 7946-0000"
                                      : field.form == ProfileFieldForm::url ? "www.example.org/~ada"
                                      : field.form == ProfileFieldForm::text
                                          ? "Poet & \"programmer\"\r\n<of engines> 漢 é"
                                          : "A & B <é漢> \"" + std::string(field.name) + "\"";
  }
  const Response response = save(browser, fields);
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_EQ(page.text("//*[@role='status']"), "Your profile is saved.");
  EXPECT_EQ(account(kAda)->name, "Ada King");
  const domain::Profile profile = profile_of(kAda);
  EXPECT_EQ(profile.get(ProfileField::job_title), "A & B <é漢> \"job_title\"");
  EXPECT_EQ(profile.get(ProfileField::website), "https://www.example.org/~ada");
  EXPECT_EQ(profile.get(ProfileField::bio), "Poet & \"programmer\"\n<of engines> 漢 é");
  EXPECT_EQ(page.text("//input[@id='website']/@value"), "https://www.example.org/~ada") << "as it was stored";
  EXPECT_THAT(response.body, Not(HasSubstr("<é漢>")));
  EXPECT_THAT(response.body, Not(HasSubstr("<of engines>")));

  const Fields again = Browser::fields_of(browser.get("/profile"), "/profile");
  EXPECT_EQ(again.at("bio"), "Poet & \"programmer\"\n<of engines> 漢 é");
  EXPECT_FALSE(ParsedPage(browser.get("/profile")).has("//*[@role='status']"));
  EXPECT_EQ(browser.post("/profile", again).status, 200);
  EXPECT_EQ(profile_of(kAda), profile) << "sending the form as it stands changes nothing";
}

TEST_F(ProfilePageTest, FieldsAreEmptiedByEmptyingThem) {
  Browser browser = signed_in_browser();
  EXPECT_EQ(save(browser, {{"job_title", "Countess"}, {"bio", "x"}}).status, 200);
  EXPECT_EQ(save(browser, {{"job_title", "  "}, {"bio", ""}}).status, 200);
  EXPECT_EQ(profile_of(kAda), domain::Profile());
}

TEST_F(ProfilePageTest, FieldsThatAreForOperatorsStayAsTheyAreWhateverIsSent) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    domain::Profile profile;
    profile.set(ProfileField::company_id, "C-1");
    profile.set(ProfileField::avatar_url, "https://example.org/a.png");
    t.set_profile(account(kAda)->id, profile);
    return {};
  });
  Browser browser = signed_in_browser();
  Fields fields = Browser::fields_of(browser.get("/profile"), "/profile");
  EXPECT_FALSE(fields.contains("company_id"));
  // In place of others, for a form has at most sixteen fields.
  fields.erase("skype");
  fields.erase("twitter");
  fields["company_id"] = "C-2";
  fields["avatar_url"] = "https://evil.example/a.png";
  fields["email"] = "grace@example.org";
  EXPECT_EQ(browser.post("/profile", fields).status, 200);
  EXPECT_EQ(profile_of(kAda).get(ProfileField::company_id), "C-1");
  EXPECT_EQ(profile_of(kAda).get(ProfileField::avatar_url), "https://example.org/a.png");
  EXPECT_TRUE(account(kAda));
}

TEST_F(ProfilePageTest, AllThatIsWrongIsSaidAtOnceAndWhatWasTypedIsKept) {
  Browser browser = signed_in_browser();
  const Fields typed{{"name", "www.buy.example <b>"},    {"job_title", "Countess"}, {"phone", "call me"},
                     {"website", "javascript:alert(1)"}, {"linkedin", "data:x"},    {"bio", std::string(2001, 'b')}};
  const Response response = save(browser, typed);
  EXPECT_EQ(response.status, 422);
  const ParsedPage page(response);
  expect_accessible(page);
  EXPECT_TRUE(page.text("//title").starts_with("Error: "));
  EXPECT_EQ(page.all("//*[@role='alert']//a/@href"),
            (std::vector<std::string>{"#name", "#phone", "#website", "#linkedin", "#bio"}));
  EXPECT_TRUE(page.has("//*[@role='alert'][@tabindex='-1'][@autofocus]"));
  EXPECT_FALSE(page.has("//*[@role='status']"));
  const Fields kept = Browser::fields_of(response, "/profile");
  for (const auto& [name, value] : typed) {
    EXPECT_EQ(kept.at(name), value);
    const std::string field = "//*[@id='" + name + "']";
    EXPECT_EQ(page.has((field + "[@aria-invalid='true'][@aria-describedby='" + name + "-error']").c_str()),
              name != "job_title");
  }
  EXPECT_EQ(account(kAda)->name, "Ada Lovelace");
  EXPECT_EQ(profile_of(kAda), domain::Profile()) << "nothing is saved where anything is wrong";
}

TEST_F(ProfilePageTest, EveryBadValueIsExplainedInEveryLanguage) {
  struct Case {
    const char* field;
    std::string value;
    const char* message;
  };
  const Case cases[]{
      {"name", "", "Enter your name."},
      {"name", std::string(129, 'x'), "Use at most 128 characters for your name."},
      {"name", "ada@example.org",
       "Write your name without web addresses, @ signs and special characters, and with a space after each dot."},
      {"job_title", std::string(201, 'x'), "Use at most 200 characters."},
      {"company", std::string(101, 'x'), "Use at most 100 characters."},
      {"department", "a\nb", "Use plain text without special characters."},
      {"location", "a\u202eb", "Use plain text without special characters."},
      {"country", "a\x01", "Use plain text without special characters."},
      {"phone", "0123456789 0123456789", "Use at most 20 characters."},
      {"phone", "ring ring", "Write a phone number with digits, such as +31 20 123 4567."},
      {"website", "not a site", "Write a web address, such as https://www.example.org."},
      {"website", "javascript:alert(1)", "Write a web address, such as https://www.example.org."},
      {"website", "https://example.org/" + std::string(400, 'x'), "Use at most 400 characters."},
      {"twitter", "javascript:alert(1)", "Write a name, or a web address such as https://www.example.org."},
      {"bio", std::string(2001, 'x'), "Use at most 2000 characters."}};
  for (const base::Language language : base::kLanguages) {
    Browser browser = signed_in_browser();
    browser.language = base::to_string(language);
    for (const Case& each : cases) {
      SCOPED_TRACE(std::string(base::to_string(language)) + " " + each.field + " " + each.value.substr(0, 30));
      const Response response = save(browser, {{each.field, each.value}});
      EXPECT_EQ(response.status, 422);
      const std::string message = error_at(ParsedPage(response), each.field);
      if (language == base::Language::en) {
        EXPECT_EQ(message, each.message);
      } else {
        EXPECT_FALSE(message.empty());
        EXPECT_NE(message, each.message) << "not translated";
      }
    }
  }
}

TEST_F(ProfilePageTest, TheLongestAllowedTextsFitIntoTheForm) {
  Browser browser = signed_in_browser();
  Fields fields;
  for (const auto& field : kProfileFields) {
    if (!field.is_persons_own || field.form == ProfileFieldForm::url || field.form == ProfileFieldForm::phone) continue;
    std::string value;
    for (std::size_t i = 0; i < field.max_length; ++i) value += "𝄞";
    fields[std::string(field.name)] = value;
  }
  EXPECT_EQ(save(browser, fields).status, 200);
  EXPECT_EQ(base::count_code_points(profile_of(kAda).get(ProfileField::bio)), 2000u);
}

TEST_F(ProfilePageTest, WhoIsNotSignedInAnyMoreIsLedToTheSignInPage) {
  Browser browser = signed_in_browser();
  const Fields fields = Browser::fields_of(browser.get("/profile"), "/profile", {{"job_title", "Countess"}});
  clock_.advance(policy_.session_lifetime);
  const Response response = browser.post("/profile", fields);
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.headers.get("Location"), "/sign-in");
  EXPECT_EQ(profile_of(kAda), domain::Profile());
}

TEST_F(ProfilePageTest, AFormOfAnEarlierSessionIsNotTakenForTheNextPerson) {
  Browser browser = signed_in_browser();
  const Fields of_ada = Browser::fields_of(browser.get("/profile"), "/profile", {{"name", "Ada Byron"}});
  EXPECT_EQ(browser.fill_in("/profile", "/sign-out", {}).status, 200);
  add_account("bob@example.org", "Bob");
  EXPECT_EQ(sign_in(browser, domain::kGoodPassword, "bob@example.org").status, 303);
  EXPECT_EQ(browser.post("/profile", of_ada).status, 403);
  EXPECT_EQ(account("bob@example.org")->name, "Bob");
}

TEST_F(ProfilePageTest, AHostileValueIsTextAndNothingElse) {
  Browser browser = signed_in_browser();
  const std::string hostile = "</textarea></title><script>alert('x')</script>\"'{{csrf}}{{{x}}}&amp;";
  Fields fields;
  for (const char* name : {"job_title", "department", "company", "location", "country", "bio"}) fields[name] = hostile;
  for (const Response& response : {save(browser, fields), browser.get("/profile"), [&] {
                                     fields["name"] = hostile;
                                     fields["website"] = hostile;
                                     fields["skype"] = hostile;
                                     return save(browser, fields);
                                   }()}) {
    const ParsedPage page(response);
    EXPECT_EQ(page.count("//script"), 0u);
    EXPECT_THAT(response.body, Not(HasSubstr("<script>alert")));
    EXPECT_EQ(page.text("//input[@id='job_title']/@value"), hostile);
    EXPECT_EQ(page.text("//textarea[@id='bio']"), hostile);
  }
}

}  // namespace
}  // namespace invited::http
