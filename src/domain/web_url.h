// Which addresses of the web may be stored: to be linked on pages and in mails, or to be called. A pure function.
#pragma once

#include <string_view>

namespace invited::domain {

/// An absolute http or https URL with a host, without credentials, in printable ASCII that needs no escaping, of at
/// most 2048 characters.
bool is_web_url(std::string_view url);

}  // namespace invited::domain
