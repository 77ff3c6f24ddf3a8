// What the services that ask about a person have in common: from their three parameters to the domain's query.
// Thread-safe.
#pragma once

#include <string>

#include "domain/person_queries.h"
#include "soap/call.h"

namespace invited::soap {

/// Wipes `password`, which stays in the query.
inline domain::PersonQuery take_person_query(const std::string& openid, const std::string& environment_uuid,
                                             std::string& password, const Call& call) {
  domain::PersonQuery query{openid, environment_uuid, base::Secret(password), std::string(call.client_address)};
  base::wipe(password);
  return query;
}

}  // namespace invited::soap
