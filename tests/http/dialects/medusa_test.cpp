// Medusa's calls (json-dialects.md): invites, and their error bodies to the letter. Its own SDK against the program:
// tests/interop/medusa.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "http/dialects/dialect_fixture.h"
#include "http/dialects/medusa_shapes.h"
#include "http/dialects/medusa_tokens.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Texts = std::vector<std::string>;

constexpr std::string_view kPassword = "violet harbour ladder 71";

class Medusa : public DialectTest {
 protected:
  Medusa() {
    map("medusa", "default", user_);
    map("medusa", "planner", planner_);
    token_ = make_token({}, /*may_see_links=*/true);
  }

  Answer create(const std::string& email) { return call("POST", "/admin/invites", Json{{"email", email}}.dump()); }
  Json invite(const std::string& email) {
    const auto answer = create(email);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.json["invite"];
  }
  Texts listed(const std::string& query) {
    const auto answer = call("GET", "/admin/invites" + query);
    EXPECT_EQ(answer.status, 200) << answer.text;
    Texts emails;
    for (const auto& one : answer.json["invites"]) emails.push_back(one["email"]);
    return emails;
  }
  void expect_error(const Answer& answer, int status, const std::string& type, const std::string& message) {
    EXPECT_EQ(answer.status, status) << answer.text;
    EXPECT_EQ(answer.json, (Json{{"type", type}, {"message", message}}));
  }
  void expect_unauthorized(const Answer& answer) {
    EXPECT_EQ(answer.status, 401) << answer.text;
    EXPECT_EQ(answer.json, (Json{{"message", "Unauthorized"}}));
  }

  Answer post_credentials(const std::string& path, const std::string& email, std::string_view password = kPassword) {
    return call("POST", path, Json{{"email", email}, {"password", password}}.dump(), {{"Authorization", ""}});
  }
  std::string register_token(const std::string& email) {
    const auto answer = post_credentials("/auth/user/emailpass/register", email);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.json["token"];
  }
  std::string login_token(const std::string& email) {
    const auto answer = post_credentials("/auth/user/emailpass", email);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.json["token"];
  }
  Answer accept_with(const std::string& bearer, const std::string& invite_token, Json body = Json::object()) {
    return call("POST", "/admin/invites/accept?token=" + invite_token, body.dump(),
                {{"Authorization", "Bearer " + bearer}});
  }
  /// As the dashboard does in the browser.
  Json decoded(const std::string& jwt) {
    const std::size_t first = jwt.find('.');
    return Json::parse(*base::from_base64url(jwt.substr(first + 1, jwt.find('.', first + 1) - first - 1)));
  }
};

TEST_F(Medusa, CreatesAnInviteWithATokenThatTheDashboardDecodes) {
  const auto answer = call("POST", "/admin/invites",
                           R"({"email":"Ada@example.org","roles":["planner","default"],"metadata":{"team":7}})");
  ASSERT_EQ(answer.status, 200) << answer.text;
  const Json& shown = answer.json["invite"];
  Texts names;
  for (const auto& [name, value] : shown.items()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("id", "email", "accepted", "token", "expires_at", "metadata", "created_at",
                                 "updated_at", "deleted_at"));
  const auto stored = invitations().front();
  EXPECT_EQ(shown["id"], medusa_id(MedusaKind::invite, stored.id));
  EXPECT_EQ(shown["email"], "Ada@example.org");
  EXPECT_EQ(shown["accepted"], false);
  EXPECT_EQ(shown["metadata"], (Json{{"team", 7}}));
  EXPECT_EQ(shown["deleted_at"], nullptr);
  EXPECT_THAT(stored.role_ids(), ElementsAre(planner_.id, user_.id));
  const Json claims = decoded(shown["token"]);
  EXPECT_EQ(claims["id"], shown["id"]);
  EXPECT_EQ(claims["email"], "Ada@example.org");
  EXPECT_EQ(claims["exp"], std::chrono::floor<std::chrono::seconds>(stored.expires_at).time_since_epoch().count());
  EXPECT_EQ(messages().size(), 1U);
}

