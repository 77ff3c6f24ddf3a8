#include "http/api/cors.h"

#include <algorithm>
#include <utility>

namespace invited::http {
namespace {

/// What the clients' packages send, and what this service reads.
constexpr std::string_view kRequestHeaders =
    "authorization, content-type, accept, idempotency-key, if-match, if-none-match, x-app-id, x-origin-url, "
    "x-base44-anonymous-id, on-behalf-of, base44-functions-version, base44-state, x-data-env, x-medusa-locale, "
    "x-publishable-api-key";
constexpr std::string_view kAnswerHeaders = "etag, retry-after, location, link, idempotent-replayed";
/// An hour, in seconds: after a change of the setting no browser goes by the old one for longer.
constexpr std::string_view kMaxAge = "3600";

}  // namespace

CorsPolicy::CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {}

bool CorsPolicy::allows(const Request& request) const {
  return request.headers.count("Origin") == 1 &&
         std::ranges::find(origins_, request.headers.get("Origin")) != origins_.end();
}

HeaderList CorsPolicy::headers(const Request& request) const {
  if (origins_.empty()) return {};
  HeaderList list{{"Vary", "Origin"}};
  if (!allows(request)) return list;
  list.emplace_back("Access-Control-Allow-Origin", request.headers.get("Origin"));
  list.emplace_back("Access-Control-Allow-Credentials", "true");
  list.emplace_back("Access-Control-Expose-Headers", kAnswerHeaders);
  return list;
}

Response CorsPolicy::preflight(const Request& request, std::string_view allow) const {
  Response response;
  response.status = 204;
  response.headers.set("Allow", allow);
  if (!allows(request)) return response;
  response.headers.set("Access-Control-Allow-Methods", allow);
  response.headers.set("Access-Control-Allow-Headers", kRequestHeaders);
  response.headers.set("Access-Control-Max-Age", kMaxAge);
  return response;
}

}  // namespace invited::http
