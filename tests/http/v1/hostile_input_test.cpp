// What is not what it should be is refused with 400, every place by its name, and nothing is stored.
#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

struct Row {
  const char* name;
  std::string body;
  std::string pointer;  ///< of the first issue
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class V1HostileBody : public V1Test, public testing::WithParamInterface<Row> {};

TEST_P(V1HostileBody, IsRefusedWithThePlace) {
  const auto answer = client({.may_see_links = true}).call("POST", "/api/v1/invitations", GetParam().body);
  ASSERT_STATUS(answer, 400);
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.json["status"], 400);
  ASSERT_FALSE(answer.json["errors"].empty());
  EXPECT_EQ(answer.json["errors"][0]["pointer"], GetParam().pointer);
  EXPECT_FALSE(answer.json["errors"][0]["detail"].get<std::string>().empty());
  EXPECT_TRUE(invitations().empty());
}

const std::string kGood = R"("email":"ada@example.org","roles":["User"])";

INSTANTIATE_TEST_SUITE_P(
    Rows, V1HostileBody,
    testing::Values(
        Row{"nothing", "", "#"}, Row{"blank", " ", "#"}, Row{"no_json", "email=ada", "#"}, Row{"an_array", "[]", "#"},
        Row{"a_text", "\"ada\"", "#"}, Row{"null", "null", "#"}, Row{"unfinished", "{" + kGood, "#/roles"},
        Row{"something_behind", "{" + kGood + "} x", "#"}, Row{"a_byte_order_mark", "\xef\xbb\xbf{" + kGood + "}", "#"},
        Row{"a_comment", "{/**/" + kGood + "}", "#"}, Row{"a_trailing_comma", "{" + kGood + ",}", "#/roles"},
        Row{"a_name_twice", "{" + kGood + R"(,"email":"eve@example.org"})", "#/email"},
        Row{"bad_utf8", "{\"email\":\"ada\xff@example.org\"}", "#"},
        Row{"a_lone_surrogate", R"({"email":"\ud800"})", "#/email"},
        Row{"nul", R"({"email":"ada\u0000@example.org"})", "#/email"},
        Row{"too_deep", "{\"metadata\":" + std::string(20, '[') + std::string(20, ']') + "}",
            "#/metadata/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0"},
        Row{"no_email", R"({"roles":["User"]})", "#/email"},
        Row{"email_null", R"({"email":null,"roles":["User"]})", "#/email"},
        Row{"email_a_number", R"({"email":5,"roles":["User"]})", "#/email"},
        Row{"email_a_list", R"({"email":["ada@example.org"],"roles":["User"]})", "#/email"},
        Row{"no_roles", R"({"email":"ada@example.org"})", "#/roles"},
        Row{"roles_a_text", R"({"email":"ada@example.org","roles":"User"})", "#/roles"},
        Row{"a_role_a_number", R"({"email":"ada@example.org","roles":["User",7]})", "#/roles/1"},
        Row{"metadata_a_list", "{" + kGood + R"(,"metadata":[]})", "#/metadata"},
        Row{"metadata_a_text", "{" + kGood + R"(,"metadata":"{}"})", "#/metadata"},
        Row{"redirect_url_a_number", "{" + kGood + R"(,"redirect_url":1})", "#/redirect_url"},
        Row{"expires_in_a_fraction", "{" + kGood + R"(,"expires_in":3600.5})", "#/expires_in"},
        Row{"expires_in_a_text", "{" + kGood + R"(,"expires_in":"3600"})", "#/expires_in"},
        Row{"send_a_text", "{" + kGood + R"(,"send":"false"})", "#/send"},
        Row{"send_null", "{" + kGood + R"(,"send":null})", "#/send"},
        Row{"unknown", "{" + kGood + R"(,"rolse":[]})", "#"}, Row{"proto", "{" + kGood + R"(,"__proto__":{}})", "#"}),
    [](const auto& row) { return row.param.name; });

class V1HostileInput : public V1Test {};

TEST_F(V1HostileInput, EveryPlaceIsNamedAtOnce) {
  const auto answer = client().call("POST", "/api/v1/invitations", R"({"roles":[1,2],"send":0,"more":1})");
  ASSERT_STATUS(answer, 400);
  std::vector<std::string> pointers;
  for (const Json& error : answer.json["errors"]) pointers.push_back(error["pointer"]);
  EXPECT_THAT(pointers, testing::ElementsAre("#/email", "#/roles/0", "#/roles/1", "#/send", "#"));
}

