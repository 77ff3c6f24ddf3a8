#include "admin/deployment_package.h"

#include <nlohmann/json.hpp>

#include "base/byte_order_mark.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;

/// Whom the role manages. Where it cannot be told nothing is guessed: too much would let people invite too far.
domain::Result<std::vector<base::Uuid>> read_manageable(const std::string& key, const nlohmann::ordered_json& role) {
  const auto complaint = [&] {
    return refuse(ErrorCode::invalid_parameter,
                  "The \"ManageableRoles\" of the role " + key + " are not a list of UUIDs.", "file");
  };
  const auto list = role.find("ManageableRoles");
  if (list == role.end() || list->is_null()) return {};
  if (!list->is_array()) return complaint();
  std::vector<base::Uuid> ids;
  for (const auto& entry : *list) {
    const auto id = entry.is_string() ? base::Uuid::parse(entry.get<std::string>()) : std::nullopt;
    if (!id) return complaint();
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

domain::Result<std::vector<domain::ImportedRole>> read_package_roles(std::string_view metadata_json) {
  const auto json =
      nlohmann::ordered_json::parse(base::without_byte_order_mark(metadata_json), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return refuse(ErrorCode::malformed_request,
                  "The file is not JSON: give the model/metadata.json out of the deployment package.", "file");
  const auto roles = json.is_object() ? json.find("Roles") : json.end();
  if (roles == json.end() || !roles->is_object() || roles->empty())
    return refuse(ErrorCode::malformed_request,
                  "The file has no \"Roles\": give the model/metadata.json out of the deployment package.", "file");
  std::vector<domain::ImportedRole> result;
  for (const auto& [key, role] : roles->items()) {
    const auto id = base::Uuid::parse(key);
    if (!id) return refuse(ErrorCode::invalid_parameter, "The role \"" + key + "\" has no UUID for a key.", "file");
    const auto name = role.is_object() ? role.find("Name") : role.end();
    if (!role.is_object() || name == role.end() || !name->is_string())
      return refuse(ErrorCode::invalid_parameter, "The role " + key + " has no \"Name\".", "file");
    auto manageable = read_manageable(key, role);
    if (!manageable) return std::unexpected(std::move(manageable.error()));
    const auto all = role.find("ManageAllRoles");
    result.push_back({.id = *id,
                      .name = name->get<std::string>(),
                      .manages_all = all != role.end() && all->is_boolean() && all->get<bool>(),
                      .manageable = *std::move(manageable)});
  }
  return result;
}

}  // namespace invited::admin