TEST_F(Medusa, RefusesWithItsOwnBodies) {
  const auto post = [&](const std::string& body) { return call("POST", "/admin/invites", body); };
  expect_error(post("{}"), 400, "invalid_data", "Invalid request: Field 'email' is required");
  expect_error(post(R"({"email":5})"), 400, "invalid_data",
               "Invalid request: Expected type: 'string' for field 'email', got: '5'");
  expect_error(post(R"({"email":"a@example.org","foo":1})"), 400, "invalid_data",
               "Invalid request: Unrecognized fields: 'foo'");
  expect_error(post(R"({"email":"a@example.org","roles":["r1","default","r2"]})"), 400, "invalid_data",
               "The following role IDs do not exist: r1, r2");
  invite("a@example.org");
  expect_error(create("A@example.org"), 400, "invalid_data", "Invite with email: A@example.org, already exists.");
  clock_.advance(24h * 30);
  expect_error(create("a@example.org"), 400, "invalid_data", "Invite with email: a@example.org, already exists.");
  expect_error(create("grace@example.org"), 400, "invalid_data",
               "User account for following email(s) already exist: grace@example.org");
  const std::string nobody = medusa_id(MedusaKind::invite, base::Uuid::random());
  expect_error(call("GET", "/admin/invites/" + nobody), 404, "not_found",
               "Invite with id: " + nobody + " was not found");
  expect_error(call("POST", "/admin/invites/" + nobody + "/resend"), 400, "invalid_data",
               "The following invites do not exist: " + nobody);
  expect_unauthorized(call("GET", "/admin/invites", "", {{"Authorization", ""}}));
  expect_unauthorized(call("GET", "/admin/invites", "", {{"Authorization", "Bearer nonsense"}}));
}

TEST_F(Medusa, ASecretKeyMayComeAsBasic) {
  for (const std::string& value : {"Basic " + token_, "Bearer " + token_})
    EXPECT_EQ(call("GET", "/admin/invites", "", {{"Authorization", value}}).status, 200) << value;
}

TEST_F(Medusa, ResendingMakesAnotherTokenAndKillsTheFirst) {
  const Json first = invite("ada@example.org");
  write([&](domain::Transaction& t) -> domain::Result<void> {
    for (const domain::Lease& lease : t.claim_due_messages(1, now(), now() + 1min))
      EXPECT_TRUE(t.finish_attempt(lease, {domain::DeliveryOutcome::sent, 250, "data", "ok"}, std::nullopt, now()));
    return {};
  });
  clock_.advance(1h);
  // The second mail has not left, but its token is in the answer.
  const auto answer = call("POST", "/admin/invites/" + first["id"].get<std::string>() + "/resend");
  ASSERT_EQ(answer.status, 200) << answer.text;
  const Json& second = answer.json["invite"];
  EXPECT_EQ(second["id"], first["id"]);
  EXPECT_NE(second["token"], first["token"]);
  EXPECT_GT(second["expires_at"], first["expires_at"]);
  const std::string bearer = register_token("ada@example.org");
  expect_unauthorized(accept_with(bearer, first["token"]));
  EXPECT_EQ(accept_with(bearer, second["token"]).status, 200);
}

TEST_F(Medusa, DeletingRevokesAndAnswersABodyEveryTime) {
  const Json made = invite("ada@example.org");
  const std::string id = made["id"];
  for (int times = 0; times < 2; ++times) {
    const auto answer = call("DELETE", "/admin/invites/" + id);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.json, (Json{{"id", id}, {"object", "invite"}, {"deleted", true}}));
  }
  EXPECT_EQ(invitations().front().state, domain::InvitationState::revoked);
  EXPECT_EQ(call("GET", "/admin/invites/" + id).status, 404);
  EXPECT_THAT(listed(""), ElementsAre());
  expect_unauthorized(accept_with(register_token("ada@example.org"), made["token"]));
}

