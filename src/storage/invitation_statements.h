// The SQL of invitations. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "domain/invitation.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class InvitationStatements {
 public:
  explicit InvitationStatements(Connection& connection);
  ~InvitationStatements();

  void insert(const domain::Invitation& invitation);
  void update(const domain::Invitation& invitation);
  // `lock`: nobody else changes it until the transaction ends.
  std::optional<domain::Invitation> find_invitation(const base::Uuid& id, bool lock);
  std::optional<domain::Invitation> find_pending_invitation(const base::Uuid& environment_id,
                                                            std::string_view invitee_key, bool lock);
  std::vector<domain::Invitation> list_invitations(const domain::InvitationFilter& filter, const domain::Page& page);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
