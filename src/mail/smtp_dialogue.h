// Follows an SMTP conversation (RFC 5321) as it is spoken by somebody else: which stage it has reached and what the
// relay said last; and judges in the end what that means for the message. All of the mapping from reply to outcome is
// in `judge`. Sees commands only to tell their verb; keeps nothing of what was sent. No I/O; belongs to one thread.
#pragma once

#include <string>
#include <string_view>

#include "domain/outbox_message.h"

namespace invited::mail {

/// What the conversation was waiting for when it ended. The order is that of the protocol.
enum class SmtpStage {
  connect,    ///< name, connection
  banner,     ///< the relay's greeting
  ehlo,       ///< EHLO or HELO
  starttls,   ///< STARTTLS, or that it is offered at all
  tls,        ///< handshake and certificate
  auth,       ///< AUTH, or that it is offered at all
  mail_from,  ///< MAIL
  rcpt_to,    ///< RCPT
  data,       ///< DATA
  message,    ///< the mail itself and the answer to its final dot
};

std::string_view to_string(SmtpStage stage);

class SmtpDialogue {
 public:
  /// A new conversation, or the next mail on a kept connection. `implicit_tls`: TLS stands before the first word.
  void begin(bool implicit_tls);
  /// A command line left.
  void sent(std::string_view line);
  /// One line of a reply came in.
  void received(std::string_view line);
  /// It cannot go on at `stage`, for a reason that is not a reply: no offer, a handshake that failed.
  void fail_at(SmtpStage stage) { enter(stage); }

  SmtpStage stage() const { return stage_; }
  /// The last complete reply's code; 0 where the relay has not answered at this stage.
  int reply_code() const { return reply_code_; }
  const std::string& reply_text() const { return reply_text_; }
  /// A good answer to the final dot: the mail is the relay's now.
  bool accepted() const { return stage_ == SmtpStage::message && reply_code_ / 100 == 2; }
  /// The relay has greeted us: this is not a kept connection.
  bool saw_banner() const { return saw_banner_; }
  /// QUIT was sent: nothing that matters comes any more.
  bool ended() const { return ended_; }
  bool encrypted() const { return encrypted_; }
  /// A complete good reply to EHLO or HELO has just come, and what it offered.
  bool greeted() const { return stage_ == SmtpStage::ehlo && reply_code_ / 100 == 2; }
  bool offers_auth() const { return offers_auth_; }
  bool offers_starttls() const { return offers_starttls_; }

 private:
  void enter(SmtpStage stage);

  SmtpStage stage_ = SmtpStage::connect;
  int reply_code_ = 0;
  std::string reply_text_;
  std::string pending_text_;
  bool encrypted_ = false;
  bool saw_banner_ = false;
  bool ended_ = false;
  bool offers_auth_ = false;
  bool offers_starttls_ = false;
};

/// What the end of a conversation means (design.md, decision 9; hostile-cases M02 to M05, M07, M08). `trouble`: what
/// the connection or TLS says, empty where all went well. Only a 2yz to the final dot is `sent`.
domain::DeliveryResult judge(const SmtpDialogue& dialogue, std::string_view trouble);

/// Whether the relay's words mean us and not the recipient, whichever command they answer: the sender, this machine, or
/// that it relays for us.
bool refuses_us(const domain::DeliveryResult& result);

/// Whether the relay is full or busy, or has taken as much from us as it may today: nothing that a setting mends.
bool has_had_enough(const domain::DeliveryResult& result);

/// Whether a result tells of a relay that wants to be left alone for a while, or of a connection that broke: 421, or no
/// answer at all.
bool asks_for_pause(const domain::DeliveryResult& result);

}  // namespace invited::mail
