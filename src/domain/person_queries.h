// What an app asks about a person after the invitation: which roles, and who. Answered only to the environment that
// authenticates, and only about people with access to it. Nothing is written.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/profile.h"

namespace invited::domain {

struct PersonQuery {
  std::string openid;
  std::string environment_uuid;
  base::Secret environment_password;
  std::string client_address;
};

/// The person's roles in the environment, by name; none where nobody has the OpenID, or somebody without access or with
/// a disabled account. An app takes an empty list for "withdraw everything", so any trouble is an error:
/// authentication_failed, missing_parameter ("OpenID"), unknown_person ("OpenID": not of the form that the
/// environment's template makes, so it says nothing about the person), rate_limited, unavailable.
Result<std::vector<Role>> find_roles_of_person(const PersonQuery& query, Context& context);

struct Person {
  std::string openid;
  Account account;
  Profile profile;
};

/// Errors: as above, and unknown_person also where somebody or nobody has it, which does not tell which.
Result<Person> find_person(const PersonQuery& query, Context& context);

}  // namespace invited::domain
