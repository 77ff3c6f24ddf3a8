// How JSON calls run: who calls, one transaction, and what a repeated Idempotency-Key is answered. On a real store.
#include "http/api/api_calls.h"

#include <gmock/gmock.h>

#include <barrier>
#include <set>
#include <thread>

#include "domain/caller_fixture.h"
#include "http/api/json_answer.h"
#include "http/pages/failing_store.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using domain::ErrorCode;
using domain::Result;
using testing::HasSubstr;
using testing::Not;

class ApiCallsTest : public domain::CallerTest {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  ApiCallsTest() : token_(add_token({.may_see_links = true})) {}

  Request request(std::string body, Fields fields = {}) const {
    Request made;
    made.method = "POST";
    made.path = "/api/probe";
    made.client_address = "192.0.2.1";
    made.body = std::move(body);
    for (const auto& [name, value] : fields) made.headers.add(name, value);
    if (!made.headers.find("Authorization"))
      made.headers.add("Authorization", "Bearer " + std::string(token_.text.reveal()));
    return made;
  }

  static Fields key(std::string value) { return {{"Idempotency-Key", std::move(value)}}; }

  /// Invites whom the body names, and answers with a link besides what may be repeated.
  Result<ApiAnswer> invite_one(ApiCall& call) {
    ++runs_;
    const auto invited =
        domain::invite(call.caller, to(call.request.body, {user_}), call.transaction, call.policy, call.now);
    if (!invited) return std::unexpected(invited.error());
    ApiAnswer answer{
        201,
        {{"z", to_string(invited->effect)}, {"name", "Größe"}, {"a", nullptr}, {"big", UINT64_MAX}, {"half", 0.5}}};
    answer.headers.emplace_back("Location", "/api/probe/1");
    answer.mail_queued = true;
    answer.reveal = [](Json& body) { body["link"] = "https://invite.example.org/i/secret"; };
    return answer;
  }

  Response post(const Request& asked) {
    return calls_.write(asked, [this](ApiCall& call) { return invite_one(call); });
  }

  static std::string code_of(const Response& response) {
    const Json json = Json::parse(response.body, nullptr, false);
    return std::to_string(response.status) + " " + (json.contains("code") ? json["code"].get<std::string>() : "");
  }

  domain::AddedApiToken token_;
  ApiCalls calls_{*context_, make_problem};
  std::atomic<int> runs_ = 0;
};

TEST_F(ApiCallsTest, TheWorkIsDurableWhenItIsAnsweredAndLinksAreTold) {
  const Response done = post(request("ada@example.org"));
  EXPECT_EQ(done.status, 201);
  EXPECT_EQ(done.headers.get("Location"), "/api/probe/1");
  EXPECT_THAT(done.body, HasSubstr("/i/secret"));
  EXPECT_FALSE(done.headers.find("Idempotent-Replayed"));
  EXPECT_EQ(invitations().size(), 1u);
  EXPECT_EQ(mail_queued_, 1);
}

TEST_F(ApiCallsTest, WorkThatIsRefusedLeavesNothingBehind) {
  const Response refused = calls_.write(request("ada@example.org"), [&](ApiCall& call) -> Result<ApiAnswer> {
    EXPECT_TRUE(invite_one(call));
    return domain::refuse(ErrorCode::invalid_parameter, "No.", "what");
  });
  EXPECT_EQ(code_of(refused), "400 invalid_parameter");
  EXPECT_TRUE(invitations().empty());
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(mail_queued_, 0);
}

// --- Idempotency-Key -------------------------------------------------------------------------------

