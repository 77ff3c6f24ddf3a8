// The database server's time, for several instances that must agree on leases and expiry whatever their own clocks say:
// asked for now and then, and carried on by the machine's steady clock in between, so that a jump of the machine's
// clock changes nothing. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace invited::storage {

class DatabaseClock final : public base::Clock {
 public:
  base::Timestamp now() const override { return base::Timestamp(offset_.load() + steady()); }

  /// The server said `time` just now, after `took`.
  void set(base::Timestamp time, std::chrono::microseconds took) {
    offset_.store(time.time_since_epoch() + std::chrono::duration_cast<base::Milliseconds>(took / 2) - steady());
  }

 private:
  static base::Milliseconds steady() {
    return std::chrono::duration_cast<base::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }

  std::atomic<base::Milliseconds> offset_{};  ///< from the steady clock to the server's
};

}  // namespace invited::storage
