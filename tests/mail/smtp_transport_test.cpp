// The SMTP transport against a relay that says what it likes.
#include "mail/smtp_transport.h"

#include <thread>

#include "domain/email_address.h"
#include "mail/relay_fixture.h"

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;

using SmtpTransportTest = RelayTest;

TEST_F(SmtpTransportTest, delivers_encrypted_and_signed_in) {
  start();
  sign_in_as("robot", "correct horse");
  const auto result = deliver();
  EXPECT_EQ(result.outcome, DeliveryOutcome::sent) << result.stage << ": " << result.explanation;
  EXPECT_EQ(result.reply_code, 250);
  EXPECT_EQ(result.explanation, "2.0.0 queued as 1");
  transport().close();
  EXPECT_THAT(
      relay_->commands(),
      ElementsAre("plain EHLO invite.example.com", "plain STARTTLS", "tls EHLO invite.example.com", "tls AUTH PLAIN",
                  "tls AHJvYm90AGNvcnJlY3QgaG9yc2U=", testing::StartsWith("tls MAIL FROM:<invitations@example.com>"),
                  "tls RCPT TO:<guest@example.org>", "tls DATA", "tls QUIT"));
  ASSERT_EQ(relay_->mails().size(), 1U);
  EXPECT_EQ(relay_->mails()[0].content, "Subject: x\r\n\r\nHello\r\n");
  EXPECT_EQ(relay_->mails()[0].recipient, "guest@example.org");
  EXPECT_TRUE(relay_->mails()[0].encrypted);
}

TEST_F(SmtpTransportTest, delivers_with_implicit_tls) {
  start({.implicit_tls = true});
  sign_in_as("robot", "secret");
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_TRUE(heard("tls AUTH"));
  EXPECT_FALSE(heard("plain"));
}

TEST_F(SmtpTransportTest, delivers_unencrypted_only_where_that_is_configured) {
  start();
  settings_.tls = Tls::off;
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_FALSE(heard("plain STARTTLS"));
}

TEST_F(SmtpTransportTest, signs_in_by_whatever_the_relay_offers) {
  start();
  relay_->say("ehlo_tls", "250-relay\r\n250 AUTH LOGIN");
  sign_in_as("robot", "secret");
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_TRUE(heard("tls AUTH LOGIN"));
}

TEST_F(SmtpTransportTest, keeps_the_connection_for_the_next_mails) {
  start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_EQ(relay_->connections(), 1);
  EXPECT_EQ(relay_->mails().size(), 5U);
  transport().close();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_EQ(relay_->connections(), 2);
}

TEST_F(SmtpTransportTest, takes_a_new_connection_where_the_relay_ended_the_kept_one) {
  const struct {
    const char* what;
    std::vector<Reply> mail_from;
    std::vector<Reply> message;
  } kRows[] = {
      {"closed after the first mail", {{"250 ok"}}, {{"250 queued", {}, true}, {"250 queued"}}},
      {"says 421 to the second", {{"250 ok"}, {"421 too many mails", {}, true}, {"250 ok"}}, {{"250 queued"}}},
      {"hangs up at the second", {{"250 ok"}, {"", {}, true}, {"250 ok"}}, {{"250 queued"}}},
  };
  for (const auto& row : kRows) {
    start();
    transport_.reset();
    relay_->say("mail_from", row.mail_from);
    relay_->say("message", row.message);
    EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent) << row.what;
    EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent) << row.what;
    EXPECT_EQ(relay_->connections(), 2) << row.what;
    EXPECT_EQ(relay_->mails().size(), 2U) << row.what;
  }
}

TEST_F(SmtpTransportTest, delivers_the_next_mail_after_any_refusal) {
  start();
  relay_->say("rcpt_to", {{"550 no"}, {"451 later"}, {"250 ok"}});
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::rejected);
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::deferred);
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
}

struct Refusal {
  const char* what;
  const char* stage;
  const char* reply;
  DeliveryOutcome outcome;
  const char* expected_stage;
  int code;
};

