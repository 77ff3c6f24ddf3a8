// The page for people at /ws-doc/: what services there are, how to call them, what their faults mean. Written from the
// WSDLs' own documentation and the one fault mapping, so that it cannot say anything else than the service does.
// English, plain HTML, no script. Pure function; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "domain/error.h"
#include "soap/service_description.h"

namespace invited::soap {

struct DocumentedService {
  ServiceDescription description;
  std::string url;                              ///< where it is called
  std::span<const domain::ErrorCode> faults{};  ///< beside malformed_request
};

/// `base_url`: the configured public URL without a slash at its end; the style sheet lies at its path + /assets/.
std::string documentation_page(std::span<const DocumentedService> services, std::string_view base_url);

}  // namespace invited::soap
