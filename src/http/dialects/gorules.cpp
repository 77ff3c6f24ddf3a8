// GoRules BRMS: inviting users, listing invitations and users, sending again; and DELETE of an invitation, which its
// API lacks. A user there exists from the invitation on, an account here only from its acceptance: until then the
// invitation's id is the user's, unless the address has an account already.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/like_pattern.h"
#include "domain/manage_invitations.h"
#include "domain/related_rows.h"
#include "domain/role_alias.h"
#include "http/api/api_calls.h"
#include "http/api/invite_people.h"
#include "http/api/json_answer.h"
#include "http/api/json_input.h"
#include "http/api/name_parts.h"
#include "http/api/query_string.h"
#include "http/dialects/dialects.h"
#include "http/request_policy.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::Invitation;
using domain::InvitationCondition;
using domain::InvitationState;
using domain::Result;
using Kind = InvitationCondition::Kind;

constexpr std::string_view kDialect = "gorules";
constexpr std::size_t kMostAtOnce = 10;
constexpr std::uint32_t kLargestPage = 500;
constexpr std::uint32_t kLastPage = 100'000;

// --- errors ------------------------------------------------------------------------------------------------------

/// The API's description has none; this is how services of its make write them.
Json error_body(int status, std::string_view message, ErrorCode code) {
  return {{"statusCode", status},
          {"message", message},
          {"error", reason_phrase(status)},
          {"code", domain::to_string(code)}};
}

Response write_error(const domain::Error& error) {
  const int status = status_of(error.code);
  Json body = error_body(status, error.message, error.code);
  if (!error.parameter.empty()) body["parameter"] = error.parameter;
  Response response = make_json(status, body);
  add_retry_after(response, error);
  return response;
}

Response render_error_of_listener(int status, std::string_view reason, const Request&) {
  return make_json(status, error_body(status, reason, code_of_status(status)));
}

// --- inputs ------------------------------------------------------------------------------------------------------

struct InviteUsers {
  std::vector<std::string> emails;
};

Result<InviteUsers> read_invite_users(const Request& request) {
  auto input = read_json_object(
      request, [](ObjectReader& body) { return InviteUsers{body.required<std::vector<std::string>>("emails")}; });
  if (input && (input->emails.empty() || input->emails.size() > kMostAtOnce))
    return domain::refuse(ErrorCode::invalid_parameter, "Name 1 to 10 addresses in \"emails\".", "emails");
  return input;
}

/// What the lists are asked with.
struct ListQuery {
  std::string search;
  std::optional<InvitationState> status;
  bool is_service = false;
  std::uint32_t page = 1;
  std::uint32_t per_page = 10;
};

Result<std::string> field_of(const QueryFields& fields, std::string_view name) {
  auto value = single_field(fields, name);
  if (!value) return domain::refuse(ErrorCode::invalid_parameter, value.error(), std::string(name));
  return value->value_or("");
}

Result<std::uint32_t> number_of(const QueryFields& fields, std::string_view name, std::uint32_t otherwise,
                                std::uint32_t most) {
  const auto text = field_of(fields, name);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return otherwise;
  std::uint32_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, number);
  if (problem != std::errc{} || stop != end || number < 1 || number > most)
    return domain::refuse(ErrorCode::invalid_parameter,
                          "\"" + std::string(name) + "\" must be a number from 1 to " + std::to_string(most) + ".",
                          std::string(name));
  return number;
}

Result<ListQuery> read_list_query(const Request& request) {
  const auto fields = parse_query(request.query);
  if (!fields) return domain::refuse(ErrorCode::malformed_request, fields.error());
  const auto search = field_of(*fields, "search");
  const auto status = field_of(*fields, "status");
  const auto is_service = field_of(*fields, "isService");
  const auto page = number_of(*fields, "page", 1, kLastPage);
  const auto per_page = number_of(*fields, "perPage", 10, kLargestPage);
  for (const auto* text : {&search, &status, &is_service})
    if (!*text) return std::unexpected(text->error());
  for (const auto* number : {&page, &per_page})
    if (!*number) return std::unexpected(number->error());
  ListQuery query{*search, std::nullopt, *is_service == "true", *page, *per_page};
  if (!status->empty()) {
    query.status = domain::parse_invitation_state(*status);
    if (!query.status)
      return domain::refuse(ErrorCode::invalid_parameter,
                            "\"status\" is none of pending, accepted, declined, revoked, expired.", "status");
  }
  return query;
}

