// The composition root: builds every part of the service in the right order, wires the routes, and takes it down again.
// `serve` is what `invited serve` does; the demo starts the same Service with a few routes more. One per process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "admin/admin_commands.h"
#include "config.h"
#include "http/html.h"
#include "http/router.h"
#include "restore_guard.h"

namespace invited {

/// Takes SIGTERM, SIGINT, SIGHUP away from all threads that are started later: `Service::run` waits for them. Call
/// first thing in main's thread.
void block_signals();

class Service {
 public:
  /// Adds routes to those of every service.
  using MoreRoutes = std::function<void(http::Router&, const std::shared_ptr<const http::PageRenderer>&)>;

  /// Opens the state folder, then everything else; when it returns, requests are answered. Error: unavailable, with a
  /// sentence that says what to mend. `config` must have passed problems_for_serving.
  static domain::Result<std::unique_ptr<Service>> start(Config config, const MoreRoutes& more_routes = {},
                                                        AfterRestore said = AfterRestore::not_said);
  ~Service();

  /// Blocks until SIGTERM or SIGINT (a second one ends the process at once) or until storage fails for good; SIGHUP
  /// takes up changed certificates. Then finishes what is under way. Returns the process's exit code.
  int run();

  /// As it came out: state_dir, public_url and the port are known now.
  const Config& config() const;
  /// For the demo, which sets up its app as an operator would.
  admin::AdminContext& admin_context();

 private:
  struct Parts;
  explicit Service(std::unique_ptr<Parts> parts);
  int stop();

  std::unique_ptr<Parts> parts_;
};

/// `invited serve`: the exit code.
int serve(const Config& config, AfterRestore said);

}  // namespace invited
