// Forgets what only time made useless (rates, old Idempotency-Keys, sessions that are over) and tells webhooks of
// invitations that expired, once at start and then every so often, and lets retention make its steps between, on a
// thread of its own; `every_interval` is called there too, but not at start. Started by its constructor, stopped by its
// destructor. The store must outlive it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "domain/store.h"
#include "retention.h"

namespace invited {

class Housekeeping {
 public:
  Housekeeping(domain::Store& store, const base::Clock& clock, std::chrono::milliseconds keep,
               const Config::Retention& retention, std::function<void()> every_interval = {},
               std::chrono::milliseconds interval = std::chrono::minutes(1));
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  void run();
  void prune();
  void tell_of_expiry();

  domain::Store& store_;
  const base::Clock& clock_;
  const std::chrono::milliseconds keep_;
  const std::function<void()> every_interval_;
  const std::chrono::milliseconds interval_;
  Retention retention_;
  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace invited
