// What a token may not grant it may not take away either, whichever door it comes through: a pending invitation to a
// role above its ceiling is neither revoked nor replaced.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "http/dialects/dialect_fixture.h"
#include "http/dialects/medusa_shapes.h"

namespace invited::http {
namespace {

class RoleCeiling : public DialectTest {
 protected:
  RoleCeiling() {
    map("base44", "user", user_);
    map("gorules", "default", user_);
    map("medusa", "planner", planner_);
    EXPECT_EQ(call("POST", "/api/v1/invitations", Json{{"email", kAda}, {"roles", {"Planner"}}}.dump()).status, 201);
    before_ = invitations().front();
    id_ = before_->id.to_string();
    medusa_id_ = medusa_id(MedusaKind::invite, before_->id);
    token_ = make_token({user_.id});
  }

  void expect_as_before() {
    ASSERT_EQ(invitations().size(), 1u);
    const domain::Invitation now_is = invitations().front();
    EXPECT_EQ(now_is.state, domain::InvitationState::pending);
    EXPECT_EQ(now_is.role_ids(), before_->role_ids());
    EXPECT_EQ(now_is.generation, before_->generation);
    EXPECT_EQ(now_is.token_id, before_->token_id);
  }

  static constexpr const char* kAda = "ada@example.org";
  std::optional<domain::Invitation> before_;
  std::string id_, medusa_id_;
};

TEST_F(RoleCeiling, NoDoorRevokesWhatIsAboveIt) {
  struct Case {
    std::string method, path;
  };
  for (const Case& c :
       {Case{"DELETE", "/api/v1/invitations/" + id_}, Case{"POST", "/api/v1/invitations/" + id_ + "/revoke"},
        Case{"DELETE", "/api/invitations/" + id_}, Case{"DELETE", "/admin/invites/" + medusa_id_}}) {
    const auto refused = call(c.method, c.path);
    EXPECT_EQ(refused.status, 403) << c.path << ' ' << refused.text;
    expect_as_before();
  }
}

TEST_F(RoleCeiling, NoDoorReplacesWhatIsAboveIt) {
  struct Case {
    std::string path;
    Json body;
  };
  for (const Case& c :
       {Case{"/api/v1/invitations", {{"email", kAda}, {"roles", {"User"}}}}, Case{"/api/users", {{"emails", {kAda}}}},
        Case{"/api/apps/x/users/invite-user", {{"user_email", kAda}, {"role", "user"}}}}) {
    const auto refused = call("POST", c.path, c.body.dump());
    EXPECT_EQ(refused.status, 403) << c.path << ' ' << refused.text;
    expect_as_before();
  }
  for (const bool dry_run : {true, false}) {
    const Json items = Json::array({{{"email", kAda}, {"roles", {"User"}}}});
    const auto bulk =
        call("POST", "/api/v1/invitations/bulk", Json{{"invitations", items}, {"dry_run", dry_run}}.dump());
    ASSERT_EQ(bulk.status, 200) << bulk.text;
    ASSERT_EQ(bulk.json["results"][0]["verdict"], "refused") << bulk.text;
    EXPECT_EQ(bulk.json["results"][0]["error"]["code"], "role_not_allowed") << bulk.text;
    expect_as_before();
  }
}

TEST_F(RoleCeiling, NoDoorChangesOrSendsWhatIsAboveIt) {
  const auto changed = call("PATCH", "/api/v1/invitations/" + id_, Json{{"roles", {"User"}}}.dump());
  EXPECT_EQ(changed.code(), "role_not_allowed") << changed.text;
  EXPECT_EQ(call("POST", "/api/v1/invitations/" + id_ + "/resend").code(), "role_not_allowed");
  EXPECT_EQ(call("POST", "/api/users/" + id_ + "/invitation").status, 403);
  EXPECT_EQ(call("POST", "/admin/invites/" + medusa_id_ + "/resend").status, 403);
  expect_as_before();
}

TEST_F(RoleCeiling, WhatIsWithinItIsRevokedAndReplaced) {
  token_ = make_token({planner_.id, user_.id});
  clock_.advance(policy_.repeat_window);
  const auto replaced = call("POST", "/api/v1/invitations", Json{{"email", kAda}, {"roles", {"User"}}}.dump());
  EXPECT_EQ(replaced.json["effect"], "resent") << replaced.text;
  EXPECT_EQ(call("DELETE", "/api/v1/invitations/" + id_).status, 200);
}

TEST_F(RoleCeiling, WhatHasExpiredKeepsNobodyFromInvitingAnew) {
  clock_.advance(policy_.invitation_lifetime);
  const auto anew = call("POST", "/api/v1/invitations", Json{{"email", kAda}, {"roles", {"User"}}}.dump());
  EXPECT_EQ(anew.status, 201) << anew.text;
}

}  // namespace
}  // namespace invited::http
