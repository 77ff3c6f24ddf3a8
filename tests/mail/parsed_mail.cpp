#include "mail/parsed_mail.h"

#include <gmime/gmime.h>

#include <algorithm>

namespace invited::test {

namespace {

std::string taken(char* text) {
  std::string result = text == nullptr ? "" : text;
  g_free(text);
  return result;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string type_of(GMimeObject* object) {
  return taken(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object)));
}

std::string decoded(GMimePart* part) {
  GMimeStream* stream = g_mime_stream_mem_new();
  g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(part), stream);
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
  std::string text(reinterpret_cast<const char*>(bytes->data), bytes->len);
  g_object_unref(stream);
  std::erase(text, '\r');
  return text;
}

}  // namespace

ParsedMail parse_mail(std::string_view bytes) {
  static const bool kInitialised = (g_mime_init(), true);
  static_cast<void>(kInitialised);
  ParsedMail mail;
  GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
  GMimeParser* parser = g_mime_parser_new_with_stream(stream);
  GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
  g_object_unref(parser);
  g_object_unref(stream);
  if (message == nullptr) return mail;

  GMimeHeaderList* headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
  for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
    GMimeHeader* header = g_mime_header_list_get_header_at(headers, i);
    const std::string value = taken(g_mime_utils_header_decode_text(nullptr, g_mime_header_get_raw_value(header)));
    const auto first = value.find_first_not_of(" \r\n");
    mail.headers.emplace(lower(g_mime_header_get_name(header)), first == std::string::npos ? "" : value.substr(first));
  }
  for (auto& [name, value] : mail.headers) {
    while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
    if (name == "subject") value = g_mime_message_get_subject(message);
  }

  GMimeObject* body = g_mime_message_get_mime_part(message);
  mail.type = type_of(body);
  if (GMIME_IS_MULTIPART(body)) {
    for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(body)); ++i) {
      GMimeObject* object = g_mime_multipart_get_part(GMIME_MULTIPART(body), i);
      if (!GMIME_IS_PART(object)) continue;
      const char* charset = g_mime_object_get_content_type_parameter(object, "charset");
      mail.parts.push_back({type_of(object), charset == nullptr ? "" : charset,
                            g_mime_content_encoding_to_string(g_mime_part_get_content_encoding(GMIME_PART(object))),
                            decoded(GMIME_PART(object))});
    }
  }
  g_object_unref(message);
  return mail;
}

std::vector<std::string> raw_lines(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n");
    lines.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 2);
  }
  return lines;
}

}  // namespace invited::test
