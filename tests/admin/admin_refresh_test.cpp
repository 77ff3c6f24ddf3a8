// The calls that tell apps of changed roles, as operators see them.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"

namespace invited::admin {
namespace {

using domain::CallOutcome;
using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr const char* kUrl = "https://planner.example.org/ws/RefreshAPI";

class AdminRefreshTest : public AdminTest {
 protected:
  AdminRefreshTest() { set_url(kUrl); }

  void set_url(const char* url) { result("environment set", {{"environment", "Production"}, {"refresh-url", url}}); }
  Json grant(const std::string& email = "grace@example.org", const char* role = "Planner") {
    return result("access grant", {{"environment", "Production"}, {"email", email}, {"role", role}});
  }
  /// Makes the oldest due call, which ends as told; a deferred one is given up.
  void make_call(CallOutcome outcome, int status, const std::string& explanation,
                 std::optional<std::chrono::minutes> again = std::nullopt) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      const auto lease = t.claim_due_call(domain::CallKind::refresh, {now(), now() + 1min});
      EXPECT_TRUE(lease);
      if (!lease) return {};
      const auto next = again ? std::optional(now() + *again) : std::nullopt;
      EXPECT_TRUE(
          t.finish_call_attempt(domain::CallKind::refresh, *lease, {outcome, status, explanation}, next, now()));
      return {};
    });
  }
  Json list(const char* state = "") {
    return *state == '\0' ? result("refresh list") : result("refresh list", {{"state", state}});
  }
};

TEST_F(AdminRefreshTest, EveryChangeOfAPersonsRolesOwesACallAndWakesItsWorker) {
  const Json change{{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Planner"}};
  const Json person{{"email", "grace@example.org"}};
  int woken = 0;
  for (const auto& [command, arguments] : {std::pair("access grant", change), std::pair("access revoke", change),
                                           std::pair("account disable", person), std::pair("account enable", person)}) {
    result(command, arguments);
    EXPECT_EQ(refresh_queued_, ++woken) << command;
    ASSERT_EQ(list("queued").size(), 1U) << command;
    make_call(CallOutcome::done, 200, {});
  }
  EXPECT_EQ(list("done").size(), 4U);
}

TEST_F(AdminRefreshTest, WhatIsRefusedOwesNoCall) {
  EXPECT_EQ(error("access grant", {{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Captain"}}),
            "unknown_role role");
  EXPECT_EQ(refresh_queued_, 0);
  EXPECT_TRUE(list().empty());
}

TEST_F(AdminRefreshTest, ACallIsListedAndShownWithEachAttempt) {
  grant();
  make_call(CallOutcome::deferred, 0, "connection refused", 1min);
  clock_.advance(1min);
  make_call(CallOutcome::deferred, 500, "no such user");
  const Json listed = list("failed")[0];
  std::vector<std::string> members;
  for (const auto& [name, value] : listed.items()) members.push_back(name);
  EXPECT_THAT(members, ElementsAre("refresh_uuid", "state", "email", "account_uuid", "environment_uuid",
                                   "environment_name", "app_name", "refresh_url", "queued_at", "due_at", "finished_at",
                                   "attempt_count", "last_error"));
  EXPECT_EQ(listed["email"], "grace@example.org");
  EXPECT_EQ(listed["environment_name"], "Production");
  EXPECT_EQ(listed["app_name"], "Harbour Planner");
  EXPECT_EQ(listed["refresh_url"], kUrl);
  EXPECT_EQ(listed["attempt_count"], 2);
  EXPECT_EQ(listed["last_error"], "no such user");
  const Json shown = result("refresh show", {{"refresh", listed["refresh_uuid"]}});
  ASSERT_EQ(shown["attempts"].size(), 2U);
  EXPECT_EQ(shown["attempts"][0]["outcome"], "deferred");
  EXPECT_TRUE(shown["attempts"][0]["http_status"].is_null()) << "nobody answered";
  EXPECT_EQ(shown["attempts"][0]["explanation"], "connection refused");
  EXPECT_EQ(shown["attempts"][1]["http_status"], 500);
}

TEST_F(AdminRefreshTest, AFailedCallIsMadeAgain) {
  grant();
  make_call(CallOutcome::deferred, 404, "no such page");
  const std::string id = list()[0]["refresh_uuid"];
  const Json queued = result("refresh retry", {{"refresh", id}});
  EXPECT_EQ(queued["state"], "queued");
  EXPECT_EQ(queued["attempt_count"], 0);
  EXPECT_EQ(refresh_retried_, 1);
  EXPECT_EQ(audited().front(), "refresh.retried");
  EXPECT_EQ(newest_event().environment_id, environment_.id);
  EXPECT_EQ(result("refresh retry", {{"refresh", id}})["state"], "queued") << "one that waits is made now";
  EXPECT_EQ(refresh_retried_, 2);
  make_call(CallOutcome::done, 200, {});
  EXPECT_EQ(error("refresh retry", {{"refresh", id}}), "invalid_parameter refresh") << "it is done";
  const Json shown = result("refresh show", {{"refresh", id}});
  EXPECT_EQ(shown["attempts"].back()["outcome"], "done");
}

TEST_F(AdminRefreshTest, ACancelledCallWaitsForARefreshUrl) {
  grant();
  set_url("");
  make_call(CallOutcome::cancelled, 0, "no refresh URL");
  const std::string id = list("cancelled")[0]["refresh_uuid"];
  EXPECT_TRUE(list()[0]["refresh_url"].is_null());
  EXPECT_EQ(error("refresh retry", {{"refresh", id}}), "invalid_parameter refresh");
  set_url(kUrl);
  EXPECT_EQ(result("refresh retry", {{"refresh", id}})["state"], "queued");
}

TEST_F(AdminRefreshTest, AllFailedCallsAreMadeAgainOthersLeftAlone) {
  for (const char* who : {"a", "b", "c"}) {
    const std::string email = std::string(who) + "@example.org";
    result("account add", {{"email", email}, {"name", "Somebody"}});
    grant(email);
    make_call(CallOutcome::deferred, 503, "busy");
  }
  grant("grace@example.org");
  make_call(CallOutcome::done, 200, {});
  const std::size_t before = audited().size();
  EXPECT_EQ(result("refresh retry", {{"all", true}})["retried"], 3);
  EXPECT_EQ(audited().size(), before + 3);
  EXPECT_EQ(audited().front(), "refresh.retried");
  EXPECT_EQ(newest_event().environment_id, environment_.id);
  EXPECT_EQ(refresh_retried_, 1);
  EXPECT_EQ(list("queued").size(), 3U);
  EXPECT_EQ(list("done").size(), 1U);
  EXPECT_EQ(result("refresh retry", {{"all", true}})["retried"], 0);
}

TEST_F(AdminRefreshTest, ListsArePagedNewestFirst) {
  for (int i = 0; i < 3; ++i) {
    grant("grace@example.org", "Planner");
    result("access revoke", {{"environment", "Production"}, {"email", "grace@example.org"}, {"role", "Planner"}});
    make_call(CallOutcome::done, 200, {});
    clock_.advance(1min);
  }
  const Json all = list();
  ASSERT_EQ(all.size(), 3U) << "a grant and a revocation in one go are one call";
  EXPECT_GT(all[0]["queued_at"].get<std::string>(), all[2]["queued_at"].get<std::string>());
  EXPECT_EQ(result("refresh list", {{"limit", 1U}, {"offset", 1U}}), Json::array({all[1]}));
}

}  // namespace
}  // namespace invited::admin
