// What the environment is and who is in it: /api/v1/environments, roles, accounts, access, audit-events.
#include <algorithm>
#include <utility>
#include <vector>

#include "domain/environment_people.h"
#include "http/dialects/v1.h"
#include "http/dialects/v1_json.h"

namespace invited::http::v1 {
namespace {

using domain::ErrorCode;
using domain::Result;

/// A GET that takes no parameters.
Handler get(const Calls& calls, Result<ApiAnswer> (*work)(ApiCall&)) {
  return [calls, work](const Request& request) {
    if (const auto input = read_nothing(request); !input)
      return calls->refuse_input(request, to_response(input.error()));
    return answer_get(calls, request, work);
  };
}

/// The lists that are read in parts: what the entries are called, how the next `limit` are found, and where one stands.
struct Accounts {
  using Position = base::Uuid;
  static constexpr std::string_view kName = "accounts";
  static constexpr bool kSearches = true;
  static std::vector<domain::Account> find(const ApiCall& call, const Listing<Position>& listing, std::uint32_t limit) {
    const base::Uuid& environment = call.caller.environment.id;
    return listing.behind ? call.transaction.list_people_behind(environment, listing.search, *listing.behind, limit)
                          : call.transaction.list_people(environment, listing.search, {.limit = limit, .offset = 0});
  }
  static Position position(const domain::Account& account, const Listing<Position>&, std::size_t) { return account.id; }
};

struct AccessEntries {
  using Position = domain::Access;
  static constexpr std::string_view kName = "access";
  static constexpr bool kSearches = false;
  static std::vector<domain::AccessEntry> find(const ApiCall& call, const Listing<Position>& listing,
                                               std::uint32_t limit) {
    if (!listing.behind) return call.transaction.list_access(call.caller.environment.id, {.limit = limit, .offset = 0});
    domain::Access last = *listing.behind;
    last.environment_id = call.caller.environment.id;
    return call.transaction.list_access_behind(last, limit);
  }
  static Position position(const domain::AccessEntry& entry, const Listing<Position>&, std::size_t) {
    return entry.access;
  }
};

/// By their number: new ones come in front, so that some may come again, and none is passed over.
struct AuditEvents {
  using Position = std::uint32_t;
  static constexpr std::string_view kName = "audit_events";
  static constexpr bool kSearches = false;
  static std::vector<domain::AuditEvent> find(const ApiCall& call, const Listing<Position>& listing,
                                              std::uint32_t limit) {
    return call.transaction.list_audit_events_of(call.caller.environment.id,
                                                 {.limit = limit, .offset = listing.behind.value_or(0)});
  }
  static Position position(const domain::AuditEvent&, const Listing<Position>& listing, std::size_t shown) {
    return listing.behind.value_or(0) + static_cast<Position>(shown);
  }
};

template <class List>
Handler get_list(const Calls& calls) {
  return [calls](const Request& request) {
    const auto listing = read_listing<typename List::Position>(request, List::kSearches);
    if (!listing) return calls->refuse_input(request, to_response(listing.error()));
    return answer_get(calls, request, [&](ApiCall& call) -> Result<ApiAnswer> {
      const auto found = List::find(call, *listing, listing->limit + 1);  // one more: is there a next part?
      const std::size_t shown = std::min<std::size_t>(found.size(), listing->limit);
      const std::string name(List::kName);
      ApiAnswer answer{200, {{name, Json::array()}, {"next", nullptr}}};
      for (std::size_t i = 0; i < shown; ++i) answer.body[name].push_back(to_json(found[i]));
      if (found.size() > shown) {
        const std::string cursor = cursor_behind(List::position(found[shown - 1], *listing, shown));
        answer.body["next"] = cursor;
        const std::string url = next_url(request, url_of(calls, request.path.substr(kRoot.size())), cursor);
        answer.headers.emplace_back("Link", '<' + url + ">; rel=\"next\"");
      }
      return answer;
    });
  };
}

Json environment_of(const ApiCall& call) { return to_json(call.caller.environment, call.caller.app, call.policy); }

Result<ApiAnswer> list_environments(ApiCall& call) {
  return ApiAnswer{200, {{"environments", Json::array({environment_of(call)})}}};
}

Result<ApiAnswer> show_environment(ApiCall& call) {
  const auto id = id_in_path(call.request, "environment");
  if (!id) return std::unexpected(id.error());
  if (*id != call.caller.environment.id)
    return domain::refuse(ErrorCode::not_found, "The API token is for another environment, or there is none such.",
                          "id");
  return ApiAnswer{200, {{"environment", environment_of(call)}}};
}

Result<ApiAnswer> list_roles(ApiCall& call) {
  Json roles = Json::array();
  for (const domain::Role& role : call.transaction.list_roles(call.caller.app.id)) {
    Json json = to_json(role);
    json["grantable"] = domain::check_grant(call.caller, {role}, call.transaction).has_value();
    roles.push_back(std::move(json));
  }
  return ApiAnswer{200, {{"roles", std::move(roles)}}};
}

Result<ApiAnswer> show_account(ApiCall& call) {
  const auto id = id_in_path(call.request, "account");
  if (!id) return std::unexpected(id.error());
  const auto account = domain::find_person_of(call.caller, *id, call.transaction);
  if (!account) return std::unexpected(account.error());
  Json json = to_json(*account);
  json["roles"] = Json::array();
  for (const domain::Role& role : call.transaction.list_roles_of(account->id, call.caller.environment.id))
    json["roles"].push_back(to_json(role));
  return ApiAnswer{200, {{"account", std::move(json)}}};
}

Handler change_access(const Calls& calls, decltype(domain::give_role)* change) {
  return [calls, change](const Request& request) {
    const auto input = read_role_of(request);
    if (!input) return calls->refuse_input(request, to_response(input.error()));
    return calls->write(request, [&](ApiCall& call) -> Result<ApiAnswer> {
      const auto done = change(call.caller, input->email, input->role, call.transaction, call.now);
      if (!done) return std::unexpected(done.error());
      ApiAnswer answer{200, {{"access", to_json(done->account, done->role)}, {"changed", done->access.changed}}};
      answer.refresh_queued = done->access.changed;
      return answer;
    });
  };
}

}  // namespace

void add_people_routes(Router& router, const Calls& calls) {
  router.add("GET", "/api/v1/environments", get(calls, list_environments), with_body());
  router.add("GET", "/api/v1/environments/{id}", get(calls, show_environment), with_body());
  router.add("GET", "/api/v1/roles", get(calls, list_roles), with_body());
  router.add("GET", "/api/v1/accounts", get_list<Accounts>(calls), with_body());
  router.add("GET", "/api/v1/accounts/{id}", get(calls, show_account), with_body());
  router.add("GET", "/api/v1/access", get_list<AccessEntries>(calls), with_body());
  router.add("PUT", "/api/v1/access", change_access(calls, domain::give_role), with_body());
  router.add("DELETE", "/api/v1/access", change_access(calls, domain::take_role), without_body());
  router.add("GET", "/api/v1/audit-events", get_list<AuditEvents>(calls), with_body());
}

}  // namespace invited::http::v1
