// The second half of backup.h. The order makes it safe to kill at any place: all that can fail for want of space comes
// first; then the folder's note says that a restore is under way, and until the last step says otherwise, the service
// refuses to start and this can be run again.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "backup.h"
#include "backup_files.h"
#include "base/crypto.h"
#include "base/failpoint.h"
#include "durable_file.h"
#include "incarnation_file.h"
#include "keys.h"
#include "state_folder.h"
#include "storage/lock_file.h"
#include "storage/sqlite_backup.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using Json = nlohmann::ordered_json;

std::unexpected<domain::Error> cannot(const std::string& complaint) {
  return refuse(ErrorCode::unavailable, "The backup cannot be restored: " + complaint + ".", "from");
}

/// The newest of the backups in a folder that holds several, for the message.
std::string newest_in(const std::filesystem::path& folder) {
  std::string newest;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kBackupNamePrefix) && std::filesystem::exists(entry.path() / kManifestFileName, error))
      newest = std::max(newest, name);
  }
  return newest;
}

bool is_epoch(const Json& json) { return json.is_number_unsigned() && json <= UINT32_MAX; }

Result<Json> read_manifest(const std::filesystem::path& from) {
  std::error_code error;
  if (!std::filesystem::exists(from / kManifestFileName, error)) {
    const std::string newest = newest_in(from);
    return refuse(ErrorCode::not_found,
                  from.string() + " is no backup: it has no " + std::string(kManifestFileName) + "." +
                      (newest.empty() ? " Name the folder that invited backup made."
                                      : " The newest backup in it is: --from " + (from / newest).string()),
                  "from");
  }
  const auto content = read_file(from / kManifestFileName, 1 << 20);
  if (!content) return cannot(content.error());
  auto manifest = Json::parse(*content, nullptr, /*allow_exceptions=*/false);
  // All that is used of it is looked at before anything is changed.
  const auto text = [&](const char* part, const char* member) {
    return manifest.contains(part) && manifest[part].is_object() && manifest[part].contains(member) &&
           manifest[part][member].is_string();
  };
  if (!manifest.is_object() || !(manifest.value("database", Json()).is_null() || text("database", "sha256")) ||
      !text("keys", "sha256") || !is_epoch(manifest["keys"].value("epoch", Json(1U))) ||
      !manifest.value("schema_version", Json()).is_number_integer() || !manifest.value("made_at", Json()).is_string() ||
      !manifest.value("version", Json()).is_string() || !manifest.value("counts", Json::object()).is_object())
    return cannot((from / kManifestFileName).string() + " is damaged: take another backup");
  if (manifest.value("format", Json()) != kManifestFormat ||
      manifest["schema_version"] > storage::newest_sqlite_schema())
    return cannot("it was made by a newer version (" + manifest["version"].get<std::string>() +
                  ") than this program (" INVITED_VERSION "): restore it with that one");
  return manifest;
}

/// Root restores into another user's folder: what it makes belongs to that user.
Parsed<void> copy_checked(const std::filesystem::path& from, const std::filesystem::path& to,
                          const std::string& expected_digest, const BackupMonitor& monitor) {
  const Descriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return file_failed(to, "written");
  give_to_owner_of_folder(file.get(), to.parent_path());
  const auto digest = digest_of_file(from, monitor, [&](std::string_view part) -> Parsed<void> {
    while (!part.empty()) {
      const ssize_t written = ::write(file.get(), part.data(), part.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return file_failed(to, "written");
      part.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  });
  if (!digest) return std::unexpected(digest.error());
  if (*digest != expected_digest)
    return std::unexpected(from.string() + " is not what was backed up (its SHA-256 differs): take another backup");
  if (::fsync(file.get()) != 0) return file_failed(to, "synced");
  return {};
}

/// What is in the folder and would be in the way.
std::vector<std::filesystem::path> files_in_the_way(const Config& config) {
  std::vector<std::filesystem::path> found;
  const std::string database = database_path(config).string();
  for (const std::filesystem::path& path :
       {std::filesystem::path(database), std::filesystem::path(database + "-wal"),
        std::filesystem::path(database + "-shm"), std::filesystem::path(database + "-journal"),
        config.state_dir / kKeyFileName}) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) found.push_back(path);
  }
  return found;
}

