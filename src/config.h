// The configuration: every setting stands in one table (config.cpp) with its name, default, kind, check and help text,
// from which the file, the environment, the flags, `invited settings` and the README's table all follow. Precedence:
// flag over environment variable over file over default. Read once at start, immutable afterwards; opens nothing but
// the configuration file itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "calls/settings.h"
#include "config_values.h"
#include "domain/outbox_message.h"
#include "domain/policy.h"
#include "http/limits.h"
#include "mail/settings.h"

namespace invited {

struct Config {
  std::filesystem::path state_dir;
  std::string database;  ///< postgresql://…, may hold a password; empty: SQLite in state_dir
  std::string
      public_url;  ///< may have a path, no slash at its end; empty: http:// and the address listened on (loopback only)
  std::chrono::milliseconds shutdown_timeout{};
  base::log::Level log_level = base::log::Level::info;

  struct Http {
    ListenAddress listen;
    std::filesystem::path tls_certificate;  ///< PEM, with its chain; empty: plain HTTP
    std::filesystem::path tls_key;
    std::uint32_t io_threads = 0;
    std::uint32_t workers = 0;
    std::uint32_t queue_length = 0;
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> cors_origins;
  } http;
  http::Limits limits;  ///< the rest of http.*

  mail::Settings mail;
  struct Delivery {  ///< the rest of mail.*
    std::uint32_t connections = 0;
    std::chrono::milliseconds lease{};
    domain::RetryPolicy retry;
  } delivery;

  calls::Settings refresh;
  calls::Settings webhook;

  struct Storage {
    std::uint64_t disk_watermark = 0;
    std::uint64_t log_size = 0;
    std::uint32_t queue_length = 0;
    std::uint32_t max_batch = 0;
    std::uint32_t readers = 0;
    std::set<std::string> allow_unsafe;  ///< settings of the PostgreSQL server
  } storage;

  struct Retention {  ///< how long what ended is kept; 0: for ever
    std::chrono::milliseconds invitations{};
    std::chrono::milliseconds attempts{};
    std::chrono::milliseconds audit_events{};
    std::filesystem::path export_dir;  ///< empty: deleted without an export
  } retention;

  domain::Policy policy;
};

/// What is wrong with one setting, said so that it can be mended: where it came from, what is expected.
struct ConfigProblem {
  std::string key;     ///< the setting's name, or the file's where it is the file as a whole
  std::string source;  ///< "invited.toml line 12", "INVITED_MAIL_PORT", "--mail-port"; empty: nowhere set
  std::string message;

  /// "mail.port (--mail-port): 70000 is out of range 1 to 65535"
  std::string to_string() const;
};

struct Setting {
  std::string name;           ///< "mail.host"
  std::string default_value;  ///< as one would write it; empty: none
  std::string kind;           ///< for people: "duration, 1h to 90d"
  std::string help;
  /// Checks and stores; a complaint where the text may not stand there.
  std::function<std::optional<std::string>(Config&, const std::string&)> assign;
  bool is_path = false;  ///< relative ones in the file are taken from the file's folder

  std::string environment_variable() const;  ///< "INVITED_MAIL_HOST"
  std::string flag() const;                  ///< "--mail-host"
};

/// The one table, in the order in which it is shown.
const std::vector<Setting>& settings();
/// The table as Markdown, as it stands in the README.
std::string settings_as_markdown();

struct ConfigSources {
  std::optional<std::filesystem::path> file;       ///< must exist if given
  std::map<std::string, std::string> environment;  ///< the process's environment variables; others are ignored
  std::map<std::string, std::string> flags;        ///< setting's name → text
  std::map<std::string, std::string> defaults;     ///< in place of the table's (the demo's)
};

/// Everything that is wrong is reported at once. On success all values are in range, each for itself.
std::expected<Config, std::vector<ConfigProblem>> load_config(const ConfigSources& sources);

/// What the settings need of each other before the service can run (relay named, public URL known, …).
std::vector<ConfigProblem> problems_for_serving(const Config& config);

/// What works but is not safe, to be warned of loudly: the key, and what to do.
std::vector<ConfigProblem> unsafe_settings(const Config& config);

/// The process's environment as a map.
std::map<std::string, std::string> process_environment();

/// The first line of a file that holds a password. The complaint names the file.
Parsed<base::Secret> read_password_file(const std::filesystem::path& path);

}  // namespace invited
