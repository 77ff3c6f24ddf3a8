// A mail taken apart again, by GMime's parser: what a mail program would see.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace invited::test {

struct ParsedPart {
  std::string type;  ///< "text/plain"
  std::string charset;
  std::string encoding;  ///< "7bit", "quoted-printable"
  std::string text;      ///< decoded
};

struct ParsedMail {
  std::multimap<std::string, std::string> headers;  ///< names in lower case, values decoded
  std::string type;                                 ///< "multipart/alternative"
  std::vector<ParsedPart> parts;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

ParsedMail parse_mail(std::string_view bytes);

/// The lines of the raw bytes, without their ends.
std::vector<std::string> raw_lines(std::string_view bytes);

}  // namespace invited::test
