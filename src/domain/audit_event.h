// What changed, who did it, when: one for every change, written in the same transaction. Plain values.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/uuid.h"

namespace invited::domain {

struct AuditEvent {
  base::Timestamp at;
  std::string actor;      ///< "environment:…", "token:…", "account:…", "invitee", "visitor", "operator", "webhook"
  std::string action;     ///< "invitation.sent", "invitation.accepted", "access.granted", …
  base::Uuid subject_id;  ///< the thing that changed
  std::string detail;     ///< `key=value` pairs, no secret; may be empty
  base::Uuid environment_id{};  ///< whose it is; nil: of the service as a whole
};

}  // namespace invited::domain
