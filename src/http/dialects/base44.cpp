// Base44 (@base44/sdk): users.inviteUser, auth.inviteUser, and the bulk call of its REST API. The app's id in the path
// may be anything: the token says which app and environment. The two invite calls have two addresses, and may mean
// different things by "admin": each has names for roles of its own.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/role_alias.h"
#include "http/api/api_calls.h"
#include "http/api/invite_people.h"
#include "http/api/json_answer.h"
#include "http/api/json_input.h"
#include "http/dialects/dialects.h"

namespace invited::http {
namespace {

using domain::Result;

/// What the SDK prints is `message`; what it cannot find there it takes from `detail`, which must be a text too.
Response write_error(const domain::Error& error) {
  Response response =
      make_json(status_of(error.code),
                {{"message", error.message}, {"detail", error.message}, {"code", domain::to_string(error.code)}});
  add_retry_after(response, error);
  return response;
}

Response render_error_of_listener(int status, std::string_view reason, const Request&) {
  return make_json(status,
                   {{"message", reason}, {"detail", reason}, {"code", domain::to_string(code_of_status(status))}});
}

struct InviteUsers {
  std::vector<std::string> emails;
  std::string role;
};

Result<InviteUsers> read_one(const Request& request) {
  return read_json_object(request, [](ObjectReader& body) {
    return InviteUsers{{body.required<std::string>("user_email")}, body.required<std::string>("role")};
  });
}

constexpr std::size_t kMostAtOnce = 100;

Result<InviteUsers> read_several(const Request& request) {
  auto input = read_json_object(request, [](ObjectReader& body) {
    return InviteUsers{body.required<std::vector<std::string>>("user_emails"), body.required<std::string>("role")};
  });
  if (input && (input->emails.empty() || input->emails.size() > kMostAtOnce))
    return domain::refuse(domain::ErrorCode::invalid_parameter, "Name 1 to 100 addresses in \"user_emails\".",
                          "user_emails");
  return input;
}

/// A person who has access already is answered as one who was invited: the SDK's users go by `id`.
Json to_json(const InvitedPerson& person, const std::string& role) {
  return {{"id", person.id().to_string()},
          {"user_email", person.email.text()},
          {"email", person.email.text()},
          {"role", role},
          {"status", person.has_access() ? "accepted" : "pending"},
          {"created_date", base::to_rfc3339(person.created_at())},
          {"expires_at", person.has_access() ? Json(nullptr) : Json(base::to_rfc3339(person.invitation->expires_at))}};
}

using ReadInput = Result<InviteUsers> (*)(const Request&);

/// `dialect` is whose names for roles count.
Handler inviting(std::shared_ptr<const ApiCalls> calls, std::string_view dialect, ReadInput read_input) {
  return [calls = std::move(calls), dialect, read_input](const Request& request) {
    const auto input = read_input(request);
    if (!input) return calls->refuse_input(request, calls->refuse(input.error()));
    const auto work = [&](ApiCall& call) -> Result<ApiAnswer> {
      const auto role = domain::find_role_by_alias(call.caller.app, dialect, input->role, call.transaction);
      if (!role) return std::unexpected(role.error());
      ApiAnswer answer;
      const auto people = invite_people(call, input->emails, {*role}, "user_email", answer);
      if (!people) return std::unexpected(people.error());
      if (read_input == read_one) {
        answer.body = to_json(people->front(), input->role);
        return answer;
      }
      Json list = Json::array();
      for (const InvitedPerson& person : *people) list.push_back(to_json(person, input->role));
      answer.body = {{"invitations", std::move(list)}, {"count", people->size()}};
      return answer;
    };
    return calls->write(request, work, domain::foresee_invitees(input->emails));
  };
}

/// Whom the token stands for: pages ask before they show anything.
Handler telling_who_calls(std::shared_ptr<const ApiCalls> calls) {
  return [calls = std::move(calls)](const Request& request) {
    return calls->read(request, [](ApiCall& call) -> Result<ApiAnswer> {
      const domain::Account& account = call.caller.account;
      return ApiAnswer{200,
                       {{"id", account.id.to_string()},
                        {"email", account.email.text()},
                        {"full_name", account.name},
                        {"created_date", base::to_rfc3339(account.created_at)}}};
    });
  };
}

}  // namespace

void add_base44_routes(Router& router, domain::Context& context) {
  const auto calls = std::make_shared<const ApiCalls>(context, write_error);
  const RouteOptions options = api_route_options(render_error_of_listener, ApiBody::none);
  const RouteOptions with_body = api_route_options(render_error_of_listener, ApiBody::json);
  router.add_error_renderer("/api/apps/", render_error_of_listener);
  const std::string app = "/api/apps/{appId}";
  router.add("POST", app + "/runtime/users/invite-user", inviting(calls, "base44-runtime", read_one), with_body);
  router.add("POST", app + "/users/invite-user", inviting(calls, "base44", read_one), with_body);
  router.add("POST", app + "/users/invite-users", inviting(calls, "base44", read_several), with_body);
  // What the SDK calls by itself in a browser, and must not wait for.
  router.add("GET", app + "/entities/User/me", telling_who_calls(calls), options);
  RouteOptions dropped = options;
  dropped.runs_at_once = true;
  router.add(
      "POST", app + "/analytics/track/batch", [](const Request&) { return make_response(204, "application/json", ""); },
      dropped);
}

}  // namespace invited::http
