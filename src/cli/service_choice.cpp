#include "cli/service_choice.h"

#include <iostream>
#include <system_error>

namespace invited::cli {
namespace {

constexpr const char* kSystemFile = "/etc/invited/invited.toml";
constexpr const char* kFileInStateDir = "invited.toml";

}  // namespace

std::optional<std::filesystem::path> config_file_of(const ServiceChoice& choice) {
  if (!choice.config.empty()) return choice.config;
  std::error_code error;
  std::filesystem::path state_dir = choice.state_dir;
  if (state_dir.empty()) {
    const auto environment = process_environment();
    const auto found = environment.find("INVITED_STATE_DIR");
    if (found != environment.end()) state_dir = found->second;
  }
  std::filesystem::path file = state_dir.empty() ? kSystemFile : state_dir / kFileInStateDir;
  // One that cannot be looked at is not one that is not there: the service may be another than the one without it.
  if (std::filesystem::exists(file, error) || error) return file;
  return std::nullopt;
}

std::optional<Config> load(const ServiceChoice& choice) {
  ConfigSources sources{.file = config_file_of(choice),
                        .environment = process_environment(),
                        .flags = choice.flags,
                        .defaults = choice.defaults};
  if (!choice.state_dir.empty()) sources.flags["state_dir"] = choice.state_dir;
  auto config = load_config(sources);
  if (!config) {
    print_problems(config.error());
    return std::nullopt;
  }
  if (config->state_dir.empty()) {
    print_problems({{"state_dir", "", "is empty: name a folder that outlives the process"}});
    return std::nullopt;
  }
  // Relative ones are of the shell's folder; the service must not depend on it later.
  config->state_dir = std::filesystem::absolute(config->state_dir).lexically_normal();
  if (!config->mail.directory.empty()) config->mail.directory = std::filesystem::absolute(config->mail.directory);
  return std::move(*config);
}

std::string options_of(const ServiceChoice& choice) {
  const auto file = choice.config.empty() && !choice.state_dir.empty() ? std::nullopt : config_file_of(choice);
  std::string options;
  if (file) options += " --config " + std::filesystem::absolute(*file).string();
  if (!choice.state_dir.empty()) options += " --state-dir " + std::filesystem::absolute(choice.state_dir).string();
  return options;
}

void print_problems(const std::vector<ConfigProblem>& problems) {
  for (const ConfigProblem& problem : problems) std::cerr << "invited: " << problem.to_string() << '\n';
}

}  // namespace invited::cli
