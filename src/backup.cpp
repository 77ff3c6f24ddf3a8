#include "backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "backup_files.h"
#include "base/crypto.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "durable_file.h"
#include "keys.h"
#include "state_folder.h"
#include "storage/sqlite_backup.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using Json = nlohmann::ordered_json;

constexpr std::string_view kPartial = ".partial";

std::unexpected<domain::Error> cannot(const std::string& complaint) {
  return refuse(ErrorCode::unavailable, "The backup cannot be made: " + complaint + ".", "to");
}

std::string reason_of(int code) { return std::strerror(code); }

/// Whether all of it may be ours: a backup's files, also those that are being written (durable_file.cpp).
bool holds_only_a_backup(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool is_ours =
        std::ranges::any_of(std::array<std::string_view, 3>{"invited.db", kKeyFileName, kManifestFileName},
                            [&](std::string_view ours) { return name.starts_with(ours); });
    if (!is_ours || !entry.is_regular_file(error)) return false;
  }
  return !error;
}

/// The folder that a backup grows in, under a name of its own until it is complete; gone with this otherwise. A lock on
/// it tells the next one whether somebody still writes there.
class GrowingFolder {
 public:
  static Result<GrowingFolder> make(const std::filesystem::path& final) {
    const std::filesystem::path path = final.string() + std::string(kPartial);
    remove_if_abandoned(path);
    if (::mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST)
        return cannot(path.string() +
                      " is there: another backup to it is under way, or it is somebody's folder. Name another");
      return cannot(path.string() + " cannot be made: " + reason_of(errno) + ". Name a folder that this user (id " +
                    std::to_string(::geteuid()) + ") may write");
    }
    Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.valid() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
      return cannot(path.string() + " cannot be locked: " + reason_of(errno));
    give_to_owner_of_folder(lock.get(), final.parent_path());
    return GrowingFolder(path, std::move(lock));
  }
  GrowingFolder(GrowingFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  GrowingFolder& operator=(GrowingFolder&&) = delete;
  ~GrowingFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }

  const std::filesystem::path& path() const { return path_; }

  /// Gives it its name, durably; never one that something has.
  Parsed<void> publish(const std::filesystem::path& final) {
    if (auto synced = sync_durably(path_); !synced) return synced;
    int renamed = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, final.c_str(), RENAME_NOREPLACE);
    if (renamed != 0 && errno == EINVAL && ::access(final.c_str(), F_OK) != 0)  // a file system that cannot promise it
      renamed = ::rename(path_.c_str(), final.c_str());
    if (renamed != 0) return file_failed(final, "made");
    path_.clear();
    return sync_durably(final.parent_path());
  }

  /// A backup that was killed leaves its folder behind. Somebody else's of the same name stays.
  static void remove_if_abandoned(const std::filesystem::path& path) {
    if (!holds_only_a_backup(path)) return;
    const Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.valid() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
    std::error_code error;
    std::filesystem::remove_all(path, error);
  }

 private:
  GrowingFolder(std::filesystem::path path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  Descriptor lock_;
};

/// Where the backup is to be in the end, and what earlier ones in the same place left behind is removed.
Result<std::filesystem::path> final_place(const std::filesystem::path& to, base::Timestamp now) {
  if (to.empty()) return refuse(ErrorCode::missing_parameter, "Name a folder with --to.", "to");
  const auto place = std::filesystem::absolute(to).lexically_normal();
  std::error_code error;
  const auto status = std::filesystem::status(place, error);
  if (!std::filesystem::exists(status)) {
    auto named = place.has_filename() ? place : place.parent_path();
    if (!std::filesystem::is_directory(named.parent_path(), error))
      return cannot(named.parent_path().string() + " is not a folder that the service sees: make it, or name another");
    return named;
  }
  if (!std::filesystem::is_directory(status))
    return refuse(ErrorCode::already_exists, place.string() + " is there already: a backup never overwrites anything.",
                  "to");
  if (std::filesystem::exists(place / kManifestFileName, error))
    return refuse(ErrorCode::already_exists,
                  place.string() + " is a backup itself: name the folder that it is in, or one that is not there.",
                  "to");
  for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kBackupNamePrefix) && name.ends_with(kPartial))
      GrowingFolder::remove_if_abandoned(entry.path());
  }
  std::string stamp = base::to_rfc3339(now).substr(0, 19);
  std::erase(stamp, ':');
  return place / (std::string(kBackupNamePrefix) + stamp + "Z");
}

bool on_the_disk_of_the_database(const Config& config, const std::filesystem::path& folder) {
  struct stat database{};
  struct stat target{};
  return ::stat(config.state_dir.c_str(), &database) == 0 && ::stat(folder.c_str(), &target) == 0 &&
         database.st_dev == target.st_dev;
}

std::uint64_t free_bytes(const std::filesystem::path& folder) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  return error ? UINT64_MAX : space.available;
}

constexpr std::uint64_t kMebibyte = 1 << 20;

/// A backup must not be what fills the disk: the service would refuse invitations then.
class SpaceGuard {
 public:
  SpaceGuard(const Config& config, std::filesystem::path folder)
      : folder_(std::move(folder)),
        reserve_(on_the_disk_of_the_database(config, folder_) ? 2 * config.storage.disk_watermark : 0) {}

  Result<void> expect_room(std::uint64_t bytes) const {
    const std::uint64_t free = free_bytes(folder_);
    if (free >= bytes + reserve_) return {};
    return cannot(folder_.string() + " has " + std::to_string(free / kMebibyte) + " MiB free, and " +
                  std::to_string((bytes + reserve_ + kMebibyte - 1) / kMebibyte) + " MiB are needed" +
                  (reserve_ > 0 ? ", as the service's own disk must not become short" : "") +
                  ": name another folder with --to");
  }

