// Inviting many people in one call, each with a verdict of its own: what is refused of one undoes nothing of another.
// A dry run says what would happen and writes nothing. Inside a transaction of the caller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/invite.h"

namespace invited::domain {

/// Most invitations in one call.
inline constexpr std::size_t kMaxBulk = 100;

struct BulkItem {
  InviteText text;
  std::vector<std::string> roles;  ///< UUIDs or names (find_roles_by_text)
};

struct BulkVerdict {
  /// What was done: an InviteEffect's text; what would be done: "new", "existing_account" (the address has an account
  /// without that access), "has_access", "pending" (would be sent again); "refused", with `error`.
  std::string verdict;
  std::optional<Invitation> invitation;  ///< as it is now; in a dry run the pending one
  std::optional<Error> error;
};

/// One verdict for each item, in their order. An address that an earlier item was not refused for is refused: no call
/// sends two mails to one person, or a link that the same call kills.
std::vector<BulkVerdict> invite_all(const Caller& caller, const std::vector<BulkItem>& items, bool dry_run,
                                    Transaction& transaction, const Policy& policy, base::Timestamp now);

}  // namespace invited::domain
