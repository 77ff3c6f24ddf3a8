#include "state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "storage/lock_file.h"
#include "storage/soci_store.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::refuse;

std::string lock_path(const Config& config) { return database_path(config).string() + ".lock"; }

/// Every missing folder on the way, the last one closed to others.
domain::Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    std::filesystem::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return refuse(ErrorCode::unavailable, "state_dir " + folder.string() +
                                                " cannot be made: " + std::strerror(errno) +
                                                ". Name a folder that this user may write, or make it.");
    // Its name must be on disk before anything in it is acknowledged; where that fails, so will the database's sync.
    const auto parent = folder.has_parent_path() ? folder.parent_path() : std::filesystem::path(".");
    if (const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); descriptor >= 0) {
      ::fsync(descriptor);
      ::close(descriptor);
    }
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
    return refuse(ErrorCode::unavailable, "state_dir " + folder.string() + " cannot be used: " + std::strerror(errno) +
                                              ". Give it to the user that runs this.");
  return {};
}

}  // namespace

std::filesystem::path database_path(const Config& config) { return config.state_dir / "invited.db"; }

domain::Result<StateFolder> open_state_folder(const Config& config, const base::Clock& clock,
                                              std::function<void(std::string_view reason)> on_fatal,
                                              AfterRestore said) {
  if (config.state_dir.empty())
    return refuse(ErrorCode::unavailable, "state_dir is empty: name a folder.", "state_dir");
  if (auto made = make_folder(config.state_dir); !made) return std::unexpected(std::move(made.error()));
  std::error_code error;
  auto keys = load_or_create_keys(config.state_dir, std::filesystem::exists(database_path(config), error));
  if (!keys) return refuse(ErrorCode::unavailable, std::move(keys.error()));
  auto store = storage::open_sqlite_store({.path = database_path(config).string(),
                                           .lock_path = lock_path(config),
                                           .watermark_bytes = config.storage.disk_watermark,
                                           .queue_limit = config.storage.queue_length,
                                           .batch_limit = config.storage.max_batch,
                                           .readers = config.storage.readers,
                                           .on_fatal = std::move(on_fatal)},
                                          clock);
  if (!store) return std::unexpected(std::move(store.error()));
  auto accepted = answer_restore(guarded_folder(config), said, **store, *keys, clock.now());
  if (!accepted) return std::unexpected(std::move(accepted.error()));
  return StateFolder{std::move(*keys), std::move(*store), *accepted};
}

domain::Result<void> check_database_content(const Config& config) {
  return storage::check_sqlite_database(database_path(config).string());
}

GuardedFolder guarded_folder(const Config& config) { return {.state_dir = config.state_dir, .exclusive = true}; }

bool is_in_use(const Config& config) {
  std::error_code error;
  if (!std::filesystem::exists(lock_path(config), error)) return false;
  return !storage::LockFile::take(lock_path(config), "the database");
}

}  // namespace invited
