#include "mail/message_builder.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "base/crypto.h"
#include "mail/line_ends.h"
#include "mail/name_guard.h"

namespace invited::mail {

namespace {

constexpr std::size_t kLongestLine = 998;  // RFC 5322 section 2.1.1
/// As on the pages; the sender of mail about no app, where mail.from_name says none.
constexpr std::string_view kOurName = "invited";
constexpr std::string_view kHex = "0123456789ABCDEF";

struct Free {
  void operator()(char* text) const { g_free(text); }
};
using GText = std::unique_ptr<char, Free>;
struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

/// 7bit keeps a URL unbroken in the raw text; only what needs more gets quoted-printable.
GMimeContentEncoding encoding_for(std::string_view text) {
  std::size_t line = 0;
  for (const char c : text) {
    line = c == '\n' ? 0 : line + 1;
    const bool plain = c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7F);
    if (!plain || line > kLongestLine) return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
  }
  return GMIME_CONTENT_ENCODING_7BIT;
}

/// Line ends are as in `text`.
std::string encoded(std::string_view text, GMimeContentEncoding encoding) {
  if (encoding == GMIME_CONTENT_ENCODING_7BIT) return std::string(text);
  GMimeEncoding state;
  g_mime_encoding_init_encode(&state, encoding);
  std::string result(g_mime_encoding_outlen(&state, text.size()), '\0');
  result.resize(g_mime_encoding_flush(&state, text.data(), text.size(), result.data()));
  return result;
}

/// `value`: ASCII, in encoded words what is not.
void add_header(std::string& mail, std::string_view name, std::string_view value) {
  mail.append(name).append(": ").append(value) += '\n';
}

/// Text that every reader takes as it stands: what looks like an encoded word would be decoded.
bool is_plain_text(std::string_view text) {
  return text.find("=?") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

/// RFC 2047, section 4.2, as in a phrase (section 5): safe wherever it stands.
std::string to_q_encoding(std::string_view character) {
  constexpr std::string_view kSelf = "!*+-/";
  const char first = character.front();
  const bool is_word =
      (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || (first >= '0' && first <= '9');
  if (first == ' ') return "_";
  if (is_word || kSelf.find(first) != std::string_view::npos) return std::string(character);
  std::string encoded;
  for (const unsigned char byte : character) encoded.append(1, '=').append({kHex[byte >> 4], kHex[byte & 0xF]});
  return encoded;
}

/// Without the line end. RFC 2047, sections 2 and 5: encoded words of whole characters, 75 octets at most, one on each
/// line of 76 at most. Not GMime's: it takes a word that somebody has put into a name for one of its own, and does not
/// divide long ones. Q and not B: some readers put the words together before they decode them, and end at the first
/// one's padding.
void add_encoded_words(std::string& mail, std::string_view name, std::string_view text) {
  constexpr std::size_t kLine = 76;
  constexpr std::string_view kBegin = "=?utf-8?Q?";
  constexpr std::string_view kEnd = "?=";
  mail.append(name).append(": ").append(kBegin);
  std::size_t column = name.size() + 2 + kBegin.size();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80) ++size;
    const std::string encoded = to_q_encoding(text.substr(at, size));
    at += size;
    if (column + encoded.size() + kEnd.size() > kLine) {
      mail.append(kEnd).append("\n ").append(kBegin);
      column = 1 + kBegin.size();
    }
    mail += encoded;
    column += encoded.size();
  }
  mail += kEnd;
}

/// `subject`: valid UTF-8 (the renderer's).
void add_subject(std::string& mail, const std::string& subject) {
  if (is_plain_text(subject)) {
    mail += GText(g_mime_utils_unstructured_header_fold(nullptr, nullptr, ("Subject: " + subject).c_str())).get();
  } else {
    add_encoded_words(mail, "Subject", subject);
    mail += '\n';
  }
}

/// "Header: Name <address>" with its line end.
std::string mailbox_field(const char* header, const std::string& name, const std::string& address) {
  if (!is_plain_text(name)) {
    std::string field;
    add_encoded_words(field, header, name);
    return field + "\n <" + address + ">\n";
  }
  const Owned<InternetAddress> mailbox(
      internet_address_mailbox_new(name.empty() ? nullptr : name.c_str(), address.c_str()));
  internet_address_set_charset(mailbox.get(), "utf-8");
  const Owned<InternetAddressList> list(internet_address_list_new());
  internet_address_list_add(list.get(), mailbox.get());
  GString* field = g_string_new(header);
  g_string_append(field, ": ");
  internet_address_list_encode(list.get(), nullptr, field);  // with the line end
  return GText(g_string_free(field, FALSE)).get();
}

/// "--boundary", and what follows it.
void add_part(std::string& mail, const std::string& boundary, std::string_view subtype, std::string_view text) {
  const GMimeContentEncoding encoding = encoding_for(text);
  mail.append("--").append(boundary) += '\n';
  add_header(mail, "Content-Type", "text/" + std::string(subtype) + "; charset=utf-8");
  add_header(mail, "Content-Transfer-Encoding", g_mime_content_encoding_to_string(encoding));
  mail += '\n';
  mail.append(encoded(text, encoding)) += '\n';
}

/// Addresses were parsed when they came in; here they only must not be able to end a header.
bool is_plain_address(std::string_view address) {
  return address.find('@') != std::string_view::npos && std::all_of(address.begin(), address.end(), [](char c) {
           return c > 0x20 && c < 0x7F && std::string_view("<>(),;:\\\"[]").find(c) == std::string_view::npos;
         });
}

}  // namespace

