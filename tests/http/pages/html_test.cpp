#include "http/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "http/account_pages.h"
#include "http/form_state.h"
#include "http/home_page.h"
#include "http/invitation_pages.h"
#include "http/pages/parsed_page.h"
#include "http/profile_page.h"
#include "http/router.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<int> kErrorStatuses{400, 403, 404, 405, 408, 413, 414, 415, 429, 431, 500, 503, 505};

Request request_in(std::string_view language) {
  Request request;
  request.method = "GET";
  request.headers.add("Accept-Language", language);
  request.headers.add("Accept", "text/html,application/xhtml+xml");
  return request;
}

/// Data that fills every place of every template with something hostile.
PageData hostile_data() {
  const std::string hostile = "<script>alert('x')</script>\"{{app_url}}{{{x}}}&amp;";
  PageData data;
  for (const char* name :
       {"inviter",  "app",  "role",   "email",      "expires",        "expires_machine",      "token", "csrf",
        "monogram", "name", "notice", "name_error", "password_error", "password_again_error", "back",  "subject",
        "from",     "to",   "date",   "file",       "app_url",        "email_error"})
    data.text(name, hostile);
  data.flag("has_errors").flag("has_field_errors").flag("has_mails").flag("has_html").flag("wide").flag("saved");
  data.list("field_errors", {PageData().text("field", hostile).text("message", hostile)});
  data.list("mails", {PageData().text("file", hostile).text("subject", hostile).text("to", hostile)});
  PageData field;
  for (const char* name : {"label", "value", "error", "input_mode", "autocomplete"}) field.text(name, hostile);
  PageData line = field.text("field", "line");
  PageData several = field.text("field", "several").flag("multiline");
  data.list("groups", {PageData().text("heading", hostile).list("fields", {line, several})});
  data.list("pieces", {PageData().text("words", hostile), PageData().text("link", hostile)});
  return data;
}

/// The msgids of a catalogue that have a translation, with it.
std::map<std::string, std::string> read_catalogue(std::string_view language) {
  std::ifstream file(std::string(INVITED_LOCALE_DIR) + "/" + std::string(language) + ".po");
  std::map<std::string, std::string> texts;
  std::string line, id;
  // What stands between the quotes, its escapes undone.
  const auto value = [](const std::string& quoted) {
    std::string text;
    for (std::size_t i = 0; i + 1 < quoted.size(); ++i) text += quoted[i] == '\\' ? quoted[++i] : quoted[i];
    return text;
  };
  while (std::getline(file, line)) {
    if (line.starts_with("msgid \"")) id = value(line.substr(7));
    if (line.starts_with("msgstr \"") && line.size() > 9) texts[id] = value(line.substr(8));
  }
  return texts;
}

/// "{{inviter}}", "{count}": everything in braces.
std::multiset<std::string> placeholders(const std::string& text) {
  std::multiset<std::string> found;
  for (auto at = text.find('{'); at != std::string::npos; at = text.find('{', at)) {
    const auto end = text.find_first_not_of('}', text.find('}', at));
    found.insert(text.substr(at, end == std::string::npos ? end : end - at));
    at = std::min(end, text.size());
  }
  return found;
}

/// Takes out everything from `open` to `close`.
void cut(std::string& text, std::string_view open, std::string_view close) {
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    const auto end = text.find(close, at);
    text.erase(at, end == std::string::npos ? end : end + close.size() - at);
  }
}

TEST(Templates, EveryTextIsTranslatedIntoEveryLanguageWithItsPlaceholders) {
  std::set<std::string> texts;
  for (const auto more : {form_texts(), invitation_texts(), account_texts()}) texts.insert(more.begin(), more.end());
  for (const std::string& text : profile_texts()) texts.insert(text);
  for (const auto& file : templates::files())
    for (const std::string& text : translatable_texts(file.content)) texts.insert(text);
  ASSERT_GT(texts.size(), 150u);
  for (const base::Language language : base::kLanguages) {
    if (language == base::Language::en) continue;
    const auto catalogue = read_catalogue(base::to_string(language));
    for (const std::string& text : texts) {
      const auto found = catalogue.find(text);
      ASSERT_NE(found, catalogue.end()) << base::to_string(language) << " lacks: " << text;
      EXPECT_EQ(placeholders(found->second), placeholders(text)) << found->second;
      EXPECT_EQ(base::translate(language, text), found->second);
    }
  }
}

