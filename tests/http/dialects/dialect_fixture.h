// A program with an API token that calls a router with every JSON front door, over a real store.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/api_token.h"
#include "domain/role_alias.h"
#include "domain/use_case_fixture.h"
#include "http/api/strict_json.h"
#include "http/dialects/dialects.h"

namespace invited::http {

struct Answer {
  int status = 0;
  Headers headers;
  std::string text;
  Json json;  ///< discarded where it is none

  std::string code() const { return json.is_object() && json.contains("code") ? json["code"].get<std::string>() : ""; }
};

class DialectTest : public domain::UseCaseTest {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  DialectTest() {
    policy_.environment_per_day = policy_.environment_per_second = 0;
    policy_.inviter_per_hour = policy_.inviter_per_day = 0;
    add_v1_routes(router_, *context_);
    add_gorules_routes(router_, *context_);
    add_base44_routes(router_, *context_);
    add_medusa_routes(router_, *context_);
    token_ = make_token();
  }

  /// A token of the fixture's environment and inviter; `ceiling`: what it may grant.
  std::string make_token(std::vector<base::Uuid> ceiling = {}, bool may_see_links = false) {
    const base::Secret text = domain::make_api_token();
    write([&](domain::Transaction& t) -> domain::Result<void> {
      t.insert(domain::ApiToken{.id = base::Uuid::ordered(now()),
                                .hash = domain::hash_api_token(authenticator_->pepper(), text.reveal()),
                                .name = "test",
                                .environment_id = environment_.id,
                                .account_id = inviter_->id,
                                .role_ceiling = std::move(ceiling),
                                .may_see_links = may_see_links,
                                .created_at = now(),
                                .expires_at = std::nullopt,
                                .revoked_at = std::nullopt,
                                .last_used_at = std::nullopt});
      return {};
    });
    return std::string(text.reveal());
  }

  void map(std::string_view dialect, std::string_view name, const domain::Role& role) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      EXPECT_TRUE(domain::map_role(app_, dialect, name, role.id, t, now()));
      return {};
    });
  }

  /// With the fixture's token, unless `fields` hold an Authorization (an empty one: none).
  Answer call(std::string_view method, std::string_view target, std::string body = "", Fields fields = {}) {
    Request request;
    request.method = method;
    request.client_address = "192.0.2.1";
    request.body = std::move(body);
    bool is_anonymous = false;
    for (const auto& [name, value] : fields) {
      if (name == "Authorization" && value.empty())
        is_anonymous = true;
      else
        request.headers.add(name, value);
    }
    if (!is_anonymous && !request.headers.find("Authorization"))
      request.headers.add("Authorization", "Bearer " + token_);
    const auto parsed = parse_target(target);
    if (!parsed) return {404, {}, {}, {}};
    request.path = parsed->path;
    request.query = parsed->query;
    request.has_query = parsed->has_query;
    auto match = router_.match(method, request.path);
    if (match.route == nullptr) return {match.allow.empty() ? 404 : 405, {}, {}, {}};
    request.path_parameters = std::move(match.path_parameters);
    Response response = match.route->handler(request);
    Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    return {response.status, std::move(response.headers), std::move(response.body), std::move(json)};
  }

  domain::Invitation find(const std::string& id) {
    for (const auto& invitation : invitations())
      if (invitation.id.to_string() == id) return invitation;
    ADD_FAILURE() << "no invitation " << id;
    return invitations().front();
  }

  /// The invitee signs up and has the role.
  void accept(const std::string& id) {
    const auto accepted = domain::accept_invitation(sign_up(token_of(find(id))), *context_);
    ASSERT_TRUE(accepted) << accepted.error().message;
  }

  Router router_;
  std::string token_;
};

}  // namespace invited::http
