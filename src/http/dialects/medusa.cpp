// Medusa (@medusajs/js-sdk, 2.x): /admin/invites. Also below /environments/{environment}, for people who belong to
// several.
#include <array>
#include <memory>

#include "domain/answer_invitation.h"
#include "domain/invite.h"
#include "domain/manage_invitations.h"
#include "domain/member.h"
#include "domain/role_alias.h"
#include "http/api/api_calls.h"
#include "http/api/json_answer.h"
#include "http/api/object_reader.h"
#include "http/api/query_string.h"
#include "http/dialects/dialects.h"
#include "http/dialects/medusa_auth.h"
#include "http/dialects/medusa_query.h"
#include "http/dialects/medusa_shapes.h"
#include "http/dialects/medusa_tokens.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::Invitation;
using domain::refuse;
using domain::Result;

constexpr std::size_t kMostIssuesTold = 3;
constexpr std::array<std::string_view, 2> kPrefixes{"", "/environments/{environment}"};

Response invalid_data(std::string_view message) { return medusa_error(400, "invalid_data", message); }

std::string describe_issue(const FieldIssue& issue) {
  const std::string path = issue.dotted_path();
  switch (issue.kind) {
    case FieldIssue::Kind::missing:
      return "Field '" + path + "' is required";
    case FieldIssue::Kind::unknown: {
      std::string names;
      for (const std::string& name : issue.names) names += (names.empty() ? "" : ", ") + name;
      return "Unrecognized fields: '" + names + "'";
    }
    case FieldIssue::Kind::null:
    case FieldIssue::Kind::wrong_type:
      break;
  }
  const std::string got = issue.got.is_string() ? issue.got.get<std::string>() : issue.got.dump();
  return "Expected type: '" + std::string(issue.expected) + "' for field '" + path + "', got: '" + got + "'";
}

Response invalid_request(const FieldIssues& issues) {
  std::string message = "Invalid request: ";
  for (std::size_t i = 0; i < issues.size() && i < kMostIssuesTold; ++i)
    message += (i > 0 ? "; " : "") + describe_issue(issues[i]);
  return invalid_data(message);
}

/// An empty body stands for no members.
std::expected<Json, Response> read_body(const Request& request) {
  if (request.body.empty()) return Json::object();
  auto body = parse_json(request.body);
  if (!body) return std::unexpected(invalid_data("Invalid request: " + body.error().to_string()));
  return *std::move(body);
}

ApiAnswer invite_answer(const Invitation& invitation, const ApiCall& call, const std::string& fields,
                        const domain::TokenKeys& keys) {
  ApiAnswer answer{200,
                   {{"invite", invite_fields(fields).apply(medusa_invite(invitation, call.caller.app,
                                                                         domain::RelatedRows(call.transaction)))}}};
  if (call.caller.may_see_links)
    answer.reveal = [invitation, &keys](Json& body) {
      if (body["invite"].contains("token")) body["invite"]["token"] = make_invite_token(keys, invitation);
    };
  return answer;
}

Result<std::vector<domain::Role>> find_named_roles(const std::optional<std::vector<std::string>>& names,
                                                   const ApiCall& call) {
  if (!names || names->empty()) {
    auto role = domain::find_role_by_alias(call.caller.app, kMedusaDialect, domain::kDefaultRoleName, call.transaction);
    if (!role) return std::unexpected(std::move(role.error()));
    return std::vector{*std::move(role)};
  }
  std::vector<base::Uuid> ids;
  std::string unknown;
  for (const std::string& name : *names) {
    const auto role = domain::find_role_by_alias(call.caller.app, kMedusaDialect, name, call.transaction);
    if (role)
      ids.push_back(role->id);
    else
      unknown += (unknown.empty() ? "" : ", ") + name;
  }
  if (!unknown.empty()) return refuse(ErrorCode::unknown_role, "The following role IDs do not exist: " + unknown);
  return domain::find_roles(call.caller.app, ids, call.transaction);
}

struct CreateInput {
  std::string email;
  std::optional<std::vector<std::string>> roles;
  std::string metadata;
};

/// With other roles than Medusa's alone nobody is its user: they could not sign in there.
bool is_user_already(const domain::InvitePlan& plan, const ApiCall& call) {
  if (!plan.invitee) return false;
  const domain::Environment& environment = call.caller.environment;
  return plan.effect == domain::InviteEffect::has_access_already ||
         (plan.invitee->disabled && call.transaction.has_any_access(plan.invitee->id, environment.id)) ||
         domain::is_member(*plan.invitee, environment, kMedusaDialect, call.transaction);
}

