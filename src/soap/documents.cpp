#include "soap/documents.h"

#include <algorithm>

#include "soap/documentation_page.h"
#include "soap/services.h"
#include "soap/wsdl_document.h"

namespace invited::soap {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

/// With an "=" as well: proxies and HTTP libraries that write a query anew put one behind a name without a value.
bool asks_for_wsdl(std::string_view query) {
  if (query.ends_with('=')) query.remove_suffix(1);
  return std::ranges::equal(query, std::string_view("wsdl"), [](char a, char b) { return (a | 0x20) == b; });
}

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

}  // namespace

Documents::Documents(std::string_view public_url) {
  const std::string base = without_slash(public_url);
  std::vector<DocumentedService> documented;
  for (const Service& service : services()) {
    const std::string url = base + std::string(service.path);
    wsdls_.push_back({std::string(service.path), wsdl_with_address(find_wsdl(service.wsdl), url)});
    documented.push_back({describe(service), url, service.faults});
  }
  page_ = documentation_page(documented, base);
}

std::optional<SoapAnswer> Documents::get(std::string_view path, std::string_view query, bool has_query) const {
  if (path == "/ws-doc/") return SoapAnswer{200, "text/html; charset=utf-8", page_, {}};
  const auto wsdl = std::ranges::find(wsdls_, path, &Wsdl::path);
  if (wsdl == wsdls_.end()) return std::nullopt;
  if (asks_for_wsdl(query)) return SoapAnswer{200, "text/xml; charset=utf-8", wsdl->text, {}};
  if (has_query) return SoapAnswer{404, std::string(kPlainText), "There is only ?wsdl here.\n", {}};
  return SoapAnswer{405,
                    std::string(kPlainText),
                    "This is a SOAP service: send it a POST. Its WSDL is at ?wsdl, its documentation at /ws-doc/.\n",
                    {{"Allow", "POST"}}};
}

}  // namespace invited::soap
