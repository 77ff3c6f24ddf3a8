// Transport over SMTP (RFC 5321) by libcurl, which connects, encrypts, checks the certificate, signs in and speaks;
// smtp_dialogue listens and judges. Nothing leaves in the clear unless mail.tls is "off", and nothing is sent to a
// relay whose certificate does not bear the configured name. TLS 1.2 or newer. The connection is kept for the next
// mail.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "mail/silent_addresses.h"
#include "mail/transport.h"

namespace invited::mail {

/// How long we wait for what. Tests shorten them.
struct SmtpTimeouts {
  /// From the first packet until signed in; half of it for an address that does not answer while there are others.
  std::chrono::milliseconds connect = std::chrono::seconds(60);
  /// For each answer; the one to the final dot may take 10 minutes (RFC 5321 section 4.5.3.2.6).
  std::chrono::seconds answer{600};
  /// For the whole delivery; must end before the message's lease does.
  std::chrono::milliseconds total = std::chrono::minutes(18);
  /// For the answer to QUIT, which is a courtesy.
  std::chrono::milliseconds farewell = std::chrono::seconds(3);
};

class SmtpTransport final : public Transport {
 public:
  /// `silent`: what the transports to one relay know together.
  explicit SmtpTransport(const Settings& settings, const SmtpTimeouts& timeouts = {},
                         std::shared_ptr<SilentAddresses> silent = std::make_shared<SilentAddresses>());
  ~SmtpTransport() override;

  domain::DeliveryResult deliver(const Envelope& envelope, const std::string& bytes) override;
  void close() override;
  void interrupt() override { interrupted_ = true; }

  /// Everything up to where MAIL FROM would come, then NOOP: `sent` means that the relay would listen to us.
  domain::DeliveryResult probe();

 private:
  struct Conversation;

  domain::DeliveryResult converse(Conversation& conversation);
  domain::DeliveryResult converse_once(Conversation& conversation);
  bool configure(Conversation& conversation);
  bool has_kept_connection() const;

  const Settings settings_;
  const SmtpTimeouts timeouts_;
  const std::shared_ptr<SilentAddresses> silent_;
  void* curl_ = nullptr;  ///< CURL*, made at the first use and kept for its connection
  std::atomic<bool> interrupted_{false};
};

}  // namespace invited::mail
