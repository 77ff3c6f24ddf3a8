#include "mail/template_renderer.h"

#include <gmock/gmock.h>

#include <set>

#include "base/translation.h"
#include "base/utf8.h"
#include "mail/sample_message.h"

namespace invited::mail {
namespace {

using domain::MessageKind;
using testing::HasSubstr;
using testing::Not;

std::string placeholders_of(const std::string& text) {
  std::set<std::string> names;
  for (auto at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2))
    names.insert(text.substr(at, text.find("}}", at) + 2 - at));
  std::string all;
  for (const std::string& name : names) all += name;
  return all;
}

TEST(MailTemplates, are_translated_into_every_language_with_the_same_names_in_them) {
  int texts = 0;
  for (const base::EmbeddedFile& file : templates::files()) {
    for (const std::string& english : translatable_texts(file.content)) {
      ++texts;
      for (const base::Language language : base::kLanguages) {
        if (language == base::Language::en) continue;
        const std::string translated = base::translate(language, english);
        EXPECT_NE(translated, english) << file.name << " lacks " << base::to_string(language);
        EXPECT_EQ(placeholders_of(translated), placeholders_of(english)) << translated;
        EXPECT_THAT(translated, Not(testing::AnyOf(HasSubstr("<"), HasSubstr("&"), HasSubstr("://")))) << translated;
      }
    }
  }
  EXPECT_GT(texts, 20);
}

TEST(MailTemplates, have_three_files_for_each_kind) {
  std::set<std::string_view> names;
  for (const base::EmbeddedFile& file : templates::files()) names.insert(file.name);
  for (const MessageKind kind : test::kMessageKinds)
    for (const char* part : {".subject.mustache", ".text.mustache", ".html.mustache"})
      EXPECT_TRUE(names.contains(std::string(domain::to_string(kind)) + part)) << domain::to_string(kind) << part;
}

TEST(MailTemplates, say_who_invites_to_what_as_what_until_when_and_what_to_do_if_not_expected) {
  const auto mail = TemplateRenderer{}.render(test::sample_message(), test::kLink, "Example Company");
  ASSERT_TRUE(mail) << mail.error().message;
  EXPECT_EQ(mail->subject, "Ina Viter invites you to Orders");
  for (const std::string& part : {mail->text, mail->html})
    for (const char* words :
         {"Ina Viter", "Orders", "Planner", "27 November 2026, 08:30", "did not expect", "Example Company", "forward"})
      EXPECT_THAT(part, HasSubstr(words));
}

TEST(MailTemplates, speak_each_language) {
  const struct {
    base::Language language;
    const char* subject;
    const char* date;
  } kRows[] = {{base::Language::en, "Ina Viter invites you to Orders", "27 November 2026, 08:30"},
               {base::Language::nl, "Ina Viter nodigt u uit voor Orders", "27 november 2026, 08:30"},
               {base::Language::de, "Ina Viter lädt Sie zu Orders ein", "27. November 2026, 08:30"},
               {base::Language::fr, "Ina Viter vous invite à rejoindre Orders", "27 novembre 2026, 08:30"},
               {base::Language::es, "Ina Viter le invita a Orders", "27 de noviembre de 2026, 08:30"}};
  for (const auto& row : kRows) {
    const auto message = test::sample_message(MessageKind::invitation_to_accept, row.language);
    const auto mail = TemplateRenderer{}.render(message, test::kLink, "Example Company");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->subject, row.subject);
    std::string unfolded = mail->text;
    std::replace(unfolded.begin(), unfolded.end(), '\n', ' ');
    EXPECT_THAT(unfolded, HasSubstr(row.date));
    EXPECT_THAT(mail->html, HasSubstr("<html lang=\"" + std::string(base::to_string(row.language)) + "\">"));
  }
}

TEST(MailTemplates, tell_somebody_who_has_the_access_already_and_need_no_link) {
  const auto mail =
      TemplateRenderer{}.render(test::sample_message(MessageKind::already_has_access), "", "Example Company");
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->subject, "You already have access to Orders");
  EXPECT_THAT(mail->text, HasSubstr("\nhttps://orders.example.com/\n"));
  EXPECT_THAT(mail->html, HasSubstr("href=\"https://orders.example.com/\""));
  EXPECT_THAT(mail->text, Not(HasSubstr("/i/")));
}