Result<Invitation> create_in_transaction(const CreateInput& input, const ApiCall& call) {
  auto roles = find_named_roles(input.roles, call);
  if (!roles) return std::unexpected(std::move(roles.error()));
  const auto invite = domain::check_invite(
      call.caller.app, {.email = input.email, .metadata = input.metadata, .redirect_url = {}}, *std::move(roles));
  if (!invite) return std::unexpected(invite.error());
  const auto plan = domain::plan_invite(call.caller, *invite, call.transaction, call.policy, call.now);
  if (!plan) return std::unexpected(plan.error());
  if (is_user_already(*plan, call))
    return refuse(ErrorCode::invalid_parameter,
                  "User account for following email(s) already exist: " + invite->invitee.text());
  if (plan->pending)  // also where it is over
    return refuse(ErrorCode::invalid_parameter, "Invite with email: " + invite->invitee.text() + ", already exists.");
  auto invited = domain::carry_out(*plan, call.caller, *invite, call.transaction, call.policy, call.now);
  if (!invited) return std::unexpected(std::move(invited.error()));
  return *std::move(invited->invitation);
}

Response create(const ApiCalls& calls, const Request& request) {
  const auto fields = parse_medusa_fields(request);
  if (!fields) return invalid_data(fields.error());
  const auto body = read_body(request);
  if (!body) return body.error();
  FieldIssues issues;
  ObjectReader reader(*body, issues);
  CreateInput input;
  input.email = reader.required<std::string>("email");
  input.roles = reader.nullable<std::vector<std::string>>("roles");
  if (const auto metadata = reader.nullable<Json>("metadata")) input.metadata = metadata->dump();
  reader.refuse_others();
  if (!issues.empty()) return invalid_request(issues);
  return calls.write(request, [&](ApiCall& call) -> Result<ApiAnswer> {
    const auto invitation = create_in_transaction(input, call);
    if (!invitation) return std::unexpected(invitation.error());
    ApiAnswer answer = invite_answer(*invitation, call, *fields, calls.context().token_keys);
    answer.mail_queued = true;
    return answer;
  });
}

Response list(const ApiCalls& calls, const Request& request) {
  const auto asked = parse_medusa_query(request);
  if (!asked) return invalid_data(asked.error());
  return calls.read(request, [&](ApiCall& call) -> Result<ApiAnswer> {
    const domain::InvitationQuery query{.environment_id = call.caller.environment.id,
                                        .now = call.now,
                                        .condition = asked->condition,
                                        .order = asked->order,
                                        .descending = asked->descending};
    const FieldChoice fields = invite_fields(asked->fields);
    Json invites = Json::array();
    const domain::RelatedRows related(call.transaction);
    for (const Invitation& invitation : call.transaction.query_invitations(query, asked->page))
      invites.push_back(fields.apply(medusa_invite(invitation, call.caller.app, related)));
    return ApiAnswer{200,
                     {{"invites", std::move(invites)},
                      {"count", call.transaction.count_invitations(query)},
                      {"offset", asked->page.offset},
                      {"limit", asked->page.limit}}};
  });
}

/// One that Medusa would not have deleted yet; nothing where there is none of that id.
std::optional<Invitation> find_undeleted(const Request& request, const ApiCall& call) {
  const auto id = parse_medusa_id(MedusaKind::invite, request.path_parameter("id"));
  if (!id) return std::nullopt;
  auto invitation = domain::find_invitation_of(call.caller, *id, call.transaction);
  if (!invitation || invitation->state != domain::InvitationState::pending) return std::nullopt;
  return *std::move(invitation);
}

Response retrieve(const ApiCalls& calls, const Request& request) {
  const auto fields = parse_medusa_fields(request);
  if (!fields) return invalid_data(fields.error());
  return calls.read(request, [&](ApiCall& call) -> Result<ApiAnswer> {
    const auto invitation = find_undeleted(request, call);
    if (!invitation)
      return refuse(ErrorCode::not_found,
                    "Invite with id: " + std::string(request.path_parameter("id")) + " was not found");
    return invite_answer(*invitation, call, *fields, calls.context().token_keys);
  });
}

Response resend(const ApiCalls& calls, const Request& request) {
  const auto fields = parse_medusa_fields(request);
  if (!fields) return invalid_data(fields.error());
  return calls.write(request, [&](ApiCall& call) -> Result<ApiAnswer> {
    const auto invitation = find_undeleted(request, call);
    if (!invitation)
      return refuse(ErrorCode::invalid_parameter,
                    "The following invites do not exist: " + std::string(request.path_parameter("id")));
    const auto sent = domain::resend(call.caller, *invitation, /*send=*/true, call.transaction, call.policy, call.now);
    if (!sent) return std::unexpected(sent.error());
    if (call.caller.may_see_links)  // its token is in the answer
      call.transaction.end_older_links(sent->invitation->id, sent->invitation->generation, call.now);
    ApiAnswer answer = invite_answer(*sent->invitation, call, *fields, calls.context().token_keys);
    answer.mail_queued = true;
    return answer;
  });
}

Response remove(const ApiCalls& calls, const Request& request) {
  return calls.write(request, [&](ApiCall& call) -> Result<ApiAnswer> {
    if (const auto invitation = find_undeleted(request, call)) {
      const auto revoked = domain::revoke_invitation(call.caller, *invitation, call.transaction, call.now);
      if (!revoked) return std::unexpected(revoked.error());
    }
    return ApiAnswer{200, {{"id", std::string(request.path_parameter("id"))}, {"object", "invite"}, {"deleted", true}}};
  });
}

