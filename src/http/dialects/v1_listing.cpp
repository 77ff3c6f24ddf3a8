// GET /api/v1/invitations: many of them, and one with all that happened to it.
#include <utility>

#include "domain/invitation_timeline.h"
#include "http/dialects/v1.h"
#include "http/dialects/v1_json.h"
#include "http/dialects/v1_tags.h"

namespace invited::http::v1 {
namespace {

using domain::ErrorCode;
using domain::Result;

Result<ApiAnswer> list(const Calls& calls, ApiCall& call, const InvitationListing& listing) {
  domain::InvitationQuery query = listing.query;
  query.environment_id = call.caller.environment.id;
  query.now = call.now;
  // A cursor of another environment must not even tell that it is one.
  if (query.after && !domain::find_invitation_of(call.caller, *query.after, call.transaction))
    return domain::refuse(ErrorCode::invalid_parameter,
                          "The cursor leads to an invitation that is not there (any more): begin anew.", "cursor");
  const auto found = call.transaction.query_invitations(query, {.limit = listing.limit + 1, .offset = 0});
  ApiAnswer answer{200, {{"invitations", Json::array()}, {"next", nullptr}}};
  const std::size_t shown = std::min<std::size_t>(found.size(), listing.limit);
  const domain::RelatedRows related(call.transaction);
  for (std::size_t i = 0; i < shown; ++i)
    answer.body["invitations"].push_back(to_json(found[i], call.caller.app, related, call.now));
  if (found.size() > shown) {
    const std::string cursor = cursor_behind(found[shown - 1].id);
    answer.body["next"] = cursor;
    answer.headers.emplace_back(
        "Link", '<' + next_url(call.request, url_of(calls, "/invitations"), cursor) + ">; rel=\"next\"");
  }
  return answer;
}

Result<ApiAnswer> show(ApiCall& call) {
  const auto id = id_in_path(call.request, "invitation");
  if (!id) return std::unexpected(id.error());
  const auto invitation = domain::find_invitation_of(call.caller, *id, call.transaction);
  if (!invitation) return std::unexpected(invitation.error());
  Json json = to_json(*invitation, call.caller.app, domain::RelatedRows(call.transaction), call.now);
  Json timeline = Json::array();
  for (const auto& entry : domain::timeline_of(*invitation, call.transaction, call.now))
    timeline.push_back(to_json(entry));
  ApiAnswer answer;
  answer.headers.emplace_back("ETag", tag_of(json, timeline));
  json["timeline"] = std::move(timeline);
  answer.body = {{"invitation", std::move(json)}};
  return answer;
}

}  // namespace

void add_listing_routes(Router& router, const Calls& calls) {
  router.add(
      "GET", "/api/v1/invitations",
      [calls](const Request& request) {
        const auto listing = read_invitation_listing(request);
        if (!listing) return calls->refuse_input(request, to_response(listing.error()));
        return answer_get(calls, request, [&](ApiCall& call) { return list(calls, call, *listing); });
      },
      with_body());
  router.add(
      "GET", "/api/v1/invitations/{id}",
      [calls](const Request& request) {
        if (const auto input = read_nothing(request); !input)
          return calls->refuse_input(request, to_response(input.error()));
        return answer_get(calls, request, show);
      },
      with_body());
}

}  // namespace invited::http::v1
