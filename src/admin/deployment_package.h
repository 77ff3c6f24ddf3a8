// Reads the roles out of a Mendix deployment package's model/metadata.json:
//   { "Roles": { "<guid>": { "Name": "User", "ManageableRoles": […] }, … }, … }
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "domain/error.h"

namespace invited::admin {

/// Id and name of each role, in the file's order. Errors: malformed_request (not such a file), invalid_parameter (a
/// role without a UUID or name), both with what was found.
domain::Result<std::vector<std::pair<base::Uuid, std::string>>> read_package_roles(std::string_view metadata_json);

}  // namespace invited::admin
