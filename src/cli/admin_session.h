// Runs admin commands for the command line: through the service's socket while it runs, else on the store itself, which
// is then opened, locked, and left clean. Belongs to the main thread.
#pragma once

#include <memory>

#include "admin/admin_commands.h"
#include "config.h"

namespace invited::cli {

class AdminSession {
 public:
  /// `may_create`: the command may make a database where there is none.
  AdminSession(const Config& config, bool may_create);
  ~AdminSession();

  /// The "result". Errors: the command's own; not_found where there is no database yet; unavailable.
  domain::Result<admin::Json> run(const std::string& command, admin::Json arguments);

  /// Whether a service runs for the state folder; waits a little for one that is starting or ending.
  bool service_answers() const;
  /// As `run`, but by the running service only. Errors: unavailable, where it has ended; the command's own.
  domain::Result<admin::Json> run_in_service(const std::string& command, admin::Json arguments) const;

  /// After a run: whether the service answered, not the store that was opened here.
  bool through_service() const;
  /// After a run: whether a service runs there, be it one that does not answer.
  bool met_service() const { return met_service_; }

 private:
  struct Offline;
  domain::Result<admin::Json> run_offline(const admin::Json& request);

  const Config& config_;
  bool may_create_;
  bool met_service_ = false;
  std::unique_ptr<Offline> offline_;
};

}  // namespace invited::cli