MessageBuilder::MessageBuilder(const Settings& settings, TemplateRenderer renderer)
    : from_(settings.from),
      from_name_(visible_line(settings.from_name)),
      reply_to_(settings.reply_to),
      message_id_domain_(settings.message_id_domain.empty() ? from_.substr(from_.rfind('@') + 1)
                                                            : settings.message_id_domain),
      renderer_(std::move(renderer)) {
  static std::once_flag initialised;
  std::call_once(initialised, g_mime_init);
  sender_fields_ = mailbox_field("From", from_name_, from_);
  if (!reply_to_.empty()) sender_fields_ += mailbox_field("Reply-To", {}, reply_to_);
}

domain::Result<RenderedMail> MessageBuilder::render(const domain::OutboxMessage& message, std::string_view link) const {
  // Not the address: neutralised like every name, it reads as broken.
  const std::string_view app_or_we = message.app_name.empty() ? kOurName : std::string_view(message.app_name);
  return renderer_.render(message, link, from_name_.empty() ? app_or_we : from_name_);
}

domain::Result<std::string> MessageBuilder::build(const domain::OutboxMessage& message, std::string_view link) const {
  const auto words = render(message, link);
  if (!words) return std::unexpected(words.error());
  const std::string& recipient = message.recipient.text();
  if (!is_plain_address(from_) || !is_plain_address(recipient) || !(reply_to_.empty() || is_plain_address(reply_to_)))
    return domain::refuse(domain::ErrorCode::invalid_parameter, "an address of this mail cannot stand in a header");

  const std::string id = domain::message_id_of(message);
  // "=_" cannot occur in quoted-printable (RFC 2045 section 6.7), and the digest is nobody's to choose.
  const std::string boundary = "=_" + base::to_hex(base::sha256(id)).substr(0, 32);
  std::string mail;
  mail.reserve(2 * (words->text.size() + words->html.size()) + 1'024);
  add_header(mail, "Date", base::to_rfc5322(message.queued_at));
  mail += sender_fields_;
  add_header(mail, "To", recipient);
  add_subject(mail, words->subject);
  add_header(mail, "Message-ID", "<" + id + "@" + message_id_domain_ + ">");
  add_header(mail, "Auto-Submitted", "auto-generated");  // RFC 3834
  add_header(mail, "X-Auto-Response-Suppress", "All");
  add_header(mail, "MIME-Version", "1.0");
  add_header(mail, "Content-Type", "multipart/alternative;\n\tboundary=\"" + boundary + '"');
  add_header(mail, "Content-Language", base::to_string(message.language));
  mail += '\n';
  add_part(mail, boundary, "plain", words->text);
  add_part(mail, boundary, "html", words->html);
  mail += "--" + boundary + "--\n";
  return with_crlf(mail);
}

}  // namespace invited::mail
