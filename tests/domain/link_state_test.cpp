// Which of an invitation's links counts, while mails leave late, callers hand links over, and time passes.
#include <gtest/gtest.h>

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class LinkStateTest : public CallerTest {
 protected:
  LinkState link(std::uint32_t generation) { return link(invitations().at(0), generation); }

  LinkState link(const Invitation& invitation, std::uint32_t generation) {
    return view_invitation(token(invitation, generation), "192.0.2.7", *context_)->link;
  }

  std::string token(const Invitation& invitation, std::uint32_t generation) const {
    return make_token(keys_, {invitation.id, generation});
  }

  std::vector<Lease> claim() {
    std::vector<Lease> leases;
    write([&](Transaction& t) -> Result<void> {
      leases = t.claim_due_messages(10, now(), now() + 10min);
      return {};
    });
    return leases;
  }

  void finish(const Lease& lease, DeliveryOutcome outcome, std::optional<base::Timestamp> next = std::nullopt) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(t.finish_attempt(lease, {outcome, 250, "data", "so it is"}, next, now()));
      return {};
    });
  }

  /// All mails that are due leave.
  void deliver() {
    for (const Lease& lease : claim()) finish(lease, DeliveryOutcome::sent);
  }

  /// Ada's invitation, with its mail.
  void invite_and_deliver() {
    ASSERT_TRUE(send());
    deliver();
    EXPECT_EQ(link(1), LinkState::open);
  }

  void send_again() {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(resend_invitation(invitations().at(0).id, "operator", t, policy_, now()));
      return {};
    });
  }

  void wait_for_slot() {
    ASSERT_EQ(messages(MessageState::queued).size(), 1u);
    clock_.advance(messages(MessageState::queued)[0].due_at - now());
  }
};

TEST_F(LinkStateTest, TheLastLinkThatLeftCountsUntilANewerOneHasLeft) {
  invite_and_deliver();
  clock_.advance(1h);
  for (std::uint32_t generation = 2; generation <= 4; ++generation) {
    send_again();  // each of them before the mail of the one before has left
    EXPECT_EQ(link(1), LinkState::open) << generation;
    EXPECT_EQ(link(generation), LinkState::open);
    for (std::uint32_t never_sent = 2; never_sent < generation; ++never_sent)
      EXPECT_EQ(link(never_sent), LinkState::superseded) << never_sent;
  }
  deliver();
  EXPECT_EQ(link(1), LinkState::superseded);
  EXPECT_EQ(link(4), LinkState::open);

  send_again();
  ASSERT_GT(messages(MessageState::queued).at(0).due_at, now()) << "it has to wait for its slot";
  EXPECT_EQ(link(4), LinkState::open);
  EXPECT_EQ(link(1), LinkState::superseded) << "what was over stays so";
  wait_for_slot();
  deliver();
  EXPECT_EQ(link(4), LinkState::superseded);
  EXPECT_EQ(link(5), LinkState::open);
  EXPECT_EQ(link(6), LinkState::superseded) << "nobody made this one";
}

TEST_F(LinkStateTest, WhileAMailIsUnderWayBothCount) {
  invite_and_deliver();
  clock_.advance(1h);
  send_again();
  const auto under_way = claim();
  ASSERT_EQ(under_way.size(), 1u);
  EXPECT_EQ(link(1), LinkState::open);
  EXPECT_EQ(link(2), LinkState::open);
  finish(under_way[0], DeliveryOutcome::deferred, now() + 5min);
  EXPECT_EQ(link(1), LinkState::open);
  clock_.advance(5min);
  const auto again = claim();
  ASSERT_EQ(again.size(), 1u);
  send_again();  // and only then it turns out that the second mail got through
  finish(again[0], DeliveryOutcome::sent);
  EXPECT_EQ(link(1), LinkState::superseded);
  EXPECT_EQ(link(2), LinkState::open);
  EXPECT_EQ(link(3), LinkState::open);
}

