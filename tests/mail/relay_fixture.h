// A scripted relay and the settings to reach it, for tests of the SMTP transport.
#pragma once

#include <gmock/gmock.h>

#include <fstream>
#include <memory>

#include "mail/smtp_transport.h"
#include "support/sample_data.h"
#include "support/scripted_smtp_server.h"
#include "support/temporary_directory.h"

namespace invited::mail {

class RelayTest : public testing::Test {
 protected:
  void start(test::ScriptedSmtpOptions options = {}) {
    relay_ = std::make_unique<test::ScriptedSmtpServer>(options);
    settings_.host = "localhost";
    settings_.port = relay_->port();
    settings_.tls = options.implicit_tls ? Tls::implicit : Tls::starttls;
    settings_.ca_file = test::test_ca_file();
    settings_.message_id_domain = "invite.example.com";
    settings_.from = kFrom;
  }

  void sign_in_as(const std::string& user, const std::string& password) {
    settings_.user = user;
    settings_.password_file = folder_ / "password";
    std::ofstream(settings_.password_file) << password << "\n";
  }

  SmtpTransport& transport() {
    if (!transport_) transport_ = std::make_unique<SmtpTransport>(settings_, timeouts_);
    return *transport_;
  }

  domain::DeliveryResult deliver(const std::string& bytes = "Subject: x\r\n\r\nHello\r\n",
                                 const std::string& recipient = "guest@example.org") {
    return transport().deliver({kFrom, recipient, "id", test::at(0)}, bytes);
  }

  bool heard(const std::string& beginning) const {
    for (const std::string& command : relay_->commands())
      if (command.starts_with(beginning)) return true;
    return false;
  }

  static constexpr const char* kFrom = "invitations@example.com";
  test::TemporaryDirectory folder_;
  Settings settings_;
  SmtpTimeouts timeouts_{std::chrono::seconds(10), std::chrono::seconds(10), std::chrono::seconds(30),
                         std::chrono::milliseconds(300)};
  std::unique_ptr<test::ScriptedSmtpServer> relay_;
  std::unique_ptr<SmtpTransport> transport_;
};

}  // namespace invited::mail
