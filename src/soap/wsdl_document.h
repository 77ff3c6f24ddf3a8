// A WSDL of ours: the description that the rest of soap works by, and the bytes that GET …?wsdl serves, with the
// configured public URL as address. Only for the form that we write by hand (wsdl/): one service, one port, one schema,
// document/literal wrapped. Immutable; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "soap/service_description.h"

namespace invited::soap {

/// Throws std::logic_error where `text` is not of that form: the WSDLs are compiled in, so that is a mistake of ours.
ServiceDescription describe_wsdl(std::string_view text);

/// `text` with `url` in soap:address, without its comments. Throws as above.
std::string wsdl_with_address(std::string_view text, std::string_view url);

/// The embedded file wsdl/<name>.wsdl. Throws std::logic_error where there is none.
std::string_view find_wsdl(std::string_view name);

}  // namespace invited::soap
