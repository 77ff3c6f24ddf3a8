// The JSON Web Tokens of the Medusa dialect (RFC 7519, HS256, by libjwt): for invitations, as Medusa's dashboard
// decodes them, and for people who sign in. Derived and checked under keys of ours, never stored. Pure functions;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/invitation.h"
#include "domain/token.h"
#include "http/api/strict_json.h"

namespace invited::http {

/// Three parts of base64url and two dots. `claims`: an object.
std::string make_jwt(const domain::TokenKeys& keys, std::string_view purpose, const Json& claims);
/// The claims of what `make_jwt` made for this purpose under one of `keys` and this epoch. Expiry is for the caller.
std::optional<Json> check_jwt(const domain::TokenKeys& keys, std::string_view purpose, std::string_view token);

/// The token of an invitation's newest generation: {"id", "email", "iat", "exp", "jti", "gen"}.
std::string make_invite_token(const domain::TokenKeys& keys, const domain::Invitation& invitation);
/// What a genuine token says: one of those, or one out of a link of ours.
std::optional<domain::TokenSubject> check_invite_token(const domain::TokenKeys& keys, std::string_view token);

}  // namespace invited::http
