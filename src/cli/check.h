// `invited check`: reads the configuration, tries state folder, keys, database, relay, public URL and the apps that are
// told of changed roles, and says of each what is wrong and how to mend it. Changes nothing, calls nobody's service.
// Belongs to the main thread.
#pragma once

#include "cli/service_choice.h"

namespace invited::cli {

/// The exit code: 1 where something fails.
int run_check(const ServiceChoice& choice, bool json);

}  // namespace invited::cli
