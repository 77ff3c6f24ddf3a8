// A clock that stands still until a test moves it. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace invited::test {

class ManualClock final : public base::Clock {
 public:
  /// 2026-11-20T08:30:00.123Z, unless told otherwise.
  explicit ManualClock(base::Timestamp start = base::Timestamp{std::chrono::milliseconds{1'795'163'400'123}})
      : now_(start.time_since_epoch().count()) {}

  base::Timestamp now() const override { return base::Timestamp{base::Milliseconds{now_.load()}}; }
  void advance(base::Milliseconds by) { now_ += by.count(); }
  void set(base::Timestamp now) { now_ = now.time_since_epoch().count(); }

 private:
  std::atomic<base::Milliseconds::rep> now_;
};

}  // namespace invited::test
