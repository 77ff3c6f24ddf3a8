#include "mail/smtp_transport.h"

#include <curl/curl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "base/failpoint.h"
#include "base/secret.h"
#include "mail/line_ends.h"
#include "mail/name_guard.h"
#include "mail/smtp_dialogue.h"

namespace invited::mail {

namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;

/// The first line, or nothing where the file cannot be read or that line is empty.
std::optional<base::Secret> read_password(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  base::Secret password(line);
  base::wipe(line);
  if (password.empty()) return std::nullopt;
  return password;
}

/// What may stand between the angle brackets of MAIL and RCPT. Addresses were parsed when they came in; this is the
/// last lock before the wire (M11).
bool can_stand_in_a_command(std::string_view address) {
  constexpr std::string_view kForbidden = "<>(),;:\\\"[]";
  return address.size() <= 254 && !address.starts_with('-') && std::count(address.begin(), address.end(), '@') == 1 &&
         !address.starts_with('@') && !address.ends_with('@') &&
         std::all_of(address.begin(), address.end(),
                     [&](char c) { return c > 0x20 && c < 0x7F && kForbidden.find(c) == std::string_view::npos; });
}

/// RFC 4648 section 4, without padding.
std::string to_base64(std::string_view bytes) {
  std::string text = base::to_base64url(bytes);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  return text;
}

/// A relay may quote what it was sent; passwords must not get into listings and logs that way.
bool repeats_password(std::string_view text, const Settings& settings) {
  const auto password = read_password(settings.password_file);
  if (!password) return false;
  const std::string clear(password->reveal());
  if (clear.size() < 4) return false;  // would be found in any text
  const auto contains = [text](const std::string& secret) { return text.find(secret) != std::string_view::npos; };
  return contains(clear) || contains(to_base64(clear)) || contains(to_base64('\0' + settings.user + '\0' + clear));
}

bool is_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '_';
  });
}

std::string url_of(const Settings& settings) {
  const bool is_ipv6 = settings.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + settings.host + "]" : settings.host;
  // The path is what we call ourselves in EHLO.
  const std::string name = is_host(settings.message_id_domain) ? settings.message_id_domain : "localhost";
  return (settings.tls == Tls::implicit ? "smtps://" : "smtp://") + host + ":" + std::to_string(settings.port) + "/" +
         name;
}

