// Apps that ask for it let people invite only to roles that one of their own manages: at every step, as things stand
// then.
#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class GrantsTest : public CallerTest {
 protected:
  GrantsTest() {
    set_grants(GrantRule::manageable);
    set_manageable(user_, {user_.id});
  }

  Result<Invited> resent(const Caller& caller, const Invitation& invitation) {
    return write_returning(*store_, [&](Transaction& t) -> Result<Invited> {
      const auto again = find_again(caller, t, now());
      if (!again) return std::unexpected(again.error());
      return resend(*again, *t.find_invitation(invitation.id), /*send=*/true, t, policy_, now());
    });
  }

  Result<Invitation> changed(const Caller& caller, const Invitation& invitation, const InvitationChange& change) {
    return write_returning(*store_, [&](Transaction& t) -> Result<Invitation> {
      const auto again = find_again(caller, t, now());
      if (!again) return std::unexpected(again.error());
      return change_invitation(*t.find_invitation(invitation.id), change, *again, t, now());
    });
  }

  /// A person who may invite to everything.
  Caller administrators_caller() {
    set_manageable(administrator_, {}, /*all=*/true);
    add_person("linus@example.org");
    grant("linus@example.org", administrator_);
    return make_caller({.email = "linus@example.org"});
  }
};

TEST_F(GrantsTest, PeopleInviteToWhatTheirRolesManage) {
  const Caller caller = make_caller();
  EXPECT_TRUE(invite(caller, to("a@example.org", {user_})));
  EXPECT_EQ(error_of(invite(caller, to("b@example.org", {planner_}))), "role_not_allowed role");
  EXPECT_EQ(error_of(invite(caller, to("b@example.org", {user_, planner_}))), "role_not_allowed role");
  set_manageable(planner_, {planner_.id, administrator_.id});
  EXPECT_EQ(error_of(invite(caller, to("b@example.org", {planner_}))), "role_not_allowed role") << "not a role of hers";
  grant("grace@example.org", planner_);
  EXPECT_TRUE(invite(caller, to("b@example.org", {user_, planner_, administrator_})));
}

TEST_F(GrantsTest, ARoleThatManagesAllManagesAll) {
  EXPECT_TRUE(invite(administrators_caller(), to("a@example.org", {user_, planner_, administrator_})));
}

TEST_F(GrantsTest, TheCeilingOfATokenCountsBesides) {
  set_manageable(user_, {user_.id, planner_.id});
  const Caller caller = make_caller({.role_ceiling = {planner_.id, administrator_.id}});
  EXPECT_TRUE(invite(caller, to("a@example.org", {planner_})));
  EXPECT_EQ(error_of(invite(caller, to("b@example.org", {user_}))), "role_not_allowed role")
      << "not within the ceiling";
  EXPECT_EQ(error_of(invite(caller, to("b@example.org", {administrator_}))), "role_not_allowed role") << "not managed";
}

