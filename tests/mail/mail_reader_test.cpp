#include "mail/mail_reader.h"

#include <gmock/gmock.h>

#include "mail/message_builder.h"
#include "mail/sample_message.h"

namespace invited::mail {
namespace {

using testing::HasSubstr;

TEST(MailReader, GivesBackWhatTheBuilderPutIn) {
  auto message = test::sample_message();
  message.inviter_name = "Zoë Strauß";
  const auto bytes = MessageBuilder(test::sample_settings()).build(message, test::kLink);
  ASSERT_TRUE(bytes);
  const auto mail = read_mail(*bytes);
  ASSERT_TRUE(mail);
  EXPECT_THAT(mail->from, HasSubstr("invitations@example.com"));
  EXPECT_THAT(mail->to, HasSubstr(message.recipient.text()));
  EXPECT_THAT(mail->subject, HasSubstr("Zoë Strauß"));
  EXPECT_THAT(mail->date, testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC"));
  EXPECT_THAT(mail->text, HasSubstr(test::kLink));
  EXPECT_THAT(mail->html, HasSubstr("<html"));
}

TEST(MailReader, WhatIsMissingIsEmpty) {
  const auto mail = read_mail("Subject: only this\r\n\r\n");
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->subject, "only this");
  EXPECT_EQ(mail->from + mail->to + mail->date + mail->html, "");
}

TEST(MailReader, TakesAnyBytes) {
  for (const char* bytes : {"", "\r\n", "\xff\xfe", "Content-Type: multipart/mixed; boundary=\r\n\r\n--", "a: b"})
    EXPECT_NO_FATAL_FAILURE(static_cast<void>(read_mail(bytes))) << bytes;
}

}  // namespace
}  // namespace invited::mail
