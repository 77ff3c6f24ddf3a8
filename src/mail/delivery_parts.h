// What the delivery worker's threads hand about, and how long they wait. Only for delivery_worker.cpp,
// delivery_record.cpp and delivery_log.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "domain/outbox_message.h"
#include "mail/delivery_worker.h"

namespace invited::mail {

struct DeliveryWorker::Claim {
  domain::Lease lease;
  bool is_probe = false;  ///< of a held queue
  std::chrono::steady_clock::time_point claimed_at;
};

struct DeliveryWorker::Finished {
  domain::Lease lease;
  domain::DeliveryResult result;
  bool is_probe = false;
  bool met_relay = false;  ///< the transport was asked: the result says something about the way out
  bool was_begun = true;   ///< false: claimed ahead and put back
};

/// What a recording brought about, to be logged after its commit.
struct DeliveryWorker::Notes {
  bool lease_was_over = false;
  bool hold_began = false;
  bool hold_ended = false;
  std::optional<base::Timestamp> next_attempt;
};

inline constexpr std::chrono::minutes kLongestWait{10};  ///< of a hold or a pause

/// first, 2 first, 4 first, … up to kLongestWait. `tries` from 1.
inline std::chrono::milliseconds doubled(std::chrono::seconds first, std::uint32_t tries) {
  const std::uint32_t doublings = std::min(tries - std::min(tries, 1U), 16U);
  return std::min<std::chrono::milliseconds>(first * (1U << doublings), kLongestWait);
}

/// Whether `until` is still to come. What is further ahead than anything is ever set is no reason to wait: the clock
/// was set back meanwhile.
inline bool is_ahead(base::Timestamp until, base::Timestamp now, std::chrono::milliseconds longest) {
  return now < until && until - now <= longest;
}

}  // namespace invited::mail
