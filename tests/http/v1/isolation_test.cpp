// Between environments there is a wall, whatever the dialect: every JSON route that the router has is called with the
// token of one environment and what belongs to another. Made from the route table, so a new route is in it by itself.
#include <functional>
#include <set>

#include "base/crypto.h"
#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

/// Routes that need no API token, and why.
const std::set<std::string>& open_routes() {
  static const std::set<std::string> routes{
      // Documentation: the same for everybody.
      "GET /api/v1",
      "GET /api/v1/docs",
      "GET /api/v1/openapi.json",
      // What Base44's package tells its own service about page views: thrown away.
      "POST /api/apps/{appId}/analytics/track/batch",
      // People sign in, which is how they get a token; invitees register, which stores nothing; how one signs in;
      // signing
      // out, whoever is signed in. Medusa's routes are there under /environments/{environment}, too.
      "POST /auth/user/emailpass",
      "POST /auth/user/emailpass/register",
      "GET /auth/user/providers",
      "DELETE /auth/session",
  };
  return routes;
}

class Isolation : public V1Test {
 protected:
  Isolation() {
    policy_.environment_per_second = policy_.environment_per_day = 0;
    policy_.inviter_per_hour = policy_.inviter_per_day = 0;
    add_gorules_routes(router_, *context_);
    add_base44_routes(router_, *context_);
    add_medusa_routes(router_, *context_);
    write([&](domain::Transaction& t) -> domain::Result<void> {
      other_app_ = *domain::add_app("Zebrafish App", "https://zebrafish.example.net/", "en", t, now());
      other_role_ = *domain::add_role(other_app_.id, std::nullopt, "Zebrafish Role", t, now());
      other_environment_ = domain::add_environment({other_app_.id, "Zebrafish Environment", std::nullopt, {}},
                                                   authenticator_->pepper(), t, now())
                               ->environment;
      other_ = *domain::add_account("zoe@zebrafish.example.net", "Zoe Zebrafish", {}, t, now());
      EXPECT_TRUE(domain::grant_access(other_environment_.id, "zoe@zebrafish.example.net", other_role_.id, t, now()));
      return {};
    });
    const ApiClient api(router_, new_token(other_environment_, *other_, {}));
    const auto made = api.post("/api/v1/invitations", {{"email", "zack@zebrafish.example.net"},
                                                       {"roles", {other_role_.id.to_string()}},
                                                       {"metadata", {{"note", "zebrafish secret"}}}});
    EXPECT_STATUS(made, 201);
    other_invitation_ = made.json["invitation"]["id"];
    write([&](domain::Transaction& t) -> domain::Result<void> {
      other_token_id_ = t.list_api_tokens(other_environment_.id, {}).front().id.to_string();
      other_mail_ = t.list_messages_of(*base::Uuid::parse(other_invitation_)).front().id.to_string();
      return {};
    });
  }

  /// Everything that names something of the other environment.
  std::vector<std::string> foreign_names() const {
    return {other_environment_.id.to_string(),
            other_app_.id.to_string(),
            other_role_.id.to_string(),
            other_->id.to_string(),
            other_invitation_,
            other_token_id_,
            other_mail_,
            "zoe@zebrafish.example.net",
            "zack@zebrafish.example.net",
            "Zebrafish",
            "zebrafish secret"};
  }

  /// What may stand for a placeholder of a path.
  std::vector<std::string> ids() const {
    return {other_invitation_, other_->id.to_string(), other_environment_.id.to_string(), other_app_.id.to_string(),
            other_role_.id.to_string()};
  }

  /// One for each thing that some dialect takes, about the other environment's people and roles.
  std::vector<std::string> bodies() const {
    std::vector<std::string> all{""};
    for (const char* email : {"zoe@zebrafish.example.net", "zack@zebrafish.example.net"})
      for (const std::string& role : {other_role_.id.to_string(), user_.id.to_string()}) {
        for (const Json& body : std::initializer_list<Json>{
                 {{"email", email}, {"roles", {role}}},
                 {{"invitations", Json::array({{{"email", email}, {"roles", {role}}}})}, {"dry_run", true}},
                 {{"email", email}, {"role", role}},
                 {{"emails", {email}}},
                 {{"user_email", email}, {"role", role}},
                 {{"user_emails", {email}}, {"role", role}},
                 {{"email", email}, {"password", domain::kGoodPassword}},
                 {{"roles", {role}}},
                 {{"send", false}},
                 {{"metadata", {{"a", 1}}}}})
          all.push_back(body.dump());
      }
    return all;
  }

  /// Calls a route with every id in place of its placeholders and every body.
  void call_all(const Route& route, const ApiClient& api,
                const std::function<void(const std::string&, const std::string&, const ApiAnswerSeen&)>& look) const {
    for (const std::string& id : route.pattern.find('{') == std::string::npos ? std::vector<std::string>{""} : ids()) {
      std::string path = route.pattern;
      for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
        path.replace(at, path.find('}') - at + 1, id);
      for (const std::string& body : route.method == "GET" ? std::vector<std::string>{""} : bodies())
        look(path, body, api.call(route.method, path, body));
    }
  }

