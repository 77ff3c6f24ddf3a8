#include "http/api/json_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace invited::http {
namespace {

using domain::Error;
using domain::ErrorCode;
using namespace std::chrono_literals;

TEST(JsonAnswer, IsJsonThatNobodyStores) {
  const Response response = make_json(201, {{"id", 1}, {"name", "José"}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(response.body, R"({"id":1,"name":"José"})");
}

TEST(JsonAnswer, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(make_json(200, {{"a", "x\xFF"}}).body, "{\"a\":\"x\xEF\xBF\xBD\"}");
}

TEST(JsonAnswer, AProblemSaysWhatAndWhichParameterAndWhenAgain) {
  const Response response =
      make_problem({ErrorCode::rate_limited, "Too many invitations. Wait a minute.", "emails", 60s});
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.headers.get("Retry-After"), "60");
  EXPECT_EQ(
      response.body,
      R"({"type":"urn:invited:problem:rate_limited","title":"Too Many Requests","status":429,)"
      R"("detail":"Too many invitations. Wait a minute.","code":"rate_limited","parameter":"emails","retry":60})");
}

TEST(JsonAnswer, AProblemLeavesOutWhatSaysNothing) {
  const Response response = make_problem({ErrorCode::not_found, "There is none.", {}, {}});
  const auto body = Json::parse(response.body);
  EXPECT_FALSE(body.contains("parameter"));
  EXPECT_FALSE(body.contains("retry"));
  EXPECT_FALSE(response.headers.find("Retry-After"));
}

TEST(JsonAnswer, EveryCodeHasAStatusOfItsKind) {
  for (const ErrorCode code : domain::kErrorCodes) {
    const int status = status_of(code);
    EXPECT_GE(status, 400) << to_string(code);
    EXPECT_LE(status, 503) << to_string(code);
    EXPECT_NE(status, 500) << to_string(code) << " has none of its own";
    // What stored nothing, or may have, because of us; and nothing else.
    EXPECT_EQ(status >= 500, code == ErrorCode::unavailable || code == ErrorCode::outcome_unknown) << to_string(code);
    const auto body = Json::parse(make_problem({code, "It is so.", {}, {}}).body);
    EXPECT_EQ(body["code"], to_string(code));
    EXPECT_EQ(body["status"], status);
    EXPECT_NE(body["title"], "Status") << "the status has no phrase";
  }
}

TEST(JsonAnswer, AnErrorOfTheListenerIsAProblemToo) {
  for (const auto& [status, code] : {std::pair{400, "malformed_request"},
                                     {401, "authentication_failed"},
                                     {404, "not_found"},
                                     {405, "malformed_request"},
                                     {413, "malformed_request"},
                                     {415, "malformed_request"},
                                     {429, "rate_limited"},
                                     {500, "unavailable"},
                                     {503, "unavailable"}}) {
    const Response response = render_problem(status, "It is so.");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(Json::parse(response.body)["code"], code) << status;
    EXPECT_EQ(Json::parse(response.body)["status"], status);
  }
}

Request get(std::string_view field, std::string_view value) {
  Request request;
  request.method = "GET";
  request.headers.add(field, value);
  return request;
}

TEST(EntityTag, IsOfTheBytes) {
  EXPECT_EQ(entity_tag("a"), entity_tag("a"));
  EXPECT_NE(entity_tag("a"), entity_tag("b"));
  EXPECT_EQ(entity_tag("a").size(), 24U);
  EXPECT_TRUE(entity_tag("").starts_with('"') && entity_tag("").ends_with('"'));
}

TEST(EntityTag, AnswersNotModifiedToWhoHasItAlready) {
  const std::string tag = entity_tag("{}");
  struct Case {
    std::string field;
    int status;
  };
  for (const Case& c : {Case{tag, 304}, Case{"W/" + tag, 304}, Case{"\"x\", " + tag, 304}, Case{"\"x\"," + tag, 304},
                        Case{"*", 304}, Case{"\"x\"", 200}, Case{"", 200}, Case{"x, " + tag, 200},
                        Case{tag.substr(0, 10), 200}, Case{"\"a,b\", W/" + tag, 304}}) {
    Response response = make_json(200, Json::object());
    add_entity_tag(get("If-None-Match", c.field), response);
    EXPECT_EQ(response.status, c.status) << c.field;
    EXPECT_EQ(response.headers.get("ETag"), tag);
    EXPECT_EQ(response.body.empty(), c.status == 304);
  }
  Response refused = make_json(404, Json::object());
  add_entity_tag(get("If-None-Match", "*"), refused);
  EXPECT_EQ(refused.status, 404);
  Request post = get("If-None-Match", tag);
  post.method = "POST";
  Response done = make_json(200, Json::object());
  add_entity_tag(post, done);
  EXPECT_EQ(done.status, 200);
}

TEST(EntityTag, LetsChangeOnlyWhatIsAsTheCallerKnowsIt) {
  const std::string tag = entity_tag("{}");
  EXPECT_TRUE(if_match_holds({}, tag));
  EXPECT_TRUE(if_match_holds(get("If-Match", tag), tag));
  EXPECT_TRUE(if_match_holds(get("If-Match", "*"), tag));
  EXPECT_TRUE(if_match_holds(get("if-match", "\"x\" , " + tag), tag));
  for (const std::string& other : {std::string("\"x\""), "W/" + tag, std::string(), std::string("x"), "x," + tag})
    EXPECT_FALSE(if_match_holds(get("If-Match", other), tag)) << other;
}

}  // namespace
}  // namespace invited::http
