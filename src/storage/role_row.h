// How a role looks as a row: shared by the statements that read roles of an app and those that read a person's. Only
// for storage's statements.
#pragma once

#include "domain/app.h"
#include "storage/row_values.h"

namespace invited::storage {

inline constexpr std::string_view kManagesAll = "*";

inline Text manageable_text(const domain::Role& role) {
  return role.manages_all ? Text(kManagesAll) : to_text(role.manageable);
}

inline domain::Role to_role(const Text& app_id, const Text& id, const Text& name, Number created_at,
                            const Text& manageable) {
  const bool all = manageable == kManagesAll;
  return {to_uuid(app_id),     to_uuid(id), name,
          to_time(created_at), all,         all ? std::vector<base::Uuid>{} : to_uuids(manageable)};
}

}  // namespace invited::storage
