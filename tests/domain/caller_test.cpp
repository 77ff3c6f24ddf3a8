#include "domain/caller.h"

#include <functional>

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

TEST_F(CallerTest, AValidTokenIsItsEnvironmentAndInviter) {
  const auto token = add_token({.role_ceiling = {user_.id}, .may_see_links = true});
  const auto caller = authenticate(token);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->environment.id, environment_.id);
  EXPECT_EQ(caller->app.id, app_.id);
  EXPECT_EQ(caller->account.id, inviter_->id);
  EXPECT_EQ(caller->role_ceiling, std::vector{user_.id});
  EXPECT_TRUE(caller->may_see_links);
  EXPECT_EQ(caller->token_id, token.token.id);
  EXPECT_EQ(caller->actor, "token:" + token.token.id.to_string());
}

/// What makes a token worthless, and what makes it good again where something does.
struct Worthless {
  const char* name;
  std::function<void(Transaction&, const AddedApiToken&, base::Timestamp)> act;
};
void PrintTo(const Worthless& row, std::ostream* out) { *out << row.name; }

class WorthlessToken : public CallerTest, public testing::WithParamInterface<Worthless> {};

INSTANTIATE_TEST_SUITE_P(
    All, WorthlessToken,
    testing::Values(Worthless{"Revoked",
                              [](Transaction& transaction, const AddedApiToken& token, base::Timestamp now) {
                                EXPECT_TRUE(revoke_api_token(token.token.id, transaction, now));
                              }},
                    Worthless{"EnvironmentDisabled",
                              [](Transaction& transaction, const AddedApiToken& token, base::Timestamp now) {
                                EXPECT_TRUE(
                                    set_environment_disabled(token.token.environment_id, true, transaction, now));
                              }},
                    Worthless{"AccountDisabled",
                              [](Transaction& transaction, const AddedApiToken&, base::Timestamp now) {
                                EXPECT_TRUE(set_account_disabled("grace@example.org", true, transaction, now));
                              }},
                    Worthless{"AccessWithdrawn",
                              [](Transaction& transaction, const AddedApiToken& token, base::Timestamp now) {
                                for (const Role& role :
                                     transaction.list_roles_of(token.token.account_id, token.token.environment_id))
                                  EXPECT_TRUE(revoke_access(token.token.environment_id, "grace@example.org", role.id,
                                                            transaction, now));
                              }}),
    [](const auto& row) { return row.param.name; });

TEST_P(WorthlessToken, IsRefusedAtTheDoorAndInsideTheTransaction) {
  const auto token = add_token();
  const auto caller = authenticate(token);
  ASSERT_TRUE(caller);
  write([&](Transaction& t) -> Result<void> {
    GetParam().act(t, token, now());
    return {};
  });
  const auto refused = authenticate(token);
  ASSERT_FALSE(refused);
  const auto unknown = authenticate_token(make_api_token().reveal(), "192.0.2.1", *context_);
  EXPECT_EQ(refused.error().code, unknown.error().code);
  EXPECT_EQ(refused.error().message, unknown.error().message) << "one and the same error";
  EXPECT_EQ(refused.error().parameter, unknown.error().parameter);
  const auto again = read_returning(*store_, [&](Transaction& t) { return find_again(*caller, t, now()); });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, unknown.error().message);
  EXPECT_EQ(error_of(invite(*caller, to("ada@example.org", {user_}))), "authentication_failed ");
  EXPECT_TRUE(invitations().empty());
}

TEST_F(CallerTest, WhatCannotBeATokenGetsTheSameErrorAsOneThatIsUnknown) {
  const auto unknown = authenticate_token(make_api_token().reveal(), "192.0.2.1", *context_);
  for (const char* text : {"", "x", "invited_", "Bearer x"}) {
    const auto refused = authenticate_token(text, "192.0.2.1", *context_);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().message, unknown.error().message) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::authentication_failed) << text;
  }
}

TEST_F(CallerTest, ATokenEndsAtItsTime) {
  const auto token = add_token({.expires_at = now() + 1h});
  clock_.advance(1h - 1ms);
  const auto caller = authenticate(token);
  ASSERT_TRUE(caller);
  clock_.advance(1ms);
  EXPECT_FALSE(authenticate(token));
  EXPECT_FALSE(read_returning(*store_, [&](Transaction& t) { return find_again(*caller, t, now()); }));
}