/// "192.0.2.1"; empty where it cannot be written.
std::string text_of(const curl_sockaddr& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = getnameinfo(&address.addr, address.addrlen, text.data(), static_cast<socklen_t>(text.size()),
                                 nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : std::string();
}

bool is_tls_trouble(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Less than a refusal takes, or the head start that one family of addresses has of the other.
constexpr std::chrono::seconds kAddressIsSilent{1};

/// One mail, or a probe, as libcurl's callbacks see it.
struct SmtpTransport::Conversation {
  SmtpDialogue dialogue;
  const std::string* recipient = nullptr;  ///< none: a probe
  const std::string* sender = nullptr;
  const std::function<bool()>* may_complete = nullptr;
  std::string bytes;
  std::size_t read = 0;
  std::string trouble;
  bool needs_starttls = false;
  bool needs_auth = false;
  const std::atomic<bool>* interrupted = nullptr;
  std::chrono::milliseconds farewell{0};
  std::optional<std::chrono::steady_clock::time_point> ended_at;
  std::array<char, CURL_ERROR_SIZE> error{};
  SilentAddresses* silent = nullptr;
  struct Opened {
    int family;
    std::string address;
    SilentAddresses::Time at;
  };
  std::vector<Opened> opened;               ///< the last address of each family that was tried
  std::vector<std::string> without_answer;  ///< those given up for the next one
  bool passed_over = false;                 ///< an address that was silent before was not tried

  /// libcurl tries the addresses of one family one after the other. One that gets no socket counts as failed.
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* to) {
    auto& conversation = *static_cast<Conversation*>(self);
    const auto now = std::chrono::steady_clock::now();
    std::string address = text_of(*to);
    if (conversation.silent->contains(address, now)) {
      conversation.passed_over = true;
      return CURL_SOCKET_BAD;
    }
    const auto before = std::ranges::find(conversation.opened, to->family, &Opened::family);
    if (before == conversation.opened.end()) {
      conversation.opened.push_back({to->family, std::move(address), now});
    } else {
      if (now - before->at >= kAddressIsSilent) conversation.without_answer.push_back(before->address);
      *before = {to->family, std::move(address), now};
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    // Commands only: DATA_OUT is the mail, and TEXT may hold names and addresses.
    if (type == CURLINFO_HEADER_OUT) static_cast<Conversation*>(self)->dialogue.sent({data, size});
    return 0;
  }

  /// Returning less than `size` ends the conversation.
  static std::size_t on_reply(char* data, std::size_t, std::size_t size, void* self) {
    auto& conversation = *static_cast<Conversation*>(self);
    conversation.dialogue.received({data, size});
    return conversation.may_go_on() ? size : 0;
  }

  static std::size_t on_body(char* target, std::size_t, std::size_t room, void* self) {
    auto& conversation = *static_cast<Conversation*>(self);
    const std::size_t size = std::min(room, conversation.bytes.size() - conversation.read);
    const bool is_last = conversation.read + size == conversation.bytes.size();
    if (is_last && conversation.may_complete != nullptr && !(*conversation.may_complete)()) return CURL_READFUNC_ABORT;
    std::copy_n(conversation.bytes.data() + conversation.read, size, target);
    conversation.read += size;
    // The relay has said 354; the last of the mail, and the dot after it, have not left.
    if (conversation.read == conversation.bytes.size()) base::failpoint("mail_before_final_dot");
    return size;
  }

  static std::size_t on_other(char*, std::size_t, std::size_t size, void*) { return size; }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& conversation = *static_cast<Conversation*>(self);
    if (conversation.interrupted->load()) return 1;
    // After a refusal libcurl says QUIT and would wait as long for that answer as for any other.
    if (!conversation.dialogue.ended()) return 0;
    const auto now = std::chrono::steady_clock::now();
    if (!conversation.ended_at) conversation.ended_at = now;
    return now - *conversation.ended_at > conversation.farewell ? 1 : 0;
  }

  /// What was required must have been offered. libcurl would go on without AUTH where the relay does not name it.
  bool may_go_on() {
    if (!dialogue.greeted()) return true;
    if (needs_starttls && !dialogue.encrypted()) {
      if (dialogue.offers_starttls()) return true;
      trouble = "the relay does not offer STARTTLS";
      dialogue.fail_at(SmtpStage::starttls);
      return false;
    }
    if (needs_auth && !dialogue.offers_auth()) {
      trouble = "the relay does not offer AUTH";
      dialogue.fail_at(SmtpStage::auth);
      return false;
    }
    return true;
  }
};

SmtpTransport::SmtpTransport(const Settings& settings, const SmtpTimeouts& timeouts,
                             std::shared_ptr<SilentAddresses> silent)
    : settings_(settings), timeouts_(timeouts), silent_(std::move(silent)) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

SmtpTransport::~SmtpTransport() { close(); }

bool SmtpTransport::has_kept_connection() const {
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (curl_ != nullptr) curl_easy_getinfo(static_cast<CURL*>(curl_), CURLINFO_ACTIVESOCKET, &socket);
  return socket != CURL_SOCKET_BAD;
}

void SmtpTransport::close() {
  CURL* curl = static_cast<CURL*>(curl_);
  if (curl == nullptr) return;
  if (has_kept_connection()) {
    // A farewell of our own, with a short deadline: libcurl's would wait minutes for a relay that hangs.
    Conversation farewell;
    farewell.interrupted = &interrupted_;
    if (configure(farewell)) {
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "QUIT");
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
      curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeouts_.farewell.count()));
      curl_easy_perform(curl);
    }
    curl_easy_reset(curl);  // it must not remember `farewell`
  }
  curl_easy_cleanup(curl);
  curl_ = nullptr;
}

bool SmtpTransport::configure(Conversation& conversation) {
  if (curl_ == nullptr) curl_ = curl_easy_init();
  CURL* curl = static_cast<CURL*>(curl_);
  if (curl == nullptr) {
    conversation.trouble = "out of memory";
    return false;
  }
  curl_easy_reset(curl);  // keeps the connection
  if (!is_host(settings_.host)) {
    conversation.trouble = "mail.host is not a host name";
    return false;
  }
  conversation.needs_starttls = settings_.tls == Tls::starttls;
  conversation.needs_auth = !settings_.user.empty();
  conversation.farewell = timeouts_.farewell;
  conversation.silent = silent_.get();

  curl_easy_setopt(curl, CURLOPT_URL, url_of(settings_).c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USE_SSL, settings_.tls == Tls::off ? CURLUSESSL_NONE : CURLUSESSL_ALL);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeouts_.connect.count()));
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(timeouts_.answer.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeouts_.total.count()));

  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Conversation::on_open);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &conversation);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, conversation.error.data());
  curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);  // for the debug function; nothing is printed
  curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, &Conversation::on_debug);
  curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &conversation);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Conversation::on_reply);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &conversation);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Conversation::on_other);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Conversation::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &conversation);

  if (conversation.needs_auth) {
    const auto password = read_password(settings_.password_file);
    if (!password) {
      conversation.trouble = "mail.password_file cannot be read or is empty";
      conversation.dialogue.fail_at(SmtpStage::auth);
      return false;
    }
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, std::string(password->reveal()).c_str());
    curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
  }
  return true;
}

