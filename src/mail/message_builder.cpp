#include "mail/message_builder.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/crypto.h"
#include "mail/line_ends.h"
#include "mail/name_guard.h"

namespace invited::mail {

namespace {

constexpr std::size_t kLongestLine = 998;  // RFC 5322 section 2.1.1
/// As on the pages; the sender of mail about no app, where mail.from_name says none.
constexpr std::string_view kOurName = "invited";

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

Owned<GMimePart> make_part(const char* subtype, std::string_view text) {
  Owned<GMimePart> part(g_mime_part_new_with_type("text", subtype));
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part.get()), "charset", "utf-8");
  Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
  Owned<GMimeDataWrapper> content(g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), encoding_for(text));
  return part;
}

/// g_mime_multipart_new_with_subtype() would open /dev/urandom for a boundary first.
Owned<GMimeMultipart> make_alternatives(const std::string& boundary) {
  Owned<GMimeMultipart> alternatives(GMIME_MULTIPART(g_object_new(GMIME_TYPE_MULTIPART, nullptr)));
  const Owned<GMimeContentType> type(g_mime_content_type_new("multipart", "alternative"));
  g_mime_object_set_content_type(GMIME_OBJECT(alternatives.get()), type.get());
  g_mime_multipart_set_boundary(alternatives.get(), boundary.c_str());
  return alternatives;
}

void add_mailbox(GMimeMessage* message, GMimeAddressType header, const std::string& name, const std::string& address) {
  Owned<InternetAddress> mailbox(internet_address_mailbox_new(name.empty() ? nullptr : name.c_str(), address.c_str()));
  internet_address_set_charset(mailbox.get(), "utf-8");
  internet_address_list_add(g_mime_message_get_addresses(message, header), mailbox.get());
}

void add_header(GMimeMessage* message, const char* name, const std::string& value) {
  g_mime_object_append_header(GMIME_OBJECT(message), name, value.c_str(), "utf-8");
}

std::string to_bytes(GMimeMessage* message) {
  Owned<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_object_write_to_stream(GMIME_OBJECT(message), nullptr, stream.get());
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return with_crlf({reinterpret_cast<const char*>(bytes->data), bytes->len});
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
      renderer_(renderer) {
  static std::once_flag initialised;
  std::call_once(initialised, g_mime_init);
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
  const Owned<GMimeMultipart> alternatives = make_alternatives("=_" + base::to_hex(base::sha256(id)).substr(0, 32));
  g_mime_object_set_header(GMIME_OBJECT(alternatives.get()), "Content-Language",
                           std::string(base::to_string(message.language)).c_str(), nullptr);
  const Owned<GMimePart> text = make_part("plain", words->text);
  const Owned<GMimePart> html = make_part("html", words->html);
  g_mime_multipart_add(alternatives.get(), GMIME_OBJECT(text.get()));
  g_mime_multipart_add(alternatives.get(), GMIME_OBJECT(html.get()));

  Owned<GMimeMessage> mail(g_mime_message_new(/*pretty_headers=*/FALSE));
  add_header(mail.get(), "Date", base::to_rfc5322(message.queued_at));
  add_mailbox(mail.get(), GMIME_ADDRESS_TYPE_FROM, from_name_, from_);
  if (!reply_to_.empty()) add_mailbox(mail.get(), GMIME_ADDRESS_TYPE_REPLY_TO, {}, reply_to_);
  add_mailbox(mail.get(), GMIME_ADDRESS_TYPE_TO, {}, recipient);
  g_mime_message_set_subject(mail.get(), words->subject.c_str(), "utf-8");
  add_header(mail.get(), "Message-ID", "<" + id + "@" + message_id_domain_ + ">");
  add_header(mail.get(), "Auto-Submitted", "auto-generated");  // RFC 3834
  add_header(mail.get(), "X-Auto-Response-Suppress", "All");
  g_mime_message_set_mime_part(mail.get(), GMIME_OBJECT(alternatives.get()));
  return to_bytes(mail.get());
}

}  // namespace invited::mail
