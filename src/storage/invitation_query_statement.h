// The SQL that an InvitationQuery means, with every value bound: made anew for each query, as no two need be alike.
// Belongs to its connection's thread. Throws StorageFailure.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

std::vector<domain::Invitation> query_invitations(Connection& connection, const domain::InvitationQuery& query,
                                                  const domain::Page& page);
std::uint64_t count_invitations(Connection& connection, const domain::InvitationQuery& query);

}  // namespace invited::storage
