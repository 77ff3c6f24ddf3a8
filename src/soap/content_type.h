// The Content-Type of a call: is it one that we read, and is its charset UTF-8. Thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "soap/message.h"

namespace invited::soap {

struct ContentTypeFinding {
  SoapVersion version;  ///< what the media type goes with; the Envelope's namespace decides in the end
  std::optional<std::string_view> problem;  ///< why not, as the end of the sentence "The request …"
};

/// Takes text/xml, application/xml and application/soap+xml, with any parameters, and charset UTF-8 or none.
ContentTypeFinding check_content_type(std::string_view content_type);

}  // namespace invited::soap
