// One GET of a URL, to see whether the service is reached there. For `invited check` only. Blocks for ten seconds at
// most.
#pragma once

#include <string>

#include "config_values.h"

namespace invited::cli {

/// The status code; or why there was no answer.
Parsed<long> probe_url(const std::string& url);

}  // namespace invited::cli
