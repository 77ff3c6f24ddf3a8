#include "mail/message_builder.h"

#include <gmock/gmock.h>

#include <set>

#include "mail/link.h"
#include "mail/parsed_mail.h"
#include "mail/sample_message.h"

namespace invited::mail {
namespace {

using domain::MessageKind;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string build(const domain::OutboxMessage& message, const Settings& settings = test::sample_settings()) {
  const auto bytes = MessageBuilder(settings).build(message, test::sample_link(message.kind));
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or("");
}

/// Every kind in every language, with names that need encoding.
std::vector<domain::OutboxMessage> all_messages() {
  std::vector<domain::OutboxMessage> messages;
  for (const MessageKind kind : test::kMessageKinds) {
    for (const base::Language language : base::kLanguages) {
      auto message = test::sample_message(kind, language);
      messages.push_back(message);
      if (kind == MessageKind::password_reset) continue;  // has no names
      message.inviter_name = "Zoë Strauß-Ólafsdóttir 漢字";
      message.app_name = "Приложение";
      messages.push_back(message);
    }
  }
  return messages;
}

TEST(MessageBuilder, makes_a_mail_of_two_alternatives_text_first) {
  for (const auto& message : all_messages()) {
    const test::ParsedMail mail = test::parse_mail(build(message));
    EXPECT_EQ(mail.type, "multipart/alternative");
    ASSERT_EQ(mail.parts.size(), 2U);
    EXPECT_EQ(mail.parts[0].type, "text/plain");
    EXPECT_EQ(mail.parts[1].type, "text/html");
    for (const test::ParsedPart& part : mail.parts) {
      EXPECT_EQ(part.charset, "utf-8");
      EXPECT_THAT(part.text, HasSubstr(message.inviter_name));
      EXPECT_THAT(part.text, HasSubstr(message.app_name));
      EXPECT_THAT(part.text, HasSubstr(message.role_name));
    }
    EXPECT_THAT(mail.header("subject"), HasSubstr(message.app_name));
    EXPECT_FALSE(mail.header("subject").empty());
  }
}

// In 7bit as in quoted-printable, which keeps no blank at a line's end but as "=20".
TEST(MessageBuilder, keeps_the_blank_behind_the_mark_of_a_signature) {
  std::set<std::string> encodings;
  for (const auto& message : all_messages()) {
    const std::string bytes = build(message);
    const test::ParsedPart text = test::parse_mail(bytes).parts[0];
    encodings.insert(text.encoding);
    EXPECT_THAT(text.text, HasSubstr("\n-- \n"));
    EXPECT_THAT(bytes, HasSubstr(text.encoding == "7bit" ? "\r\n-- \r\n" : "\r\n--=20\r\n"));
  }
  EXPECT_EQ(encodings.size(), 2U);
}

TEST(MessageBuilder, says_the_same_words_after_the_way_through_mime) {
  for (const auto& message : all_messages()) {
    const auto words = MessageBuilder(test::sample_settings()).render(message, test::sample_link(message.kind));
    ASSERT_TRUE(words);
    const test::ParsedMail mail = test::parse_mail(build(message));
    ASSERT_EQ(mail.parts.size(), 2U);
    EXPECT_EQ(mail.header("subject"), words->subject);
    EXPECT_EQ(mail.parts[0].text, words->text);
    EXPECT_EQ(mail.parts[1].text, words->html);
  }
}

TEST(MessageBuilder, writes_the_headers_that_an_automatic_mail_needs) {
  Settings settings = test::sample_settings();
  settings.reply_to = "helpdesk@example.com";
  const auto message = test::sample_message();
  const std::string bytes = build(message, settings);
  const test::ParsedMail mail = test::parse_mail(bytes);
  EXPECT_EQ(mail.header("from"), "Example Company <invitations@example.com>");
  EXPECT_EQ(mail.header("to"), "guest@example.com");
  EXPECT_EQ(mail.header("reply-to"), "helpdesk@example.com");
  EXPECT_EQ(mail.header("date"), "Fri, 20 Nov 2026 08:30:00 +0000");
  EXPECT_EQ(mail.header("message-id"), "<" + domain::message_id_of(message) + "@invite.example.com>");
  EXPECT_EQ(mail.header("auto-submitted"), "auto-generated");
  EXPECT_EQ(mail.header("x-auto-response-suppress"), "All");
  EXPECT_EQ(mail.header("mime-version"), "1.0");
  EXPECT_THAT(test::raw_lines(bytes), Contains("Content-Language: en"));
  for (const char* name : {"from", "to", "date", "message-id", "subject", "mime-version"})
    EXPECT_EQ(mail.headers.count(name), 1U) << name;
}

TEST(MessageBuilder, has_no_reply_to_where_none_is_configured_and_takes_the_domain_of_the_sender) {
  Settings settings = test::sample_settings();
  settings.message_id_domain.clear();
  settings.from_name.clear();
  const test::ParsedMail mail = test::parse_mail(build(test::sample_message(), settings));
  EXPECT_EQ(mail.headers.count("reply-to"), 0U);
  EXPECT_THAT(mail.header("message-id"), testing::EndsWith("@example.com>"));
  EXPECT_EQ(mail.header("from"), "invitations@example.com");
}

TEST(MessageBuilder, makes_equal_bytes_for_every_copy) {
  for (const auto& message : all_messages()) EXPECT_EQ(build(message), build(message));
  // Neither the attempt nor its time gets into the mail.
  auto later = test::sample_message();
  const std::string first = build(later);
  later.attempts = 7;
  later.deaths = 2;
  later.due_at += std::chrono::hours(5);
  later.last_error = "450 greylisted";
  EXPECT_EQ(build(later), first);
}

TEST(MessageBuilder, is_seven_bit_clean_with_crlf_and_short_lines) {
  auto messages = all_messages();
  messages.push_back(test::sample_message());
  messages.back().inviter_name = std::string(128, 'W');
  messages.back().app_name = std::string(128, 'M');
  messages.push_back(messages.back());
  for (int i = 0; i < 64; ++i) messages.back().role_name += "漢";
  for (const auto& message : messages) {
    const std::string bytes = build(message);
    ASSERT_TRUE(bytes.ends_with("\r\n"));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const char c = bytes[at];
      ASSERT_TRUE((c >= 0x20 && c < 0x7F) || c == '\t' || c == '\r' || c == '\n') << int{c};
      ASSERT_EQ(c == '\n', at > 0 && bytes[at - 1] == '\r') << at;
    }
    for (const std::string& line : test::raw_lines(bytes)) EXPECT_LE(line.size(), 998U) << line;
  }
}

TEST(MessageBuilder, keeps_lines_within_78_but_for_the_link_where_names_are_ordinary) {
  for (const auto& message : all_messages()) {
    for (const std::string& line : test::raw_lines(build(message)))
      EXPECT_TRUE(line.size() <= 78 || line.find(test::sample_link(message.kind)) != std::string::npos) << line;
  }
}

TEST(MessageBuilder, leaves_the_link_unbroken_by_itself_on_a_raw_line_where_the_text_is_ascii) {
  for (const MessageKind kind : {MessageKind::invitation_to_sign_up, MessageKind::password_reset}) {
    const std::string bytes = build(test::sample_message(kind));
    EXPECT_EQ(test::parse_mail(bytes).parts[0].encoding, "7bit");
    EXPECT_THAT(test::raw_lines(bytes), Contains(test::sample_link(kind)));
  }
}

TEST(MessageBuilder, has_the_link_by_itself_on_a_line_of_the_text_in_every_language) {
  for (const auto& message : all_messages()) {
    if (!carries_link(message.kind)) continue;
    EXPECT_THAT(test::parse_mail(build(message)).parts[0].text,
                HasSubstr("\n\n" + test::sample_link(message.kind) + "\n\n"));
  }
}

// M09: whatever a name holds, it stays one header and one mail.
TEST(MessageBuilder, M09_lets_no_name_make_a_header_a_part_or_an_end_of_mail) {
  const std::vector<std::string> names{
      "Eve\r\nBcc: victim@example.org",
      "Eve\nBcc: victim@example.org",
      "Eve\rBcc: victim@example.org",
      "Eve\r\n\r\nAnother body",
      "Eve\r\n.\r\nMAIL FROM:<x@example.org>",
      "Eve\n.\nMAIL FROM:<x@example.org>",
      "Eve\r.\rMAIL FROM:<x@example.org>",
      std::string("Eve\0Bcc: x@example.org", 22),
      "=?utf-8?q?Eve=0D=0ABcc:_x@example.org?=",
      "\xE5\x98\x8D\xE5\x98\x8A"
      "Bcc: x@example.org",  // 嘍嘊: CR and LF to a careless narrowing
      "\xE7\x98\x8D\xE7\x98\x8A"
      "Bcc: x@example.org",
      "Eve\xC2\x85"
      "Bcc: x@example.org",
      "Eve\xE2\x80\xA8"
      "Bcc: x@example.org",
      "Eve\" <victim@example.org>, \"",
      "--=_boundary--",
      ".",
      std::string(5'000, 'x'),
      "\xFF\xFE",
  };
  for (const std::string& name : names) {
    auto message = test::sample_message();
    message.inviter_name = message.app_name = message.role_name = name;
    Settings settings = test::sample_settings();
    settings.from_name = name;
    const std::string bytes = build(message, settings);
    const test::ParsedMail mail = test::parse_mail(bytes);
    EXPECT_EQ(mail.headers.count("bcc"), 0U) << name;
    EXPECT_EQ(mail.headers.size(), test::parse_mail(build(test::sample_message())).headers.size()) << name;
    EXPECT_EQ(mail.header("to"), "guest@example.com") << name;
    EXPECT_EQ(mail.parts.size(), 2U) << name;
    EXPECT_THAT(test::raw_lines(bytes), Not(Contains("."))) << name;
    EXPECT_THAT(mail.parts[0].text, Not(HasSubstr("victim@example.org"))) << name;
    for (const std::string& line : test::raw_lines(bytes)) {
      EXPECT_LE(line.size(), 998U) << name;
      EXPECT_EQ(line.find_first_of(std::string_view("\r\n\0", 3)), std::string::npos) << name;
    }
  }
}

TEST(MessageBuilder, refuses_addresses_that_could_end_a_header) {
  for (const char* from :
       {"a@example.com\r\nBcc: x@example.org", "a@example.com, b@example.com", "", "<a@example.com>"}) {
    Settings settings = test::sample_settings();
    settings.from = from;
    EXPECT_FALSE(MessageBuilder(settings).build(test::sample_message(), test::kLink)) << from;
  }
}

TEST(MessageBuilder, shows_a_preview_without_the_token) {
  const auto message = test::sample_message();
  const auto words = MessageBuilder(test::sample_settings()).render(message, redacted_link(test::kPublicUrl, message));
  ASSERT_TRUE(words);
  EXPECT_THAT(words->text, HasSubstr("\nhttps://invite.example.com/i/(token-not-shown)\n"));
}

TEST(MessageBuilder, says_who_sends_a_mail_about_no_app_even_where_no_name_is_configured) {
  Settings settings = test::sample_settings();
  const auto message = test::sample_message(MessageKind::password_reset);
  EXPECT_EQ(test::parse_mail(build(message, settings)).header("subject"),
            "A new password for your account at Example Company");
  settings.from_name.clear();
  EXPECT_EQ(test::parse_mail(build(message, settings)).header("subject"), "A new password for your account at invited");
}

TEST(MessageLink, stands_under_the_public_url_and_names_invitation_and_generation) {
  const domain::TokenKeys keys{{{1, base::Secret(std::string(32, 'k'))}}, 1};
  const auto message = test::sample_message();
  for (const char* url : {"https://invite.example.com", "https://invite.example.com/"}) {
    const std::string link = message_link(url, keys, message);
    ASSERT_TRUE(link.starts_with("https://invite.example.com/i/"));
    const auto subject = domain::check_token(keys, link.substr(29));
    ASSERT_TRUE(subject);
    EXPECT_EQ(subject->invitation_id, message.invitation_id);
    EXPECT_EQ(subject->generation, message.generation);
  }
  EXPECT_EQ(message_link("https://example.com/sub", keys, message).rfind("https://example.com/sub/i/", 0), 0U);
  EXPECT_EQ(message_link("https://x", keys, test::sample_message(MessageKind::already_has_access)), "");
}

TEST(MessageLink, to_a_new_password_names_account_generation_of_its_password_and_the_hours_end) {
  const domain::TokenKeys keys{{{1, base::Secret(std::string(32, 'k'))}}, 1};
  auto message = test::sample_message(MessageKind::password_reset);
  message.generation = 7;
  const std::string link = message_link("https://invite.example.com/", keys, message);
  constexpr std::string_view kPage = "https://invite.example.com/reset-password/";
  ASSERT_TRUE(link.starts_with(kPage)) << link;
  EXPECT_EQ(link.size(), test::kResetLink.size());
  const auto subject = domain::check_reset_token(keys, link.substr(kPage.size()));
  ASSERT_TRUE(subject);
  EXPECT_EQ(subject->account_id, message.account_id);
  EXPECT_EQ(subject->password_generation, 7U);
  EXPECT_EQ(subject->expires_at, message.expires_at);
  EXPECT_FALSE(domain::check_token(keys, link.substr(kPage.size()))) << "it is no invitation";
  EXPECT_EQ(redacted_link("https://x", message), "https://x/reset-password/(token-not-shown)");
}

TEST(MessageLink, is_carried_by_all_kinds_but_the_notice) {
  for (const MessageKind kind : test::kMessageKinds) {
    EXPECT_EQ(carries_link(kind), kind != MessageKind::already_has_access);
    EXPECT_EQ(redacted_link("https://x", test::sample_message(kind)).empty(), !carries_link(kind));
  }
}

TEST(MessageBuilder, a_name_that_looks_like_an_encoded_word_is_shown_as_it_is_written) {
  auto message = test::sample_message();
  message.inviter_name = "=?utf-8?q?Win_now_http=3A=2F=2Fevil=2Ecom?=";
  const std::string subject = test::parse_mail(build(message)).header("subject");
  EXPECT_THAT(subject, HasSubstr("Win_now_http=3A=2F=2Fevil=2Ecom"));
  EXPECT_THAT(subject, testing::Not(HasSubstr("http://")));
  message.inviter_name = "=?utf-8?B?4oCu?= Grace";
  EXPECT_THAT(test::parse_mail(build(message)).header("subject"), testing::Not(HasSubstr("\u202e")));
}

std::string unfolded(std::string header) {
  std::erase_if(header, [](char c) { return c == '\r' || c == '\n'; });
  return header;
}

/// RFC 2047, section 2: an encoded word has 75 characters at most, a line with one 76.
void expect_short_encoded_words(const std::string& bytes, std::string_view header) {
  bool in_header = false;
  for (const std::string& line : test::raw_lines(bytes)) {
    in_header = line.starts_with(header) || (in_header && line.starts_with(" "));
    if (!in_header || line.find("=?") == std::string::npos) continue;
    EXPECT_LE(line.size(), 76U) << line;
    EXPECT_LE(line.size() - line.find("=?"), 75U) << line;
  }
}

TEST(MessageBuilder, a_long_name_without_blanks_is_divided_between_its_characters) {
  auto message = test::sample_message();
  Settings settings = test::sample_settings();
  for (const std::string character : {"\u6f22", "\U0001F642", "\u00e9"}) {
    message.inviter_name.clear();
    for (int i = 0; i < 60; ++i) message.inviter_name += character;
    settings.from_name = message.inviter_name;
    const std::string bytes = build(message, settings);
    EXPECT_THAT(test::parse_mail(bytes).header("subject"), HasSubstr(message.inviter_name));
    EXPECT_EQ(unfolded(test::parse_mail(bytes).header("from")), message.inviter_name + " <invitations@example.com>");
    expect_short_encoded_words(bytes, "Subject:");
    expect_short_encoded_words(bytes, "From:");
  }
}

TEST(MessageBuilder, the_senders_name_is_shown_as_it_is_written) {
  Settings settings = test::sample_settings();
  for (const char* name : {"=?utf-8?B?YQ==?= name", "Gr\u00fc\u00dfe, \"B\u00fcro\" <x>"}) {
    settings.from_name = name;
    EXPECT_EQ(unfolded(test::parse_mail(build(test::sample_message(), settings)).header("from")),
              std::string(name) + " <invitations@example.com>");
  }
}

}  // namespace
}  // namespace invited::mail