TEST(MailTemplates, link_to_no_address_of_the_app_but_http_ones) {
  for (const char* url : {"", "javascript:alert(1)", "data:text/html,x", "//evil.example", "mailto:x@example.org"}) {
    auto message = test::sample_message(MessageKind::already_has_access);
    message.app_url = url;
    const auto mail = TemplateRenderer{}.render(message, "", "Example Company");
    ASSERT_TRUE(mail) << url;
    EXPECT_THAT(mail->html, Not(HasSubstr("href"))) << url;
    EXPECT_THAT(mail->text, Not(HasSubstr(":\n\n"))) << url;
  }
}

TEST(MailTemplates, hold_no_link_image_or_script_but_the_invitation) {
  for (const MessageKind kind : test::kMessageKinds) {
    const auto message = test::sample_message(kind);
    const std::string& link = test::sample_link(kind);
    const auto mail = TemplateRenderer{}.render(message, link, "Example Company");
    ASSERT_TRUE(mail);
    const std::string& allowed = link.empty() ? message.app_url : link;
    for (auto at = mail->html.find("://"); at != std::string::npos; at = mail->html.find("://", at + 1))
      EXPECT_EQ(mail->html.substr(at - 5, allowed.size()), allowed);
    EXPECT_THAT(mail->html, Not(testing::AnyOf(HasSubstr("<img"), HasSubstr("<script"), HasSubstr("src="),
                                               HasSubstr("url("), HasSubstr("@import"), HasSubstr("onload"))));
  }
}

TEST(MailTemplates, print_names_as_text_and_never_as_markup_or_template) {
  auto message = test::sample_message();
  message.inviter_name = "<b>Eve</b> & {{link}} {{{link}}} {{#t}}Hello,{{/t}}";
  message.app_name = "\"><a href='x'>";
  message.role_name = "{{> foot}} O'Neil";
  const auto mail = TemplateRenderer{}.render(message, test::kLink, "Example Company");
  ASSERT_TRUE(mail);
  EXPECT_THAT(mail->html, HasSubstr("&lt;b&gt;Eve&lt;/b&gt; &amp; {{link}} {{{link}}} {{#t}}Hello,{{/t}}"));
  EXPECT_THAT(mail->html, Not(HasSubstr("<a href='x'>")));
  EXPECT_THAT(mail->html, HasSubstr("{{&gt; foot}} O&#39;Neil"));
  EXPECT_THAT(mail->subject, HasSubstr("<b>Eve</b> & {{link}}"));  // plain text is not escaped
}

TEST(MailTemplates, keep_the_link_whole_on_a_line_of_its_own_and_fold_the_rest) {
  for (const base::Language language : base::kLanguages) {
    auto message = test::sample_message(MessageKind::invitation_to_sign_up, language);
    message.inviter_name = "Maximiliane Theodora von und zu Hohenstein-Waldburg";
    message.app_name = "Planning of the Northern Harbour and its Warehouses";
    const auto mail = TemplateRenderer{}.render(message, test::kLink, "Example Company");
    ASSERT_TRUE(mail);
    EXPECT_THAT(mail->text, HasSubstr("\n\n" + test::kLink + "\n\n"));
    std::string_view rest = mail->text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      EXPECT_TRUE(base::count_code_points(line) <= 72 || line == test::kLink) << line;
      rest.remove_prefix(line.size() + 1);
      // No line ends where the next word had had room, in letters and not in bytes.
      const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
      if (word.empty() || line.empty() || line == "-- ") continue;
      EXPECT_GT(base::count_code_points(line) + 1 + base::count_code_points(word), 72U) << line << " | " << word;
    }
  }
}

