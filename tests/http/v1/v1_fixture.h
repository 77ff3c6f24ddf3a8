// A program with an API token that calls /api/v1, over a real store, without sockets.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/api_token.h"
#include "domain/use_case_fixture.h"
#include "http/api/strict_json.h"
#include "http/dialects/dialects.h"
#include "http/router.h"

namespace invited::http {

struct ApiAnswerSeen {
  int status = 0;
  Headers headers;
  std::string text;
  Json json;  ///< discarded where it is none
};

/// Calls a router as a client of the JSON front doors does.
class ApiClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  ApiClient(const Router& router, std::string token) : router_(router), token_(std::move(token)) {}

  ApiAnswerSeen call(std::string_view method, std::string_view target, std::string body = {},
                     const Fields& fields = {}) const {
    Request request;
    request.method = method;
    request.client_address = address;
    if (!token_.empty()) request.headers.add("Authorization", "Bearer " + token_);
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    for (const auto& [name, value] : fields) request.headers.set(name, value);
    request.body = std::move(body);
    const auto parsed = parse_target(target);
    if (!parsed) return {400, {}, {}, {}};
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

  ApiAnswerSeen get(std::string_view target, const Fields& fields = {}) const {
    return call("GET", target, {}, fields);
  }
  ApiAnswerSeen post(std::string_view target, const Json& body, const Fields& fields = {}) const {
    return call("POST", target, body.dump(), fields);
  }

  std::string address = "192.0.2.1";

 private:
  const Router& router_;
  std::string token_;
};

class V1Test : public domain::UseCaseTest {
 protected:
  V1Test() {
    add_v1_routes(router_, *context_);
    write([&](domain::Transaction& t) -> domain::Result<void> {
      app_.redirect_urls = {"https://planner.example.org/welcome"};
      t.update(app_);
      return {};
    });
  }

  struct TokenRights {
    std::vector<base::Uuid> ceiling{};
    bool may_see_links = false;
  };
  /// A token of an environment and an account with access there.
  std::string new_token(const domain::Environment& environment, const domain::Account& account,
                        const TokenRights& rights) {
    const base::Secret text = domain::make_api_token();
    write([&](domain::Transaction& t) -> domain::Result<void> {
      t.insert(domain::ApiToken{.id = base::Uuid::ordered(now()),
                                .hash = domain::hash_api_token(authenticator_->pepper(), text.reveal()),
                                .name = "test",
                                .environment_id = environment.id,
                                .account_id = account.id,
                                .role_ceiling = rights.ceiling,
                                .may_see_links = rights.may_see_links,
                                .created_at = now(),
                                .expires_at = std::nullopt,
                                .revoked_at = std::nullopt,
                                .last_used_at = std::nullopt});
      return {};
    });
    return std::string(text.reveal());
  }
  ApiClient client() { return client(TokenRights{}); }
  ApiClient client(const TokenRights& rights) { return {router_, new_token(environment_, *inviter_, rights)}; }

  /// A person of the environment.
  domain::Account add_person(const std::string& email, const std::string& name, const domain::Role& role) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      EXPECT_TRUE(domain::add_account(email, name, {}, t, now()));
      EXPECT_TRUE(domain::grant_access(environment_.id, email, role.id, t, now()));
      return {};
    });
    return *account(email);
  }

  Json invite_body(const std::string& email = "ada@example.org") const {
    return {{"email", email}, {"roles", Json::array({user_.id.to_string()})}};
  }

  Router router_;
};

/// Where it is another, the body is told.
inline testing::AssertionResult has_status(const ApiAnswerSeen& answer, int wanted) {
  if (answer.status == wanted) return testing::AssertionSuccess();
  return testing::AssertionFailure() << answer.status << " instead of " << wanted << ": " << answer.text;
}
#define EXPECT_STATUS(answer, wanted) EXPECT_TRUE(has_status(answer, wanted))
#define ASSERT_STATUS(answer, wanted) ASSERT_TRUE(has_status(answer, wanted))

}  // namespace invited::http