TEST_F(LinkStateTest, AMailThatFailedLeavesTheOlderLinkOpen) {
  invite_and_deliver();
  clock_.advance(1h);
  send_again();
  finish(claim().at(0), DeliveryOutcome::rejected);
  EXPECT_EQ(link(1), LinkState::open) << "it is the only one that the invitee has";
}

TEST_F(LinkStateTest, AnOlderLinkGivesWhatTheInvitationGrantsByNow) {
  invite_and_deliver();
  clock_.advance(1h);
  auto other_role = request();
  other_role.role_uuid = planner_.id.to_string();
  ASSERT_TRUE(send_invitation(other_role, *context_));
  ASSERT_EQ(invitations().at(0).generation, 2u);
  ASSERT_EQ(messages(MessageState::queued).size(), 1u);
  const std::string older = token(invitations().at(0), 1);
  EXPECT_EQ(view_invitation(older, "192.0.2.7", *context_)->role_name, "Planner");
  const auto accepted = accept_invitation(sign_up(older), *context_);
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_TRUE(has_access(*account("ada@example.org"), planner_));
  EXPECT_FALSE(has_access(*account("ada@example.org"), user_));
  EXPECT_TRUE(messages(MessageState::queued).empty()) << "the newer mail is not sent any more";
  EXPECT_EQ(link(2), LinkState::accepted);
  EXPECT_TRUE(find_accepted(sign_up(older), *context_));
}

TEST_F(LinkStateTest, RevokingEndsAllOfThem) {
  invite_and_deliver();
  send_again();
  ASSERT_EQ(link(1), LinkState::open);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_invitation(invitations().at(0).id, "operator", t, now()));
    return {};
  });
  EXPECT_EQ(link(1), LinkState::revoked);
  EXPECT_EQ(link(2), LinkState::revoked);
  EXPECT_FALSE(accept_invitation(sign_up(token(invitations().at(0), 1)), *context_));
}

TEST_F(LinkStateTest, WhatHasExpiredNeverOpensAgain) {
  invite_and_deliver();
  const std::string first = token(invitations().at(0), 1);
  clock_.advance(policy_.invitation_lifetime);
  ASSERT_EQ(link(1), LinkState::expired);
  ASSERT_TRUE(request_fresh_link(first, "192.0.2.7", *context_));
  EXPECT_EQ(link(1), LinkState::superseded);
  EXPECT_TRUE(view_invitation(first, "192.0.2.7", *context_)->newer_mail_due);
  EXPECT_FALSE(accept_invitation(sign_up(first), *context_));
  deliver();
  EXPECT_FALSE(view_invitation(first, "192.0.2.7", *context_)->newer_mail_due);
  EXPECT_EQ(link(2), LinkState::open);
}

TEST_F(LinkStateTest, AnOlderLinkEndsAtItsOwnTime) {
  invite_and_deliver();
  clock_.advance(policy_.invitation_lifetime - 1min);
  send_again();
  EXPECT_EQ(link(1), LinkState::open);
  clock_.advance(1min);
  EXPECT_EQ(link(1), LinkState::superseded) << "as its mail says";
  EXPECT_EQ(link(2), LinkState::open);
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(link(1), LinkState::expired) << "the second mail never left: who has the first one asks for another";
  EXPECT_TRUE(request_fresh_link(token(invitations().at(0), 1), "192.0.2.7", *context_));
  EXPECT_EQ(link(1), LinkState::superseded);
}

TEST_F(LinkStateTest, AnotherExpiryIsThatOfTheLinkInTheMail) {
  const Caller caller = make_caller();
  invite_and_deliver();
  const auto set_expiry = [&](base::Timestamp expires_at) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(change_invitation(invitations().at(0), {.expires_at = expires_at}, caller, t, now()));
      return {};
    });
  };
  const base::Timestamp told = invitations().at(0).expires_at;
  set_expiry(told + 48h);
  clock_.advance(told + 1h - now());
  send_again();
  EXPECT_EQ(link(1), LinkState::open) << "longer than its mail said";
  set_expiry(now() + 1h);
  clock_.advance(1h);
  EXPECT_EQ(link(1), LinkState::expired);
  send_again();
  EXPECT_EQ(link(1), LinkState::superseded);
}

