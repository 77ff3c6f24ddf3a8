// What a caller changes of a pending invitation; nothing is mailed for it, and the link stays.
#include <gmock/gmock.h>

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class ChangeInvitationTest : public CallerTest {
 protected:
  const Caller caller_ = make_caller();
  const Invitation invitation_ = *invite(caller_, to("ada@example.org", {user_}))->invitation;

  Result<Invitation> change(const InvitationChange& change) {
    return write_returning(*store_, [&](Transaction& t) -> Result<Invitation> {
      auto found = find_invitation_of(caller_, invitation_.id, t);
      if (!found) return std::unexpected(found.error());
      return change_invitation(*std::move(found), change, caller_, t, now());
    });
  }
};

TEST_F(ChangeInvitationTest, ChangesWhatIsGivenAndLeavesTheRest) {
  clock_.advance(1h);
  const auto changed = change({.role_ids = std::vector{planner_.id, user_.id}, .metadata = R"({"a":1})"});
  ASSERT_TRUE(changed);
  const Invitation stored = invitations().at(0);
  EXPECT_THAT(stored.role_ids(), ElementsAre(planner_.id, user_.id));
  EXPECT_EQ(stored.metadata, R"({"a":1})");
  EXPECT_EQ(stored.expires_at, invitation_.expires_at);
  EXPECT_EQ(stored.generation, 1u);
  EXPECT_EQ(stored.sent_at, invitation_.sent_at);
  EXPECT_EQ(stored.updated_at, now());
  EXPECT_EQ(messages().size(), 1u);
  EXPECT_EQ(audited().front(), "invitation.changed");
  EXPECT_EQ(link_of(invitation_), LinkState::open);
  ASSERT_TRUE(change({.role_ids = std::vector{user_.id}}));
  EXPECT_THAT(invitations().at(0).role_ids(), ElementsAre(user_.id));
  EXPECT_EQ(invitations().at(0).metadata, R"({"a":1})");
}

TEST_F(ChangeInvitationTest, AnExpiryLiesInTheFutureAndAtMostNinetyDaysAhead) {
  EXPECT_EQ(error_of(change({.expires_at = now()})), "invalid_parameter expires_at");
  EXPECT_EQ(error_of(change({.expires_at = now() - 1h})), "invalid_parameter expires_at");
  EXPECT_EQ(error_of(change({.expires_at = now() + kLongestLifetime + 1ms})), "invalid_parameter expires_at");
  EXPECT_TRUE(change({.expires_at = now() + kLongestLifetime}));
  ASSERT_TRUE(change({.expires_at = now() + 1ms}));
  EXPECT_EQ(link_of(invitation_), LinkState::open);
  clock_.advance(1ms);
  EXPECT_EQ(link_of(invitation_), LinkState::expired);
}

TEST_F(ChangeInvitationTest, WhatIsNotARoleHereIsRefused) {
  EXPECT_EQ(error_of(change({.role_ids = std::vector<base::Uuid>{}})), "missing_parameter roles");
  EXPECT_EQ(error_of(change({.role_ids = std::vector{base::Uuid::random()}})), "unknown_role roles");
  EXPECT_EQ(invitations().at(0).updated_at, invitation_.updated_at);
}

TEST_F(ChangeInvitationTest, WhatIsNotPendingAnyMoreIsNotChanged) {
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(error_of(change({.metadata = "{}"})), "invalid_parameter id");
  clock_.advance(-1h);
  EXPECT_TRUE(change({.metadata = "{}"}));
  ASSERT_TRUE(accept_invitation(sign_up(token_of(invitation_)), *context_));
  EXPECT_EQ(error_of(change({.role_ids = std::vector{planner_.id}})), "invalid_parameter id");
  EXPECT_FALSE(has_access(*account("ada@example.org"), planner_));
}

TEST_F(ChangeInvitationTest, AnotherEnvironmentsInvitationIsNotThere) {
  Caller other = caller_;
  write([&](Transaction& t) -> Result<void> {
    other.environment =
        add_environment({app_.id, "Acceptance", std::nullopt, {}}, authenticator_->pepper(), t, now())->environment;
    EXPECT_EQ(error_of(find_invitation_of(other, invitation_.id, t)), "not_found id");
    EXPECT_EQ(error_of(find_invitation_of(caller_, base::Uuid::random(), t)), "not_found id");
    EXPECT_TRUE(find_invitation_of(caller_, invitation_.id, t));
    return {};
  });
}

TEST_F(ChangeInvitationTest, TheMailThatIsOwedStillLeadsToWhatIsGrantedNow) {
  ASSERT_TRUE(change({.role_ids = std::vector{administrator_.id}}));
  EXPECT_EQ(view_invitation(token_of(invitation_), "192.0.2.7", *context_)->role_name, "Administrator");
  ASSERT_TRUE(accept_invitation(sign_up(token_of(invitation_)), *context_));
  EXPECT_TRUE(has_access(*account("ada@example.org"), administrator_));
  EXPECT_FALSE(has_access(*account("ada@example.org"), user_));
}

TEST_F(ChangeInvitationTest, AnotherExpiryReachesTheMailThatWaits) {
  ASSERT_TRUE(change({.expires_at = now() + 48h}));
  EXPECT_EQ(messages().at(0).expires_at, now() + 48h);
  EXPECT_EQ(messages().at(0).state, MessageState::queued);

  // It waits for another attempt, in ten minutes.
  write([&](Transaction& t) -> Result<void> {
    const auto lease = t.claim_due_messages(1, now(), now() + 20min).at(0);
    EXPECT_TRUE(t.finish_attempt(lease, {DeliveryOutcome::deferred, 450, "rcpt_to", "later"}, now() + 10min, now()));
    return {};
  });
  ASSERT_TRUE(change({.expires_at = now() + 11min}));
  EXPECT_EQ(messages().at(0).state, MessageState::queued);
  EXPECT_FALSE(is_held(messages().at(0)));
  ASSERT_TRUE(change({.expires_at = now() + 10min}));
  EXPECT_EQ(messages().at(0).state, MessageState::failed) << "it would come too late";
  EXPECT_THAT(messages().at(0).last_error, testing::HasSubstr("before this mail could be sent"));
}

TEST_F(ChangeInvitationTest, AMailThatAnOperatorHoldsStaysHeldWhateverTheExpiry) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_EQ(t.hold_queued_messages("held after a restore"), 1U);
    return {};
  });
  for (const auto& expires_at : {now() + 48h, now() + 1h}) {
    ASSERT_TRUE(change({.expires_at = expires_at}));
    EXPECT_TRUE(is_held(messages().at(0)));
    EXPECT_EQ(messages().at(0).expires_at, expires_at);
  }
}

}  // namespace
}  // namespace invited::domain