Parsed<std::filesystem::path> move_aside(const std::vector<std::filesystem::path>& files, const Config& config,
                                         base::Timestamp now) {
  std::string stamp = base::to_rfc3339(now).substr(0, 19);
  std::erase(stamp, ':');
  std::filesystem::path aside = config.state_dir / ("replaced-" + stamp + "Z");
  for (int i = 2; ::mkdir(aside.c_str(), 0700) != 0; ++i) {
    if (errno != EEXIST) return file_failed(aside, "made");
    aside = config.state_dir / ("replaced-" + stamp + "Z-" + std::to_string(i));
  }
  const Descriptor folder(::open(aside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  give_to_owner_of_folder(folder.get(), config.state_dir);
  for (const auto& file : files)
    if (::rename(file.c_str(), (aside / file.filename()).c_str()) != 0) return file_failed(file, "moved aside");
  if (auto synced = sync_durably(aside); !synced) return std::unexpected(synced.error());
  if (auto synced = sync_durably(config.state_dir); !synced) return std::unexpected(synced.error());
  return aside;
}

}  // namespace

Result<Json> restore_backup(const Config& config, const RestoreRequest& request, const base::Clock& clock,
                            const BackupMonitor& monitor) {
  const auto manifest = read_manifest(request.from);
  if (!manifest) return manifest;
  const bool keys_only = (*manifest)["database"].is_null();
  if (keys_only != is_shared(config))
    return cannot(keys_only ? "it holds keys only, made beside a PostgreSQL: the setting database must name that"
                            : "it holds a SQLite database, and the setting database names a PostgreSQL: restore it "
                              "without that setting, then move it with invited migrate-store");
  auto lock = take_state_folder(config);
  if (!lock) return std::unexpected(std::move(lock.error()));

  auto note = load_note(config.state_dir);
  const bool goes_on = note && *note && (*note)->restore == domain::RestoreProgress::under_way;
  if (!files_in_the_way(config).empty() && !goes_on && !request.replace)
    return refuse(ErrorCode::already_exists,
                  "There is a database, or its keys, in " + config.state_dir.string() +
                      " already. Restore into another folder (--state-dir), or say --replace: what is there is then "
                      "moved aside, into a folder beside it.");

  auto keys = read_file(request.from / kKeyFileName, 65'536);
  if (!keys) return cannot(keys.error());
  if (base::to_hex(base::sha256(*keys)) != (*manifest)["keys"]["sha256"])
    return cannot((request.from / kKeyFileName).string() +
                  " is not what was backed up (its SHA-256 differs): take another backup");
  const auto arriving = database_path(config).string() + ".restoring";
  if (keys_only) {
    // The database has been restored with PostgreSQL's own tools.
  } else if (auto copied = copy_checked(request.from / database_path(config).filename(), arriving,
                                        (*manifest)["database"]["sha256"].get<std::string>(), monitor);
             !copied) {
    ::unlink(arriving.c_str());
    return cannot(copied.error());
  }

  domain::IncarnationNote mark{.instance = base::Uuid::random(), .epoch = UINT32_MAX};
  mark.restore = domain::RestoreProgress::under_way;
  if (auto saved = save_note(config.state_dir, mark); !saved) return cannot(saved.error());
  base::failpoint("restore_noted");
  std::optional<std::filesystem::path> aside;
  if (const auto files = files_in_the_way(config); !files.empty()) {
    auto moved = move_aside(files, config, clock.now());
    if (!moved) return cannot(moved.error());
    aside = *moved;
  }
  base::failpoint("restore_moved_aside");
  auto written = replace_file_durably(config.state_dir / kKeyFileName, *keys);
  base::wipe(*keys);
  if (!written) return cannot(written.error());
  base::failpoint("restore_keys_written");
  if (!keys_only && ::rename(arriving.c_str(), database_path(config).c_str()) != 0)
    return cannot(file_failed(database_path(config), "written").error());
  if (auto synced = sync_durably(config.state_dir); !synced) return cannot(synced.error());
  base::failpoint("restore_database_written");
  // Of no epoch that was: only the restore's acceptance makes this note void.
  mark.restore = domain::RestoreProgress::waits;
  mark.epoch = (*manifest)["keys"].value("epoch", 1U);
  if (auto saved = save_note(config.state_dir, mark); !saved) return cannot(saved.error());

  Json result{{"state_dir", config.state_dir.string()}, {"backup", std::filesystem::absolute(request.from).string()}};
  for (const char* member : {"made_at", "version", "schema_version"}) result[member] = (*manifest)[member];
  result["replaced"] = aside ? Json(aside->string()) : Json(nullptr);
  result["counts"] = manifest->value("counts", Json::object());
  return result;
}

}  // namespace invited
