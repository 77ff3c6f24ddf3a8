// Backups of a state folder: a folder with the database as of one moment, the keys, and a manifest that says what it
// is. A backup is as secret as the state folder: it holds the keys. Making one and putting one back; the commands are
// in cli/backup_command, the service's own thread for it in backup_job. Blocks; any thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "config.h"
#include "domain/error.h"

namespace invited {

inline constexpr std::string_view kManifestFileName = "manifest.json";

struct BackupProgress {
  std::string_view stage;  ///< "copying", "checking", "reading it back"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known
};

/// Called often. False gives the backup up.
using BackupMonitor = std::function<bool(const BackupProgress&)>;

/// Makes a backup: in the folder `to`, under a name that tells the time; or as `to`, where nothing is there yet. It has
/// that name only when all of it is on disk and was checked; nothing is ever overwritten. The service may run, if this
/// is its process; else the caller holds the database's lock. Returns what the manifest says and where it is.
/// Errors: already_exists, unavailable.
domain::Result<nlohmann::ordered_json> make_backup(const Config& config, const std::filesystem::path& to,
                                                   const base::Clock& clock, const BackupMonitor& monitor);

struct RestoreRequest {
  std::filesystem::path from;
  bool replace = false;  ///< what is in the state folder is moved aside first
};

/// Puts a backup into the state folder, where nobody may use the database meanwhile. Afterwards the service refuses to
/// start until --after-restore is said. Broken off anywhere, it can be run again. Returns what the manifest says, and
/// where to what was there was moved. Errors: already_exists (there is a database; what to do), not_found (no backup),
/// unavailable.
domain::Result<nlohmann::ordered_json> restore_backup(const Config& config, const RestoreRequest& request,
                                                      const base::Clock& clock, const BackupMonitor& monitor);

}  // namespace invited