// An ordinary blank before one of these lets a line begin with it.
TEST(Templates, FrenchTiesItsMarksToTheWordBeforeThem) {
  for (const auto& [english, french] : read_catalogue("fr"))
    for (const char* loose : {" :", " ;", " ?", " !"}) EXPECT_THAT(french, Not(HasSubstr(loose)));
}

// No sound is dropped before a name, whatever it begins with: "de {{inviter}}" would have to be "d’{{inviter}}" for
// some.
TEST(Templates, FrenchPutsNoWordBeforeANameThatWouldHaveToLoseItsVowel) {
  for (const auto& [english, french] : read_catalogue("fr"))
    for (const char* elided : {" de {{inviter}}", " que {{inviter}}", " de {{app}}", " le {{app}}", " de {{sender}}"})
      EXPECT_THAT(french, Not(HasSubstr(elided)));
}

TEST(Templates, HoldNoTextOutsideOfTranslations) {
  for (const auto& file : templates::files()) {
    std::string rest(file.content);
    cut(rest, "{{#t}}", "{{/t}}");
    cut(rest, "{{", "}}");
    cut(rest, "<strong translate=\"no\">", "</strong>");
    cut(rest, "<", ">");
    EXPECT_EQ(rest.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos)
        << file.name << ": " << rest;
  }
}

TEST(Templates, EveryPageIsWellFormedAccessibleAndEscapedInEveryLanguage) {
  const PageRenderer renderer("https://invite.example.org", base::Language::en);
  for (const base::Language language : base::kLanguages) {
    for (const auto& file : templates::files()) {
      if (file.name == "layout.html" || file.name.starts_with("part_")) continue;
      for (const bool signs_in : {false, true}) {
        SCOPED_TRACE(std::string(file.name) + " " + std::string(base::to_string(language)));
        const Response response =
            renderer.render(request_in(base::to_string(language)),
                            {.status = 200, .template_name = file.name, .script = "password.js", .padded_size = 0},
                            hostile_data().flag("signs_in", signs_in).flag("several_roles", signs_in));
        const ParsedPage page(response);
        expect_accessible(page);
        EXPECT_EQ(page.text("/html/@lang"), base::to_string(language));
        EXPECT_EQ(page.count("//script"), 1u);
        EXPECT_FALSE(page.has("//script[contains(., 'alert')]"));
        EXPECT_THAT(response.body, Not(HasSubstr("<script>")));
        EXPECT_THAT(response.body, Not(HasSubstr("{{#t}}")));
      }
    }
  }
}

TEST(PageRenderer, NegotiatesTheLanguageAndSaysSo) {
  const PageRenderer renderer("https://invite.example.org", base::Language::de);
  const std::pair<const char*, const char*> cases[]{{"nl-BE,nl;q=0.9,en;q=0.5", "nl"},
                                                    {"es;q=0.2, fr;q=0.8", "fr"},
                                                    {"en-GB", "en"},
                                                    {"ja, zh;q=0.5", "de"},
                                                    {"", "de"},
                                                    {";;q=x,", "de"}};
  for (const auto& [header, expected] : cases) {
    const Response response = renderer.error_page(404, request_in(header));
    EXPECT_EQ(response.headers.get("Content-Language"), expected) << header;
    EXPECT_EQ(response.headers.get("Vary"), "Accept-Language");
    EXPECT_EQ(ParsedPage(response).text("/html/@lang"), expected);
  }
}

