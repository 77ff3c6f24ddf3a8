// The route table: the table of contents of the service. Adapts what soap answers to what http speaks; main is the only
// place where the two meet.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/context.h"
#include "http/html.h"
#include "http/router.h"
#include "soap/engine.h"

namespace invited {

struct RouteParts {
  domain::Context& context;
  soap::Engine& engine;
  std::string public_url;
  base::Secret csrf_key;
  std::shared_ptr<const http::PageRenderer> renderer;
  const std::atomic<bool>& draining;
  std::vector<std::string> cors_origins = {};
};

/// What GET /healthz answers.
inline constexpr std::string_view kAlive = "alive\n";

/// The parts' references must outlive the router.
http::Router make_routes(const RouteParts& parts);

}  // namespace invited