TEST_F(Medusa, ListsWithFiltersOperatorsOrderAndPages) {
  const Json ada = invite("ada@example.org");
  clock_.advance(1h);
  const std::string between = base::to_rfc3339(now());
  clock_.advance(1h);
  invite("bob@example.org");
  invite("carol_x@example.com");
  EXPECT_THAT(listed(""), ElementsAre("ada@example.org", "bob@example.org", "carol_x@example.com"));
  EXPECT_THAT(listed("?order=-created_at&limit=1&offset=1"), ElementsAre("bob@example.org"));
  EXPECT_THAT(listed("?order=-email"), ElementsAre("carol_x@example.com", "bob@example.org", "ada@example.org"));
  EXPECT_THAT(listed("?q=EXAMPLE.com"), ElementsAre("carol_x@example.com"));
  EXPECT_THAT(listed("?q=_"), ElementsAre("carol_x@example.com"));
  EXPECT_THAT(listed("?email=Bob@example.org"), ElementsAre("bob@example.org"));
  EXPECT_THAT(listed("?email%5B0%5D=ada@example.org&email%5B1%5D=bob@example.org"),
              ElementsAre("ada@example.org", "bob@example.org"));
  EXPECT_THAT(listed("?id=" + ada["id"].get<std::string>()), ElementsAre("ada@example.org"));
  EXPECT_THAT(listed("?id=invite_nonsense"), ElementsAre());
  EXPECT_THAT(listed("?created_at%5B%24gte%5D=" + between), ElementsAre("bob@example.org", "carol_x@example.com"));
  EXPECT_THAT(listed("?created_at%5B%24lt%5D=" + between), ElementsAre("ada@example.org"));
  EXPECT_THAT(listed("?email%5B%24ne%5D=ada@example.org"), ElementsAre("bob@example.org", "carol_x@example.com"));
  EXPECT_THAT(listed("?email%5B%24like%5D=%25example.org"), ElementsAre("ada@example.org", "bob@example.org"));
  EXPECT_THAT(listed("?%24or%5B0%5D%5Bemail%5D=ada@example.org&%24or%5B1%5D%5Bemail%5D%5B%24like%5D=carol%25"),
              ElementsAre("ada@example.org", "carol_x@example.com"));
  const auto page = call("GET", "/admin/invites?limit=2&offset=1");
  EXPECT_EQ(page.json["count"], 3);
  EXPECT_EQ(page.json["limit"], 2);
  EXPECT_EQ(page.json["offset"], 1);
  for (const char* wrong : {"?foo=1", "?limit=x", "?order=token", "?email%5B%24re%5D=a", "?created_at=yesterday"})
    EXPECT_EQ(call("GET", std::string("/admin/invites") + wrong).status, 400) << wrong;
}

TEST_F(Medusa, ListsNoTokenWhoeverAsks) {
  invite("ada@example.org");
  for (const char* fields : {"", "?fields=id,token", "?fields=%2Btoken"})
    EXPECT_EQ(call("GET", std::string("/admin/invites") + fields).json["invites"][0]["token"], "") << fields;
}

TEST_F(Medusa, OnlyThoseWhoMaySeeLinksGetATokenAtAll) {
  token_ = make_token();
  const Json made = invite("ada@example.org");
  EXPECT_EQ(made["token"], "");
  EXPECT_EQ(call("GET", "/admin/invites/" + made["id"].get<std::string>()).json["invite"]["token"], "");
}

TEST_F(Medusa, ChoosesFields) {
  invite("ada@example.org");
  const auto names = [&](const std::string& fields) {
    std::set<std::string> found;
    const auto answer = call("GET", "/admin/invites?fields=" + fields);
    for (const auto& [name, value] : answer.json["invites"][0].items()) found.insert(name);
    return found;
  };
  EXPECT_EQ(names("email"), (std::set<std::string>{"id", "email"}));
  EXPECT_EQ(names("-metadata,-token,-accepted"),
            (std::set<std::string>{"id", "email", "expires_at", "created_at", "updated_at", "deleted_at"}));
  EXPECT_TRUE(names("%2Brbac_roles").contains("rbac_roles"));
  EXPECT_EQ(call("GET", "/admin/invites?fields=id,rbac_roles.name").json["invites"][0]["rbac_roles"],
            (Json::array({{{"name", "User"}}})));
}