Result<base::Uuid> id_of(const Request& request, std::string_view name) {
  const auto id = base::Uuid::parse(request.path_parameter(name));
  if (!id) return domain::refuse(ErrorCode::not_found, "The id in the address is not a UUID.", std::string(name));
  return *id;
}

// --- outputs -----------------------------------------------------------------------------------------------------

Json invitation_short(const Invitation& invitation, const std::optional<domain::Account>& account,
                      base::Timestamp now) {
  const InvitationState state = invitation.state_at(now);
  return {{"id", invitation.id.to_string()},
          {"email", invitation.invitee.text()},
          {"status", to_string(state)},
          {"userId", (account ? account->id : invitation.id).to_string()},
          {"createdAt", base::to_rfc3339(invitation.created_at)},
          {"expiresAt", state == InvitationState::pending || state == InvitationState::expired
                            ? Json(base::to_rfc3339(invitation.expires_at))
                            : Json(nullptr)}};
}

Json invitation_short(const InvitedPerson& person, base::Timestamp now) {
  if (person.invitation) return invitation_short(*person.invitation, person.account, now);
  // An operator granted the access: there never was an invitation, but the answer has one for each address.
  return {{"id", person.id().to_string()},
          {"email", person.email.text()},
          {"status", "accepted"},
          {"userId", person.id().to_string()},
          {"createdAt", base::to_rfc3339(person.created_at())},
          {"expiresAt", nullptr}};
}

/// Whoever invites or was invited, as it stands inside an invitation. `account` only where it is one of the
/// environment's people: of others, whom anybody may invite by their address, name and state are not told.
Json person_short(const base::Uuid& id, const domain::EmailAddress& email, const domain::Account* account,
                  std::string_view type) {
  const NameParts name = account != nullptr ? split_name(account->name) : NameParts{};
  return {{"id", id.to_string()},
          {"email", email.text()},
          {"firstName", name.first},
          {"lastName", name.last},
          {"type", type},
          {"status", account != nullptr && account->disabled ? "disabled" : "active"}};
}

/// The invitee's account, where it is one of the environment's people already.
const domain::Account* own_account(const std::optional<domain::Account>& account, const ApiCall& call) {
  const bool is_own = account && call.transaction.has_any_access(account->id, call.caller.environment.id);
  return is_own ? &*account : nullptr;
}

Json invitation_full(const Invitation& invitation, const std::optional<domain::Account>& inviter, ApiCall& call) {
  const auto account = call.transaction.find_account_by_email(invitation.invitee.key());
  Json json = invitation_short(invitation, account, call.now);
  const bool is_accepted = invitation.state == InvitationState::accepted;
  json["acceptedAt"] =
      is_accepted && invitation.settled_at ? Json(base::to_rfc3339(*invitation.settled_at)) : Json(nullptr);
  json["createdBy"] = inviter ? person_short(inviter->id, inviter->email, &*inviter, "member") : Json(nullptr);
  json["user"] = person_short(account ? account->id : invitation.id, invitation.invitee, own_account(account, call),
                              is_accepted ? "member" : "invited");
  json["organisation"] = {{"id", call.caller.app.id.to_string()}, {"name", call.caller.app.name}};
  return json;
}

Json user(Json person, base::Timestamp created_at, const std::vector<domain::Role>& roles) {
  Json list = Json::array();
  for (const domain::Role& role : roles)
    list.push_back({{"id", role.id.to_string()}, {"name", role.name}, {"description", ""}});
  person["createdAt"] = base::to_rfc3339(created_at);
  person["updatedAt"] = person["createdAt"];
  person["isService"] = false;
  person["roles"] = std::move(list);
  return person;
}