class Refusals : public SmtpTransportTest, public testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, have_their_meaning_through_the_whole_stack) {
  const Refusal& row = GetParam();
  start();
  sign_in_as("robot", "secret");
  relay_->say(row.stage, row.reply);
  const auto result = deliver();
  EXPECT_EQ(result.outcome, row.outcome) << result.explanation;
  EXPECT_EQ(result.stage, row.expected_stage);
  EXPECT_EQ(result.reply_code, row.code);
  EXPECT_EQ(result.explanation, std::string(row.reply).substr(4));
  EXPECT_TRUE(relay_->mails().size() == (std::string_view(row.stage) == "message" ? 1U : 0U));
}

using enum DeliveryOutcome;
INSTANTIATE_TEST_SUITE_P(
    Table, Refusals,
    testing::Values(Refusal{"M02_421_at_banner", "banner", "421 busy", deferred, "banner", 421},
                    Refusal{"M02_451_at_rcpt", "rcpt_to", "451 4.3.0 later", deferred, "rcpt_to", 451},
                    Refusal{"M02_452_at_rcpt", "rcpt_to", "452 4.2.2 full", deferred, "rcpt_to", 452},
                    Refusal{"M02_450_greylisting", "rcpt_to", "450 4.2.0 greylisted", deferred, "rcpt_to", 450},
                    Refusal{"M02_421_at_data", "data", "421 busy", deferred, "data", 421},
                    Refusal{"M02_451_after_the_dot", "message", "451 later", deferred, "message", 451},
                    Refusal{"M03_550_at_rcpt", "rcpt_to", "550 5.1.1 no such user", rejected, "rcpt_to", 550},
                    Refusal{"M03_552_at_rcpt", "rcpt_to", "552 full", rejected, "rcpt_to", 552},
                    Refusal{"M03_553_at_rcpt", "rcpt_to", "553 name", rejected, "rcpt_to", 553},
                    Refusal{"M03_554_at_data", "data", "554 no", rejected, "data", 554},
                    Refusal{"M03_554_after_the_dot", "message", "554 5.7.1 spam", rejected, "message", 554},
                    Refusal{"M04_535_at_auth", "auth", "535 5.7.8 wrong", held, "auth", 535},
                    Refusal{"M04_530_at_mail_from", "mail_from", "530 5.7.0 Must issue a STARTTLS command first", held,
                            "mail_from", 530},
                    Refusal{"M04_554_banner", "banner", "554 go away", held, "banner", 554},
                    Refusal{"M04_550_at_mail_from", "mail_from", "550 not you", held, "mail_from", 550},
                    Refusal{"M04_sender_refused_at_rcpt", "rcpt_to",
                            "553 5.7.1 <robot@example.org>: Sender address rejected: not owned", deferred, "rcpt_to",
                            553},
                    Refusal{"M04_550_at_ehlo", "ehlo", "550 bad name", held, "ehlo", 550},
                    Refusal{"M04_454_at_starttls", "starttls", "454 TLS not available", held, "starttls", 454}),
    [](const auto& row) { return std::string(row.param.what); });

TEST_F(SmtpTransportTest, M05_is_deferred_where_the_relay_closes_after_the_dot) {
  start();
  relay_->say("message", {{"", {}, true}});
  const auto result = deliver();
  EXPECT_EQ(result.outcome, DeliveryOutcome::deferred);
  EXPECT_EQ(result.stage, "message");
  EXPECT_EQ(result.reply_code, 0);
  EXPECT_FALSE(result.explanation.empty());
  EXPECT_EQ(relay_->mails().size(), 1U);
  EXPECT_EQ(relay_->connections(), 1);  // it was not tried again at once
}

// 600 s in life (SmtpTimeouts); here 2 s.
TEST_F(SmtpTransportTest, M05_waits_its_full_time_for_the_answer_to_the_dot_and_no_longer) {
  EXPECT_EQ(SmtpTimeouts{}.answer, seconds(600));
  timeouts_.answer = seconds(2);
  start();
  relay_->say("message", {{"250 at last", milliseconds(1'000)}, {"250 too late", milliseconds(10'000)}});
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  const auto begin = std::chrono::steady_clock::now();
  const auto result = deliver();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(result.outcome, DeliveryOutcome::deferred);
  EXPECT_EQ(result.stage, "message");
}

