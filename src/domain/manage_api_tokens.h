// What operators do with API tokens. Inside a transaction of the caller's; every function writes its audit event (actor
// "operator"). What a token may do is domain/caller.h's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "domain/api_token.h"
#include "domain/store.h"

namespace invited::domain {

/// Most bytes of a token's name.
inline constexpr std::size_t kMaxTokenName = 100;

struct AddApiToken {
  base::Uuid environment_id{};
  std::string email{};                     ///< of the account that invites with it
  std::string name{};                      ///< what it is for; may be empty
  std::vector<base::Uuid> role_ceiling{};  ///< empty: all that the inviter may grant
  bool may_see_links = false;
  std::optional<base::Timestamp> expires_at{};  ///< never, where there is none
};
struct AddedApiToken {
  ApiToken token;
  base::Secret text;  ///< to be shown once
};
/// Errors: not_found ("environment", "account"), invalid_email_address ("account"), inviter_without_access ("account":
/// no access there, or disabled), unknown_role ("role-ceiling"), invalid_parameter ("name"; "expires": in the past).
Result<AddedApiToken> add_api_token(const AddApiToken& request, const base::Secret& pepper, Transaction& transaction,
                                    base::Timestamp now);

/// Revoking what is revoked is a success, and stays as it was. Error: not_found.
Result<ApiToken> revoke_api_token(const base::Uuid& id, Transaction& transaction, base::Timestamp now);

}  // namespace invited::domain
