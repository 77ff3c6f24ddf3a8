// The JSON front doors: one file for each dialect, with its routes, inputs, outputs and words for errors. What they
// share is in http/api/, what they decide is in domain/.
#pragma once

#include "domain/context.h"
#include "http/router.h"

namespace invited::http {

// The context must outlive the router.
void add_v1_routes(Router& router, domain::Context& context);       ///< our own: /api/v1
void add_gorules_routes(Router& router, domain::Context& context);  ///< GoRules BRMS: /api/users, /api/invitations
void add_base44_routes(Router& router, domain::Context& context);   ///< Base44: /api/apps/{app}/…
void add_medusa_routes(Router& router, domain::Context& context);   ///< Medusa: /admin/invites, /auth/user

}  // namespace invited::http
