// Where the values of settings come from and in which order, and what is checked across several of them.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "base/utf8.h"
#include "config.h"
#include "config_file.h"

namespace invited {
namespace {

struct Given {
  std::string text;
  std::string source;
};

/// " (did you mean mail.host?)", or nothing.
std::string suggestion(std::string_view key, std::string (*name_of)(const Setting&)) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 4) + 1;
  for (const Setting& setting : settings()) {
    const std::string name = name_of(setting);
    std::size_t distance = edit_distance(key, name);
    // "host" for "mail.host": the section was forgotten.
    if (const std::size_t dot = name.find('.'); dot != std::string::npos && name.substr(dot + 1) == key) distance = 1;
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best.empty() ? "" : " Did you mean " + best + "?";
}

std::string setting_name(const Setting& setting) { return setting.name; }
std::string variable_name(const Setting& setting) { return setting.environment_variable(); }

const Setting* find_setting(std::string_view name) {
  const auto found = std::ranges::find(settings(), name, &Setting::name);
  return found == settings().end() ? nullptr : &*found;
}

/// A misspelt variable must stop the start like a misspelt key; but others may own a variable that begins like ours (an
/// orchestrator's INVITED_PORT, a script's INVITED_BINARY). So: one in a section of ours, or nearly a name of ours.
bool looks_like_a_setting(std::string_view variable) {
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.name.find('.');
    if (dot != std::string::npos && variable.starts_with(setting.environment_variable().substr(0, 9 + dot)))
      return true;
    if (edit_distance(variable, setting.environment_variable()) <= 2) return true;
  }
  return false;
}

bool has_control_characters(const std::string& text) {
  return !base::is_valid_utf8(text) || base::has_hidden_characters(text);
}

void take_file(const std::filesystem::path& path, std::map<std::string, Given>& given,
               std::vector<ConfigProblem>& problems) {
  auto entries = read_config_file(path);
  if (!entries) {
    problems.push_back({path.string(), "", entries.error()});
    return;
  }
  for (FileEntry& entry : *entries) {
    const std::string source = path.string() + " line " + std::to_string(entry.line);
    const Setting* setting = find_setting(entry.key);
    if (setting == nullptr) {
      const bool section = entry.key.ends_with('.');
      if (section && std::ranges::any_of(settings(), [&](const Setting& s) { return s.name.starts_with(entry.key); }))
        continue;
      problems.push_back(
          {section ? "[" + entry.key.substr(0, entry.key.size() - 1) + "]" : entry.key, source,
           "is not a setting." + suggestion(entry.key, setting_name) + " All of them: invited settings"});
      continue;
    }
    if (setting->is_path && !entry.text.empty() && std::filesystem::path(entry.text).is_relative())
      entry.text = (std::filesystem::absolute(path).parent_path() / entry.text).lexically_normal().string();
    given[entry.key] = {std::move(entry.text), source};
  }
}

void take_environment(const std::map<std::string, std::string>& environment, std::map<std::string, Given>& given,
                      std::vector<ConfigProblem>& problems) {
  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with("INVITED_") || variable == "INVITED_FAILPOINT") continue;
    const auto setting = std::ranges::find(settings(), variable, &Setting::environment_variable);
    if (setting != settings().end())
      given[setting->name] = {text, variable};
    else if (looks_like_a_setting(variable))
      problems.push_back({variable, "environment", "is not a setting." + suggestion(variable, variable_name)});
  }
}

}  // namespace

std::string ConfigProblem::to_string() const {
  return key + (source.empty() ? "" : " (" + source + ")") + ": " + message;
}