TEST_F(V1HostileInput, ValuesThatMayNotBeAreRefusedByTheDomain) {
  struct Value {
    const char* member;
    Json value;
    const char* code;
    const char* parameter;
  };
  const std::string endless(4100, 'x');
  for (const Value& row : std::vector<Value>{
           {"email", "", "missing_parameter", "email"},
           {"email", "ada", "invalid_email_address", "email"},
           {"email", "ada@example.org, eve@example.org", "invalid_email_address", "email"},
           {"email", "ada@example.org\r\nBcc: eve@example.org", "invalid_email_address", "email"},
           {"roles", Json::array(), "missing_parameter", "roles"},
           {"roles", {""}, "unknown_role", "roles"},
           {"roles", {"user"}, "unknown_role", "roles"},
           {"roles", {base::Uuid::random().to_string()}, "unknown_role", "roles"},
           {"metadata", {{"a", endless}}, "invalid_parameter", "metadata"},
           {"redirect_url", "https://evil.example.com/", "invalid_parameter", "redirect_url"},
           {"redirect_url", "https://planner.example.org/welcome/../admin", "invalid_parameter", "redirect_url"},
           {"redirect_url", "javascript:alert(1)", "invalid_parameter", "redirect_url"},
           {"expires_in", 0, "invalid_parameter", "expires_in"},
           {"expires_in", -1, "invalid_parameter", "expires_in"},
           {"expires_in", 299, "invalid_parameter", "expires_in"},
           {"expires_in", 7776001, "invalid_parameter", "expires_in"},
           {"expires_in", 9223372036854775807, "invalid_parameter", "expires_in"},
           {"expires_in", INT64_MIN, "invalid_parameter", "expires_in"}}) {
    Json body = invite_body();
    body[row.member] = row.value;
    const auto answer = client().post("/api/v1/invitations", body);
    EXPECT_STATUS(answer, 400);
    EXPECT_EQ(answer.json["code"], row.code) << body;
    EXPECT_EQ(answer.json["parameter"], row.parameter) << body;
  }
  EXPECT_TRUE(invitations().empty());
}

TEST_F(V1HostileInput, ABadItemOfManyIsNamedAndStopsThemAll) {
  const auto answer =
      client().call("POST", "/api/v1/invitations/bulk",
                    R"({"invitations":[{"email":"a@example.org","roles":["User"]},{"email":1,"roles":[]},7]})");
  ASSERT_STATUS(answer, 400);
  EXPECT_EQ(answer.json["errors"][0]["pointer"], "#/invitations/1/email");
  EXPECT_EQ(answer.json["errors"][1]["pointer"], "#/invitations/2");
  EXPECT_TRUE(invitations().empty());
  for (const char* body :
       {"{}", R"({"invitations":{}})", R"({"invitations":null})", R"({"invitations":[],"dry_run":false})",
        R"({"invitations":[{"email":"a@example.org","roles":["User"]}],"dry_run":"yes"})"})
    EXPECT_STATUS(client().call("POST", "/api/v1/invitations/bulk", body), 400);
}

TEST_F(V1HostileInput, CallsWithoutABodyTakeNone) {
  const auto made = client().post("/api/v1/invitations", invite_body());
  const std::string path = "/api/v1/invitations/" + made.json["invitation"]["id"].get<std::string>();
  const auto api = client({.may_see_links = true});
  for (const char* tail : {"/revoke", "/link"}) {
    EXPECT_STATUS(api.call("POST", path + tail, R"({"send":true})"), 400);
    EXPECT_STATUS(api.call("POST", path + tail, "x"), 400);
    EXPECT_STATUS(api.call("POST", path + tail + "?send=true"), 400);
    EXPECT_STATUS(api.call("POST", path + tail, "{}", {{"Content-Type", "text/plain"}}), 415);
  }
  EXPECT_STATUS(api.call("POST", path + "/resend", R"({"send":"no"})"), 400);
  EXPECT_STATUS(api.call("PATCH", path, "{}"), 400);
  EXPECT_STATUS(api.call("PATCH", path, R"({"expires_at":"tomorrow"})"), 400);
  EXPECT_STATUS(api.call("PATCH", path, R"({"state":"accepted"})"), 400);
  EXPECT_STATUS(api.get(path + "?fields=id"), 400);
  EXPECT_EQ(invitations().front().state, domain::InvitationState::pending);
  EXPECT_EQ(invitations().front().generation, 1u);
}

}  // namespace
}  // namespace invited::http
