#include "soap/content_type.h"

#include "base/ascii.h"
#include "base/content_type.h"

namespace invited::soap {

ContentTypeFinding check_content_type(std::string_view content_type) {
  using base::equals_ignoring_case;
  const auto found = base::parse_content_type(content_type);
  ContentTypeFinding finding{SoapVersion::v1_1, std::nullopt};
  if (equals_ignoring_case(found.media_type, "application/soap+xml")) {
    finding.version = SoapVersion::v1_2;
  } else if (!equals_ignoring_case(found.media_type, "text/xml") &&
             !equals_ignoring_case(found.media_type, "application/xml")) {
    finding.problem = "has a Content-Type other than text/xml or application/soap+xml";
    return finding;
  }
  for (const std::string_view charset : found.charsets)
    if (!base::is_read_charset(charset)) finding.problem = "has a charset other than UTF-8 in its Content-Type";
  return finding;
}

}  // namespace invited::soap