TEST_F(CallerTest, TheLastUseIsNotedAtMostOnceAMinute) {
  const auto token = add_token();
  const auto last_use = [&] {
    return (*read_returning(
                *store_,
                [&](Transaction& t) -> Result<std::optional<ApiToken>> { return t.find_api_token(token.token.id); }))
        ->last_used_at;
  };
  EXPECT_FALSE(last_use());
  const auto first = now();
  ASSERT_TRUE(authenticate(token));
  EXPECT_EQ(last_use(), first);
  clock_.advance(60s - 1ms);
  ASSERT_TRUE(authenticate(token));
  EXPECT_EQ(last_use(), first);
  clock_.advance(1ms);
  ASSERT_TRUE(authenticate(token));
  EXPECT_EQ(last_use(), now());
  clock_.advance(-1h);  // the clock was set back
  ASSERT_TRUE(authenticate(token));
  EXPECT_EQ(last_use(), now());
}

TEST_F(CallerTest, AWrongTokenIsNoUse) {
  const auto token = add_token();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_api_token(token.token.id, t, now()));
    return {};
  });
  EXPECT_FALSE(authenticate(token));
  const auto found = *read_returning(
      *store_, [&](Transaction& t) -> Result<std::optional<ApiToken>> { return t.find_api_token(token.token.id); });
  EXPECT_FALSE(found->last_used_at);
}

TEST_F(CallerTest, WrongTokensAreCountedForTheClientAddressAndTheRightOneAlwaysPasses) {
  const auto token = add_token();
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(error_of(authenticate_token("invited_x", "192.0.2.1", *context_)), "authentication_failed ") << i;
  const auto slowed = authenticate_token(make_api_token().reveal(), "192.0.2.1", *context_);
  EXPECT_EQ(error_of(slowed), "rate_limited ");
  EXPECT_GT(slowed.error().retry_after.value_or(0s), 0s);
  EXPECT_TRUE(authenticate(token));
  EXPECT_EQ(error_of(authenticate_token("invited_x", "192.0.2.2", *context_)), "authentication_failed ");
  EXPECT_EQ(view_invitation("forged", "192.0.2.1", *context_)->link, LinkState::wrong) << "people are not slowed by it";
}

TEST_F(CallerTest, WithoutATokenNobodyGuesses) {
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(error_of(authenticate_token("", "192.0.2.1", *context_)), "authentication_failed ") << i;
  EXPECT_EQ(error_of(authenticate_token("invited_x", "192.0.2.1", *context_)), "authentication_failed ");
}

TEST_F(CallerTest, FoundAgainACallerIsAsThingsAreNow) {
  const auto caller = *authenticate(add_token());
  const auto soap = environments_caller();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_app(app_.id, {.name = "Quay Planner", .grants = "manageable"}, t, now()));
    EXPECT_TRUE(set_account("grace@example.org", {.name = "Grace B. Hopper", .fields = {}}, t, now()));
    EXPECT_TRUE(set_environment(environment_.id, {.name = "Live"}, "https://invite.example.org", t, now()));
    return {};
  });
  for (const Caller& before : {caller, soap}) {
    const auto again = read_returning(*store_, [&](Transaction& t) { return find_again(before, t, now()); });
    ASSERT_TRUE(again);
    EXPECT_EQ(again->app.name, "Quay Planner");
    EXPECT_EQ(again->app.grants, GrantRule::manageable);
    EXPECT_EQ(again->account.name, "Grace B. Hopper");
    EXPECT_EQ(again->environment.name, "Live");
    EXPECT_EQ(again->actor, before.actor);
  }
}

TEST_F(CallerTest, WithoutATokenACallerEndsWithItsPassword) {
  const auto session = environments_caller();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account_password("grace@example.org", "hash", t, now()));
    return {};
  });
  EXPECT_FALSE(read_returning(*store_, [&](Transaction& t) { return find_again(session, t, now()); }));
}

TEST_F(CallerTest, NothingIsGrantedAboveTheCeiling) {
  const auto caller = make_caller({.role_ceiling = {user_.id, planner_.id}});
  EXPECT_TRUE(invite(caller, to("a@example.org", {user_})));
  EXPECT_TRUE(invite(caller, to("b@example.org", {planner_, user_})));
  EXPECT_EQ(error_of(invite(caller, to("c@example.org", {administrator_}))), "role_not_allowed role");
  EXPECT_EQ(error_of(invite(caller, to("c@example.org", {user_, administrator_}))), "role_not_allowed role");
  EXPECT_EQ(error_of(plan(caller, to("c@example.org", {administrator_}))), "role_not_allowed role");
  EXPECT_EQ(invitations().size(), 2u);
}

}  // namespace
}  // namespace invited::domain