TEST_F(Medusa, AnInviteeRegistersAcceptsAndSignsIn) {
  const Json made = invite("ada@example.org");
  const std::string registration = register_token("ada@example.org");
  EXPECT_EQ(decoded(registration)["actor_id"], "");
  EXPECT_FALSE(account("ada@example.org"));  // nothing is stored, nobody's address is taken
  const auto accepted = accept_with(registration, made["token"], {{"first_name", "Ada"}, {"last_name", "Lovelace"}});
  ASSERT_EQ(accepted.status, 200) << accepted.text;
  EXPECT_EQ(accepted.json["user"]["email"], "ada@example.org");
  EXPECT_EQ(accepted.json["user"]["first_name"], "Ada");
  EXPECT_EQ(account("ada@example.org")->name, "Ada Lovelace");
  expect_unauthorized(accept_with(registration, made["token"]));  // once

  const std::string token = login_token("ada@example.org");
  EXPECT_EQ(decoded(token)["actor_id"], accepted.json["user"]["id"]);
  const DialectTest::Fields bearer{{"Authorization", "Bearer " + token}};
  EXPECT_EQ(call("GET", "/admin/invites", "", bearer).status, 200);
  const auto refreshed = call("POST", "/auth/token/refresh", "", bearer);
  EXPECT_EQ(refreshed.status, 200) << refreshed.text;
  EXPECT_TRUE(refreshed.json["token"].is_string());
  expect_error(post_credentials("/auth/user/emailpass", "ada@example.org", "wrong horse battery 9"), 401,
               "unauthorized", "Invalid email or password");
  expect_error(post_credentials("/auth/user/emailpass", "nobody@example.org"), 401, "unauthorized",
               "Invalid email or password");
  expect_error(post_credentials("/auth/user/emailpass/register", "ada@example.org"), 401, "unauthorized",
               "Identity with email already exists");
}

TEST_F(Medusa, AcceptingAgainWithAKeyIsAnsweredAgainToTheSamePersonOnly) {
  const std::string token = invite("ada@example.org")["token"];
  const std::string registration = register_token("ada@example.org");
  const std::string other = register_token("ada@example.org");  // the same address, another password's hash
  const auto accept = [&](const std::string& bearer) {
    return call("POST", "/admin/invites/accept?token=" + token, "{}",
                {{"Authorization", "Bearer " + bearer}, {"Idempotency-Key", "k-1"}});
  };
  const auto first = accept(registration);
  ASSERT_EQ(first.status, 200) << first.text;
  const auto again = accept(registration);
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.json["user"]["id"], first.json["user"]["id"]);
  expect_unauthorized(accept(other));
  expect_unauthorized(accept_with(registration, token));
}

TEST_F(Medusa, NobodyAcceptsWithAnotherAddress) {
  const Json made = invite("ada@example.org");
  expect_unauthorized(accept_with(register_token("eve@example.org"), made["token"]));
  expect_unauthorized(accept_with(register_token("eve@example.org"), made["token"], {{"email", "ada@example.org"}}));
  expect_unauthorized(accept_with(register_token("ada@example.org"), made["token"], {{"email", "eve@example.org"}}));
  EXPECT_EQ(invitations().front().state, domain::InvitationState::pending);
  EXPECT_EQ(accept_with(register_token("ada@example.org"), made["token"], {{"email", "ADA@example.org"}}).status, 200);
}

