// Takes a mail apart again, for showing captured ones: the headers that people look at, and its text and HTML parts,
// decoded. Lenient: what is missing is empty. Not for delivery, which never reads a mail. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace invited::mail {

/// Texts are UTF-8.
struct ReadableMail {
  std::string from;
  std::string to;
  std::string subject;
  std::string date;  ///< "2026-11-20 08:30:00 UTC"
  std::string text;  ///< the first text/plain part
  std::string html;  ///< the first text/html part
};

/// Nothing where the bytes are not a message at all.
std::optional<ReadableMail> read_mail(std::string_view bytes);

}  // namespace invited::mail