Json page_of(Json results, const ListQuery& query, std::uint64_t total) {
  const std::uint64_t before = std::uint64_t{query.page - 1} * query.per_page;
  const std::uint64_t count = results.size();
  return {{"results", std::move(results)},
          {"paginate",
           {{"current", query.page},
            {"from", count == 0 ? 0 : before + 1},
            {"to", count == 0 ? 0 : before + count},
            {"total", total},
            {"pageSize", query.per_page}}}};
}

// --- what is done ------------------------------------------------------------------------------------------------

Result<ApiAnswer> invite_users(ApiCall& call, const InviteUsers& input) {
  const auto role = domain::find_role_by_alias(call.caller.app, kDialect, domain::kDefaultRoleName, call.transaction);
  if (!role) return std::unexpected(role.error());
  ApiAnswer answer;
  const auto people = invite_people(call, input.emails, {*role}, "emails", answer);
  if (!people) return std::unexpected(people.error());
  answer.body = Json::array();
  for (const InvitedPerson& person : *people) answer.body.push_back(invitation_short(person, call.now));
  return answer;
}

/// By the id that invitation_short() gives as `userId`; an invitation that was replaced leads to the one in its place.
Result<ApiAnswer> send_invitation_again(ApiCall& call, const base::Uuid& user_id) {
  const auto named = domain::find_invitation_of(call.caller, user_id, call.transaction);
  const auto account = named ? std::nullopt : call.transaction.find_account(user_id);
  const auto unknown = [&] {
    return domain::refuse(ErrorCode::not_found, "There is no invitation for that user in this environment.", "userId");
  };
  if (!named && !account) return unknown();
  const std::string& key = named ? named->invitee.key() : account->email.key();
  const auto pending = call.transaction.find_pending_invitation(call.caller.environment.id, key);
  if (!pending) {
    if (!named) return unknown();
    return std::unexpected(domain::check_unsettled(*named).error());
  }
  const auto sent = domain::resend(call.caller, *pending, /*send=*/true, call.transaction, call.policy, call.now);
  if (!sent) return std::unexpected(sent.error());
  ApiAnswer answer;
  answer.mail_queued = true;
  answer.body = invitation_short(*sent->invitation, call.transaction.find_account_by_email(key), call.now);
  return answer;
}

Result<ApiAnswer> revoke(ApiCall& call, const base::Uuid& id) {
  const auto known = domain::find_invitation_of(call.caller, id, call.transaction);
  if (!known) return std::unexpected(known.error());
  const auto revoked = domain::revoke_invitation(call.caller, *known, call.transaction, call.now);
  if (!revoked) return std::unexpected(revoked.error());
  return ApiAnswer{204, {}};
}

domain::InvitationQuery query_of(const ApiCall& call, const std::vector<InvitationState>& states,
                                 const std::string& search) {
  const auto is_state = [](InvitationState state) {
    return InvitationCondition::compare(domain::InvitationField::state, domain::Comparison::equal, state);
  };
  std::vector<InvitationCondition> any;
  any.reserve(states.size());
  for (const InvitationState state : states) any.push_back(is_state(state));
  std::vector<InvitationCondition> all{InvitationCondition::of(Kind::any, std::move(any))};
  if (!search.empty()) {
    all.push_back(InvitationCondition::compare(domain::InvitationField::email, domain::Comparison::like,
                                               domain::pattern_holding(search)));
  }
  return {.environment_id = call.caller.environment.id,
          .now = call.now,
          .condition = InvitationCondition::of(Kind::all, std::move(all))};
}

Result<ApiAnswer> list_invitations(ApiCall& call, const ListQuery& input) {
  const std::vector<InvitationState> states =
      input.status ? std::vector{*input.status} : std::vector{InvitationState::pending, InvitationState::accepted};
  const auto query = query_of(call, states, input.search);
  Json results = Json::array();
  const domain::Page page{input.per_page, (input.page - 1) * input.per_page};
  const domain::RelatedRows related(call.transaction);
  for (const Invitation& invitation : call.transaction.query_invitations(query, page))
    results.push_back(invitation_full(invitation, related.account(invitation.inviter_id), call));
  return ApiAnswer{200, page_of(std::move(results), input, call.transaction.count_invitations(query))};
}