TEST_F(Medusa, ForgedTokensAreRefused) {
  const std::string genuine = invite("ada@example.org")["token"];
  const std::string bearer = register_token("ada@example.org");
  const std::string none = base::to_base64url(R"({"typ":"JWT","alg":"none"})");
  const std::string payload = genuine.substr(genuine.find('.'), genuine.rfind('.') - genuine.find('.') + 1);
  for (const std::string& forged : {std::string("x"), std::string("a.b.c"), none + payload, genuine + "x",
                                    genuine.substr(0, genuine.size() - 1), "." + genuine})
    expect_unauthorized(accept_with(bearer, forged));
  expect_unauthorized(accept_with(genuine, genuine));  // an invitation is no way to sign in
  expect_unauthorized(accept_with(bearer, bearer));
  expect_unauthorized(call("POST", "/admin/invites/accept", "", {{"Authorization", "Bearer " + bearer}}));
}

TEST_F(Medusa, ASignedInPersonGrantsOnlyWhatTheyHave) {
  accept_with(register_token("ada@example.org"), invite("ada@example.org")["token"]);
  const DialectTest::Fields bearer{{"Authorization", "Bearer " + login_token("ada@example.org")}};
  const auto post = [&](const char* body) { return call("POST", "/admin/invites", body, bearer); };
  EXPECT_EQ(post(R"({"email":"bob@example.org","roles":["planner"]})").status, 403);
  const auto made = post(R"({"email":"bob@example.org"})");
  EXPECT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.json["invite"]["token"], "");
}

TEST_F(Medusa, AnAccountWithoutAMappedRoleIsNoUser) {
  // Invited by SOAP to a role that Medusa's clients have no name for.
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::unmap_role(app_, "medusa", "default", t, now()));
    return {};
  });
  ASSERT_TRUE(send("ada@example.org"));
  ASSERT_TRUE(domain::accept_invitation(sign_up(token_of(invitations().front())), *context_));
  const auto login = post_credentials("/auth/user/emailpass", "ada@example.org", domain::kGoodPassword);
  ASSERT_EQ(login.status, 200) << login.text;
  EXPECT_EQ(decoded(login.json["token"])["actor_id"], "");
  expect_unauthorized(
      call("GET", "/admin/invites", "", {{"Authorization", "Bearer " + login.json["token"].get<std::string>()}}));
}

TEST_F(Medusa, WhoHasOtherRolesThanMedusasIsInvited) {
  write([&](domain::Transaction& t) -> domain::Result<void> {
    EXPECT_TRUE(domain::unmap_role(app_, "medusa", "default", t, now()));
    return {};
  });
  ASSERT_TRUE(send("ada@example.org"));
  ASSERT_TRUE(domain::accept_invitation(sign_up(token_of(invitations().front())), *context_));
  const auto invited = call("POST", "/admin/invites", R"({"email":"ada@example.org","roles":["planner"]})");
  EXPECT_EQ(invited.status, 200) << invited.text;
  accept(invitations().front().id.to_string());
  expect_error(call("POST", "/admin/invites", R"({"email":"ada@example.org","roles":["planner"]})"), 400,
               "invalid_data", "User account for following email(s) already exist: ada@example.org");
}

TEST_F(Medusa, ASessionIsACookieThatSigningOutEnds) {
  accept_with(register_token("ada@example.org"), invite("ada@example.org")["token"]);
  const auto begun = call("POST", "/auth/session", "", {{"Authorization", "Bearer " + login_token("ada@example.org")}});
  ASSERT_EQ(begun.status, 200) << begun.text;
  EXPECT_EQ(begun.json["user"]["actor_type"], "user");
  const std::string set(begun.headers.get("Set-Cookie"));
  EXPECT_THAT(set, testing::HasSubstr("HttpOnly"));
  const DialectTest::Fields cookie{{"Authorization", ""}, {"Cookie", set.substr(0, set.find(';'))}};
  const auto with_cookie = [&](std::string_view method, std::string_view target, DialectTest::Fields more = {}) {
    DialectTest::Fields fields = cookie;
    fields.insert(fields.end(), more.begin(), more.end());
    return call(method, target, "", fields);
  };
  EXPECT_EQ(with_cookie("GET", "/admin/invites").status, 200);
  expect_unauthorized(with_cookie("GET", "/admin/invites", {{"Sec-Fetch-Site", "cross-site"}}));
  expect_unauthorized(with_cookie("POST", "/admin/invites/x/resend", {{"Sec-Fetch-Site", "same-site"}}));  // a form
  EXPECT_EQ(with_cookie("POST", "/admin/invites/x/resend", {{"Content-Type", "application/json"}}).status, 400);
  EXPECT_EQ(with_cookie("DELETE", "/auth/session").json, (Json{{"success", true}}));
  expect_unauthorized(with_cookie("GET", "/admin/invites"));
}