 private:
  std::filesystem::path folder_;
  std::uint64_t reserve_;
};

Result<Json> describe_keys(const Config& config, const std::filesystem::path& folder) {
  // Read by the one who knows how they look: damaged keys are not worth a backup.
  const auto keys = load_keys(config.state_dir);
  if (!keys) return cannot(keys.error());
  auto content = read_file(config.state_dir / kKeyFileName, 65'536);
  if (!content) return cannot(content.error());
  // There is none to replace. Making one in any other way takes a hard link, which a stick or a share may not have.
  auto written = replace_file_durably(folder / kKeyFileName, *content);
  Json described{{"file", kKeyFileName},
                 {"bytes", content->size()},
                 {"sha256", base::to_hex(base::sha256(*content))},
                 {"epoch", keys->token_keys.epoch}};
  base::wipe(*content);
  if (!written) return cannot(written.error());
  return described;
}

constexpr std::string_view kKeysOnly =
    "This holds the keys only. The database is PostgreSQL: back it up with its own tools (pg_dump, pg_basebackup, "
    "point-in-time recovery).";

/// What the manifest says of it; more in `copied`.
Result<Json> copy_database(const Config& config, const std::filesystem::path& folder, base::Timestamp now,
                           const BackupMonitor& monitor, storage::CopiedDatabase& copied) {
  const SpaceGuard space(config, folder);
  Result<void> room;
  const auto go_on = [&](storage::BackupStage stage, std::uint64_t done, std::uint64_t total) {
    room = space.expect_room(total - done);
    return room && monitor({stage == storage::BackupStage::copying ? "copying" : "checking", done, total});
  };
  const auto target = folder / database_path(config).filename();
  auto made = storage::copy_sqlite_database(
      {.source = database_path(config).string(), .target = target.string(), .go_on = go_on}, now);
  if (!room) return std::unexpected(std::move(room.error()));
  if (!made) return std::unexpected(std::move(made.error()));
  base::failpoint("backup_copied");
  const auto digest = digest_of_file(target, monitor);
  if (!digest) return cannot(digest.error());
  copied = std::move(*made);
  return Json{{"file", target.filename().string()}, {"bytes", copied.bytes}, {"sha256", *digest}};
}

}  // namespace

Parsed<std::string> digest_of_file(const std::filesystem::path& path, const BackupMonitor& monitor,
                                   const std::function<Parsed<void>(std::string_view)>& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return file_failed(path, "read");
  base::Sha256 hash;
  std::string buffer(1 << 20, '\0');
  std::uint64_t done = 0;
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return file_failed(path, "read");
    if (size == 0) return base::to_hex(hash.finish());
    const std::string_view part(buffer.data(), static_cast<std::size_t>(size));
    hash.add(part);
    if (take)
      if (auto taken = take(part); !taken) return std::unexpected(std::move(taken.error()));
    done += part.size();
    if (!monitor({take ? "copying" : "reading it back", done, static_cast<std::uint64_t>(status.st_size)}))
      return std::unexpected("it was given up");
  }
}

Result<Json> make_backup(const Config& config, const std::filesystem::path& to, const base::Clock& clock,
                         const BackupMonitor& monitor) {
  const base::Timestamp now = clock.now();
  const auto began = std::chrono::steady_clock::now();
  const auto place = final_place(to, now);
  if (!place) return std::unexpected(place.error());
  std::error_code error;
  if (std::filesystem::exists(*place, error))
    return refuse(ErrorCode::already_exists, place->string() + " is there already: a backup never overwrites anything.",
                  "to");
  auto growing = GrowingFolder::make(*place);
  if (!growing) return std::unexpected(std::move(growing.error()));
  auto keys = describe_keys(config, growing->path());
  if (!keys) return keys;
  Json database(nullptr);
  storage::CopiedDatabase copied;
  copied.schema_version = storage::newest_sqlite_schema();
  if (!is_shared(config)) {
    auto described = copy_database(config, growing->path(), now, monitor, copied);
    if (!described) return described;
    database = std::move(*described);
  }

  Json manifest{{"comment",
                 "A backup of invited. Secret: whoever has it can make links and read every address. Put it back with: "
                 "invited restore --from FOLDER"},
                {"format", kManifestFormat},
                {"made_at", base::to_rfc3339(now)},
                {"version", INVITED_VERSION},
                {"schema_version", copied.schema_version},
                {"database", database},
                {"keys", std::move(*keys)},
                {"counts", Json::object()}};
  for (const auto& [name, count] : copied.counts) manifest["counts"][name] = count;
  if (auto written = replace_file_durably(growing->path() / kManifestFileName, manifest.dump(2) + "\n"); !written)
    return cannot(written.error());
  base::failpoint("backup_before_rename");
  if (auto published = growing->publish(*place); !published) return cannot(published.error());

  const auto taken = std::chrono::steady_clock::now() - began;
  Json result{{"backup", place->string()}};
  for (const char* member : {"made_at", "version", "schema_version"}) result[member] = manifest[member];
  result["bytes"] = copied.bytes;
  result["sha256"] = database.is_null() ? Json(nullptr) : database["sha256"];
  result["note"] = is_shared(config) ? Json(kKeysOnly) : Json(nullptr);
  result["seconds"] = std::chrono::duration<double>(taken).count();
  result["counts"] = manifest["counts"];
  base::log::info("backup.made", {{"backup", place->string()},
                                  {"bytes", copied.bytes},
                                  {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(taken).count()}});
  return result;
}

}  // namespace invited
