// The parts of our own JSON API, /api/v1, as they see each other: routes in groups, and what all of them share. Only
// for the files v1*.cpp.
#pragma once

#include <memory>
#include <string>

#include "http/api/api_calls.h"
#include "http/dialects/v1_input.h"

namespace invited::http::v1 {

inline constexpr std::string_view kRoot = "/api/v1";

using Calls = std::shared_ptr<const ApiCalls>;

/// Their addresses: absolute, from the configured public URL.
std::string url_of(const Calls& calls, std::string_view path);

/// A call whose body is JSON.
RouteOptions with_body();
/// A call that may come without a body, and so without a Content-Type (read_body checks it where there is one).
RouteOptions without_body();

/// GET: with ETag, the answer's own or one made from its body, and 304.
Response answer_get(const Calls& calls, const Request& request, const ApiWork& work);

/// The id in the path. Error: not_found, for what is no UUID at all too.
domain::Result<base::Uuid> id_in_path(const Request& request, std::string_view what);

void add_invitation_routes(Router& router, const Calls& calls);
void add_listing_routes(Router& router, const Calls& calls);  ///< GET of invitations, one and many
void add_people_routes(Router& router, const Calls& calls);   ///< accounts, access, and what the environment is

/// What describes the API, for programs and for people: nobody needs a token for that.
void add_document_routes(Router& router, std::string_view public_url);

/// The page: what an OpenAPI document says, its servers filled in. Made once; no script, nothing from elsewhere.
std::string documentation_page(const Json& openapi, std::string_view base_path);

}  // namespace invited::http::v1
