#include "mail/transport.h"

#include "base/log.h"
#include "mail/directory_transport.h"
#include "mail/smtp_dialogue.h"
#include "mail/smtp_transport.h"

namespace invited::mail {

namespace {

std::string relay_of(const Settings& settings) {
  return "the relay " + settings.host + " port " + std::to_string(settings.port);
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string what_stands(const Settings& settings) {
  if (settings.transport == TransportKind::directory)
    return "mails are written as .eml files into " + settings.directory.string();
  std::string text = relay_of(settings) + " answers";
  text += settings.tls == Tls::off ? ", unencrypted (mail.tls = \"off\")" : ", encrypted, with a valid certificate";
  text += settings.user.empty() ? ", without signing in" : ", signed in as " + settings.user;
  return text;
}

}  // namespace

TransportFactory make_transport_factory(const Settings& settings, std::chrono::milliseconds total_timeout) {
  if (settings.transport == TransportKind::directory)
    return [directory = settings.directory] { return std::make_unique<DirectoryTransport>(directory); };
  if (settings.tls == Tls::off && !is_this_machine(settings.host))
    base::log::warning("mail.unencrypted", {{"relay", settings.host},
                                            {"effect", "mails, their links and the password travel readable to all"},
                                            {"remedy", "set mail.tls to \"starttls\" or \"implicit\""}});
  SmtpTimeouts timeouts;
  timeouts.total = total_timeout;
  return [settings, timeouts, silent = std::make_shared<SilentAddresses>()] {
    return std::make_unique<SmtpTransport>(settings, timeouts, silent);
  };
}

std::string how_to_mend(const Settings& settings, const domain::DeliveryResult& result) {
  constexpr std::uint16_t kImplicitTlsPort = 465;
  const std::string& stage = result.stage;
  if (stage == "directory") return "check that mail.directory exists, is writable and has room";
  if (stage == "connect")
    return (settings.port == kImplicitTlsPort && settings.tls != Tls::implicit
                ? "set mail.tls to \"implicit\" (on port 465 a relay waits for encryption before it says a word), "
                : std::string()) +
           "check mail.host and mail.port, and that " + relay_of(settings) + " runs and can be reached from here";
  if (stage == "banner" || stage == "ehlo")
    return relay_of(settings) +
           " turns us away: check mail.host, mail.port and mail.tls (587 is for \"starttls\", 465 for \"implicit\"), "
           "and "
           "that it admits this machine";
  if (stage == "starttls")
    return "use a relay that offers STARTTLS, or set mail.tls to \"implicit\" (port 465); \"off\" only for a relay on "
           "this machine";
  if (stage == "tls")
    return "check mail.tls and mail.port; the relay's certificate must be valid, bear the name mail.host and be signed "
           "by an authority that we know (mail.ca_file, if it is your own), with TLS 1.2 or newer";
  if (settings.tls == Tls::off && (result.reply_code == 530 || result.reply_code == 538))
    return "the relay wants us to encrypt or to sign in: set mail.tls to \"starttls\" or \"implicit\", or mail.user "
           "and mail.password_file";
  if (stage == "auth")
    return "check mail.user and the first line of mail.password_file, and that the relay offers AUTH PLAIN, LOGIN "
           "or CRAM-MD5";
  if (has_had_enough(result))
    return "no setting here mends it: the relay is full, or has taken as much from us as it may for now; wait "
           "(the queue goes on by itself), or have its limit raised for mail.user";
  if (stage == "mail_from" || refuses_us(result))
    return "the relay does not take mail from us: check mail.from, and mail.user and mail.password_file if it wants us "
           "to sign in, and that it admits this machine";
  return "the relay wants us to sign in: set mail.user and mail.password_file";
}

domain::Result<std::string> check_relay(const Settings& settings) {
  domain::DeliveryResult result;
  if (settings.transport == TransportKind::directory) {
    result = DirectoryTransport(settings.directory).probe();
  } else {
    SmtpTimeouts timeouts;
    timeouts.connect = timeouts.total = std::chrono::seconds(30);
    SmtpTransport transport(settings, timeouts);
    result = transport.probe();
  }
  if (result.outcome == domain::DeliveryOutcome::sent) return what_stands(settings);
  std::string message = "mail cannot leave (" + result.stage;
  if (result.reply_code != 0) message += ", reply " + std::to_string(result.reply_code);
  message += "): " + result.explanation + ". What to do: " + how_to_mend(settings, result) + ".";
  return domain::refuse(domain::ErrorCode::unavailable, std::move(message));
}

}  // namespace invited::mail
