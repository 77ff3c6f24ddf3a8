// What the SMTP transport does not do: speak in the clear, to a stranger, or aloud about passwords.
#include <openssl/ssl.h>

#include "mail/relay_fixture.h"

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using SmtpSecurityTest = RelayTest;

TEST_F(SmtpSecurityTest, M07_sends_nothing_where_starttls_is_missing_or_stripped) {
  for (const char* offer :
       {"250 relay", "250-relay\r\n250-XXXXXXXA\r\n250 AUTH PLAIN LOGIN", "250-relay\r\n250 SIZE 100"}) {
    start();
    transport_.reset();
    sign_in_as("robot", "secret");
    relay_->say("ehlo", offer);
    const auto result = deliver();
    EXPECT_EQ(result.outcome, DeliveryOutcome::held) << offer;
    EXPECT_EQ(result.stage, "starttls") << offer;
    EXPECT_THAT(result.explanation, HasSubstr("STARTTLS"));
    EXPECT_FALSE(heard("plain AUTH")) << offer;
    EXPECT_FALSE(heard("plain MAIL")) << offer;
    EXPECT_TRUE(relay_->mails().empty()) << offer;
  }
}

TEST_F(SmtpSecurityTest, M07_sends_nothing_where_ehlo_or_starttls_is_refused) {
  for (const auto& [stage, reply] : {std::pair{"ehlo", "502 no such command"}, std::pair{"starttls", "454 not now"},
                                     std::pair{"starttls", "220"}, std::pair{"starttls", "501 what"}}) {
    start();
    transport_.reset();
    sign_in_as("robot", "secret");
    relay_->say(stage, std::vector<test::Reply>{{reply, {}, /*then_close=*/true}});
    EXPECT_EQ(deliver().outcome, DeliveryOutcome::held) << reply;
    EXPECT_FALSE(heard("plain AUTH")) << reply;
    EXPECT_FALSE(heard("plain MAIL")) << reply;
  }
}

TEST_F(SmtpSecurityTest, M07_takes_nothing_that_was_injected_behind_the_starttls_reply) {
  start();
  sign_in_as("robot", "secret");
  relay_->say("starttls",
              "220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued");
  const auto result = deliver();
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(result.reply_code, 0);
  EXPECT_TRUE(relay_->mails().empty());
  EXPECT_FALSE(heard("tls AUTH"));
}

TEST_F(SmtpSecurityTest, does_not_send_without_signing_in_where_a_user_is_configured) {
  start();
  sign_in_as("robot", "secret");
  relay_->say("ehlo_tls", "250 relay");
  const auto result = deliver();
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(result.stage, "auth");
  EXPECT_TRUE(relay_->mails().empty());
  EXPECT_FALSE(heard("tls MAIL"));
}

TEST_F(SmtpSecurityTest, M08_speaks_to_nobody_whose_certificate_does_not_prove_the_name) {
  for (const bool implicit : {false, true}) {
    for (const auto kind :
         {test::CertificateKind::self_signed, test::CertificateKind::expired, test::CertificateKind::wrong_name}) {
      start({.implicit_tls = implicit, .certificate = kind});
      transport_.reset();
      sign_in_as("robot", "secret");
      const auto result = deliver();
      EXPECT_EQ(result.outcome, DeliveryOutcome::held) << static_cast<int>(kind);
      EXPECT_EQ(result.stage, "tls") << static_cast<int>(kind);
      EXPECT_THAT(result.explanation, HasSubstr("certificate")) << static_cast<int>(kind);
      EXPECT_FALSE(heard("tls ")) << static_cast<int>(kind);
      EXPECT_FALSE(heard("plain AUTH")) << static_cast<int>(kind);
      EXPECT_FALSE(heard("plain MAIL")) << static_cast<int>(kind);
    }
  }
}

TEST_F(SmtpSecurityTest, M08_trusts_only_the_configured_authority) {
  start();
  settings_.ca_file.clear();  // the system's authorities do not know the test's
  EXPECT_EQ(deliver().stage, "tls");
  transport_.reset();
  settings_.ca_file = "/nowhere/ca.pem";
  const auto result = deliver();
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(result.stage, "tls");
}

