// An invitation and its states. A pending one becomes accepted, declined, revoked or expired, and never pending
// again; each re-send raises the generation, which kills the older links. Expiry is a matter of time: a stored
// `pending` whose time is over *is* expired (see `state_at`). Plain values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"
#include "domain/email_address.h"

namespace invited::domain {

enum class InvitationState { pending, accepted, declined, revoked, expired };

std::string_view to_string(InvitationState state);
std::optional<InvitationState> parse_invitation_state(std::string_view text);

struct Invitation {
  base::Uuid id;
  base::Uuid environment_id;
  base::Uuid role_id;
  base::Uuid inviter_id;  ///< account
  EmailAddress invitee;
  InvitationState state = InvitationState::pending;  ///< as stored; ask `state_at` for the truth
  std::uint32_t generation = 1;
  base::Timestamp created_at;
  base::Timestamp sent_at;                    ///< when the newest generation was asked for
  base::Timestamp expires_at;                 ///< of the newest generation
  std::optional<base::Timestamp> settled_at;  ///< when it left `pending`

  InvitationState state_at(base::Timestamp now) const {
    return state == InvitationState::pending && now >= expires_at ? InvitationState::expired : state;
  }
};

}  // namespace invited::domain