TEST_F(Medusa, APathMayNameTheEnvironment) {
  const std::string own = "/environments/" + environment_.id.to_string();
  EXPECT_EQ(call("GET", own + "/admin/invites").status, 200);
  expect_unauthorized(call("GET", "/environments/" + base::Uuid::random().to_string() + "/admin/invites"));
}

TEST_F(Medusa, CallsWithoutABodyNeedNoContentType) {
  const auto types_of = [&](const char* method, const char* path) {
    const auto match = router_.match(method, path);
    EXPECT_NE(match.route, nullptr) << method << ' ' << path;
    return match.route == nullptr ? Texts{} : match.route->options.content_types;
  };
  for (const auto& [method, path] : {std::pair{"POST", "/admin/invites/x/resend"},
                                     {"DELETE", "/admin/invites/x"},
                                     {"POST", "/auth/token/refresh"},
                                     {"POST", "/auth/session"},
                                     {"DELETE", "/auth/session"}})
    EXPECT_THAT(types_of(method, path), ElementsAre()) << method << ' ' << path;
  for (const char* path : {"/admin/invites", "/admin/invites/accept", "/auth/user/emailpass"})
    EXPECT_THAT(types_of("POST", path), ElementsAre("application/json")) << path;
}

TEST_F(Medusa, UnknownPathsAreAnsweredInJson) {
  for (const char* path : {"/admin/products", "/auth/customer/emailpass"}) {
    const auto* renderer = router_.match("GET", path).error_renderer;
    ASSERT_NE(renderer, nullptr) << path;
    const auto body = Json::parse((*renderer)(404, "There is nothing at this address.", {}).body);
    EXPECT_EQ(body, (Json{{"type", "not_found"}, {"message", "There is nothing at this address."}})) << path;
  }
}

TEST_F(Medusa, ARepeatedKeyIsAnsweredAsBeforeButWithoutTheToken) {
  const DialectTest::Fields key{{"Idempotency-Key", "k-1"}};
  const auto first = call("POST", "/admin/invites", R"({"email":"ada@example.org"})", key);
  const auto again = call("POST", "/admin/invites", R"({"email":"ada@example.org"})", key);
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.json["invite"]["id"], first.json["invite"]["id"]);
  EXPECT_EQ(again.json["invite"]["token"], "");
  EXPECT_EQ(messages().size(), 1U);
}

TEST(MedusaId, IsAUuidInOtherLetters) {
  for (const auto& id :
       {base::Uuid{}, base::Uuid::random(), *base::Uuid::parse("ffffffff-ffff-ffff-ffff-ffffffffffff")}) {
    const std::string text = medusa_id(MedusaKind::invite, id);
    EXPECT_EQ(text.size(), std::string_view("invite_").size() + 26);
    EXPECT_EQ(parse_medusa_id(MedusaKind::invite, text), id);
    EXPECT_FALSE(parse_medusa_id(MedusaKind::user, text));
  }
  // The first ULID of all, the last one, and one more than fits.
  EXPECT_EQ(parse_medusa_id(MedusaKind::invite, "invite_00000000000000000000000000"), base::Uuid{});
  EXPECT_TRUE(parse_medusa_id(MedusaKind::invite, "invite_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(parse_medusa_id(MedusaKind::invite, "invite_80000000000000000000000000"));
  EXPECT_FALSE(parse_medusa_id(MedusaKind::invite, "invite_0000000000000000000000000I"));
}

}  // namespace
}  // namespace invited::http
