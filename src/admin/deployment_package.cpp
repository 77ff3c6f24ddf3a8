#include "admin/deployment_package.h"

#include <nlohmann/json.hpp>

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

domain::Result<std::vector<std::pair<base::Uuid, std::string>>> read_package_roles(std::string_view metadata_json) {
  if (metadata_json.starts_with(kByteOrderMark)) metadata_json.remove_prefix(kByteOrderMark.size());
  const auto json = nlohmann::ordered_json::parse(metadata_json, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return refuse(ErrorCode::malformed_request,
                  "The file is not JSON: give the model/metadata.json out of the deployment package.", "file");
  const auto roles = json.is_object() ? json.find("Roles") : json.end();
  if (roles == json.end() || !roles->is_object() || roles->empty())
    return refuse(ErrorCode::malformed_request,
                  "The file has no \"Roles\": give the model/metadata.json out of the deployment package.", "file");
  std::vector<std::pair<base::Uuid, std::string>> result;
  for (const auto& [key, role] : roles->items()) {
    const auto id = base::Uuid::parse(key);
    if (!id) return refuse(ErrorCode::invalid_parameter, "The role \"" + key + "\" has no UUID for a key.", "file");
    const auto name = role.is_object() ? role.find("Name") : role.end();
    if (!role.is_object() || name == role.end() || !name->is_string())
      return refuse(ErrorCode::invalid_parameter, "The role " + key + " has no \"Name\".", "file");
    result.emplace_back(*id, name->get<std::string>());
  }
  return result;
}

}  // namespace invited::admin
