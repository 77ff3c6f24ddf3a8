// A relay that says what a test wants it to: an SMTP server on a free port of 127.0.0.1, in threads of its own, with
// a scripted reply for each stage, TLS by OpenSSL with throw-away certificates, and a record of all it heard.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/test_certificates.h"

namespace invited::test {

struct Reply {
  std::string lines;  ///< without the last CRLF; "" says nothing
  std::chrono::milliseconds delay{0};
  bool then_close = false;  ///< rudely, without waiting for QUIT
};

struct ReceivedMail {
  std::string sender;
  std::string recipient;
  std::string raw;      ///< as it travelled: dots stuffed, without the final dot's line
  std::string content;  ///< dots unstuffed
  bool encrypted = false;
};

struct ScriptedSmtpOptions {
  bool implicit_tls = false;
  CertificateKind certificate = CertificateKind::good;
  int newest_tls = 0;  ///< TLS1_VERSION and the like from openssl/ssl.h; 0: the newest there is
};

class ScriptedSmtpServer {
 public:
  explicit ScriptedSmtpServer(ScriptedSmtpOptions options = {});
  ~ScriptedSmtpServer();
  ScriptedSmtpServer(const ScriptedSmtpServer&) = delete;
  ScriptedSmtpServer& operator=(const ScriptedSmtpServer&) = delete;

  std::uint16_t port() const;

  /// What is said from now on at `stage` ("banner", "ehlo", "starttls", "auth", "mail_from", "rcpt_to", "data",
  /// "message", "noop", "quit"): one after the other, the last one for ever.
  void say(const std::string& stage, std::vector<Reply> replies);
  void say(const std::string& stage, const std::string& lines) { say(stage, std::vector<Reply>{{lines}}); }

  int connections() const;
  /// "plain EHLO relay.test", "tls MAIL FROM:<…>", … of all connections. What AUTH sends is recorded as it came.
  std::vector<std::string> commands() const;
  std::vector<ReceivedMail> mails() const;
  /// Waits until there are so many mails; false after 20 s.
  bool wait_for_mails(std::size_t count) const;
  /// Most deliveries (MAIL to final answer) that were under way at once.
  int most_at_once() const;

 private:
  struct State;
  class Connection;
  std::unique_ptr<State> state_;
};

}  // namespace invited::test
