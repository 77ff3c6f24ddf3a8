// Where a caller may send people after accepting: only below what an operator entered for the app, so that no mail of
// ours leads to a stranger's site. Pure functions.
#pragma once

#include <string_view>

#include "domain/app.h"
#include "domain/error.h"

namespace invited::domain {

/// Whether `url` equals one of the app's redirect URLs or lies below it: behind '/', '?' or '#', without dot segments.
/// Error: invalid_parameter ("redirect_url").
Result<void> check_redirect_url(const App& app, std::string_view url);

}  // namespace invited::domain
