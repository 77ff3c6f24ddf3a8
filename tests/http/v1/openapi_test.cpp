// /api/v1/openapi.json is what the service does: the same routes, and answers as described.
#include <map>
#include <set>

#include "http/v1/schema_check.h"
#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class V1OpenApi : public V1Test {
 protected:
  V1OpenApi() : openapi_(ApiClient(router_, "").get("/api/v1/openapi.json").json), check_(openapi_) {}

  /// "POST /invitations/{id}/link"
  std::set<std::string> described() const {
    std::set<std::string> all;
    for (const auto& [path, methods] : openapi_["paths"].items())
      for (const auto& [method, unused] : methods.items()) all.insert(upper(method) + ' ' + path);
    return all;
  }

  static std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return text;
  }
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return text;
  }

  /// Calls, and compares what comes with what is described for `path`.
  ApiAnswerSeen call(const ApiClient& api, const std::string& method, const std::string& path, const std::string& id,
                     const std::string& query = "", const Json& body = nullptr, const ApiClient::Fields& fields = {}) {
    std::string target = "/api/v1" + path;
    if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, id);
    const auto answer = api.call(method, target + query, body.is_null() ? "" : body.dump(), fields);
    const Json& operation = openapi_["paths"][path][lower(method)];
    const std::string name = method + ' ' + path + " answers " + std::to_string(answer.status);
    const auto status = operation["responses"].find(std::to_string(answer.status));
    if (status == operation["responses"].end()) {
      ADD_FAILURE() << name << ", which is not described: " << answer.text;
      return answer;
    }
    const Json& described = check_.resolve(*status);
    const Json headers = described.value("headers", Json::object());
    for (const auto& [header, unused] : headers.items()) {
      if (header == "Link" || header == "Retry-After") continue;  // not always
      EXPECT_TRUE(answer.headers.find(header)) << name << " without " << header;
    }
    if (described.contains("content")) {
      const auto first = described["content"].begin();
      const std::string type = first.key();
      const Json& content = first.value();
      EXPECT_THAT(std::string(answer.headers.get("Content-Type")), testing::StartsWith(type)) << name;
      if (type != "text/html") {
        EXPECT_EQ(check_.problem(answer.json, content["schema"]), "") << name << ": " << answer.text;
      }
    }
    if (answer.status < 300) succeeded_.insert(method + ' ' + path);
    seen_.insert(answer.status);
    return answer;
  }

  static std::string id_of(const ApiAnswerSeen& answer) { return answer.json["invitation"]["id"]; }

  Json openapi_;
  SchemaCheck check_;
  std::set<std::string> succeeded_;
  std::set<int> seen_;
};

TEST_F(V1OpenApi, HasTheRoutesOfTheRouterAndNoOther) {
  std::set<std::string> routed;
  for (const Route* route : router_.routes())
    if (route->pattern.starts_with("/api/v1/")) routed.insert(route->method + ' ' + route->pattern.substr(7));
  EXPECT_EQ(described(), routed);
  EXPECT_GT(routed.size(), 18u);
}

TEST_F(V1OpenApi, NamesEachOperationOnceAndLeadsNowhereElse) {
  std::set<std::string> ids;
  const std::function<void(const Json&)> walk = [&](const Json& value) {
    if (value.is_object() && value.contains("$ref")) {
      EXPECT_NO_THROW(check_.resolve(value)) << value;
    }
    if (value.is_object() && value.contains("operationId")) {
      EXPECT_TRUE(ids.insert(value["operationId"]).second) << value["operationId"];
    }
    if (value.is_structured())
      for (const Json& part : value) walk(part);
  };
  walk(openapi_);
  EXPECT_EQ(ids.size(), described().size());
  EXPECT_EQ(openapi_["openapi"], "3.1.0");
  EXPECT_EQ(openapi_["servers"][0]["url"], "https://invite.example.org/api/v1");
}