  /// All that is stored of the other environment.
  std::string foreign_state() {
    std::string state;
    write([&](domain::Transaction& t) -> domain::Result<void> {
      for (const auto& i : t.list_invitations({other_environment_.id, std::nullopt, std::nullopt, now()}, {})) {
        state += i.id.to_string() + std::string(domain::to_string(i.state)) + std::to_string(i.generation) +
                 i.metadata + base::to_rfc3339(i.updated_at) + base::to_rfc3339(i.expires_at);
        for (const auto& message : t.list_messages_of(i.id)) state += std::string(domain::to_string(message.state));
      }
      for (const auto& entry : t.list_access(other_environment_.id, {})) state += entry.email + entry.role_name;
      for (const auto& event : t.list_audit_events_of(other_environment_.id, {})) state += event.action + event.detail;
      for (const auto& token : t.list_api_tokens(other_environment_.id, {})) state += token.revoked_at ? "revoked" : "";
      const auto zoe = t.find_account(other_->id);
      state += zoe->name + zoe->password_hash + std::to_string(zoe->password_generation);
      state += std::to_string(t.has_any_access(other_->id, environment_.id));
      return {};
    });
    return state;
  }

  domain::App other_app_;
  domain::Role other_role_;
  domain::Environment other_environment_;
  std::optional<domain::Account> other_;
  std::string other_invitation_, other_token_id_, other_mail_;
};

TEST_F(Isolation, NoRouteTellsOrChangesAnythingOfAnotherEnvironment) {
  const std::string before = foreign_state();
  const auto api = client({.may_see_links = true});
  std::size_t answers = 0;
  for (const Route* route : router_.routes()) {
    call_all(*route, api, [&](const std::string& path, const std::string& body, const ApiAnswerSeen& answer) {
      ++answers;
      EXPECT_LT(answer.status, 500) << route->method << ' ' << path << ' ' << body << ": " << answer.text;
      for (const std::string& name : foreign_names()) {
        // What the caller sent itself may come back: the address that it invites, the id that is not found.
        if ((path + body).find(name) != std::string::npos) continue;
        // Somebody whom it invited by an earlier call is in its own lists by the address that it gave.
        if (name.find('@') != std::string::npos) continue;
        EXPECT_EQ(answer.text.find(name), std::string::npos)
            << name << " in the answer to " << route->method << ' ' << path << ' ' << body << ": " << answer.text;
      }
    });
    EXPECT_EQ(foreign_state(), before) << route->method << ' ' << route->pattern;
  }
  EXPECT_GT(answers, 300u);
}

TEST_F(Isolation, IdsOfAnotherEnvironmentAreNotFoundWhateverTheyAre) {
  const auto api = client({.may_see_links = true});
  for (const Route* route : router_.routes()) {
    if (!route->pattern.starts_with("/api/v1/") || route->pattern.find("{id}") == std::string::npos) continue;
    for (const std::string& id : ids()) {
      std::string path = route->pattern;
      path.replace(path.find("{id}"), 4, id);
      const auto answer = api.call(route->method, path, route->method == "PATCH" ? R"({"metadata":null})" : "");
      EXPECT_STATUS(answer, 404) << route->method << ' ' << path;
    }
  }
}

TEST_F(Isolation, ACursorOfAnotherEnvironmentIsNoCursor) {
  const auto api = client();
  const auto cursor_of = [](const std::string& id) { return base::to_base64url(base::Uuid::parse(id)->to_bytes()); };
  const auto theirs = api.get("/api/v1/invitations?cursor=" + cursor_of(other_invitation_));
  const auto nobodys = api.get("/api/v1/invitations?cursor=" + cursor_of(base::Uuid::random().to_string()));
  EXPECT_STATUS(theirs, 400);
  EXPECT_EQ(theirs.json, nobodys.json);
}

TEST_F(Isolation, WithoutAValidTokenEveryRouteIsClosed) {
  const std::string state = foreign_state();
  const auto count = invitations().size();
  std::set<std::string> all;
  int address = 0;
  for (const Route* route : router_.routes()) {
    constexpr std::string_view kPrefix = "/environments/{environment}";
    const bool is_below = route->pattern.starts_with(kPrefix);
    const std::string name = route->method + ' ' + route->pattern.substr(is_below ? kPrefix.size() : 0);
    all.insert(name);
    if (open_routes().contains(name)) continue;
    for (const char* token : {"", "invited_wrong", "invited_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
      ApiClient stranger(router_, token);
      bool was_known = false;
      // A fresh network each time: this is not about the limit on wrong tokens.
      for (const std::string& body : route->method == "GET" ? std::vector<std::string>{""} : bodies()) {
        std::string path = route->pattern;
        for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
          path.replace(at, path.find('}') - at + 1, other_invitation_);
        stranger.address = "2001:db8:1:" + std::to_string(++address) + "::1";
        const auto answer = stranger.call(route->method, path, body);
        EXPECT_GE(answer.status, 400) << name << ' ' << body << ": " << answer.text;
        was_known = was_known || answer.status == 401;
        if (answer.status == 401) {
          EXPECT_EQ(answer.headers.get("WWW-Authenticate"), "Bearer realm=\"invited\"") << name;
        }
      }
      EXPECT_TRUE(was_known) << name << " never asks who calls";
    }
  }
  for (const std::string& name : open_routes()) EXPECT_TRUE(all.contains(name)) << name << " is no route (any more)";
  EXPECT_EQ(foreign_state(), state);
  EXPECT_EQ(invitations().size(), count);
}

}  // namespace
}  // namespace invited::http
