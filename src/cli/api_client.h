// Calls a running service's own JSON API (/api/v1) over HTTP, as any other program would: by its address and an API
// token. http and https, certificates checked, no redirects. One call at a time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/error.h"

namespace invited::cli {

struct ApiService {
  std::string url;  ///< "https://invite.example.org"
  base::Secret token;
};

/// POSTs JSON with an Idempotency-Key, up to three times where the service cannot be reached, is busy, or its answer
/// was lost: it is done once. The answer's body; or the service's own refusal with its code, message and parameter; or
/// unavailable.
domain::Result<nlohmann::ordered_json> post_json(const ApiService& service, const std::string& path,
                                                 const nlohmann::ordered_json& body,
                                                 const std::string& idempotency_key);

/// Something else than the service answers there. `status`: " 404", where it tells more.
domain::Error not_as_invited(const ApiService& service, std::string_view status = {});

}  // namespace invited::cli
