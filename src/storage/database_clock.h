// The database server's time, for several instances that must agree on leases and expiry whatever their own clocks say:
// asked for now and then, and carried on by the machine's time since boot in between, so that a jump of the machine's
// clock changes nothing, and a machine that slept is not behind. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>

#include "base/clock.h"

namespace invited::storage {

class DatabaseClock final : public base::Clock {
 public:
  base::Timestamp now() const override { return base::Timestamp(offset_.load() + since_boot()); }

  /// The server said `time` just now, after `took`.
  void set(base::Timestamp time, std::chrono::microseconds took) {
    offset_.store(time.time_since_epoch() + std::chrono::duration_cast<base::Milliseconds>(took / 2) - since_boot());
  }

 private:
  /// Not std::chrono's steady clock, which stands still while the machine sleeps.
  static base::Milliseconds since_boot() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::duration_cast<base::Milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                          std::chrono::nanoseconds(time.tv_nsec));
  }

  std::atomic<base::Milliseconds> offset_{};  ///< from the time since boot to the server's
};

}  // namespace invited::storage
