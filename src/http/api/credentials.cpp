#include "http/api/credentials.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/crypto.h"

namespace invited::http {
namespace {

/// What a token may consist of: no blanks, no controls, nothing beyond ASCII.
bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<base::Secret> secret_of_pair(std::string_view pair) {
  const auto colon = pair.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto name = pair.substr(0, colon);
  const auto password = pair.substr(colon + 1);
  if (name.empty() == password.empty()) return std::nullopt;
  const auto secret = name.empty() ? password : name;
  if (!is_visible(secret)) return std::nullopt;
  return base::Secret(secret);
}

Credential basic(std::string_view parameter) {
  auto pair = base::from_base64(parameter);
  // Clients that leave the encoding out send what is no base64 of a pair.
  if (!pair || pair->find(':') == std::string::npos) return {Credential::Kind::basic, base::Secret(parameter)};
  auto secret = secret_of_pair(*pair);
  base::wipe(*pair);
  if (!secret) return {Credential::Kind::malformed, {}};
  return {Credential::Kind::basic, std::move(*secret)};
}

}  // namespace

Credential read_credential(const Request& request) {
  const auto field = request.headers.find("Authorization");
  if (!field) return {};
  if (request.headers.count("Authorization") > 1) return {Credential::Kind::malformed, {}};
  const auto scheme = field->substr(0, field->find(' '));
  auto parameter = field->substr(std::min(scheme.size() + 1, field->size()));
  parameter.remove_prefix(std::min(parameter.find_first_not_of(' '), parameter.size()));
  if (!is_visible(parameter)) return {Credential::Kind::malformed, {}};
  if (equals_ignoring_case(scheme, "Bearer")) return {Credential::Kind::bearer, base::Secret(parameter)};
  if (equals_ignoring_case(scheme, "Basic")) return basic(parameter);
  return {Credential::Kind::malformed, {}};
}

}  // namespace invited::http
