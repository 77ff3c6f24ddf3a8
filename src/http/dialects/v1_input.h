// What callers of /api/v1 send, read into plain values: bodies, query strings. Only form is judged here; what may be
// asked for is the domain's to say. What is wrong is told all at once, with places. Thread-safe.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/account.h"
#include "domain/bulk_invite.h"
#include "domain/invitation_query.h"
#include "domain/manage_invitations.h"
#include "http/api/object_reader.h"
#include "http/message.h"

namespace invited::http::v1 {

/// Why a request makes no sense by itself.
struct BadInput {
  struct Issue {
    std::string pointer;    ///< into the body: "#/roles/0"; empty where it is about `parameter`
    std::string parameter;  ///< of the query string
    std::string detail;
  };
  int status = 400;
  domain::ErrorCode code = domain::ErrorCode::invalid_parameter;
  std::vector<Issue> issues;
};

/// A problem whose `errors` names every place.
Response to_response(const BadInput& input);

template <class T>
using Input = std::expected<T, BadInput>;

/// POST /invitations, and each of those in bulk.
Input<domain::BulkItem> read_invite(const Request& request);

struct BulkInput {
  std::vector<domain::BulkItem> items;
  bool dry_run = false;
};
Input<BulkInput> read_bulk(const Request& request);

struct ChangeInput {
  std::optional<std::vector<std::string>> roles;  ///< UUIDs or names
  domain::InvitationChange change;                ///< all but the roles
};
Input<ChangeInput> read_change(const Request& request);

/// Whether to mail it; a body is not needed.
Input<bool> read_resend(const Request& request);

/// For calls that take neither a body nor a query.
Input<void> read_nothing(const Request& request);

struct RoleOf {
  std::string email;
  std::string role;
};
/// From the body, or, with DELETE, from the query string.
Input<RoleOf> read_role_of(const Request& request);

inline constexpr std::uint32_t kDefaultLimit = 50;
inline constexpr std::uint32_t kMaxLimit = 200;

struct InvitationListing {
  domain::InvitationQuery query;
  std::uint32_t limit = kDefaultLimit;
};
/// GET /invitations. The environment and the time are for the caller to fill in.
Input<InvitationListing> read_invitation_listing(const Request& request);

/// Where the next part of a list begins. Opaque to callers: what an entry is found by, so that entries that come or go
/// meanwhile shift nothing, or how many were read.
std::string cursor_behind(const base::Uuid& id);
std::string cursor_behind(const domain::Access& access);
std::string cursor_behind(std::uint32_t offset);

template <class Position>
struct Listing {
  std::string search;
  std::uint32_t limit = kDefaultLimit;
  std::optional<Position> behind;  ///< of an access all but its environment
};
/// Other lists: limit, cursor, and where `searches` q. For each Position of cursor_behind.
template <class Position>
Input<Listing<Position>> read_listing(const Request& request, bool searches);

/// The address of the next part: this request's, with another cursor.
std::string next_url(const Request& request, std::string_view url, std::string_view cursor);

}  // namespace invited::http::v1
