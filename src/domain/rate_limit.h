// Rates. `admit` is GCRA (a leaky bucket kept as one point in time) as a pure function, for limits that are stored;
// AttemptLimiter is the same in memory, for limits on strangers' addresses. AttemptLimiter is thread-safe and bounded:
// a flood of addresses makes it forget the quietest ones, never grow.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/error.h"

namespace invited::domain {

/// `count` in `period`, of which `burst` may come at once. A count of 0: no limit.
struct Rate {
  std::uint32_t count = 0;
  std::chrono::milliseconds period{1000};
  std::uint32_t burst = 1;
};

/// Admits one at `now`: the new theoretical arrival time to store, or how long to wait (nothing to store then). A time
/// further ahead than any that it ever gives, because the clock was set back, does not count.
struct Admission {
  bool admitted = true;
  base::Timestamp theoretical_arrival;
  std::chrono::milliseconds wait{0};
};
Admission admit(const Rate& rate, base::Timestamp theoretical_arrival, base::Timestamp now);

/// Who a client's address counts as, where attempts of one client are limited: an IPv6 client has a whole /64 to
/// itself. What is no address is itself.
std::string limited_as(std::string_view client_address);

/// rate_limited, for a person who tried something with a password or link too often.
Error too_many_attempts(std::chrono::milliseconds wait);

class AttemptLimiter {
 public:
  explicit AttemptLimiter(Rate rate, std::size_t capacity = 65'536);
  ~AttemptLimiter();

  /// Counts one attempt. Nothing: go ahead; else how long to wait.
  std::optional<std::chrono::milliseconds> attempt(std::string_view subject, base::Timestamp now);
  /// How long to wait, without counting.
  std::optional<std::chrono::milliseconds> blocked(std::string_view subject, base::Timestamp now) const;
  /// Forgets the subject: a success clears.
  void clear(std::string_view subject);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace invited::domain
