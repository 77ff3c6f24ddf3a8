// A backup that the running service makes, on a thread of its own, one at a time: the admin socket starts it and is
// asked how far it is, so that other commands need not wait. Thread-safe. The destructor gives up a backup under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "backup.h"

namespace invited {

class BackupJob {
 public:
  /// Both must outlive it.
  BackupJob(const Config& config, const base::Clock& clock) : config_(config), clock_(clock) {}
  ~BackupJob();
  BackupJob(const BackupJob&) = delete;
  BackupJob& operator=(const BackupJob&) = delete;

  /// {"job": number}. Error: unavailable, where one is under way.
  domain::Result<nlohmann::ordered_json> start(const std::filesystem::path& to);

  /// {"state": "running", "stage", "done", "total"}, {"state": "done", "result"}; or the job's own error. not_found:
  /// there is no such job, or many later ones have been made since.
  domain::Result<nlohmann::ordered_json> status(std::uint64_t job);

 private:
  void run(const std::filesystem::path& to);

  const Config& config_;
  const base::Clock& clock_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards what follows
  std::uint64_t number_ = 0;
  bool running_ = false;
  BackupProgress progress_;
  std::map<std::uint64_t, domain::Result<nlohmann::ordered_json>> outcomes_;  ///< of the latest jobs, by their number
  std::thread thread_;
};

}  // namespace invited