TEST_F(ApiCallsTest, ARepeatedKeyIsAnsweredAsTheFirstTimeWithoutLinksAndWithoutDoingAnything) {
  const Response first = post(request("ada@example.org", key("k")));
  clock_.advance(23h);
  for (int i = 0; i < 3; ++i) {
    const Response again = post(request("ada@example.org", key("k")));
    EXPECT_EQ(again.status, first.status);
    EXPECT_THAT(again.body, Not(HasSubstr("link")));
    Json with_link = Json::parse(again.body);
    with_link["link"] = "https://invite.example.org/i/secret";
    EXPECT_EQ(with_link.dump(), Json::parse(first.body).dump()) << "the same members in the same order";
    EXPECT_EQ(again.headers.get("Idempotent-Replayed"), "true");
    EXPECT_EQ(again.headers.get("Content-Type"), first.headers.get("Content-Type"));
  }
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(messages().size(), 1u);
  EXPECT_EQ(mail_queued_, 1);
}

TEST_F(ApiCallsTest, NoLinkIsStored) {
  ASSERT_EQ(post(request("ada@example.org", key("k"))).status, 201);
  write([&](domain::Transaction& t) -> Result<void> {
    EXPECT_THAT(t.find_idempotency(environment_.id, "k")->answer, Not(HasSubstr("secret")));
    return {};
  });
}

TEST_F(ApiCallsTest, AKeyOfAnotherCallIsRefused) {
  const Request first = request("ada@example.org", key("k"));
  ASSERT_EQ(post(first).status, 201);
  const domain::AddedApiToken other_token = add_token({.may_see_links = true});
  const std::function<void(Request&)> changes[] = {
      [](Request& r) { r.body = "bob@example.org"; },
      [](Request& r) { r.body += " "; },
      [](Request& r) { r.method = "PUT"; },
      [](Request& r) { r.path = "/api/other"; },
      [](Request& r) { r.query = "dry_run=true"; },
      [&](Request& r) { r.headers.set("Authorization", "Bearer " + std::string(other_token.text.reveal())); },
  };
  int number = 0;
  for (const auto& change : changes) {
    Request other = first;
    change(other);
    EXPECT_EQ(code_of(post(other)), "422 idempotency_mismatch") << number++;
  }
  EXPECT_EQ(runs_, 1);
}

TEST_F(ApiCallsTest, AKeyThatOutlivedItsTimeIsUsedAnew) {
  ASSERT_EQ(post(request("ada@example.org", key("k"))).status, 201);
  clock_.advance(policy_.idempotency_lifetime - 1ms);
  EXPECT_TRUE(post(request("ada@example.org", key("k"))).headers.find("Idempotent-Replayed"));
  clock_.advance(1ms);
  const Response anew = post(request("bob@example.org", key("k")));
  EXPECT_EQ(anew.status, 201);
  EXPECT_FALSE(anew.headers.find("Idempotent-Replayed"));
  EXPECT_EQ(code_of(post(request("ada@example.org", key("k")))), "422 idempotency_mismatch") << "it is Bob's now";
}

TEST_F(ApiCallsTest, AnErrorIsNotKept) {
  set_grants(domain::GrantRule::manageable);
  EXPECT_EQ(code_of(post(request("ada@example.org", key("k")))), "403 role_not_allowed");
  set_grants(domain::GrantRule::any);
  EXPECT_EQ(post(request("ada@example.org", key("k"))).status, 201);
  set_grants(domain::GrantRule::manageable);
  EXPECT_EQ(post(request("ada@example.org", key("k"))).status, 201) << "what was done was done";
  EXPECT_EQ(runs_, 2);
}

TEST_F(ApiCallsTest, AKeyIsNoWayAroundAuthentication) {
  ASSERT_EQ(post(request("ada@example.org", key("k"))).status, 201);
  write([&](domain::Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::revoke_api_token(token_.token.id, t, now()));
    return {};
  });
  EXPECT_EQ(code_of(post(request("ada@example.org", key("k")))), "401 authentication_failed");
}