TEST_F(V1OpenApi, ItsExamplesAreAsItsSchemasSay) {
  int examples = 0;
  const std::function<void(const Json&, const std::string&)> walk = [&](const Json& value, const std::string& at) {
    if (value.is_object() && value.contains("example") && value.contains("schema")) {
      EXPECT_EQ(check_.problem(value["example"], value["schema"]), "") << at;
      ++examples;
    }
    if (value.is_structured())
      for (const auto& [name, part] : value.items()) walk(part, at + '/' + name);
  };
  walk(openapi_, "");
  EXPECT_GT(examples, 30);
}

TEST_F(V1OpenApi, EveryErrorCodeThatACallerCanMeetIsListed) {
  std::set<std::string> listed;
  for (const Json& code : openapi_["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    listed.insert(code);
  // What only SOAP, pages and operators meet.
  const std::set<std::string> elsewhere{"inviter_without_access", "unknown_person", "link_not_valid", "sign_in_failed"};
  for (const domain::ErrorCode code : domain::kErrorCodes) {
    const std::string name(domain::to_string(code));
    EXPECT_NE(listed.contains(name), elsewhere.contains(name)) << name;
  }
}

TEST_F(V1OpenApi, RealAnswersOfEveryOperationAreAsDescribed) {
  const auto api = client({.may_see_links = true});
  const auto weak = client({.ceiling = {user_.id}});
  const std::string key = "key";
  Json body = invite_body();
  body["metadata"] = {{"a", 1}};
  const std::string id = id_of(call(api, "POST", "/invitations", "", "", body, {{"Idempotency-Key", key}}));
  call(api, "POST", "/invitations", "", "", body);
  call(api, "POST", "/invitations", "", "", invite_body("bob@example.org"), {{"Idempotency-Key", key}});
  call(api, "POST", "/invitations", "", "", {{"email", 1}});
  call(api, "POST", "/invitations/bulk", "", "", {{"invitations", {invite_body("c@example.org"), invite_body("no")}}});
  call(api, "POST", "/invitations/bulk", "", "",
       {{"invitations", {invite_body("c@example.org"), invite_body("d@example.org"), invite_body("grace@example.org")}},
        {"dry_run", true}});
  call(api, "GET", "/invitations", "", "?limit=1&state=pending");
  call(api, "GET", "/invitations", "", "?limit=0");
  clock_.advance(std::chrono::minutes(5));
  write([&](domain::Transaction& t) -> domain::Result<void> {
    for (const auto& lease : t.claim_due_messages(9, now(), now() + std::chrono::minutes(1)))
      EXPECT_TRUE(t.finish_attempt(lease, {domain::DeliveryOutcome::deferred, 450, "rcpt_to", "later"},
                                   now() + std::chrono::minutes(1), now()));
    return {};
  });
  const auto shown = call(api, "GET", "/invitations/{id}", id);
  const std::string tag(shown.headers.get("ETag"));
  EXPECT_STATUS(call(api, "GET", "/invitations/{id}", id, "", nullptr, {{"If-None-Match", tag}}), 304);
  call(api, "GET", "/invitations/{id}", "none");
  clock_.advance(std::chrono::seconds(1));
  call(api, "PATCH", "/invitations/{id}", id, "", {{"roles", {"Planner"}}}, {{"If-Match", tag}});
  call(api, "PATCH", "/invitations/{id}", id, "", {{"roles", {"Planner"}}}, {{"If-Match", tag}});
  call(weak, "PATCH", "/invitations/{id}", id, "", {{"roles", {"Planner"}}});
  call(api, "POST", "/invitations/{id}/resend", id, "", {{"send", false}});
  call(api, "POST", "/invitations/{id}/link", id);
  call(weak, "POST", "/invitations/{id}/link", id);
  call(api, "POST", "/invitations/{id}/revoke", id);
  call(api, "GET", "/invitations/{id}", id);
  call(api, "POST", "/invitations/{id}/revoke", id, "", Json::object(), {{"Content-Type", "text/plain"}});
  const std::string other = id_of(call(api, "POST", "/invitations", "", "", invite_body("e@example.org")));
  call(api, "DELETE", "/invitations/{id}", other);

  add_person("ada@example.org", "Ada Lovelace", user_);
  call(api, "GET", "/accounts", "", "?q=ada");
  call(api, "GET", "/accounts/{id}", account("ada@example.org")->id.to_string());
  call(api, "GET", "/accounts/{id}", id);
  const Json role_of{{"email", "ada@example.org"}, {"role", "Planner"}};
  call(api, "PUT", "/access", "", "", role_of);
  call(api, "GET", "/access", "", "?limit=1");
  call(api, "DELETE", "/access", "", "", role_of);
  call(api, "GET", "/environments", "");
  call(api, "GET", "/environments/{id}", environment_.id.to_string());
  call(api, "GET", "/environments/{id}", app_.id.to_string());
  call(api, "GET", "/roles", "");
  call(api, "GET", "/audit-events", "");
  const ApiClient stranger(router_, "");
  call(stranger, "GET", "/openapi.json", "");
  call(stranger, "GET", "/docs", "");
  call(stranger, "GET", "/roles", "");
  policy_.inviter_per_hour = 1;
  call(api, "POST", "/invitations", "", "", invite_body("f@example.org"));
  call(api, "POST", "/invitations", "", "", invite_body("g@example.org"));

  EXPECT_EQ(succeeded_, described());
  EXPECT_EQ(seen_, (std::set<int>{200, 201, 304, 400, 401, 403, 404, 412, 415, 422, 429}));
}

TEST_F(V1OpenApi, ThePageSaysAllOfItWithoutScriptsOrStrangers) {
  const ApiClient stranger(router_, "");
  const auto page = stranger.get("/api/v1/docs");
  ASSERT_STATUS(page, 200);
  for (const auto& [path, methods] : openapi_["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_THAT(page.text, HasSubstr("<h3 id=\"" + operation["operationId"].get<std::string>() + "\">"));
      EXPECT_THAT(page.text, HasSubstr("<code>" + upper(method) + " /api/v1" + path + "</code>"));
      EXPECT_THAT(page.text, HasSubstr("href=\"#" + operation["operationId"].get<std::string>() + "\""));
    }
  EXPECT_THAT(page.text, HasSubstr("<link rel=\"stylesheet\" href=\"/assets/invited."));
  EXPECT_THAT(page.text, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page.text, HasSubstr("content=\"light dark\""));
  EXPECT_THAT(page.text, Not(HasSubstr("<script")));
  EXPECT_THAT(page.text, Not(HasSubstr("style=")));
  EXPECT_THAT(page.text, Not(HasSubstr("null,\"")));
  EXPECT_THAT(std::string(page.headers.get("Content-Security-Policy")), HasSubstr("default-src 'none'"));
  const auto moved = stranger.get("/api/v1");
  EXPECT_STATUS(moved, 308);
  EXPECT_EQ(moved.headers.get("Location"), "https://invite.example.org/api/v1/docs");
}

TEST(SchemaCheckItself, FindsWhatDoesNotFit) {
  const Json schema = Json::parse(R"({"type":"object","properties":{"a":{"type":["string","null"],"format":"uuid"},
      "b":{"type":"array","items":{"enum":["x"]},"maxItems":1}},"required":["a"],"additionalProperties":false})");
  const SchemaCheck check(schema);
  EXPECT_EQ(check.problem(Json::parse(R"({"a":null,"b":["x"]})"), schema), "");
  for (const char* bad : {R"({})", R"({"a":1})", R"({"a":"x"})", R"({"a":null,"c":1})", R"({"a":null,"b":["y"]})",
                          R"({"a":null,"b":["x","x"]})", "[]", "null"})
    EXPECT_NE(check.problem(Json::parse(bad), schema), "") << bad;
  EXPECT_NE(check.problem("x", Json{{"pattern", "y"}}), "") << "an unknown keyword";
}

}  // namespace
}  // namespace invited::http
