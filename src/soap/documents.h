// What GET serves for people and importers: each service's WSDL at its path with ?wsdl, and the page at /ws-doc/. All
// of it is made once at start; no path, host or query of a request ever gets into it. Immutable; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "soap/message.h"

namespace invited::soap {

class Documents {
 public:
  /// `public_url`: the configured one, e.g. "https://invite.example.org", with a base path or none.
  /// Throws std::logic_error where a WSDL of ours is not of our form.
  explicit Documents(std::string_view public_url);

  /// `query` is raw, without '?'. Nothing where the path is none of ours. On a service's path: 200 with the WSDL for
  /// the query "wsdl" in any letter case, 404 for any other query, 405 with Allow for none.
  std::optional<SoapAnswer> get(std::string_view path, std::string_view query, bool has_query) const;

 private:
  struct Wsdl {
    std::string path;
    std::string text;
  };
  std::vector<Wsdl> wsdls_;
  std::string page_;
};

}  // namespace invited::soap
