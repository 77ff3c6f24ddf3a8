// Every number that the domain decides by, with its default (promises.md, "Limits"). Filled from the settings table
// (config.cpp) once at start; immutable afterwards. A rate of 0 means: no limit.
#pragma once

#include <chrono>
#include <cstdint>

#include "domain/invitation.h"
#include "domain/outbox_message.h"

namespace invited::domain {

struct Policy {
  std::chrono::seconds invitation_lifetime = std::chrono::hours(24 * 7);
  /// The same environment, inviter, invitee and role within this time is one invitation and one mail.
  std::chrono::seconds repeat_window{60};
  /// At most one "you already have access" mail for an environment and address in this time.
  std::chrono::seconds notice_interval = std::chrono::hours(24);
  std::chrono::seconds idempotency_lifetime = std::chrono::hours(24);
  std::chrono::seconds session_lifetime = std::chrono::hours(12);

  std::uint32_t environment_per_second = 50;
  std::uint32_t environment_burst = 200;
  std::uint32_t environment_per_day = 10'000;
  std::uint32_t inviter_per_hour = 100;
  std::uint32_t inviter_per_day = 500;
  MailboxLimit mailbox;

  std::uint32_t wrong_links_per_5_minutes = 30;      ///< look-ups of forged tokens, one client address
  std::uint32_t sign_ups_per_minute = 10;            ///< posts that cost an Argon2, one client address
  std::uint32_t wrong_sign_ins_per_hour = 30;        ///< of people, for one account and client address
  std::uint32_t wrong_passwords_per_minute = 10;     ///< of environments, for one environment and client address
  std::chrono::seconds wrong_password_interval{10};  ///< beyond that: one in this time
};

/// How long the link of the next generation lives.
inline std::chrono::seconds lifetime_of(const Invitation& invitation, const Policy& policy) {
  return invitation.lifetime.count() > 0 ? invitation.lifetime : policy.invitation_lifetime;
}

}  // namespace invited::domain
