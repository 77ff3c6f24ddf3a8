// Sleeping until a number changes, and waking everybody who does: Linux futexes. One wake is one system call however
// many sleep, which is what makes group commit's hand-over cheap. Spurious wakes happen: callers look again.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
#include <optional>

namespace invited::storage {

/// Returns when woken, at once where `word` is not `expected`, or after `timeout`.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
  timespec limit{};
  if (timeout) {
    limit.tv_sec = timeout->count() / 1000;
    limit.tv_nsec = timeout->count() % 1000 * 1'000'000;
  }
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout ? &limit : nullptr, nullptr, 0);
}

inline void futex_wake_all(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace invited::storage