struct AcceptInput {
  std::optional<std::string> email, first_name, last_name;
};

/// Whether the account is a user already where the invitation is to.
Result<bool> is_user_already(const domain::TokenSubject& subject, const domain::Account& account,
                             domain::Context& context) {
  return domain::read_returning(context.store, [&](domain::Transaction& transaction) -> Result<bool> {
    const auto invitation = transaction.find_invitation(subject.invitation_id);
    const auto environment = invitation ? transaction.find_environment(invitation->environment_id) : std::nullopt;
    return environment && domain::is_member(account, *environment, kMedusaDialect, transaction);
  });
}

Response accept_as(const domain::TokenSubject& subject, const MedusaIdentity& identity, const AcceptInput& input,
                   bool is_repeatable, domain::Context& context) {
  domain::KnownInvitee person{.email = identity.account ? identity.account->email : identity.registration->email,
                              .name = input.first_name.value_or(""),
                              .password_hash = {},
                              .account_id = std::nullopt};
  // The invitee cannot change the address (Medusa lets them; an open security issue there).
  if (input.email) {
    const auto email = domain::EmailAddress::parse(*input.email);
    if (!email || !(*email == person.email)) return medusa_unauthorized();
  }
  if (input.last_name) person.name += (person.name.empty() ? "" : " ") + *input.last_name;
  if (identity.account) {
    const auto is_user = is_user_already(subject, *identity.account, context);
    if (!is_user) return medusa_error(is_user.error());
    person.account_id = identity.account->id;
    if (*is_user && !(is_repeatable && domain::find_accepted_as(subject, person, context)))
      return invalid_data("The user is already authenticated and cannot accept an invite.");
  } else {
    person.password_hash = identity.registration->password_hash;
    if (person.name.empty()) person.name = person.email.text().substr(0, person.email.text().find('@'));
  }
  auto account = domain::accept_as(subject, person, context);
  if (!account && account.error().code == ErrorCode::link_not_valid && is_repeatable)
    account = domain::find_accepted_as(subject, person, context);
  if (account) return make_json(200, {{"user", medusa_user(*account, input.first_name, input.last_name)}});
  return account.error().code == ErrorCode::link_not_valid ? medusa_unauthorized() : medusa_error(account.error());
}

Response accept(domain::Context& context, const Request& request) {
  const auto body = read_body(request);
  if (!body) return body.error();
  FieldIssues issues;
  ObjectReader reader(*body, issues);
  AcceptInput input;
  input.email = reader.nullable<std::string>("email");
  input.first_name = reader.nullable<std::string>("first_name");
  input.last_name = reader.nullable<std::string>("last_name");
  reader.refuse_others();
  if (!issues.empty()) return invalid_request(issues);

  const auto identity = find_medusa_identity(request, context);
  if (!identity) return medusa_error(identity.error());
  const auto parameters = parse_query(request.query);
  const auto token = parameters ? single_field(*parameters, "token").value_or(std::nullopt) : std::nullopt;
  const auto subject = token ? check_invite_token(context.token_keys, *token) : std::nullopt;
  if (!subject) {
    if (const auto wait = context.wrong_links.attempt(domain::limited_as(request.client_address), context.clock.now()))
      return medusa_error({ErrorCode::rate_limited,
                           "Too many tokens that are not valid.",
                           {},
                           std::chrono::ceil<std::chrono::seconds>(*wait)});
    return medusa_unauthorized();
  }
  // With an Idempotency-Key whoever accepted is answered again. Without, a second time is refused, as Medusa does.
  const bool is_repeatable = request.headers.count("Idempotency-Key") == 1;
  return accept_as(*subject, *identity, input, is_repeatable, context);
}

}  // namespace

void add_medusa_routes(Router& router, domain::Context& context) {
  const auto calls = std::make_shared<const ApiCalls>(
      context, [](const domain::Error& error) { return medusa_error(error); }, authenticate_medusa);
  const RouteOptions with_body = api_route_options(render_medusa_error, ApiBody::json);
  const RouteOptions without_body = api_route_options(render_medusa_error, ApiBody::none);
  for (const char* prefix : {"/admin/", "/auth/"}) router.add_error_renderer(prefix, render_medusa_error);
  using Endpoint = Response (*)(const ApiCalls&, const Request&);
  for (const std::string_view prefix : kPrefixes) {
    const std::string invites = std::string(prefix) + "/admin/invites";
    const auto add = [&](const char* method, const std::string& path, Endpoint endpoint, const RouteOptions& options) {
      router.add(
          method, path, [calls, endpoint](const Request& request) { return endpoint(*calls, request); }, options);
    };
    add("POST", invites, create, with_body);
    add("GET", invites, list, without_body);
    router.add(
        "POST", invites + "/accept", [&context](const Request& request) { return accept(context, request); },
        with_body);
    add("GET", invites + "/{id}", retrieve, without_body);
    add("DELETE", invites + "/{id}", remove, without_body);
    add("POST", invites + "/{id}/resend", resend, without_body);
    add_medusa_auth_routes(router, std::string(prefix), context);
  }
}

}  // namespace invited::http
