#include "backup_job.h"

#include <csignal>
#include <exception>
#include <utility>

#include "base/log.h"

namespace invited {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using Json = nlohmann::ordered_json;

BackupJob::~BackupJob() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<Json> BackupJob::start(const std::filesystem::path& to) {
  const std::lock_guard lock(mutex_);
  if (running_)
    return refuse(ErrorCode::unavailable, "A backup is under way already: let it come to its end, then try again.");
  if (thread_.joinable()) thread_.join();
  ++number_;
  running_ = true;
  progress_ = {.stage = "copying"};
  outcome_.reset();
  thread_ = std::thread([this, to] { run(to); });
  return Json{{"job", number_}};
}

void BackupJob::run(const std::filesystem::path& to) {
  sigset_t all;  // signals are for the main thread
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  auto made = [&]() -> Result<Json> {
    try {
      return make_backup(config_, to, clock_, [this](const BackupProgress& progress) {
        const std::lock_guard lock(mutex_);
        progress_ = progress;
        return !stopping_;
      });
    } catch (const std::exception& failure) {
      return refuse(ErrorCode::unavailable, "The backup failed inside: " + std::string(failure.what()) + ".");
    }
  }();
  if (!made) base::log::error("backup.failed", {{"reason", made.error().message}});
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(made);
  running_ = false;
}

Result<Json> BackupJob::status(std::uint64_t job) {
  const std::lock_guard lock(mutex_);
  if (job != number_ || job == 0)
    return refuse(ErrorCode::not_found,
                  "That backup is not known here: the service has been restarted, or made "
                  "another one since. Look whether it is there.");
  if (running_)
    return Json{{"state", "running"}, {"stage", progress_.stage}, {"done", progress_.done}, {"total", progress_.total}};
  if (!*outcome_) return std::unexpected(outcome_->error());
  return Json{{"state", "done"}, {"result", **outcome_}};
}

}  // namespace invited