std::expected<Config, std::vector<ConfigProblem>> load_config(const ConfigSources& sources) {
  std::vector<ConfigProblem> problems;
  std::map<std::string, Given> given;
  for (const auto& [name, text] : sources.defaults) given[name] = {text, ""};
  if (sources.file) take_file(*sources.file, given, problems);
  take_environment(sources.environment, given, problems);
  for (const auto& [name, text] : sources.flags) {
    const Setting* setting = find_setting(name);
    given[name] = {text, setting != nullptr ? setting->flag() : name};
  }

  Config config;
  for (const Setting& setting : settings()) {
    const auto found = given.find(setting.name);
    const Given value = found == given.end() ? Given{setting.default_value, "default"} : found->second;
    if (has_control_characters(value.text)) {
      problems.push_back({setting.name, value.source, "holds a line break or another character that may not be there"});
      continue;
    }
    if (auto complaint = setting.assign(config, value.text))
      problems.push_back({setting.name, value.source, std::move(*complaint)});
  }
  if (config.mail.directory.empty()) config.mail.directory = config.state_dir / "mail";
  if (config.mail.message_id_domain.empty() && !config.mail.from.empty())
    config.mail.message_id_domain = config.mail.from.substr(config.mail.from.rfind('@') + 1);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

std::vector<ConfigProblem> problems_for_serving(const Config& config) {
  std::vector<ConfigProblem> problems;
  const auto require = [&](bool holds, std::string key, std::string message) {
    if (!holds) problems.push_back({std::move(key), "", std::move(message)});
  };
  require(!config.state_dir.empty(), "state_dir", "is empty: name a folder that outlives the process");
  require(!config.http.listen.host.empty(), "http.listen",
          "is empty: write an address and a port, like \"127.0.0.1:8080\"");
  require(!config.public_url.empty() || config.http.listen.is_loopback(), "public_url",
          "is not set, and links in mails must begin with it: set the URL that people reach this service by, like "
          "\"https://invite.example.com\"");
  require(config.http.tls_certificate.empty() == config.http.tls_key.empty(),
          config.http.tls_key.empty() ? "http.tls_key" : "http.tls_certificate",
          "is not set: a certificate needs its key and vice versa");
  require(!config.mail.from.empty(), "mail.from", "is not set: name the address that invitations come from");
  if (config.mail.transport == mail::TransportKind::smtp) {
    require(!config.mail.host.empty(), "mail.host",
            "is not set: name the relay that takes our mail, or set mail.transport = \"directory\" to try without one");
    require(config.mail.user.empty() || !config.mail.password_file.empty(), "mail.password_file",
            "is not set, but mail.user is: put the password into a file of mode 0600 and name it here");
    require(!config.mail.user.empty() || config.mail.password_file.empty(), "mail.user",
            "is not set, but mail.password_file is");
  }
  return problems;
}

std::vector<ConfigProblem> unsafe_settings(const Config& config) {
  std::vector<ConfigProblem> found;
  const auto warn = [&](bool unsafe, std::string key, std::string message) {
    if (unsafe) found.push_back({std::move(key), "", std::move(message)});
  };
  const std::string host = host_of_url(config.public_url);
  warn(config.public_url.starts_with("http://") && !is_loopback_host(host), "public_url",
       "links and passwords travel unencrypted: use an https:// URL, with http.tls_certificate and http.tls_key here "
       "or a proxy "
       "in front that speaks TLS");
  warn(!config.http.listen.is_loopback() && config.http.tls_certificate.empty() && config.http.trusted_proxies.empty(),
       "http.listen",
       "plain HTTP is open to the network: set http.tls_certificate and http.tls_key, or listen on a loopback address "
       "behind a "
       "proxy, or name that proxy in http.trusted_proxies");
  warn(config.http.listen.is_loopback() && config.http.tls_certificate.empty() && config.http.trusted_proxies.empty() &&
           !host.empty() && !is_loopback_host(host),
       "http.trusted_proxies",
       "is not set, and people seem to come through a proxy: all of them share the limits of its address, so that one "
       "stranger can use them up; name the proxy, like \"127.0.0.1\"");
  warn(std::ranges::any_of(config.http.trusted_proxies,
                           [](const std::string& network) { return network.ends_with("/0"); }),
       "http.trusted_proxies",
       "trusts everybody, so that strangers can name any address as their own, and no limit on an address holds them: "
       "name the proxies only, like \"127.0.0.1\" or \"10.1.2.0/24\"");
  const bool smtp = config.mail.transport == mail::TransportKind::smtp;
  const bool remote_relay = smtp && !is_loopback_host(config.mail.host);
  warn(remote_relay && config.mail.tls == mail::Tls::off, "mail.tls",
       config.mail.user.empty() ? "mails, with the links in them, go to the relay unencrypted: use starttls or implicit"
                                : "mails and the relay's password travel unencrypted: use starttls or implicit");
  warn(config.mail.transport == mail::TransportKind::directory && !is_loopback_host(host) && !host.empty(),
       "mail.transport", "mail is written to files and reaches nobody: use smtp");
  warn(config.delivery.lease < std::chrono::minutes(12) && smtp, "mail.lease",
       "a slow relay may answer after 10 minutes, and a shorter lease can send a mail twice: use 12m or more");
  warn(config.storage.disk_watermark == 0, "storage.disk_watermark",
       "new work is taken until the disk is full: use 64MiB or more");
  warn(config.policy.mailbox.per_minute == 0 || config.policy.mailbox.per_hour == 0 ||
           config.policy.mailbox.per_day == 0,
       "rates.mailbox_*", "without these limits the service can be used to flood somebody's mailbox");
  return found;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return environment;
}

Parsed<base::Secret> read_password_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::unexpected(path.string() + " cannot be read: check the name and the permissions");
  std::string line;
  std::getline(stream, line);
  if (line.ends_with('\r')) line.pop_back();
  base::Secret secret(line);
  base::wipe(line);
  if (secret.empty()) return std::unexpected(path.string() + " is empty: its first line must be the password");
  return secret;
}

}  // namespace invited
