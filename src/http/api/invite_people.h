// One call that invites one or more people to the same roles: all of them, or, where one cannot be, none. For dialects
// whose clients send addresses and a role and nothing else. Inside an ApiCall's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/invite.h"
#include "http/api/api_calls.h"

namespace invited::http {

struct InvitedPerson {
  domain::InviteEffect effect = domain::InviteEffect::invited;
  domain::EmailAddress email;
  std::optional<domain::Account> account;  ///< the address has one
  /// With has_access_already the one that led to it; none where an operator granted the access.
  std::optional<domain::Invitation> invitation;

  bool has_access() const { return effect == domain::InviteEffect::has_access_already; }
  // The invitation's, or the account's where there never was one.
  base::Uuid id() const { return invitation ? invitation->id : account.value().id; }
  base::Timestamp created_at() const { return invitation ? invitation->created_at : account.value().created_at; }
};

/// In the order of `emails`; an address that comes again is left out. `answer` is told that mail was queued. Errors of
/// domain::check_invite and domain::invite; `parameter`, with a number behind it where there are several, is the
/// contract's name for the address.
domain::Result<std::vector<InvitedPerson>> invite_people(ApiCall& call, const std::vector<std::string>& emails,
                                                         const std::vector<domain::Role>& roles,
                                                         std::string_view parameter, ApiAnswer& answer);

}  // namespace invited::http
