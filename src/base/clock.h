// Time as the service sees it: a point in time with millisecond resolution, and the port through which
// everything asks for "now", so that tests can decide what time it is. Not for measuring durations of
// work (use std::chrono::steady_clock for that). Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace invited::base {

using Milliseconds = std::chrono::milliseconds;
/// A point in time, UTC, to the millisecond. What is stored is `time_since_epoch().count()`.
using Timestamp = std::chrono::sys_time<Milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// RFC 3339 in UTC with milliseconds: "2026-11-20T08:30:00.000Z".
std::string to_rfc3339(Timestamp time);

/// The inverse, to the millisecond: "2026-11-20T08:30:00.5+01:00"; also a date alone, which is its beginning in UTC.
/// Nothing for a time without an offset, a leap second, or a date that no calendar has.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// RFC 5322 date-time in UTC, as in a mail's Date header: "Fri, 20 Nov 2026 08:30:00 +0000".
std::string to_rfc5322(Timestamp time);

/// RFC 9110 IMF-fixdate, as in an HTTP Date header: "Fri, 20 Nov 2026 08:30:00 GMT".
std::string to_http_date(Timestamp time);

}  // namespace invited::base
