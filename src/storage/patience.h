// How long an opening waits for other processes, which may hold what it needs: a minute, with a line in the log that
// says for what, and no longer than its caller wants. Belongs to one thread.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"

namespace invited::storage {

class Patience {
 public:
  static constexpr std::chrono::seconds kLongest{60};

  /// `gives_up` is asked again and again while it waits: true ends the waiting.
  explicit Patience(std::function<bool()> gives_up = {}) : gives_up_(std::move(gives_up)) {}

  /// Pauses. False, at once: it was enough.
  bool allows(std::chrono::milliseconds pause, std::string_view waits_for) {
    if (std::chrono::steady_clock::now() >= end_ || (gives_up_ && gives_up_())) return false;
    if (!std::exchange(told_, true))
      base::log::warning("storage.waiting", {{"for", waits_for}, {"most_seconds", kLongest.count()}});
    std::this_thread::sleep_for(pause);
    return true;
  }

 private:
  std::function<bool()> gives_up_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kLongest;
  bool told_ = false;
};

}  // namespace invited::storage
