// An invitation and its states. A pending one becomes accepted, declined, revoked or expired, and never pending
// again; each re-send raises the generation, which kills the older links (domain/link_state: when). Expiry is a matter
// of time: a stored `pending` whose time is over *is* expired (see `state_at`). Plain values; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  base::Timestamp updated_at{};               ///< any of this was changed
  std::vector<base::Uuid> more_role_ids{};    ///< granted besides `role_id`
  std::string metadata{};                     ///< the caller's own: a JSON object, or empty
  std::string redirect_url{};                 ///< where the button leads after accepting; empty: the app
  std::chrono::seconds lifetime{0};           ///< of each generation; 0: the service's
  base::Uuid token_id{};                      ///< the API token that asked last, whose ceiling counts; nil: none

  std::vector<base::Uuid> role_ids() const {
    std::vector<base::Uuid> ids{role_id};
    ids.insert(ids.end(), more_role_ids.begin(), more_role_ids.end());
    return ids;
  }

  InvitationState state_at(base::Timestamp now) const {
    return state == InvitationState::pending && now >= expires_at ? InvitationState::expired : state;
  }
};

}  // namespace invited::domain
