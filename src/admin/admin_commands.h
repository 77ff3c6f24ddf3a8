// What operators ask for, as JSON in and JSON out: the same function answers the running service's admin socket and the
// command line that opened the store itself. Each command is one transaction over the domain's use cases. Not for
// callers from the network: whoever may call this may do everything. Thread-safe, as its context is.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "domain/error.h"
#include "domain/password.h"
#include "domain/policy.h"
#include "domain/store.h"

namespace invited::admin {

/// Members keep the order in which they were written.
using Json = nlohmann::ordered_json;

/// References to what outlives every command.
struct AdminContext {
  domain::Store& store;
  const base::Clock& clock;
  const domain::Policy& policy;
  const base::Secret& pepper;
  domain::PasswordHasher& password_hasher;
  std::string public_url{};                            ///< what links and OpenIDs begin with
  std::function<void()> environments_changed = [] {};  ///< after a commit that changed one
  std::function<void()> mail_queued = [] {};           ///< after a commit that queued mail
  std::function<void()> refresh_queued = [] {};        ///< after a commit that queued calls to apps
  std::function<void()> refresh_retried = [] {};       ///< the same, by hand: the apps were mended, it is thought
  std::function<void()> webhooks_replayed = [] {};     ///< after a commit that queued deliveries by hand
  bool webhook_allow_private = false;                  ///< the setting webhook.allow_private
  /// Begins a backup into a folder, and tells how far it is. Empty where no service runs.
  std::function<domain::Result<Json>(const std::string& to)> start_backup{};
  std::function<domain::Result<Json>(std::uint64_t job)> backup_status{};
};

/// `request`: {"command": "app add", "arguments": {…}}. The answer: {"result": …}, or {"error": {"code", "message",
/// "parameter"}} with the codes of domain/error.h. Never throws. Blocks for the commit.
Json execute(const Json& request, AdminContext& context);

/// The one mapping of domain errors for operators.
Json to_json(const domain::Error& error);

/// Most objects that one listing command returns; more by "offset".
inline constexpr std::uint32_t kMaxPage = 1000;

}  // namespace invited::admin
