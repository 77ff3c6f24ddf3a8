// What the delivery worker's threads hand about. Only for delivery_worker.cpp and delivery_log.cpp.
#pragma once

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

}  // namespace invited::mail
