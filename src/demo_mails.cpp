#include "demo_mails.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

namespace invited {
namespace {

constexpr std::size_t kMostShown = 200;

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct Free {
  void operator()(char* text) const { g_free(text); }
};

std::string owned_text(char* text) {
  const std::unique_ptr<char, Free> owner(text);
  return text == nullptr ? std::string() : std::string(text);
}

std::string addresses(InternetAddressList* list) {
  return list == nullptr ? std::string() : owned_text(internet_address_list_to_string(list, nullptr, FALSE));
}

/// The first parts of either kind, decoded.
void take_part(GMimeObject*, GMimeObject* part, gpointer data) {
  auto& mail = *static_cast<http::CapturedMail*>(data);
  if (!GMIME_IS_TEXT_PART(part)) return;
  GMimeContentType* type = g_mime_object_get_content_type(part);
  std::string* target = nullptr;
  if (g_mime_content_type_is_type(type, "text", "plain")) target = &mail.text;
  if (g_mime_content_type_is_type(type, "text", "html")) target = &mail.html;
  if (target != nullptr && target->empty()) *target = owned_text(g_mime_text_part_get_text(GMIME_TEXT_PART(part)));
}

std::optional<http::CapturedMail> read_mail(const std::filesystem::path& path) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { g_mime_init(); });
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (message == nullptr) return std::nullopt;
  http::CapturedMail mail;
  mail.file = path.filename().string();
  mail.from = addresses(g_mime_message_get_from(message.get()));
  mail.to = addresses(g_mime_message_get_to(message.get()));
  if (const char* subject = g_mime_message_get_subject(message.get())) mail.subject = subject;
  if (GDateTime* date = g_mime_message_get_date(message.get()))
    mail.date = owned_text(g_date_time_format(date, "%Y-%m-%d %H:%M:%S UTC"));
  g_mime_message_foreach(message.get(), take_part, &mail);
  return mail;
}

/// Names begin with the time, so the newest sorts last.
std::vector<std::filesystem::path> newest_files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".eml" && entry.is_regular_file(error)) files.push_back(entry.path());
  std::ranges::sort(files, std::greater<>{});
  if (files.size() > kMostShown) files.resize(kMostShown);
  return files;
}

}  // namespace

http::CapturedMails captured_mails(std::filesystem::path directory) {
  return {
      .list =
          [directory] {
            std::vector<http::CapturedMail> mails;
            for (const auto& file : newest_files(directory))
              if (auto mail = read_mail(file)) mails.push_back(std::move(*mail));
            return mails;
          },
      .find = [directory](std::string_view name) -> std::optional<http::CapturedMail> {
        for (const auto& file : newest_files(directory))
          if (file.filename() == name) return read_mail(file);
        return std::nullopt;
      },
  };
}

}  // namespace invited
