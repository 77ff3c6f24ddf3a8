#include <set>

#include "http/v1/v1_fixture.h"

namespace invited::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class V1Listing : public V1Test {
 protected:
  static std::vector<std::string> emails(const ApiAnswerSeen& answer) {
    EXPECT_STATUS(answer, 200);
    std::vector<std::string> found;
    if (answer.status == 200)
      for (const Json& invitation : answer.json["invitations"]) found.push_back(invitation["email"]);
    return found;
  }
  void invite(const std::string& email) {
    ASSERT_STATUS(client().post("/api/v1/invitations", invite_body(email)), 201);
  }
  static std::string text(const Json& json) { return json.get<std::string>(); }
};

TEST_F(V1Listing, TheNewestComeFirst) {
  invite("ada@example.org");
  invite("bob@example.org");
  const auto answer = client().get("/api/v1/invitations");
  EXPECT_THAT(emails(answer), ElementsAre("bob@example.org", "ada@example.org"));
  EXPECT_EQ(answer.json["next"], nullptr);
  EXPECT_FALSE(answer.headers.find("Link"));
}

TEST_F(V1Listing, FiltersAddUp) {
  invite("ada@example.org");
  clock_.advance(std::chrono::hours(1));
  const std::string noon = base::to_rfc3339(now());
  clock_.advance(std::chrono::hours(1));
  invite("bob_1@example.org");
  invite("bobx1@example.net");
  const auto bob = client().get("/api/v1/invitations?email=BOB_1@example.org");
  EXPECT_THAT(emails(bob), ElementsAre("bob_1@example.org"));
  EXPECT_STATUS(client().call("DELETE", "/api/v1/invitations/" + text(bob.json["invitations"][0]["id"])), 200);
  const auto list = [&](const std::string& query) { return emails(client().get("/api/v1/invitations?" + query)); };
  EXPECT_THAT(list("state=revoked"), ElementsAre("bob_1@example.org"));
  EXPECT_THAT(list("state=pending"), ElementsAre("bobx1@example.net", "ada@example.org"));
  EXPECT_THAT(list("q=B_1"), ElementsAre("bob_1@example.org")) << "_ stands for itself";
  EXPECT_THAT(list("q=%25"), IsEmpty()) << "% stands for itself";
  EXPECT_THAT(list("q=EXAMPLE.org"), ElementsAre("bob_1@example.org", "ada@example.org"));
  EXPECT_THAT(list("created_before=" + noon), ElementsAre("ada@example.org"));
  EXPECT_THAT(list("created_after=" + noon + "&state=pending"), ElementsAre("bobx1@example.net"));
  clock_.advance(std::chrono::hours(24 * 8));
  EXPECT_THAT(list("state=expired"), ElementsAre("bobx1@example.net", "ada@example.org"));
  EXPECT_THAT(list("state=pending"), IsEmpty());
}

TEST_F(V1Listing, TheCursorLeadsThroughAllOfThemThoughNewOnesAreMade) {
  for (const char* name : {"a", "b", "c", "d", "e"}) invite(std::string(name) + "@example.org");
  const auto api = client();
  auto part = api.get("/api/v1/invitations?limit=2&q=%40example");
  EXPECT_THAT(emails(part), ElementsAre("e@example.org", "d@example.org"));
  invite("f@example.org");
  const std::string link(part.headers.get("Link"));
  EXPECT_EQ(link, "<https://invite.example.org/api/v1/invitations?limit=2&q=%40example&cursor=" +
                      text(part.json["next"]) + ">; rel=\"next\"");
  part = api.get(link.substr(link.find("/api"), link.find('>') - link.find("/api")));
  EXPECT_THAT(emails(part), ElementsAre("c@example.org", "b@example.org"));
  part = api.get("/api/v1/invitations?limit=2&cursor=" + text(part.json["next"]));
  EXPECT_THAT(emails(part), ElementsAre("a@example.org"));
  EXPECT_EQ(part.json["next"], nullptr);
}

TEST_F(V1Listing, AnAnswerThatIsKnownIsNotSentAgain) {
  invite("ada@example.org");
  const auto api = client();
  for (const char* path : {"/api/v1/invitations", "/api/v1/roles", "/api/v1/environments", "/api/v1/accounts"}) {
    const auto first = api.get(path);
    const std::string tag(first.headers.get("ETag"));
    ASSERT_FALSE(tag.empty()) << path;
    const auto second = api.get(path, {{"If-None-Match", tag}});
    EXPECT_STATUS(second, 304);
    EXPECT_TRUE(second.text.empty());
  }
}

TEST_F(V1Listing, WhatCannotBeAskedIsRefusedByName) {
  struct Row {
    const char* query;
    const char* parameter;
  };
  for (const Row& row : std::initializer_list<Row>{{"state=open", "state"},
                                                   {"state=", "state"},
                                                   {"email=ada", "email"},
                                                   {"created_after=yesterday", "created_after"},
                                                   {"created_before=2026-13-01", "created_before"},
                                                   {"limit=0", "limit"},
                                                   {"limit=201", "limit"},
                                                   {"limit=-1", "limit"},
                                                   {"limit=1e1", "limit"},
                                                   {"limit=99999999999999999999", "limit"},
                                                   {"cursor=x", "cursor"},
                                                   {"cursor=", "cursor"},
                                                   {"cursor=AAAAAAAAAAAAAAAAAAAAAA", "cursor"},
                                                   {"page=1", "page"},
                                                   {"State=pending", "State"},
                                                   {"limit=1&limit=2", "limit"}}) {
    const auto answer = client().get(std::string("/api/v1/invitations?") + row.query);
    EXPECT_STATUS(answer, 400) << row.query;
    EXPECT_EQ(answer.json["parameter"], row.parameter) << row.query;
  }
  for (const char* query : {"q=%ff", "q=%zz", "q=%00"})
    EXPECT_STATUS(client().get(std::string("/api/v1/invitations?") + query), 400) << query;
}

}  // namespace
}  // namespace invited::http
