#include "domain/invitation.h"

#include <array>

namespace invited::domain {

std::string_view to_string(InvitationState state) {
  switch (state) {
    case InvitationState::pending:
      return "pending";
    case InvitationState::accepted:
      return "accepted";
    case InvitationState::declined:
      return "declined";
    case InvitationState::revoked:
      return "revoked";
    case InvitationState::expired:
      return "expired";
  }
  return "pending";
}

std::optional<InvitationState> parse_invitation_state(std::string_view text) {
  for (const auto state : {InvitationState::pending, InvitationState::accepted, InvitationState::declined,
                           InvitationState::revoked, InvitationState::expired})
    if (text == to_string(state)) return state;
  return std::nullopt;
}

}  // namespace invited::domain
