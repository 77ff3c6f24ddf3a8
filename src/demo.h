// `invited demo`: the service with an app to try it on. Sets up app, roles, environment and inviter as an operator
// would, captures mail in a folder, shows it on a page, and tells a person (or with --json a program) all that is
// needed for the first call. Not for production: whoever reaches the page can follow every link.
#pragma once

#include "cli/command_line.h"

namespace invited {

/// Blocks until SIGTERM or SIGINT; returns the exit code.
int demo(const cli::DemoOptions& options);

}  // namespace invited