TEST_F(GrantsTest, CallersWithAnEnvironmentsPasswordAreAskedToo) {
  EXPECT_TRUE(send("a@example.org"));
  auto higher = request("b@example.org");
  higher.role_uuid = planner_.id.to_string();
  EXPECT_EQ(error_of(send_invitation(higher, *context_)), "role_not_allowed role");
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(GrantsTest, AResendAsksAnew) {
  const Caller caller = make_caller();
  const Invitation invitation = *invite(caller, to("ada@example.org", {user_}))->invitation;
  set_manageable(user_, {});
  EXPECT_EQ(error_of(resent(caller, invitation)), "role_not_allowed role");
  EXPECT_EQ(invitations().at(0).generation, 1u);
  EXPECT_TRUE(resent(administrators_caller(), invitation)) << "another inviter may";
  EXPECT_EQ(link_of(invitations().at(0)), LinkState::open) << "whose invitation it is now";
}

TEST_F(GrantsTest, AChangeAsksOfWhatIsGrantedAfterwards) {
  const Caller caller = make_caller();
  const Invitation invitation = *invite(caller, to("ada@example.org", {user_}))->invitation;
  EXPECT_EQ(error_of(changed(caller, invitation, {.role_ids = std::vector{user_.id, planner_.id}})),
            "role_not_allowed role");
  EXPECT_EQ(invitations().at(0).role_ids(), std::vector{user_.id});
  EXPECT_TRUE(changed(caller, invitation, {.metadata = "{}"}));
}

TEST_F(GrantsTest, WhatMayNotBeGrantedMayNotBeReplacedEither) {
  const Caller administrator = administrators_caller();
  const Invitation invitation = *invite(administrator, to("ada@example.org", {administrator_}))->invitation;
  const Caller caller = make_caller();
  EXPECT_EQ(error_of(invite(caller, to("ada@example.org", {user_}))), "role_not_allowed role");
  EXPECT_EQ(error_of(plan(caller, to("ada@example.org", {user_}))), "role_not_allowed role");
  EXPECT_EQ(error_of(send("ada@example.org")), "role_not_allowed role") << "by the environment's password either";
  EXPECT_EQ(error_of(changed(caller, invitation, {.role_ids = std::vector{user_.id}})), "role_not_allowed role");
  EXPECT_EQ(invitations().at(0).role_ids(), std::vector{administrator_.id});
  EXPECT_EQ(invitations().at(0).generation, 1u);
  EXPECT_EQ(invite(administrator, to("ada@example.org", {user_}))->effect, InviteEffect::resent);
}

TEST_F(GrantsTest, WhoChangesTheRolesAnswersForThem) {
  const Invitation invitation = *invite(make_caller(), to("ada@example.org", {user_}))->invitation;
  const Caller administrator = administrators_caller();
  ASSERT_TRUE(changed(administrator, invitation, {.role_ids = std::vector{planner_.id}}));
  EXPECT_EQ(invitations().at(0).inviter_id, administrator.account.id);
  EXPECT_EQ(link_of(invitation), LinkState::open) << "the first inviter could not grant it, but who changed it can";
  ASSERT_TRUE(accept_invitation(sign_up(token_of(invitation)), *context_));
  EXPECT_TRUE(has_access(*account("ada@example.org"), planner_));
  EXPECT_FALSE(has_access(*account("ada@example.org"), user_));
}

TEST_F(GrantsTest, WhoChangesAnythingElseDoesNotAnswerForTheRoles) {
  const Caller first = make_caller();
  const Invitation invitation = *invite(first, to("ada@example.org", {user_}))->invitation;
  ASSERT_TRUE(changed(administrators_caller(), invitation, {.metadata = "{}"}));
  EXPECT_EQ(invitations().at(0).inviter_id, first.account.id);
  EXPECT_EQ(invitations().at(0).token_id, first.token_id);
}

TEST_F(GrantsTest, AcceptingAsksOnceMore) {
  const Invitation invitation = *invite(make_caller(), to("ada@example.org", {user_}))->invitation;
  set_manageable(user_, {planner_.id});
  EXPECT_EQ(link_of(invitation), LinkState::revoked);
  EXPECT_EQ(error_of(accept_invitation(sign_up(token_of(invitation)), *context_)), "link_not_valid ");
  EXPECT_FALSE(account("ada@example.org"));
  set_manageable(user_, {user_.id});
  EXPECT_EQ(link_of(invitation), LinkState::open) << "nothing was stored: granted again it goes on";
  withdraw("grace@example.org", user_);
  EXPECT_EQ(link_of(invitation), LinkState::revoked) << "the inviter manages nothing any more";
  set_grants(GrantRule::any);
  EXPECT_EQ(link_of(invitation), LinkState::open);
}

TEST_F(GrantsTest, AnInviterWhoIsDisabledManagesNothing) {
  const Invitation invitation = *invite(make_caller(), to("ada@example.org", {user_}))->invitation;
  const auto set_disabled = [&](bool disabled) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_account_disabled("grace@example.org", disabled, t, now()));
      return {};
    });
  };
  set_disabled(true);
  EXPECT_EQ(link_of(invitation), LinkState::revoked);
  EXPECT_EQ(error_of(accept_invitation(sign_up(token_of(invitation)), *context_)), "link_not_valid ");
  set_disabled(false);
  EXPECT_EQ(link_of(invitation), LinkState::open);
}

TEST_F(GrantsTest, AnExpiredLinkThatMayNotBeGrantedAnyMoreGivesNoFreshOne) {
  const Invitation invitation = *invite(make_caller(), to("ada@example.org", {user_}))->invitation;
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(link_of(invitation), LinkState::expired);
  set_manageable(user_, {});
  EXPECT_EQ(link_of(invitation), LinkState::revoked);
  EXPECT_EQ(error_of(request_fresh_link(token_of(invitation), "192.0.2.7", *context_)), "link_not_valid ");
}

TEST_F(GrantsTest, ACeilingOfTheTokenThatAskedLastCountsWhenAccepting) {
  set_grants(GrantRule::any);
  const auto token = add_token({.role_ceiling = {user_.id}});
  const Invitation invitation = *invite(*authenticate(token), to("ada@example.org", {user_}))->invitation;
  EXPECT_EQ(link_of(invitation), LinkState::open);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_api_token(token.token.id, t, now()));
    return {};
  });
  EXPECT_EQ(link_of(invitation), LinkState::open) << "what a token asked for stays, as of an inviter who left";
}

}  // namespace
}  // namespace invited::domain