TEST_F(SmtpSecurityTest, M08_speaks_no_tls_older_than_1_2) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    start({.newest_tls = version});
    transport_.reset();
    const auto result = deliver();
    EXPECT_EQ(result.outcome, DeliveryOutcome::held) << version;
    EXPECT_EQ(result.stage, "tls") << version;
    EXPECT_TRUE(relay_->mails().empty()) << version;
  }
  start({.newest_tls = TLS1_2_VERSION});
  transport_.reset();
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
}

TEST_F(SmtpSecurityTest, keeps_the_password_out_of_what_it_reports) {
  for (const char* echo :
       {"535 wrong password hunter2hunter2", "535 got AHJvYm90AGh1bnRlcjJodW50ZXIy", "535 got aHVudGVyMmh1bnRlcjI="}) {
    start();
    transport_.reset();
    sign_in_as("robot", "hunter2hunter2");
    relay_->say("auth", echo);
    const auto result = deliver();
    EXPECT_EQ(result.outcome, DeliveryOutcome::held);
    EXPECT_EQ(result.reply_code, 535);
    EXPECT_THAT(result.explanation, AllOf(HasSubstr("withheld"), Not(HasSubstr("hunter2")), Not(HasSubstr("AHJv"))))
        << echo;
  }
}

TEST_F(SmtpSecurityTest, reads_the_password_anew_for_each_connection) {
  start();
  sign_in_as("robot", "secret");
  std::filesystem::remove(settings_.password_file);
  const auto missing = deliver();
  EXPECT_EQ(missing.outcome, DeliveryOutcome::held);
  EXPECT_EQ(missing.stage, "auth");
  EXPECT_THAT(missing.explanation, HasSubstr("mail.password_file"));
  EXPECT_EQ(relay_->connections(), 0);
  sign_in_as("robot", "secret");
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
}

TEST_F(SmtpSecurityTest, follows_no_proxy_from_the_environment) {
  start();
  ::setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
  ::setenv("all_proxy", "http://127.0.0.1:9", 1);
  EXPECT_EQ(deliver().outcome, DeliveryOutcome::sent);
  ::unsetenv("ALL_PROXY");
  ::unsetenv("all_proxy");
}

// --- check_relay
// ------------------------------------------------------------------------------------------------------

TEST_F(SmtpSecurityTest, check_relay_says_what_works_and_sends_nothing) {
  start();
  sign_in_as("robot", "secret");
  const auto checked = check_relay(settings_);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_THAT(*checked, AllOf(HasSubstr("localhost"), HasSubstr("encrypted"), HasSubstr("robot")));
  EXPECT_TRUE(heard("tls NOOP"));
  EXPECT_FALSE(heard("tls MAIL"));
}

TEST_F(SmtpSecurityTest, check_relay_says_what_is_wrong_and_which_setting_mends_it) {
  struct Row {
    const char* stage;
    const char* reply;
    const char* says;
    const char* names;
  };
  for (const Row& row :
       {Row{"banner", "554 you are on a list", "554", "mail.host"}, Row{"ehlo", "250 relay", "STARTTLS", "mail.tls"},
        Row{"ehlo_tls", "250-relay\r\n250 AUTH XOAUTH2", "no way to sign in", "AUTH PLAIN"},
        Row{"auth", "535 5.7.8 wrong", "535", "mail.password_file"}}) {
    start();
    sign_in_as("robot", "secret");
    relay_->say(row.stage, row.reply);
    const auto checked = check_relay(settings_);
    ASSERT_FALSE(checked) << row.stage;
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr(row.says), HasSubstr(row.names))) << row.stage;
  }
  start({.certificate = test::CertificateKind::wrong_name});
  EXPECT_THAT(check_relay(settings_).error().message, AllOf(HasSubstr("certificate"), HasSubstr("mail.ca_file")));
  relay_.reset();
  EXPECT_THAT(check_relay(settings_).error().message, AllOf(HasSubstr("connect"), HasSubstr("mail.port")));
  EXPECT_THAT(check_relay(settings_).error().message, testing::Not(HasSubstr("implicit")));
  settings_.port = 465;
  EXPECT_THAT(how_to_mend(settings_, {DeliveryOutcome::held, 0, "connect", "timed out"}),
              AllOf(HasSubstr("mail.tls to \"implicit\""), HasSubstr("mail.host")));
  settings_.host = "bad host/../";
  EXPECT_THAT(check_relay(settings_).error().message, HasSubstr("mail.host"));
}

}  // namespace
}  // namespace invited::mail