TEST(MailTemplates, speak_of_several_roles_as_several) {
  const struct {
    base::Language language;
    const char* one;
    const char* several;
  } kRows[] = {{base::Language::en, "with the role Planner, senior.", "with these roles: Planner, Berth viewer."},
               {base::Language::nl, "met de rol Planner, senior.", "met deze rollen: Planner, Berth viewer."},
               {base::Language::de, "mit der Rolle Planner, senior.", "mit diesen Rollen: Planner, Berth viewer."},
               {base::Language::fr, "avec le rôle Planner, senior.", "avec ces rôles\u00a0: Planner, Berth viewer."},
               {base::Language::es, "con el rol Planner, senior.", "con estos roles: Planner, Berth viewer."}};
  for (const MessageKind kind :
       {MessageKind::invitation_to_sign_up, MessageKind::invitation_to_accept, MessageKind::already_has_access})
    for (const auto& row : kRows) {
      auto message = test::sample_message(kind, row.language);
      message.role_name = "Planner, senior";
      const auto one = TemplateRenderer{}.render(message, test::kLink, "x");
      message.role_name = "Planner\nBerth viewer";
      const auto several = TemplateRenderer{}.render(message, test::kLink, "x");
      ASSERT_TRUE(one && several);
      for (const auto part : {&RenderedMail::text, &RenderedMail::html}) {
        EXPECT_THAT(base::on_one_line((*one).*part), HasSubstr(row.one));
        EXPECT_THAT(base::on_one_line((*one).*part), Not(HasSubstr(":Planner")));
        EXPECT_THAT(base::on_one_line((*several).*part), HasSubstr(row.several));
      }
    }
}

TEST(MailTemplates, name_all_roles_however_long_their_names_are) {
  auto message = test::sample_message();
  message.role_name = std::string(120, 'a') + "\n" + std::string(120, 'b') + "\nvisit evil.example";
  const auto mail = TemplateRenderer{}.render(message, test::kLink, "x");
  ASSERT_TRUE(mail);
  EXPECT_THAT(base::on_one_line(mail->text), HasSubstr(std::string(120, 'b') + ", visit evil. example."));
}

// RFC 3676 section 4.3: "-- ", with the blank, or no mail program takes what follows for a signature.
TEST(MailTemplates, put_who_sent_the_mail_below_the_mark_of_a_signature) {
  for (const MessageKind kind : test::kMessageKinds) {
    const auto mail = TemplateRenderer{}.render(test::sample_message(kind), test::sample_link(kind), "Example Company");
    ASSERT_TRUE(mail);
    EXPECT_THAT(mail->text, HasSubstr("\n\n-- \nThis message was sent by Example Company"));
    EXPECT_EQ(mail->html.find("-- \n"), std::string::npos);
  }
}

TEST(MailTemplates, tie_french_marks_to_the_word_before_them) {
  for (const MessageKind kind : test::kMessageKinds) {
    const auto mail = TemplateRenderer{}.render(test::sample_message(kind, base::Language::fr), test::sample_link(kind),
                                                "Example Company");
    ASSERT_TRUE(mail);
    for (const char* loose : {" :", "\n:", " ?", "\n?", " ;", "\n;"})
      EXPECT_THAT(mail->text, Not(HasSubstr(loose))) << domain::to_string(kind);
  }
}

TEST(MailTemplates, tell_that_nobody_knows_who_wants_a_new_password_and_what_to_do_about_it) {
  const auto mail =
      TemplateRenderer{}.render(test::sample_message(MessageKind::password_reset), test::kResetLink, "Example Company");
  ASSERT_TRUE(mail) << mail.error().message;
  EXPECT_EQ(mail->subject, "A new password for your account at Example Company");
  EXPECT_THAT(mail->text, HasSubstr("\n\n" + test::kResetLink + "\n\n"));
  EXPECT_THAT(mail->html, HasSubstr("href=\"" + test::kResetLink + "\""));
  EXPECT_THAT(mail->html, HasSubstr("<title>Example Company</title>"));
  for (const std::string& part : {base::on_one_line(mail->text), base::on_one_line(mail->html)}) {
    for (const char* words :
         {"inviter@example.com", "We do not know who it was", "one hour, until 20 November 2026, 09:30 UTC", "once",
          "If it was not you, you need not do anything", "do not forward", "sent by Example Company."})
      EXPECT_THAT(part, HasSubstr(words));
    EXPECT_THAT(part, Not(HasSubstr("invitation"))) << "that is another kind of mail";
    EXPECT_THAT(part, Not(HasSubstr("at the request of")));
  }
}

