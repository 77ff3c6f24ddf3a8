// `invited check`: reads the configuration, tries state folder, keys, database, relay and public URL, and says of each
// what is wrong and how to mend it. Changes nothing. Belongs to the main thread.
#pragma once

#include "cli/service_choice.h"

namespace invited::cli {

/// The exit code: 1 where something fails.
int run_check(const ServiceChoice& choice, bool json);

}  // namespace invited::cli
