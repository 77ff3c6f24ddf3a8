// /api/v1/invitations, as far as something changes: invite, in bulk, change, send again, revoke, show the link.
#include <utility>

#include "domain/bulk_invite.h"
#include "domain/manage_invitations.h"
#include "http/api/json_answer.h"
#include "http/dialects/v1.h"
#include "http/dialects/v1_json.h"
#include "http/dialects/v1_tags.h"

namespace invited::http::v1 {
namespace {

using domain::Invitation;
using domain::Invited;
using domain::InviteEffect;
using domain::Result;

/// A repeated Idempotency-Key is answered from what was stored, which is the body: so its ETag is made of that.
Response with_tag(Response response) {
  if (!response.headers.find("Idempotent-Replayed")) return response;
  const Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (body.is_object() && body.contains("invitation") && body["invitation"].is_object())
    response.headers.set("ETag", tag_of(body["invitation"]));
  return response;
}

/// A handler that reads its input, refuses what makes no sense, and does the work in one transaction.
template <class T, class Work>
Handler handler(const Calls& calls, Input<T> (*read)(const Request&), Work work) {
  return [calls, read, work](const Request& request) {
    const Input<T> input = read(request);
    if (!input) return calls->refuse_input(request, to_response(input.error()));
    return with_tag(calls->write(request, [&](ApiCall& call) -> Result<ApiAnswer> {
      if constexpr (std::is_void_v<T>)
        return work(call);
      else
        return work(call, *input);
    }));
  };
}

Json json_of(const Invitation& invitation, ApiCall& call) {
  return to_json(invitation, call.caller.app, domain::RelatedRows(call.transaction), call.now);
}

std::string link_to(const Calls& calls, const domain::TokenSubject& subject) {
  return domain::invitation_link(calls->context().public_url, calls->context().token_keys, subject);
}

/// Puts the link of the newest generation behind the invitation.
std::function<void(Json&)> reveal_link(const Calls& calls, const Invitation& invitation) {
  return [calls, subject = domain::TokenSubject{invitation.id, invitation.generation}](Json& body) {
    body["link"] = link_to(calls, subject);
  };
}

ApiAnswer answer_with(const Invitation& invitation, ApiCall& call) {
  ApiAnswer answer{200, {{"invitation", json_of(invitation, call)}}};
  answer.headers.emplace_back("ETag", tag_of(answer.body["invitation"]));
  return answer;
}

/// What a new invitation and one that was sent again are answered with.
ApiAnswer answer_with(const Calls& calls, const Invited& invited, bool send, ApiCall& call) {
  ApiAnswer answer{200, {{"effect", domain::to_string(invited.effect)}, {"invitation", nullptr}}};
  answer.mail_queued = send && invited.effect != InviteEffect::repeated;
  if (!invited.invitation) return answer;
  if (invited.effect == InviteEffect::invited) answer.status = 201;
  answer.body["invitation"] = json_of(*invited.invitation, call);
  answer.headers.emplace_back("ETag", tag_of(answer.body["invitation"]));
  if (!send) answer.reveal = reveal_link(calls, *invited.invitation);
  return answer;
}

Result<ApiAnswer> create(const Calls& calls, ApiCall& call, const domain::BulkItem& input) {
  auto roles = domain::find_roles_by_text(call.caller.app, input.roles, call.transaction);
  if (!roles) return std::unexpected(std::move(roles.error()));
  const auto invite = domain::check_invite(call.caller.app, input.text, *std::move(roles));
  if (!invite) return std::unexpected(invite.error());
  const auto invited = domain::invite(call.caller, *invite, call.transaction, call.policy, call.now);
  if (!invited) return std::unexpected(invited.error());
  return answer_with(calls, *invited, invite->send, call);
}

ApiAnswer create_all(const Calls& calls, ApiCall& call, const BulkInput& input) {
  const auto verdicts =
      domain::invite_all(call.caller, input.items, input.dry_run, call.transaction, call.policy, call.now);
  ApiAnswer answer{200, {{"dry_run", input.dry_run}, {"results", Json::array()}}};
  std::vector<std::pair<std::size_t, domain::TokenSubject>> links;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const domain::BulkVerdict& verdict = verdicts[i];
    const bool send = input.items[i].text.send;
    Json result{{"email", input.items[i].text.email}, {"verdict", verdict.verdict}};
    if (verdict.invitation) {
      result["invitation"] = json_of(*verdict.invitation, call);
      if (!send && !input.dry_run) links.push_back({i, {verdict.invitation->id, verdict.invitation->generation}});
    }
    if (verdict.error) result["error"] = to_problem(*verdict.error);
    if (!verdict.error && send && !input.dry_run) answer.mail_queued = true;
    answer.body["results"].push_back(std::move(result));
  }
  if (!links.empty())
    answer.reveal = [calls, links](Json& body) {
      for (const auto& [i, subject] : links) body["results"][i]["link"] = link_to(calls, subject);
    };
  return answer;
}

/// A dry run writes nothing, and must not wait for those who do.
Response invite_in_bulk(const Calls& calls, const Request& request) {
  const auto input = read_bulk(request);
  if (!input) return calls->refuse_input(request, to_response(input.error()));
  const ApiWork work = [&](ApiCall& call) -> Result<ApiAnswer> { return create_all(calls, call, *input); };
  if (input->dry_run) return calls->read(request, work);
  std::vector<std::string> emails;
  for (const domain::BulkItem& item : input->items) emails.push_back(item.text.email);
  return calls->write(request, work, domain::foresee_invitees(emails));
}

Result<Invitation> find(ApiCall& call) {
  const auto id = id_in_path(call.request, "invitation");
  if (!id) return std::unexpected(id.error());
  return domain::find_invitation_of(call.caller, *id, call.transaction);
}

/// For what changes it: as it was read, where the caller says so.
Result<Invitation> find_to_change(ApiCall& call) {
  auto invitation = find(call);
  if (invitation && !allows_change(call.request, json_of(*invitation, call)))
    return domain::refuse(domain::ErrorCode::precondition_failed,
                          "The invitation was changed since you read it: read it again.", "If-Match");
  return invitation;
}

Result<ApiAnswer> change(ApiCall& call, const ChangeInput& input) {
  auto invitation = find_to_change(call);
  if (!invitation) return std::unexpected(std::move(invitation.error()));
  domain::InvitationChange change = input.change;
  if (input.roles) {
    const auto roles = domain::find_roles_by_text(call.caller.app, *input.roles, call.transaction);
    if (!roles) return std::unexpected(roles.error());
    change.role_ids.emplace();
    for (const domain::Role& role : *roles) change.role_ids->push_back(role.id);
  }
  const auto changed =
      domain::change_invitation(*std::move(invitation), change, call.caller, call.transaction, call.now);
  if (!changed) return std::unexpected(changed.error());
  return answer_with(*changed, call);
}

Result<ApiAnswer> resend(const Calls& calls, ApiCall& call, bool send) {
  const auto invitation = find_to_change(call);
  if (!invitation) return std::unexpected(invitation.error());
  const auto invited = domain::resend(call.caller, *invitation, send, call.transaction, call.policy, call.now);
  if (!invited) return std::unexpected(invited.error());
  return answer_with(calls, *invited, send, call);
}

Result<ApiAnswer> revoke(ApiCall& call) {
  const auto invitation = find_to_change(call);
  if (!invitation) return std::unexpected(invitation.error());
  const auto revoked = domain::revoke_invitation(call.caller, *invitation, call.transaction, call.now);
  if (!revoked) return std::unexpected(revoked.error());
  return answer_with(*revoked, call);
}

Result<ApiAnswer> show_link(const Calls& calls, ApiCall& call) {
  const auto invitation = find(call);
  if (!invitation) return std::unexpected(invitation.error());
  const auto noted = domain::note_link_shown(call.caller, *invitation, call.transaction, call.now);
  if (!noted) return std::unexpected(noted.error());
  ApiAnswer answer = answer_with(*invitation, call);
  answer.reveal = reveal_link(calls, *invitation);
  return answer;
}

/// From the body, as with_tag.
Response with_location(const Calls& calls, Response response) {
  if (response.status != 201) return response;
  const Json body = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  response.headers.set("Location", url_of(calls, "/invitations/" + body["invitation"]["id"].get<std::string>()));
  return response;
}

}  // namespace

void add_invitation_routes(Router& router, const Calls& calls) {
  const Handler invite =
      handler(calls, read_invite, [calls](ApiCall& call, const auto& input) { return create(calls, call, input); });
  router.add(
      "POST", "/api/v1/invitations",
      [calls, invite](const Request& request) { return with_location(calls, invite(request)); }, with_body());
  router.add(
      "POST", "/api/v1/invitations/bulk", [calls](const Request& request) { return invite_in_bulk(calls, request); },
      with_body());
  router.add("PATCH", "/api/v1/invitations/{id}", handler(calls, read_change, change), with_body());
  router.add("DELETE", "/api/v1/invitations/{id}", handler(calls, read_nothing, revoke), without_body());
  router.add("POST", "/api/v1/invitations/{id}/revoke", handler(calls, read_nothing, revoke), without_body());
  router.add("POST", "/api/v1/invitations/{id}/resend",
             handler(calls, read_resend, [calls](ApiCall& call, bool send) { return resend(calls, call, send); }),
             without_body());
  router.add("POST", "/api/v1/invitations/{id}/link",
             handler(calls, read_nothing, [calls](ApiCall& call) { return show_link(calls, call); }), without_body());
}

}  // namespace invited::http::v1
