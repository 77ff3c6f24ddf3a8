// Signing up and in as Medusa's clients do: registrations, JSON Web Tokens and sessions, and who is behind a call. A
// signed-in person's token holds one of our own sessions (domain/session.h), so that signing out, a new password and a
// disabled account end it. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/context.h"
#include "domain/registration.h"
#include "http/api/api_calls.h"

namespace invited::http {

/// Of /admin/…: an API token (as Bearer, or as a secret key by Basic), or a signed-in user of the environment.
domain::Result<domain::Caller> authenticate_medusa(const Request& request, domain::Context& context);

/// Who wants to accept, out of the Bearer token: one of both.
struct MedusaIdentity {
  std::optional<domain::Registration> registration;
  std::optional<domain::Account> account;
};
domain::Result<MedusaIdentity> find_medusa_identity(const Request& request, domain::Context& context);

/// Medusa's error body.
Response medusa_error(int status, std::string_view type, std::string_view message);
Response medusa_error(const domain::Error& error);
/// What the listener finds: an ErrorRenderer.
Response render_medusa_error(int status, std::string_view reason, const Request&);
/// 401 {"message": "Unauthorized"}: says nothing more.
Response medusa_unauthorized();

/// /auth/user/…, /auth/token/refresh, /auth/session below `prefix`.
void add_medusa_auth_routes(Router& router, const std::string& prefix, domain::Context& context);

}  // namespace invited::http