TEST_F(LinkStateTest, ALinkThatTheCallerGotHasLeft) {
  const Caller caller = make_caller({.may_see_links = true});
  const auto resend_without_mail = [&] {
    return write_returning(*store_, [&](Transaction& t) {
      return resend(caller, invitations().at(0), /*send=*/false, t, policy_, now());
    });
  };
  invite_and_deliver();
  clock_.advance(1h);
  ASSERT_TRUE(resend_without_mail());
  EXPECT_EQ(link(1), LinkState::superseded);
  EXPECT_EQ(link(2), LinkState::open);

  send_again();
  EXPECT_EQ(link(1), LinkState::superseded) << "also after yet another mail";
  EXPECT_EQ(link(2), LinkState::superseded) << "nobody can tell whether it ever got to anybody";
  deliver();
  clock_.advance(1h);
  send_again();
  EXPECT_EQ(link(3), LinkState::open);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(note_link_shown(caller, invitations().at(0), t, now()));
    return {};
  });
  EXPECT_EQ(link(3), LinkState::superseded) << "the newest one was shown, though its mail is queued";
  EXPECT_EQ(link(4), LinkState::open);
}

TEST_F(LinkStateTest, AReplacedInvitationsLinkTellsWhatBecameOfTheNewerOne) {
  invite_and_deliver();
  const Invitation first = invitations().at(0);
  clock_.advance(policy_.invitation_lifetime);
  ASSERT_TRUE(send());
  const auto view = [&] { return *view_invitation(token(first, 1), "192.0.2.7", *context_); };
  const auto newest = [&] {
    for (const Invitation& one : invitations())
      if (one.id != first.id) return one;
    return first;
  };
  EXPECT_EQ(view().link, LinkState::superseded);
  EXPECT_TRUE(view().newer_mail_due);
  deliver();
  EXPECT_EQ(view().link, LinkState::superseded);
  EXPECT_FALSE(view().newer_mail_due);
  EXPECT_FALSE(accept_invitation(sign_up(token(first, 1)), *context_));
  EXPECT_FALSE(decline_invitation(token(first, 1), "192.0.2.7", *context_));

  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(view().link, LinkState::superseded) << "its own page says that it is over";
  EXPECT_FALSE(request_fresh_link(token(first, 1), "192.0.2.7", *context_));
  send_again();
  ASSERT_TRUE(decline_invitation(token(newest(), newest().generation), "192.0.2.7", *context_));
  EXPECT_EQ(view().link, LinkState::declined);
  EXPECT_TRUE(view().is_replaced);
}

TEST_F(LinkStateTest, AReplacedInvitationsLinkTellsThatTheNewerOneWasAccepted) {
  invite_and_deliver();
  const Invitation first = invitations().at(0);
  clock_.advance(policy_.invitation_lifetime);
  auto other_role = request();
  other_role.role_uuid = planner_.id.to_string();
  ASSERT_TRUE(send_invitation(other_role, *context_));
  for (const Invitation& one : invitations()) {
    if (one.id == first.id) continue;
    ASSERT_TRUE(accept_invitation(sign_up(token_of(one)), *context_));
  }
  const auto view = view_invitation(token(first, 1), "192.0.2.7", *context_);
  EXPECT_EQ(view->link, LinkState::accepted);
  EXPECT_EQ(view->role_name, "Planner");
  EXPECT_TRUE(view->has_access);
  EXPECT_FALSE(has_access(*account("ada@example.org"), user_));
}

}  // namespace
}  // namespace invited::domain
