// The command line: reads arguments, finds the configuration, runs the command, prints. Results go to standard output
// (JSON with --json), everything else to standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "config.h"
#include "restore_guard.h"

namespace invited::cli {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;
inline constexpr int kUsage = 2;

struct DemoOptions {
  std::optional<std::string> listen;
  std::optional<std::string> state_dir;  ///< none: a temporary folder, removed at the end
  bool json = false;
};

/// What the command line cannot do by itself; main hands it in. Both block until the service ends.
struct Services {
  std::function<int(const Config&, AfterRestore)> serve;
  std::function<int(const DemoOptions&)> demo;
};

int run(int argc, char** argv, const Services& services);

}  // namespace invited::cli
