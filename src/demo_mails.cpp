#include "demo_mails.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include "mail/mail_reader.h"

namespace invited {
namespace {

constexpr std::size_t kMostShown = 200;

std::optional<http::CapturedMail> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto mail = mail::read_mail(bytes);
  if (!mail) return std::nullopt;
  return http::CapturedMail{.file = path.filename().string(),
                            .from = std::move(mail->from),
                            .to = std::move(mail->to),
                            .subject = std::move(mail->subject),
                            .date = std::move(mail->date),
                            .text = std::move(mail->text),
                            .html = std::move(mail->html)};
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

http::CapturedMails captured_mails(const std::filesystem::path& directory) {
  return {
      .list =
          [directory] {
            std::vector<http::CapturedMail> mails;
            for (const auto& file : newest_files(directory))
              if (auto mail = read_file(file)) mails.push_back(std::move(*mail));
            return mails;
          },
      .find = [directory](std::string_view name) -> std::optional<http::CapturedMail> {
        for (const auto& file : newest_files(directory))
          if (file.filename() == name) return read_file(file);
        return std::nullopt;
      },
  };
}

}  // namespace invited
