// Reads the roles out of a Mendix deployment package's model/metadata.json:
//   { "Roles": { "<guid>": { "Name": "User", "ManageableRoles": ["<guid>", …] }, … }, … }
// "ManageAllRoles": true, as the model calls it, is taken where it stands.
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/manage_apps.h"

namespace invited::admin {

/// In the file's order. A role without ManageableRoles manages none. Errors: malformed_request (not such a file),
/// invalid_parameter (a role without a UUID or name, or that manages what is no UUID), both with what was found.
domain::Result<std::vector<domain::ImportedRole>> read_package_roles(std::string_view metadata_json);

}  // namespace invited::admin
