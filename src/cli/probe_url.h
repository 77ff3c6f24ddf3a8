// Whether somebody is reached at a URL: the service by a GET, an app by no more than a connection. For `invited check`
// only. Each blocks for ten seconds at most.
#pragma once

#include <filesystem>
#include <string>

#include "config_values.h"

namespace invited::cli {

struct Probed {
  long status = 0;
  std::string begin;  ///< of the answer's body, so much that it can be told from other answers
};

/// What is answered; or why nothing is.
Parsed<Probed> probe_url(const std::string& url);

/// Connects as refresh/refresh_caller does (no proxy, TLS 1.2 or newer with a certificate that is trusted, by `ca_file`
/// where there is one), sends nothing and hangs up. Empty where that went well; or why not.
std::string probe_connection(const std::string& url, const std::filesystem::path& ca_file);

}  // namespace invited::cli
