// How many lines of one kind go to the log, where strangers decide how often there is one. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace invited::base {

class LineLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LineLimiter(std::uint32_t lines_per_second) : most_(lines_per_second) {}

  /// Nothing: not this line. Else it may go, and so many were left out since the last one that did.
  std::optional<std::uint64_t> admit(Time now) {
    const std::lock_guard lock(mutex_);
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      lines_ = 0;
    }
    if (lines_ >= most_) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

 private:
  const std::uint32_t most_;
  std::mutex mutex_;
  Time second_{};  ///< when the one that counts began
  std::uint32_t lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace invited::base