TEST_F(ApiCallsTest, ManyWithTheSameKeyAtTheSameMomentMakeOne) {
  constexpr int kCallers = 12;
  std::barrier start(kCallers);
  std::vector<Response> answers(kCallers);
  {
    std::vector<std::jthread> callers;
    for (Response& answer : answers)
      callers.emplace_back([&] {
        const Request asked = request("ada@example.org", key("k"));
        start.arrive_and_wait();
        answer = post(asked);
      });
  }
  int replayed = 0;
  for (const Response& answer : answers) {
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(Json::parse(answer.body)["z"], "invited");
    if (answer.headers.find("Idempotent-Replayed")) ++replayed;
  }
  EXPECT_EQ(replayed, kCallers - 1);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(ApiCallsTest, OnlyPrintableKeysOf255CharactersAreTaken) {
  EXPECT_EQ(post(request("a@example.org", key(std::string(255, 'k')))).status, 201);
  for (const std::string& bad : {std::string(256, 'k'), std::string("a\tb"), std::string("Größe")})
    EXPECT_EQ(code_of(post(request("b@example.org", key(bad)))), "400 invalid_parameter") << bad;
  EXPECT_EQ(code_of(post(request("b@example.org", {{"Idempotency-Key", "one"}, {"Idempotency-Key", "two"}}))),
            "400 invalid_parameter")
      << "which of them counts, nobody can tell";
  const Response without = post(request("c@example.org", key("")));
  EXPECT_EQ(without.status, 201) << "an empty one is none";
  EXPECT_FALSE(post(request("c@example.org", key(""))).headers.find("Idempotent-Replayed"));
  EXPECT_EQ(invitations().size(), 2u);
}

// --- who calls -------------------------------------------------------------------------------------

TEST_F(ApiCallsTest, WhoeverIsNotKnownGetsOneAndTheSameAnswer) {
  const auto revoked = add_token();
  write([&](domain::Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::revoke_api_token(revoked.token.id, t, now()));
    return {};
  });
  std::set<std::string> answers;
  for (const std::string& authorization :
       {std::string(), std::string("Bearer"), std::string("Bearer x"), std::string("Digest x"),
        "Bearer " + std::string(domain::make_api_token().reveal()), "Bearer " + std::string(revoked.text.reveal()),
        "Bearer " + environment_.id.to_string(), "Bearer " + std::string(password_.reveal())}) {
    const Response refused = post(request("ada@example.org", {{"Authorization", authorization}}));
    EXPECT_EQ(refused.status, 401) << authorization;
    answers.insert(refused.body);
  }
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(runs_, 0);
  const Response read = calls_.read(request("", {{"Authorization", "Bearer x"}}),
                                    [](ApiCall&) -> Result<ApiAnswer> { return ApiAnswer{200, {}}; });
  EXPECT_EQ(read.status, 401);
}

TEST_F(ApiCallsTest, ATokenThatIsSentAsAPasswordWorksToo) {
  const std::string pair = std::string(token_.text.reveal()) + ":";
  for (const std::string& authorization :
       {"bearer " + std::string(token_.text.reveal()), "Basic " + std::string(token_.text.reveal())})
    EXPECT_EQ(post(request("ada@example.org", {{"Authorization", authorization}})).status, 201) << authorization;
}

TEST_F(ApiCallsTest, WrongTokensAreSlowedForTheirAddressAndTheRightOneIsNot) {
  const Fields wrong{{"Authorization", "Bearer x"}};
  for (int i = 0; i < 30; ++i) EXPECT_EQ(post(request("a@example.org", wrong)).status, 401) << i;
  const Response slowed = post(request("a@example.org", wrong));
  EXPECT_EQ(code_of(slowed), "429 rate_limited");
  EXPECT_GT(std::stoi(std::string(slowed.headers.get("Retry-After"))), 0);
  EXPECT_EQ(post(request("a@example.org")).status, 201);
  Request elsewhere = request("a@example.org", wrong);
  elsewhere.client_address = "192.0.2.2";
  EXPECT_EQ(post(elsewhere).status, 401);
}

