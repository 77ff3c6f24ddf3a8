#include "state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "storage/lock_file.h"
#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::refuse;

std::string lock_path(const Config& config) { return storage::lock_path_of(database_path(config).string()); }

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

/// So many calls may wait for the disk without a worker. Beyond that workers wait with theirs, and `http.queue_wait`
/// bounds how long others do for a worker.
std::size_t begun_limit(const Config& config) { return std::size_t{4} * config.http.workers; }

/// The service takes signals when it runs; until then those that end it wait (block_signals).
bool is_told_to_stop() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

/// The database is opened before the keys: only it knows whether there must be some.
domain::Result<StateFolder> open_shared(const Config& config, AfterRestore said, storage::OlderSchema older) {
  auto opened = storage::open_postgres_store({.url = config.database,
                                              .queue_limit = config.storage.queue_length,
                                              .batch_limit = std::min<std::size_t>(config.storage.max_batch, 128),
                                              .begun_limit = begun_limit(config),
                                              .readers = config.storage.readers,
                                              .older_schema = older,
                                              .allow_unsafe = config.storage.allow_unsafe,
                                              .gives_up = is_told_to_stop});
  if (!opened) return std::unexpected(std::move(opened.error()));
  const auto binding =
      domain::read_returning(*opened->store, [](domain::Transaction& transaction) -> domain::Result<bool> {
        return transaction.find_key_binding().has_value();
      });
  if (!binding) return std::unexpected(binding.error());
  std::error_code error;
  if (*binding && !std::filesystem::exists(config.state_dir / kKeyFileName, error))
    return refuse(ErrorCode::unavailable, "The database is in use already, but there is no " +
                                              std::string(kKeyFileName) + " in " + config.state_dir.string() +
                                              ": copy it from the state_dir of another instance.");
  auto keys = load_or_create_keys(config.state_dir, *binding);
  if (!keys) return refuse(ErrorCode::unavailable, std::move(keys.error()));
  auto accepted = answer_restore(guarded_folder(config), said, *opened->store, *keys, opened->clock->now());
  if (!accepted) return std::unexpected(std::move(accepted.error()));
  return StateFolder{std::move(*keys), std::move(opened->clock), std::move(opened->store), *accepted};
}

}  // namespace

bool is_shared(const Config& config) { return !config.database.empty(); }

bool may_have_database(const Config& config) {
  std::error_code error;
  return is_shared(config) || std::filesystem::exists(database_path(config), error);
}

std::filesystem::path database_path(const Config& config) { return config.state_dir / "invited.db"; }

domain::Result<StateFolder> open_state_folder(const Config& config, const base::Clock& clock,
                                              std::function<void(std::string_view reason)> on_fatal, AfterRestore said,
                                              storage::OlderSchema older) {
  if (config.state_dir.empty())
    return refuse(ErrorCode::unavailable, "state_dir is empty: name a folder.", "state_dir");
  if (auto made = make_folder(config.state_dir); !made) return std::unexpected(std::move(made.error()));
  if (is_shared(config)) return open_shared(config, said, older);
  if (auto own = refuse_file_of_shared(guarded_folder(config)); !own) return std::unexpected(std::move(own.error()));
  std::error_code error;
  auto keys = load_or_create_keys(config.state_dir, std::filesystem::exists(database_path(config), error));
  if (!keys) return refuse(ErrorCode::unavailable, std::move(keys.error()));
  auto store =
      storage::open_sqlite_store({.path = database_path(config).string(),
                                  .lock_path = lock_path(config),
                                  .watermark_bytes = config.storage.disk_watermark,
                                  .queue_limit = config.storage.queue_length,
                                  .batch_limit = config.storage.max_batch,
                                  .begun_limit = begun_limit(config),
                                  .checkpoint_pages = storage::SqliteConnection::pages_of_log(config.storage.log_size),
                                  .readers = config.storage.readers,
                                  .older_schema = older,
                                  .on_fatal = std::move(on_fatal)},
                                 clock);
  if (!store) return std::unexpected(std::move(store.error()));
  auto accepted = answer_restore(guarded_folder(config), said, **store, *keys, clock.now());
  if (!accepted) return std::unexpected(std::move(accepted.error()));
  return StateFolder{std::move(*keys), std::make_unique<base::SystemClock>(), std::move(*store), *accepted};
}

domain::Result<void> check_database_content(const Config& config) {
  if (is_shared(config)) return {};  // its server looks after itself
  return storage::check_sqlite_database(database_path(config).string());
}

GuardedFolder guarded_folder(const Config& config) {
  return {.state_dir = config.state_dir, .exclusive = !is_shared(config)};
}

domain::Result<storage::LockFile> take_state_folder(const Config& config) {
  if (auto made = make_folder(config.state_dir); !made) return std::unexpected(std::move(made.error()));
  return storage::LockFile::take(lock_path(config), "the database " + database_path(config).string());
}

bool is_in_use(const Config& config) { return !is_shared(config) && storage::LockFile::is_taken(lock_path(config)); }

}  // namespace invited
