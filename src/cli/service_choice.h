// Which service a command means (--config, --state-dir, the environment, /etc) and the configuration that follows.
// Belongs to the main thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config.h"

namespace invited::cli {

struct ServiceChoice {
  std::string config;                           ///< --config; empty: not given
  std::string state_dir;                        ///< --state-dir; empty: not given
  std::map<std::string, std::string> flags;     ///< --mail-host and the like, by setting
  std::map<std::string, std::string> defaults;  ///< in place of the table's
};

/// The file that counts: --config; else invited.toml in --state-dir (or INVITED_STATE_DIR); else
/// /etc/invited/invited.toml; none where there is none.
std::optional<std::filesystem::path> config_file_of(const ServiceChoice& choice);

/// Loads it; problems are printed to standard error.
std::optional<Config> load(const ServiceChoice& choice);

/// The same choice as options of another command: " --config /etc/invited/invited.toml"; nothing where neither is
/// needed.
std::string options_of(const ServiceChoice& choice);

void print_problems(const std::vector<ConfigProblem>& problems);

}  // namespace invited::cli