TEST_F(SmtpTransportTest, bounds_a_delivery_that_goes_slowly_at_every_step) {
  timeouts_.total = milliseconds(1'500);
  start();
  for (const char* stage : {"mail_from", "rcpt_to", "data"})
    relay_->say(stage, {{stage == std::string("data") ? "354 go" : "250 ok", milliseconds(800)}});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::deferred);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(SmtpTransportTest, does_not_wait_for_ever_for_a_banner) {
  timeouts_.connect = milliseconds(500);
  start();
  relay_->say("banner", {{"220 late", milliseconds(10'000)}});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::held);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(SmtpTransportTest, leaves_a_relay_that_does_not_answer_quit) {
  timeouts_.answer = seconds(60);
  timeouts_.total = seconds(120);
  start();
  relay_->say("quit", {{"221 bye", seconds(60)}});
  relay_->say("rcpt_to", {{"250 ok"}, {"550 no"}});
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::rejected);  // libcurl says QUIT after a refusal
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::rejected);
  transport().close();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20)) << "of 60 for each, and some on a busy machine";

  relay_->say("rcpt_to", "250 ok");
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  const auto end = std::chrono::steady_clock::now();
  transport().close();
  EXPECT_LT(std::chrono::steady_clock::now() - end, seconds(20));
}

TEST_F(SmtpTransportTest, can_be_interrupted_wherever_it_waits) {
  for (const char* stage : {"banner", "ehlo_tls", "rcpt_to", "message"}) {
    start();
    transport_.reset();
    relay_->say(stage, {{"250 never", seconds(60)}});
    transport();
    std::thread interrupter([this] {
      std::this_thread::sleep_for(milliseconds(200));
      transport_->interrupt();
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto result = deliver();
    interrupter.join();
    EXPECT_EQ(result.stage, kInterrupted) << stage;
    EXPECT_EQ(result.outcome, DeliveryOutcome::held) << stage;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5)) << stage;
  }
}

TEST_F(SmtpTransportTest, breaks_off_a_mail_that_may_not_be_completed_and_goes_on_with_the_next) {
  start();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  bool data_was_begun = false;
  const auto result = transport().deliver({kFrom, "guest@example.org", "id", test::at(0),
                                           [&] {
                                             data_was_begun = heard("tls DATA");
                                             return false;
                                           }},
                                          "Subject: x\r\n\r\nNever\r\n");
  EXPECT_TRUE(data_was_begun) << "asked as late as can be";
  EXPECT_EQ(result.stage, kInterrupted);
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  EXPECT_EQ(relay_->mails().size(), 2U) << "the one that was broken off is not among them";
}

TEST_F(SmtpTransportTest, holds_where_there_is_no_relay) {
  start();
  relay_.reset();
  const auto refused = deliver();
  EXPECT_EQ(refused.outcome, DeliveryOutcome::held);
  EXPECT_EQ(refused.stage, "connect");
  transport_.reset();
  settings_.host = "no-such-host.invalid";
  const auto unknown = deliver();
  EXPECT_EQ(unknown.outcome, DeliveryOutcome::held);
  EXPECT_THAT(unknown.explanation, HasSubstr("no-such-host.invalid"));
}

// --- what is on the wire ---------------------------------------------------------------------------------------------

TEST_F(SmtpTransportTest, M09_sends_one_mail_with_clean_line_ends_whatever_it_is_given) {
  const std::string head = "Subject: x\r\n\r\n";
  const std::string smuggled =
      "MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: y\r\n\r\nz";
  const struct {
    const char* what;
    std::string body;
    std::string received;
  } kRows[] = {
      {"a dot alone", "a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n"},
      {"a dot first of all", ".\r\nb\r\n", ".\r\nb\r\n"},
      {"a dot last of all", "a\r\n.\r\n", "a\r\n.\r\n"},
      {"dots at the beginning of lines", "..\r\n.a\r\n...\r\n", "..\r\n.a\r\n...\r\n"},
      {"no line end at the end", "a", "a\r\n"},
      {"a dot and nothing", "a\r\n.", "a\r\n.\r\n"},
      {"LF dot LF", "a\n.\n" + smuggled, ""},
      {"LF dot CRLF", "a\n.\r\n" + smuggled, ""},
      {"CR dot CR", "a\r.\r" + smuggled, ""},
      {"CR dot CRLF", "a\r.\r\n" + smuggled, ""},
      {"CRLF dot CR", "a\r\n.\r" + smuggled, ""},
      {"CRLF dot LF", "a\r\n.\n" + smuggled, ""},
      {"CR CR LF dot CR CR LF", "a\r\r\n.\r\r\n" + smuggled, ""},
      {"NUL in between", std::string("a\r\n\0.\r\n", 7) + smuggled, ""},
      {"NUL in the end sequence", std::string("a\r\n.\0\r\n", 7) + smuggled, ""},
  };
  start();
  std::size_t count = 0;
  for (const auto& row : kRows) {
    EXPECT_EQ(deliver(head + row.body).outcome, DeliveryOutcome::sent) << row.what;
    const auto mails = relay_->mails();
    ASSERT_EQ(mails.size(), ++count) << row.what;
    const test::ReceivedMail& mail = mails.back();
    EXPECT_EQ(mail.sender, kFrom) << row.what;
    if (!row.received.empty()) {
      EXPECT_EQ(mail.content, head + row.received) << row.what;
    }
    for (std::size_t at = 0; at < mail.raw.size(); ++at) {
      EXPECT_EQ(mail.raw[at] == '\n', at > 0 && mail.raw[at - 1] == '\r') << row.what;
      EXPECT_NE(mail.raw[at], '\0') << row.what;
    }
    for (const char* end : {"\n.\n", "\n.\r\n", "\r.\r", "\n.\r"})
      EXPECT_EQ(mail.raw.find(end), std::string::npos) << row.what;
  }
  EXPECT_FALSE(heard("tls MAIL FROM:<evil@example.org>"));
}

TEST_F(SmtpTransportTest, M09_stuffs_every_dot_wherever_it_falls_in_its_buffers) {
  // Lines whose dot comes at every offset around the sizes of libcurl's buffers.
  std::string body;
  for (int i = 0; body.size() < 200'000; ++i)
    body += ".\r\n" + std::string(static_cast<std::size_t>(i % 67), 'x') + "\r\n..y\r\n";
  start();
  EXPECT_EQ(deliver("Subject: x\r\n\r\n" + body).outcome, DeliveryOutcome::sent);
  ASSERT_EQ(relay_->mails().size(), 1U);
  EXPECT_EQ(relay_->mails()[0].content, "Subject: x\r\n\r\n" + body);
}

// The service refuses these addresses long before; even if one came through, it would not reach the wire.
TEST_F(SmtpTransportTest, M11_sends_to_no_address_that_is_more_than_one_address) {
  const char* const kRows[] = {
      "a@b, c@d",  "<a@b>",
      "\"a b\"@c", "a@[127.0.0.1]",
      "@r:a@b",    "a@b>\r\nRCPT TO:<c@d",
      "-oQ@x",     "a@b c@d",
      "a@b\nX",    "a@b\r",
      "",          "a",
      "a@b@c",     "@example.org",
      "a@",        "a(comment)@b.org",
      "a@b;c",     "g\xC3\xBC@example.org",
  };
  start();
  for (const char* address : kRows) {
    EXPECT_FALSE(domain::EmailAddress::parse(address)) << address;
    EXPECT_EQ(deliver("Subject: x\r\n\r\n", address).outcome, DeliveryOutcome::rejected) << address;
  }
  EXPECT_EQ(relay_->connections(), 0);
}

TEST_F(SmtpTransportTest, holds_where_the_sender_is_no_address) {
  start();
  const auto result = transport().deliver({"a@b>\r\nX", "guest@example.org", "id", test::at(0)}, "x");
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(result.stage, "mail_from");
}

}  // namespace
}  // namespace invited::mail
