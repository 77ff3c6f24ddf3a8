// The main use case as Mendix apps call it: an environment, known by its password, asks that a person be invited.
// Checks in the contract's order, then domain/invite.h in one transaction (design.md, "The path of a request").
#pragma once

#include <functional>
#include <string>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/invite.h"

namespace invited::domain {

/// The texts as they came in, whatever the dialect.
struct SendInvitation {
  std::string environment_uuid;
  base::Secret environment_password;
  std::string role_uuid;
  std::string invitee_email_address;
  std::string inviter_email_address;
  std::string idempotency_key;  ///< the Idempotency-Key header; empty: none
  std::string client_address;   ///< IP address, for slowing wrong passwords
};

struct SentInvitation {
  InviteEffect effect = InviteEffect::invited;
  base::Uuid invitation_id;  ///< nil with has_access_already
};

/// Errors, in this order: authentication_failed (or rate_limited for wrong passwords), missing_parameter,
/// invalid_email_address, inviter_without_access, unknown_role, role_not_allowed, idempotency_mismatch, rate_limited;
/// unavailable and outcome_unknown from the Store. When `done` is given a value, all is durable. `done` is called once,
/// before this returns or, for the commit, later (Store::begin_write); the request is not needed after the call.
void send_invitation(const SendInvitation& request, Context& context,
                     std::move_only_function<void(Result<SentInvitation>)> done);

}  // namespace invited::domain
