#include "mail/smtp_dialogue.h"

#include <gtest/gtest.h>

#include <vector>

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;

/// Lines as they travel: "> " from us, "< " from the relay.
SmtpDialogue spoken(const std::vector<std::string>& lines, bool implicit_tls = false) {
  SmtpDialogue dialogue;
  dialogue.begin(implicit_tls);
  for (const std::string& line : lines) {
    if (line.starts_with("> "))
      dialogue.sent(line.substr(2) + "\r\n");
    else
      dialogue.received(line.substr(2) + "\r\n");
  }
  return dialogue;
}

const std::vector<std::string> kUpToMail{"< 220 hi", "> EHLO me", "< 250-relay", "< 250 AUTH PLAIN"};

std::vector<std::string> after_mail(const std::vector<std::string>& more) {
  std::vector<std::string> lines = kUpToMail;
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

struct Row {
  const char* what;
  std::vector<std::string> lines;
  DeliveryOutcome outcome;
  const char* stage;
  int code;
};

std::vector<Row> rows() {
  const std::vector<std::string> to_rcpt = after_mail({"> MAIL FROM:<a@b>", "< 250 ok", "> RCPT TO:<c@d>"});
  const std::vector<std::string> to_data = [&] {
    auto lines = to_rcpt;
    lines.insert(lines.end(), {"< 250 ok", "> DATA"});
    return lines;
  }();
  const auto with = [](std::vector<std::string> lines, std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
  };
  using enum DeliveryOutcome;
  return {
      {"accepted", with(to_data, {"< 354 go", "< 250 2.0.0 queued"}), sent, "message", 250},
      {"accepted, then trouble", with(to_data, {"< 354 go", "< 250 queued", "> QUIT", "< 421 oh"}), sent, "message",
       250},

      {"M02 421 at banner", {"< 421 busy"}, deferred, "banner", 421},
      {"M02 421 at EHLO", {"< 220 hi", "> EHLO me", "< 421 busy"}, deferred, "ehlo", 421},
      {"M02 421 at MAIL", after_mail({"> MAIL FROM:<a@b>", "< 421 busy"}), deferred, "mail_from", 421},
      {"M02 421 at RCPT", with(to_rcpt, {"< 421 busy"}), deferred, "rcpt_to", 421},
      {"M02 450 greylisting", with(to_rcpt, {"< 450 4.2.0 greylisted"}), deferred, "rcpt_to", 450},
      {"M02 451 at RCPT", with(to_rcpt, {"< 451 try later"}), deferred, "rcpt_to", 451},
      {"M02 452 at RCPT", with(to_rcpt, {"< 452 too many"}), deferred, "rcpt_to", 452},
      {"M02 452 at DATA", with(to_data, {"< 452 full"}), deferred, "data", 452},
      {"M02 451 after the dot", with(to_data, {"< 354 go", "< 451 later"}), deferred, "message", 451},

      {"M03 550 at RCPT", with(to_rcpt, {"< 550 5.1.1 no such user"}), rejected, "rcpt_to", 550},
      {"M03 550, then QUIT", with(to_rcpt, {"< 550 no", "> QUIT", "< 221 bye"}), rejected, "rcpt_to", 550},
      {"M03 552 at RCPT", with(to_rcpt, {"< 552 full"}), rejected, "rcpt_to", 552},
      {"M03 553 at RCPT", with(to_rcpt, {"< 553 name"}), rejected, "rcpt_to", 553},
      {"M03 501 at RCPT", with(to_rcpt, {"< 501 syntax"}), rejected, "rcpt_to", 501},
      {"M03 554 at DATA", with(to_data, {"< 554 no"}), rejected, "data", 554},
      {"M03 552 after the dot", with(to_data, {"< 354 go", "< 552 too big"}), rejected, "message", 552},
      {"M03 554 after the dot", with(to_data, {"< 354 go", "< 554-spam", "< 554 5.7.1 go away"}), rejected, "message",
       554},

      {"M04 554 at banner", {"< 554 go away"}, held, "banner", 554},
      {"M04 550 at EHLO", {"< 220 hi", "> EHLO me", "< 550 bad name"}, held, "ehlo", 550},
      {"M04 454 at STARTTLS",
       {"< 220 hi", "> EHLO me", "< 250 STARTTLS", "> STARTTLS", "< 454 no"},
       held,
       "starttls",
       454},
      {"M04 535 at AUTH", after_mail({"> AUTH PLAIN", "< 334 ", "> AGEAYg==", "< 535 5.7.8 wrong"}), held, "auth", 535},
      {"M04 454 at AUTH", after_mail({"> AUTH PLAIN", "< 454 4.7.0 later"}), held, "auth", 454},
      {"M04 550 at MAIL", after_mail({"> MAIL FROM:<a@b>", "< 550 not you"}), held, "mail_from", 550},
      {"M04 530 at MAIL", after_mail({"> MAIL FROM:<a@b>", "< 530 5.7.0 STARTTLS first"}), held, "mail_from", 530},
      {"M04 451 at MAIL", after_mail({"> MAIL FROM:<a@b>", "< 451 later"}), held, "mail_from", 451},
      {"M04 530 at RCPT", with(to_rcpt, {"< 530 5.7.0 authentication required"}), held, "rcpt_to", 530},
      {"M04 535 at DATA", with(to_data, {"< 535 authentication required"}), held, "data", 535},

      {"nothing at all", {}, held, "connect", 0},
      {"silence after EHLO", {"< 220 hi", "> EHLO me"}, held, "ehlo", 0},
      {"handshake fails", {"< 220 hi", "> EHLO me", "< 250 STARTTLS", "> STARTTLS", "< 220 go"}, held, "tls", 0},
      {"silence after MAIL", after_mail({"> MAIL FROM:<a@b>"}), held, "mail_from", 0},
      {"silence after RCPT", to_rcpt, deferred, "rcpt_to", 0},
      {"silence after DATA", to_data, deferred, "data", 0},
      {"M05 silence after the dot", with(to_data, {"< 354 go"}), deferred, "message", 0},
      {"DATA answered by 250", with(to_data, {"< 250 ok"}), deferred, "data", 0},
      {"dot answered by 354", with(to_data, {"< 354 go", "< 354 go on"}), deferred, "message", 0},
      {"half a reply", with(to_rcpt, {"< 550-no such"}), deferred, "rcpt_to", 0},
      {"nonsense", with(to_rcpt, {"< hello"}), deferred, "rcpt_to", 0},
      {"two replies: the first counts", with(to_rcpt, {"< 550 no", "< 250 ok"}), rejected, "rcpt_to", 550},
      {"kept connection", {"> MAIL FROM:<a@b>", "< 250 ok", "> RCPT TO:<c@d>", "< 550 no"}, rejected, "rcpt_to", 550},
  };
}

TEST(SmtpDialogue, gives_each_reply_its_meaning) {
  for (const Row& row : rows()) {
    const domain::DeliveryResult result = judge(spoken(row.lines), "connection closed");
    EXPECT_EQ(result.outcome, row.outcome) << row.what;
    EXPECT_EQ(result.stage, row.stage) << row.what;
    EXPECT_EQ(result.reply_code, row.code) << row.what;
    if (row.code == 0) {
      EXPECT_EQ(result.explanation, "connection closed") << row.what;
    }
  }
}

TEST(SmtpDialogue, judges_every_refusal_at_every_stage_by_one_rule) {
  const std::vector<std::vector<std::string>> before{
      {}, {"< 220 hi", "> EHLO me"}, after_mail({"> AUTH PLAIN"}), after_mail({"> MAIL FROM:<a@b>"})};
  for (int code = 400; code < 600; ++code) {
    const std::string reply = "< " + std::to_string(code) + " x";
    for (auto lines : before) {
      lines.push_back(reply);
      EXPECT_EQ(judge(spoken(lines), "").outcome, code == 421 ? DeliveryOutcome::deferred : DeliveryOutcome::held)
          << code;
    }
    const bool wants_auth = code == 530 || code == 534 || code == 535 || code == 538;
    const auto expected = wants_auth   ? DeliveryOutcome::held
                          : code < 500 ? DeliveryOutcome::deferred
                                       : DeliveryOutcome::rejected;
    EXPECT_EQ(judge(spoken(after_mail({"> MAIL FROM:<a@b>", "< 250 ok", "> RCPT TO:<c@d>", reply})), "").outcome,
              expected)
        << code;
  }
}

TEST(SmtpDialogue, only_takes_2yz_after_the_dot_for_delivered) {
  for (int code = 100; code < 600; ++code) {
    const auto result = judge(spoken({"> DATA", "< 354 go", "< " + std::to_string(code) + " x"}), "");
    EXPECT_EQ(result.outcome == DeliveryOutcome::sent, code / 100 == 2) << code;
  }
}

/// At RCPT unless a row says otherwise.
DeliveryOutcome judged(const std::string& reply, const std::vector<std::string>& before = {"> RCPT TO:<c@d>"}) {
  auto lines = before;
  lines.push_back("< " + reply);
  return judge(spoken(lines), "").outcome;
}

TEST(SmtpDialogue, M04_a_refusal_of_us_at_the_recipient_is_no_refusal_of_the_recipient) {
  const std::vector<std::string> after_dot{"> DATA", "< 354 go"};
  for (const char* reply : {
           // Postfix, with smtpd_delay_reject as it is by default
           "554 5.7.1 <me@example.org>: Sender address rejected: not yours",
           "553 5.7.1 <me@example.org>: Sender address rejected: not owned by user robot",
           "550 5.1.8 <me@example.org>: Sender address rejected: Domain not found",
           "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
           "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using list.example",
           "504 5.5.2 <me>: Helo command rejected: need fully-qualified hostname",
           "554 5.7.1 <c@d>: Relay access denied",
           // Sendmail, Exim, Exchange, Gmail, qmail
           "550 5.7.1 <c@d>... Relaying denied",
           "550 relay not permitted",
           "550 Sender verify failed",
           "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
           "550 5.7.1 Invalid credentials for relay [192.0.2.1].",
           "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
           // only the status tells
           "553 5.1.7 we do not like it",
           "550 5.1.8",
       }) {
    EXPECT_EQ(judged(reply), DeliveryOutcome::deferred) << reply;
  }
  EXPECT_EQ(judged("550 5.7.60 SMTP; Client does not have permissions to send as this sender", after_dot),
            DeliveryOutcome::deferred);
  EXPECT_EQ(judged("554 5.2.252 SendAsDenied; me@example.org not allowed to send as you@example.org", after_dot),
            DeliveryOutcome::deferred);
}

TEST(SmtpDialogue, a_relay_that_has_had_enough_for_today_refuses_nobody_for_good) {
  EXPECT_EQ(judged("550 5.4.5 Daily user sending limit exceeded"), DeliveryOutcome::deferred);
  EXPECT_EQ(judged("552 5.3.1 Mail system full"), DeliveryOutcome::deferred);
  EXPECT_EQ(judged("554 5.3.2 not accepting mail"), DeliveryOutcome::deferred);
  EXPECT_EQ(judged("550 5.4.51 of another meaning"), DeliveryOutcome::rejected);
}

TEST(SmtpDialogue, what_a_relay_has_against_the_recipient_or_the_mail_stays_final) {
  for (const char* reply :
       {"550 5.1.1 <c@d>: Recipient address rejected: User unknown",
        "554 5.7.1 <c@d>: Recipient address rejected: Access denied", "550 5.1.1 no such user at relay.example.org",
        "552 5.2.2 mailbox full", "554 5.7.1 spam", "550 5.7.1 not authorised to write to this list",
        // another relay's verdict on this one, quoted
        "550 5.1.1 <c@d>: Recipient address rejected: unverified address: host mx.d said: 554 5.7.1 "
        "Client host [192.0.2.1] blocked"})
    EXPECT_EQ(judged(reply), DeliveryOutcome::rejected) << reply;
}

TEST(SmtpDialogue, keeps_the_relays_words_on_one_line_and_none_of_ours) {
  const auto result = judge(spoken(after_mail({"> AUTH PLAIN", "< 334 ", "> AHVzZXIAc2VjcmV0", "< 535-5.7.8 Bad",
                                               "< 535 5.7.8 credentials"})),
                            "");
  EXPECT_EQ(result.explanation, "5.7.8 Bad 5.7.8 credentials");
}

TEST(SmtpDialogue, does_not_grow_with_an_endless_reply) {
  SmtpDialogue dialogue = spoken({"> RCPT TO:<c@d>"});
  for (int i = 0; i < 100'000; ++i) dialogue.received("550-" + std::string(100, 'x') + "\r\n");
  dialogue.received("550 end\r\n");
  EXPECT_LE(dialogue.reply_text().size(), 300U);
  EXPECT_EQ(dialogue.reply_code(), 550);
}

TEST(SmtpDialogue, forgets_what_was_offered_in_the_clear_once_it_is_encrypted) {
  SmtpDialogue dialogue = spoken({"< 220 hi", "> EHLO me", "< 250-AUTH PLAIN", "< 250 STARTTLS"});
  EXPECT_TRUE(dialogue.greeted());
  EXPECT_TRUE(dialogue.offers_auth());
  EXPECT_TRUE(dialogue.offers_starttls());
  EXPECT_FALSE(dialogue.encrypted());
  dialogue.sent("STARTTLS\r\n");
  dialogue.received("220 go\r\n");
  dialogue.sent("EHLO me\r\n");
  dialogue.received("250 hi\r\n");
  EXPECT_TRUE(dialogue.encrypted());
  EXPECT_FALSE(dialogue.offers_auth());
}

TEST(SmtpDialogue, knows_a_relay_that_wants_a_pause) {
  EXPECT_TRUE(asks_for_pause({DeliveryOutcome::deferred, 421, "rcpt_to", ""}));
  EXPECT_TRUE(asks_for_pause({DeliveryOutcome::deferred, 0, "message", ""}));
  EXPECT_FALSE(asks_for_pause({DeliveryOutcome::deferred, 450, "rcpt_to", ""}));
  EXPECT_FALSE(asks_for_pause({DeliveryOutcome::held, 0, "connect", ""}));
  EXPECT_FALSE(asks_for_pause({DeliveryOutcome::sent, 250, "message", ""}));
}

}  // namespace
}  // namespace invited::mail
