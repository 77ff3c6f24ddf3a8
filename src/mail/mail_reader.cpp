#include "mail/mail_reader.h"

#include <gmime/gmime.h>

#include <memory>
#include <mutex>

namespace invited::mail {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct Free {
  void operator()(char* text) const { g_free(text); }
};

/// Takes over what GLib allocated.
std::string owned_text(char* text) {
  const std::unique_ptr<char, Free> owner(text);
  return text == nullptr ? std::string() : std::string(text);
}

std::string addresses(InternetAddressList* list) {
  return list == nullptr ? std::string() : owned_text(internet_address_list_to_string(list, nullptr, FALSE));
}

void take_part(GMimeObject*, GMimeObject* part, gpointer data) {
  auto& mail = *static_cast<ReadableMail*>(data);
  if (!GMIME_IS_TEXT_PART(part)) return;
  GMimeContentType* type = g_mime_object_get_content_type(part);
  std::string* target = nullptr;
  if (g_mime_content_type_is_type(type, "text", "plain")) target = &mail.text;
  if (g_mime_content_type_is_type(type, "text", "html")) target = &mail.html;
  if (target != nullptr && target->empty()) *target = owned_text(g_mime_text_part_get_text(GMIME_TEXT_PART(part)));
}

}  // namespace

std::optional<ReadableMail> read_mail(std::string_view bytes) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { g_mime_init(); });
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (message == nullptr) return std::nullopt;
  ReadableMail mail;
  mail.from = addresses(g_mime_message_get_from(message.get()));
  mail.to = addresses(g_mime_message_get_to(message.get()));
  if (const char* subject = g_mime_message_get_subject(message.get())) mail.subject = subject;
  if (GDateTime* date = g_mime_message_get_date(message.get()))
    mail.date = owned_text(g_date_time_format(date, "%Y-%m-%d %H:%M:%S UTC"));
  g_mime_message_foreach(message.get(), take_part, &mail);
  return mail;
}

}  // namespace invited::mail
