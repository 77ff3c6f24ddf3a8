// The style sheet, the icon and the few scripts of our pages, embedded. Served under a name with a digest in it, which
// a browser may keep for a year, and under the plain name, which it asks for again. Immutable; safe from every thread.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace invited::http {

/// "/assets/invited.3f2a9c1b.css" for "invited.css": to be put behind the base path. Empty for a name that is none.
std::string asset_path(std::string_view name);

/// GET /assets/{name}; 404 in text for any other name, 304 where the browser has it.
Response serve_asset(const Request& request);

class Router;
void add_asset_routes(Router& router);

}  // namespace invited::http
