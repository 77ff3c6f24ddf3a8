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

namespace {

constexpr std::size_t kRemembered = 16;

}  // namespace

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
  progress_ = {.stage = "copying"};
  thread_ = std::thread([this, to] { run(to); });  // where there is none to be had, none is under way
  running_ = true;
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
  // Whoever began it asks now and then, and another may begin the next in between.
  outcomes_.insert_or_assign(number_, std::move(made));
  if (outcomes_.size() > kRemembered) outcomes_.erase(outcomes_.begin());
  running_ = false;
}

Result<Json> BackupJob::status(std::uint64_t job) {
  const std::lock_guard lock(mutex_);
  if (running_ && job == number_)
    return Json{{"state", "running"}, {"stage", progress_.stage}, {"done", progress_.done}, {"total", progress_.total}};
  const auto outcome = outcomes_.find(job);
  if (outcome == outcomes_.end())
    return refuse(ErrorCode::not_found,
                  "That backup is not known here: the service has been restarted, or made many others since. Look "
                  "whether it is there.");
  if (!outcome->second) return std::unexpected(outcome->second.error());
  return Json{{"state", "done"}, {"result", *outcome->second}};
}

}  // namespace invited