/// People with access first, then those who were invited.
Result<ApiAnswer> list_users(ApiCall& call, const ListQuery& input) {
  Json results = Json::array();
  if (input.is_service) return ApiAnswer{200, page_of(std::move(results), input, 0)};  // there are none here
  const base::Uuid& environment = call.caller.environment.id;
  auto invited = query_of(call, {InvitationState::pending}, input.search);
  invited.only_newcomers = true;  // who is in and invited to more roles is one user
  const std::uint64_t people = call.transaction.count_people(environment, input.search);
  const std::uint64_t total = people + call.transaction.count_invitations(invited);
  const std::uint64_t offset = std::uint64_t{input.page - 1} * input.per_page;
  if (offset < people)
    for (const domain::Account& account :
         call.transaction.list_people(environment, input.search, {input.per_page, static_cast<std::uint32_t>(offset)}))
      results.push_back(user(person_short(account.id, account.email, &account, "member"), account.created_at,
                             call.transaction.list_roles_of(account.id, environment)));
  if (results.size() < input.per_page) {
    const domain::Page rest{input.per_page - static_cast<std::uint32_t>(results.size()),
                            static_cast<std::uint32_t>(offset < people ? 0 : offset - people)};
    const domain::RelatedRows related(call.transaction);
    for (const Invitation& invitation : call.transaction.query_invitations(invited, rest)) {
      const auto account = call.transaction.find_account_by_email(invitation.invitee.key());
      std::vector<domain::Role> roles;
      for (const base::Uuid& id : invitation.role_ids())
        if (const auto& role = related.role(call.caller.app.id, id)) roles.push_back(*role);
      results.push_back(user(person_short(account ? account->id : invitation.id, invitation.invitee,
                                          own_account(account, call), "invited"),
                             invitation.created_at, roles));
    }
  }
  return ApiAnswer{200, page_of(std::move(results), input, total)};
}

}  // namespace

void add_gorules_routes(Router& router, domain::Context& context) {
  const auto calls = std::make_shared<const ApiCalls>(context, write_error);
  const RouteOptions options = api_route_options(render_error_of_listener, ApiBody::none);
  const RouteOptions with_body = api_route_options(render_error_of_listener, ApiBody::json);

  router.add_error_renderer("/api/", render_error_of_listener);
  router.add(
      "POST", "/api/users",
      [calls](const Request& request) {
        const auto input = read_invite_users(request);
        if (!input) return calls->refuse_input(request, calls->refuse(input.error()));
        return calls->write(
            request, [&](ApiCall& call) { return invite_users(call, *input); },
            domain::foresee_invitees(input->emails));
      },
      with_body);
  const auto listing = [calls](Result<ApiAnswer> (*list)(ApiCall&, const ListQuery&)) {
    return [calls, list](const Request& request) {
      const auto query = read_list_query(request);
      if (!query) return calls->refuse_input(request, calls->refuse(query.error()));
      return calls->read(request, [&](ApiCall& call) { return list(call, *query); });
    };
  };
  router.add("GET", "/api/users", listing(list_users), options);
  router.add("GET", "/api/invitations", listing(list_invitations), options);
  const auto changing = [calls](std::string_view parameter, Result<ApiAnswer> (*change)(ApiCall&, const base::Uuid&)) {
    return [calls, parameter, change](const Request& request) {
      const auto id = id_of(request, parameter);
      if (!id) return calls->refuse_input(request, calls->refuse(id.error()));
      return calls->write(request, [&](ApiCall& call) { return change(call, *id); });
    };
  };
  router.add("POST", "/api/users/{userId}/invitation", changing("userId", send_invitation_again), options);
  router.add("DELETE", "/api/invitations/{id}", changing("id", revoke), options);
}

}  // namespace invited::http