TEST_F(ApiCallsTest, WhoLosesTheRightInBetweenIsRefusedInsideTheTransaction) {
  const ApiCalls late(*context_, make_problem, [&](const Request& asked, domain::Context& context) {
    auto caller = authenticate_api_token(asked, context);
    write([&](domain::Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_environment_disabled(environment_.id, true, t, now()));
      return {};
    });
    return caller;
  });
  const auto work = [this](ApiCall& call) { return invite_one(call); };
  EXPECT_EQ(code_of(late.write(request("ada@example.org"), work)), "401 authentication_failed");
  EXPECT_EQ(runs_, 0);
}

// --- what may go wrong -----------------------------------------------------------------------------

TEST_F(ApiCallsTest, AStoreThatRefusesOrDoesNotTellIsPassedOn) {
  FailingStore failing(*store_);
  domain::Context context{failing, clock_,       policy_,   keys_,     *authenticator_,
                          hasher_, wrong_links_, sign_ups_, sign_ins_, [this] { ++mail_queued_; }};
  const ApiCalls calls(context, make_problem);
  const auto work = [this](ApiCall& call) { return invite_one(call); };
  const Request asked = request("ada@example.org", key("k"));
  for (const ErrorCode code : {ErrorCode::unavailable, ErrorCode::outcome_unknown}) {
    failing.write_error = domain::Error{code, "The database does not answer.", {}, 5s};
    const Response refused = calls.write(asked, work);
    EXPECT_EQ(code_of(refused), "503 " + std::string(to_string(code)));
    EXPECT_EQ(refused.headers.get("Retry-After"), "5");
  }
  failing.read_error = domain::Error{ErrorCode::unavailable, "The database does not answer.", {}, 5s};
  EXPECT_EQ(code_of(calls.write(asked, work)), "503 unavailable");
  EXPECT_EQ(mail_queued_, 0);
  failing.write_error.reset();
  failing.read_error.reset();
  EXPECT_EQ(calls.write(asked, work).status, 201) << "and the same key goes on";
}

TEST_F(ApiCallsTest, ReadingNeedsNoKeyAndSeesTheCallersEnvironment) {
  const Response told = calls_.read(request("", key("k")), [&](ApiCall& call) -> Result<ApiAnswer> {
    ++runs_;
    return ApiAnswer{200, {{"app", call.caller.app.name}, {"environment", call.caller.environment.name}}};
  });
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, R"({"app":"Harbour Planner","environment":"Production"})");
  EXPECT_FALSE(told.headers.find("Idempotent-Replayed"));
}

// --- pages of other origins ------------------------------------------------------------------------

TEST_F(ApiCallsTest, ItsRoutesAnswerPagesOfNamedOrigins) {
  Router router;
  router.set_cors(CorsPolicy({"https://app.example.com"}));
  router.add(
      "POST", "/api/probe", [this](const Request& asked) { return post(asked); },
      api_route_options(render_problem, ApiBody::json));
  const auto preflight = [&](const char* origin) {
    const auto match = router.match("OPTIONS", "/api/probe");
    EXPECT_NE(match.cors, nullptr);
    Request asked;
    asked.method = "OPTIONS";
    asked.path = "/api/probe";
    asked.headers.add("Origin", origin);
    asked.headers.add("Access-Control-Request-Method", "POST");
    asked.headers.add("Access-Control-Request-Headers", "authorization,content-type,idempotency-key");
    Response response = match.cors->preflight(asked, match.allow);
    for (const auto& [name, value] : match.cors->headers(asked)) response.headers.set(name, value);
    return response;
  };
  const Response allowed = preflight("https://app.example.com");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "https://app.example.com");
  EXPECT_FALSE(preflight("https://app.example.com.evil.com").headers.find("Access-Control-Allow-Origin"));
  const auto match = router.match("POST", "/api/probe");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->options.content_types, std::vector<std::string>{"application/json"});
  EXPECT_GT(match.route->options.max_body, 0u);
}

}  // namespace
}  // namespace invited::http