TEST(MailTemplates, speak_of_a_new_password_in_each_language) {
  const struct {
    base::Language language;
    const char* subject;
    const char* words;
  } kRows[] = {
      {base::Language::en, "A new password for your account at Example Company", "20 November 2026, 09:30 UTC"},
      {base::Language::nl, "Een nieuw wachtwoord voor uw account bij Example Company", "20 november 2026, 09:30 UTC"},
      {base::Language::de, "Ein neues Passwort für Ihr Konto bei Example Company", "20. November 2026, 09:30 UTC"},
      {base::Language::fr, "Un nouveau mot de passe pour votre compte chez Example Company",
       "20 novembre 2026, 09:30 UTC"},
      {base::Language::es, "Una contraseña nueva para su cuenta en Example Company",
       "20 de noviembre de 2026, 09:30 UTC"}};
  for (const auto& row : kRows) {
    const auto mail = TemplateRenderer{}.render(test::sample_message(MessageKind::password_reset, row.language),
                                                test::kResetLink, "Example Company");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->subject, row.subject);
    EXPECT_THAT(base::on_one_line(mail->text), HasSubstr(row.words));
    EXPECT_THAT(mail->text, HasSubstr("\n\n" + test::kResetLink + "\n\n"));
  }
}

// The sender's name is an operator's, still nothing in a mail is a link that we did not make.
TEST(MailTemplates, neutralise_the_senders_name_too) {
  const auto mail = TemplateRenderer{}.render(test::sample_message(MessageKind::password_reset), test::kResetLink,
                                              "<b>https://evil.example</b>\r\nBcc: x@example.org");
  ASSERT_TRUE(mail);
  EXPECT_THAT(mail->subject, Not(testing::AnyOf(HasSubstr("\n"), HasSubstr("\r"), HasSubstr("://"))));
  for (const std::string& part : {mail->text, mail->html}) {
    EXPECT_THAT(part, Not(HasSubstr("https://evil")));
    EXPECT_THAT(part, Not(HasSubstr("x@example.org")));
  }
  EXPECT_THAT(mail->html, Not(HasSubstr("<b>")));
}

// M19: a template that is broken, incomplete or endless gives an error, not a mail with a hole in it.
TEST(MailTemplates, fold_running_text_of_html_and_leave_lines_with_tags_as_they_are) {
  const std::string words = "words that go on and on until they are wider than a line of a mail is meant to be";
  const std::string with_tags = "<p class=\"wide\">" + words + "</p>";
  const std::string html = with_tags + "\n" + words + "\n/> " + words + "\n";
  const std::array<base::EmbeddedFile, 3> files{{{"invitation_to_sign_up.subject.mustache", "x"},
                                                 {"invitation_to_sign_up.text.mustache", "x"},
                                                 {"invitation_to_sign_up.html.mustache", html}}};
  const auto mail = TemplateRenderer{files}.render(test::sample_message(), test::kLink, "x");
  ASSERT_TRUE(mail) << mail.error().message;
  EXPECT_EQ(mail->html, with_tags +
                            "\nwords that go on and on until they are wider than a line of a mail is\n"
                            "meant to be\n/> " +
                            words + "\n");
}

TEST(MailTemplates, M19_that_are_broken_are_errors) {
  const std::string endless = "{{inviter}}" + std::string(1'000'000, 'x');
  const struct {
    const char* what;
    std::string_view text;
    const char* expected;
  } kRows[] = {
      {"variable that nobody fills", "Dear {{salutation}}", "salutation"},
      {"section that nobody fills", "{{#nobody}}x{{/nobody}}", "nobody"},
      {"partial that does not exist", "{{> nowhere.html}}", "nowhere.html"},
      {"inside a translated text", "{{#t}}Dear {{salutation}}{{/t}}", "salutation"},
      {"unclosed section", "{{#t}}Hello,", "malformed"},
      {"unclosed tag", "{{inviter", "malformed"},
      {"broken inside a translated text", "{{#t}}Hello {{inviter{{/t}}", "malformed"},
      {"a megabyte", endless, "longer"},
  };
  for (const auto& row : kRows) {
    const std::array<base::EmbeddedFile, 3> files{{{"invitation_to_sign_up.subject.mustache", "x"},
                                                   {"invitation_to_sign_up.text.mustache", "x"},
                                                   {"invitation_to_sign_up.html.mustache", row.text}}};
    const auto mail = TemplateRenderer{files}.render(test::sample_message(), test::kLink, "x");
    ASSERT_FALSE(mail) << row.what;
    EXPECT_THAT(mail.error().message, HasSubstr(row.expected)) << row.what;
    EXPECT_THAT(mail.error().message, HasSubstr("invitation_to_sign_up.html")) << row.what;
  }
  const auto none = TemplateRenderer{std::span<const base::EmbeddedFile>{}}.render(test::sample_message(), "", "x");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("does not exist"));
}

}  // namespace
}  // namespace invited::mail