TEST(PageRenderer, TakesOriginAndPathFromThePublicUrl) {
  const std::tuple<const char*, const char*, const char*> cases[]{
      {"https://Invite.Example.org", "https://invite.example.org", ""},
      {"https://invite.example.org:443/", "https://invite.example.org", ""},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080", ""},
      {"http://[::1]:80/x", "http://[::1]", "/x"},
      {"https://example.org:8443/Invited/?q#f", "https://example.org:8443", "/Invited"}};
  for (const auto& [url, origin, path] : cases) {
    const PageRenderer renderer(url, base::Language::en);
    EXPECT_EQ(renderer.origin(), origin) << url;
    EXPECT_EQ(renderer.base_path(), path) << url;
  }
}

TEST(PageRenderer, LinksBeginWithThePublicUrlsPath) {
  const PageRenderer renderer("https://example.org/invited", base::Language::en);
  const ParsedPage page(renderer.render(request_in("en"), {.status = 200, .template_name = "home.html"}, {}));
  for (const std::string& link : page.all("//@href | //@src | //@action"))
    EXPECT_TRUE(link.starts_with("/invited/")) << link;
}

TEST(PageRenderer, PadsABodyToAMultiple) {
  const PageRenderer renderer("https://example.org", base::Language::en);
  const Response response =
      renderer.render(request_in("en"), {.status = 404, .template_name = "link_wrong.html", .padded_size = 4096}, {});
  EXPECT_EQ(response.body.size() % 4096, 0u);
  const ParsedPage page(response);
}

TEST(ErrorPage, IsHtmlForBrowsersAndALineOfTextForOthers) {
  const PageRenderer renderer("https://example.org", base::Language::en);
  for (const int status : kErrorStatuses) {
    const Response html = renderer.error_page(status, request_in("nl"));
    EXPECT_EQ(html.status, status);
    EXPECT_EQ(html.headers.get("Content-Type"), "text/html; charset=utf-8");
    expect_accessible(ParsedPage(html));

    const Response text = renderer.error_page(status, Request{});
    EXPECT_EQ(text.status, status);
    EXPECT_EQ(text.headers.get("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_THAT(text.body, testing::EndsWith("\n"));
    EXPECT_THAT(text.body, Not(HasSubstr("<")));
  }
}

TEST(ErrorPage, IsWhatTheListenerShowsOnThePathOfAPage) {
  Router router;
  const auto renderer = std::make_shared<const PageRenderer>("https://example.org", base::Language::nl);
  add_home_route(router, renderer);
  const RouteMatch match = router.match("POST", "/");
  ASSERT_FALSE(match.route);
  ASSERT_TRUE(match.error_renderer);
  const Response response = (*match.error_renderer)(405, "This path cannot be posted to.", {});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(ParsedPage(response).text("//h1"), "Dat gaat hier niet");
  EXPECT_EQ(ParsedPage((*match.error_renderer)(405, {}, request_in("de"))).text("//h1"), "Das geht hier nicht")
      << "in the reader's language, where the request tells it";
}

TEST(HomePage, SaysWhatThisIsAndLeadsToTheDocumentation) {
  Router router;
  add_home_route(router, std::make_shared<const PageRenderer>("https://example.org", base::Language::en));
  const RouteMatch match = router.match("GET", "/");
  ASSERT_TRUE(match.route);
  const Response response = match.route->handler(request_in("en"));
  EXPECT_EQ(response.status, 200);
  const ParsedPage page(response);
  EXPECT_TRUE(page.has("//a[@href='/ws-doc/']"));
  EXPECT_THAT(response.body, Not(HasSubstr(INVITED_VERSION)));
}

TEST(ContentSecurityPolicy, AllowsNothingFromElsewhereAndNoInlineCode) {
  for (const bool with_script : {false, true}) {
    const std::string policy = content_security_policy(with_script);
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, HasSubstr("base-uri 'none'"));
    EXPECT_THAT(policy, HasSubstr("form-action 'self'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(policy, Not(HasSubstr("*")));
    EXPECT_EQ(policy.find("script-src 'self'") != std::string::npos, with_script);
  }
}

}  // namespace
}  // namespace invited::http