DeliveryResult SmtpTransport::converse_once(Conversation& conversation) {
  conversation.dialogue.begin(/*implicit_tls=*/settings_.tls == Tls::implicit);
  conversation.interrupted = &interrupted_;
  conversation.read = 0;
  conversation.trouble.clear();
  conversation.opened.clear();
  conversation.without_answer.clear();
  conversation.passed_over = false;
  if (!configure(conversation)) return judge(conversation.dialogue, conversation.trouble);

  CURL* curl = static_cast<CURL*>(curl_);
  curl_slist* recipients = nullptr;
  if (conversation.recipient != nullptr) {
    recipients = curl_slist_append(nullptr, ("<" + *conversation.recipient + ">").c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, ("<" + *conversation.sender + ">").c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &Conversation::on_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &conversation);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(conversation.bytes.size()));
  } else {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  }
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_reset(curl);  // it keeps the connection, but must not remember `conversation`
  curl_slist_free_all(recipients);

  // Only where another address answers is it the address's fault.
  if (conversation.dialogue.saw_banner())
    for (const std::string& address : conversation.without_answer)
      silent_->note(address, std::chrono::steady_clock::now());

  const bool was_answered = conversation.dialogue.reply_code() >= 400 || conversation.dialogue.accepted();
  if (code == CURLE_ABORTED_BY_CALLBACK && !was_answered)
    return {DeliveryOutcome::held, 0, std::string(kInterrupted),
            interrupted_ ? "broken off because the service is stopping" : "broken off before the mail was complete"};
  if (conversation.dialogue.stage() == SmtpStage::connect && is_tls_trouble(code))
    conversation.dialogue.fail_at(SmtpStage::tls);
  // Without a word of AUTH said: of what the relay offers there is nothing that libcurl does.
  if (conversation.dialogue.stage() == SmtpStage::ehlo && code == CURLE_LOGIN_DENIED) {
    conversation.trouble = "the relay offers no way to sign in that we know";
    conversation.dialogue.fail_at(SmtpStage::auth);
  }
  if (conversation.trouble.empty() && code != CURLE_OK)
    conversation.trouble = conversation.error.front() != '\0' ? conversation.error.data() : curl_easy_strerror(code);
  if (conversation.recipient == nullptr && code == CURLE_OK) return {DeliveryOutcome::sent, 0, "noop", {}};
  DeliveryResult result = judge(conversation.dialogue, conversation.trouble);
  if (conversation.needs_auth && repeats_password(result.explanation, settings_))
    result.explanation = "(withheld, because the relay repeats the password)";
  return result;
}

DeliveryResult SmtpTransport::converse(Conversation& conversation) {
  const bool had_kept_connection = has_kept_connection();
  DeliveryResult result = converse_once(conversation);
  // A kept connection may have been closed by the relay, with or without a 421, while nobody was looking. That says
  // nothing about now; and before RCPT nothing was begun.
  const bool went_stale = had_kept_connection && !conversation.dialogue.saw_banner() &&
                          conversation.dialogue.stage() <= SmtpStage::mail_from &&
                          (result.reply_code == 0 || result.reply_code == 421) &&
                          result.outcome != DeliveryOutcome::sent && result.stage != kInterrupted;
  if (went_stale) {
    curl_easy_cleanup(static_cast<CURL*>(curl_));
    curl_ = nullptr;
    result = converse_once(conversation);
  }
  // The other addresses are no better by now.
  if (conversation.passed_over && !conversation.dialogue.saw_banner() && result.stage != kInterrupted) {
    silent_->clear();
    result = converse_once(conversation);
  }
  return result;
}

DeliveryResult SmtpTransport::deliver(const Envelope& envelope, const std::string& bytes) {
  if (!can_stand_in_a_command(envelope.from))
    return {DeliveryOutcome::held, 0, "mail_from", "mail.from is not an address that can be sent from"};
  if (!can_stand_in_a_command(envelope.recipient))
    return {DeliveryOutcome::rejected, 0, "rcpt_to", "the recipient is not an address that can be sent to"};
  Conversation conversation;
  conversation.sender = &envelope.from;
  conversation.recipient = &envelope.recipient;
  if (envelope.may_complete) conversation.may_complete = &envelope.may_complete;
  conversation.bytes = with_crlf(bytes);  // libcurl stuffs dots after CRLF only: there must be no other line end
  return converse(conversation);
}

DeliveryResult SmtpTransport::probe() {
  Conversation conversation;
  return converse(conversation);
}

}  // namespace invited::mail
