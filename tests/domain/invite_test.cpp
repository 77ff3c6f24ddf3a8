// Inviting as any front door does it: several roles, data of the caller's, without mail, and what a dry run says of it.
#include "domain/invite.h"

#include <gmock/gmock.h>

#include <functional>

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class InviteTest : public CallerTest {
 protected:
  const Caller with_links_ = make_caller({.may_see_links = true});
  const Caller caller_ = make_caller();
};

TEST_F(InviteTest, AnInvitationMayBeToSeveralRolesAndAcceptingGrantsThemAll) {
  const auto invited = invite(caller_, to("ada@example.org", {planner_, user_, administrator_}));
  ASSERT_TRUE(invited);
  EXPECT_EQ(invited->effect, InviteEffect::invited);
  const Invitation stored = invitations().at(0);
  EXPECT_THAT(stored.role_ids(), ElementsAre(planner_.id, user_.id, administrator_.id));
  EXPECT_EQ(stored.token_id, caller_.token_id);
  EXPECT_EQ(messages().at(0).role_name, "Planner\nUser\nAdministrator");
  const auto view = view_invitation(token_of(stored), "192.0.2.7", *context_);
  EXPECT_EQ(view->role_name, "Planner\nUser\nAdministrator");
  ASSERT_TRUE(accept_invitation(sign_up(token_of(stored)), *context_));
  for (const Role& role : {user_, planner_, administrator_})
    EXPECT_TRUE(has_access(*account("ada@example.org"), role)) << role.name;
}

TEST_F(InviteTest, HavingSomeOfTheRolesIsNotHavingThemAll) {
  add_person("ada@example.org", "hash");
  grant("ada@example.org", user_);
  EXPECT_EQ(invite(caller_, to("ada@example.org", {user_}))->effect, InviteEffect::has_access_already);
  EXPECT_EQ(invite(caller_, to("ada@example.org", {user_, planner_}))->effect, InviteEffect::invited);
  grant("ada@example.org", planner_);
  EXPECT_EQ(invite(caller_, to("ada@example.org", {planner_, user_}))->effect, InviteEffect::has_access_already);
}

TEST_F(InviteTest, RolesAreFoundEachOnceAndAtMostSixteen) {
  write([&](Transaction& t) -> Result<void> {
    const auto found = find_roles(app_, {planner_.id, user_.id, planner_.id}, t);
    EXPECT_TRUE(found);
    EXPECT_EQ(names_of(*found), "Planner\nUser");
    EXPECT_EQ(error_of(find_roles(app_, {}, t)), "missing_parameter roles");
    EXPECT_EQ(error_of(find_roles(app_, {user_.id, base::Uuid::random()}, t)), "unknown_role roles");
    EXPECT_EQ(error_of(find_roles(app_, std::vector(17, user_.id), t)), "invalid_parameter roles");
    EXPECT_TRUE(find_roles(app_, std::vector(16, user_.id), t));
    const auto other = *add_app("Ferry", "https://ferry.example.org", "en", t, now());
    const auto skipper = *add_role(other.id, std::nullopt, "Skipper", t, now());
    EXPECT_EQ(error_of(find_roles(app_, {skipper.id}, t)), "unknown_role roles") << "another app's";
    return {};
  });
}

TEST_F(InviteTest, WhatCallersBringAlongIsKeptAndGivenBack) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(
        set_app(app_.id, {.redirect_urls = std::vector<std::string>{"https://planner.example.org/in"}}, t, now()));
    app_ = *t.find_app(app_.id);
    return {};
  });
  const auto checked = check_invite(app_,
                                    {.email = "Ada@Example.org",
                                     .metadata = R"({"team":"Größe"})",
                                     .redirect_url = "https://planner.example.org/in/x",
                                     .lifetime = 2h},
                                    {user_});
  ASSERT_TRUE(checked);
  ASSERT_TRUE(invite(caller_, *checked));
  Invitation stored = invitations().at(0);
  EXPECT_EQ(stored.metadata, R"({"team":"Größe"})");
  EXPECT_EQ(stored.redirect_url, "https://planner.example.org/in/x");
  EXPECT_EQ(stored.expires_at, now() + 2h);
  EXPECT_EQ(stored.updated_at, now());
  EXPECT_EQ(messages().at(0).expires_at, now() + 2h);
  EXPECT_EQ(view_invitation(token_of(stored), "192.0.2.7", *context_)->app_url, "https://planner.example.org/in/x");

  // Sent again by an operator it keeps all of it, its lifetime too.
  clock_.advance(1h);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(resend_invitation(stored.id, "operator", t, policy_, now()));
    return {};
  });
  stored = invitations().at(0);
  EXPECT_EQ(stored.metadata, R"({"team":"Größe"})");
  EXPECT_EQ(stored.expires_at, now() + 2h);
  // Invited anew without any of it, it has none of it.
  clock_.advance(2min);
  ASSERT_EQ(invite(caller_, to("ada@example.org", {user_}))->effect, InviteEffect::resent);
  stored = invitations().at(0);
  EXPECT_EQ(stored.metadata, "");
  EXPECT_EQ(stored.redirect_url, "");
  EXPECT_EQ(stored.expires_at, now() + policy_.invitation_lifetime);
}

TEST_F(InviteTest, WhatCannotBeIsRefusedBeforeTheDatabaseIsAsked) {
  app_.redirect_urls = {"https://planner.example.org/in"};
  const InviteText good{.email = "ada@example.org", .metadata = {}, .redirect_url = {}};
  const struct {
    std::function<void(InviteText&)> change;
    const char* refused;
  } kRows[] = {
      {[](InviteText&) {}, ""},
      {[](InviteText& t) { t.email = ""; }, "missing_parameter email"},
      {[](InviteText& t) { t.email = "ada"; }, "invalid_email_address email"},
      {[](InviteText& t) { t.email = "ada@example.org\r\nBcc: eve@example.org"; }, "invalid_email_address email"},
      {[](InviteText& t) { t.metadata = std::string(4096, ' '); }, ""},
      {[](InviteText& t) { t.metadata = std::string(4097, ' '); }, "invalid_parameter metadata"},
      {[](InviteText& t) { t.lifetime = 5min; }, ""},
      {[](InviteText& t) { t.lifetime = 5min - 1s; }, "invalid_parameter expires_in"},
      {[](InviteText& t) { t.lifetime = 90 * 24h; }, ""},
      {[](InviteText& t) { t.lifetime = 90 * 24h + 1s; }, "invalid_parameter expires_in"},
      {[](InviteText& t) { t.lifetime = -1s; }, "invalid_parameter expires_in"},
      {[](InviteText& t) { t.redirect_url = "https://planner.example.org/in?a"; }, ""},
      {[](InviteText& t) { t.redirect_url = "https://planner.example.org/out"; }, "invalid_parameter redirect_url"},
  };
  int number = 0;
  for (const auto& row : kRows) {
    InviteText text = good;
    row.change(text);
    EXPECT_EQ(error_of(check_invite(app_, text, {user_})), row.refused) << ++number;
  }
}

TEST_F(InviteTest, WithoutMailOnlyWhoMaySeeLinksInvites) {
  Invite quiet = to("ada@example.org", {user_});
  quiet.send = false;
  for (const Caller& caller : {caller_, environments_caller()}) {
    EXPECT_EQ(error_of(plan(caller, quiet)), "not_allowed send");
    EXPECT_EQ(error_of(invite(caller, quiet)), "not_allowed send");
  }
  EXPECT_TRUE(invitations().empty());
  const auto invited = invite(with_links_, quiet);
  ASSERT_TRUE(invited);
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(link_of(*invited->invitation), LinkState::open);
}

TEST_F(InviteTest, AResendWithoutMailStopsTheMailWhoseLinkIsDead) {
  ASSERT_TRUE(invite(with_links_, to("ada@example.org", {user_})));
  clock_.advance(2min);
  Invite quiet = to("ada@example.org", {user_});
  quiet.send = false;
  ASSERT_EQ(invite(with_links_, quiet)->effect, InviteEffect::resent);
  ASSERT_EQ(messages().size(), 1u);
  EXPECT_EQ(messages().at(0).state, MessageState::cancelled);
}

TEST_F(InviteTest, ACallThatWantsAMailIsNoRepetitionOfOneThatWantedNone) {
  Invite quiet = to("ada@example.org", {user_});
  quiet.send = false;
  ASSERT_EQ(invite(with_links_, quiet)->effect, InviteEffect::invited);
  EXPECT_EQ(invite(with_links_, quiet)->effect, InviteEffect::repeated);
  const Invite mailed = to("ada@example.org", {user_});
  EXPECT_EQ(plan(with_links_, mailed)->effect, InviteEffect::resent);
  EXPECT_EQ(invite(with_links_, mailed)->effect, InviteEffect::resent);
  EXPECT_EQ(messages(MessageState::queued).size(), 1u);
  EXPECT_EQ(invite(with_links_, mailed)->effect, InviteEffect::repeated);
  EXPECT_EQ(invite(with_links_, quiet)->effect, InviteEffect::repeated) << "the mail goes out; the link is the same";
  EXPECT_EQ(messages(MessageState::queued).size(), 1u);
}

TEST_F(InviteTest, OnlyTheSameCallWithinTheWindowIsARepetition) {
  app_.redirect_urls = {"https://planner.example.org"};
  const Invite first{.invitee = *EmailAddress::parse("ada@example.org"),
                     .roles = {user_, planner_},
                     .lifetime = 1h,
                     .metadata = "{}",
                     .redirect_url = "https://planner.example.org/a"};
  const std::function<void(Invite&)> changes[] = {
      [](Invite& i) { i.metadata = ""; }, [](Invite& i) { i.redirect_url = ""; }, [](Invite& i) { i.lifetime = 2h; },
      [](Invite& i) { std::swap(i.roles[0], i.roles[1]); }, [](Invite& i) { i.roles.pop_back(); }};
  ASSERT_EQ(invite(caller_, first)->effect, InviteEffect::invited);
  for (const auto& change : changes) {
    EXPECT_EQ(invite(caller_, first)->effect, InviteEffect::repeated);
    Invite other = first;
    change(other);
    EXPECT_EQ(invite(caller_, other)->effect, InviteEffect::resent);
    EXPECT_EQ(invite(caller_, first)->effect, InviteEffect::resent);
  }
  clock_.advance(policy_.repeat_window - 1ms);
  EXPECT_EQ(invite(caller_, first)->effect, InviteEffect::repeated);
  clock_.advance(1ms);
  EXPECT_EQ(invite(caller_, first)->effect, InviteEffect::resent);
  // Another inviter says something else: whose name stands in the mail.
  add_person("linus@example.org");
  grant("linus@example.org", user_);
  EXPECT_EQ(invite(make_caller({.email = "linus@example.org"}), first)->effect, InviteEffect::resent);
  EXPECT_EQ(messages(MessageState::queued).at(0).inviter_name, "Ada Lovelace");
}

TEST_F(InviteTest, SentAgainItIsTheCallersFromThenOn) {
  ASSERT_TRUE(invite(environments_caller(), to("ada@example.org", {user_, planner_})));
  EXPECT_TRUE(invitations().at(0).token_id.is_nil());
  const auto again = write_returning(*store_, [&](Transaction& t) {
    return resend(with_links_, invitations_in(t).at(0), /*send=*/false, t, policy_, now());
  });
  ASSERT_TRUE(again);
  EXPECT_EQ(again->effect, InviteEffect::resent);
  EXPECT_EQ(invitations().at(0).generation, 2u);
  EXPECT_EQ(invitations().at(0).token_id, with_links_.token_id);
  EXPECT_THAT(invitations().at(0).role_ids(), ElementsAre(user_.id, planner_.id));
  EXPECT_TRUE(messages(MessageState::queued).empty());
}

TEST_F(InviteTest, ASettledInvitationIsNotSentAgainButAnExpiredOneIs) {
  const auto resent = [&](const Invitation& invitation) {
    return write_returning(*store_, [&](Transaction& t) {
      return resend(caller_, *t.find_invitation(invitation.id), /*send=*/true, t, policy_, now());
    });
  };
  const Invitation invitation = *invite(caller_, to("ada@example.org", {user_}))->invitation;
  clock_.advance(policy_.invitation_lifetime + 1h);
  ASSERT_TRUE(resent(invitation));
  EXPECT_EQ(link_of(invitation), LinkState::superseded);
  EXPECT_EQ(link_of(invitations().at(0)), LinkState::open);
  ASSERT_TRUE(decline_invitation(token_of(invitations().at(0)), "192.0.2.7", *context_));
  EXPECT_EQ(error_of(resent(invitation)), "invalid_parameter id");
}

/// A state in which an invitee may be when they are invited.
struct InviteeState {
  const char* name;
  std::function<void(class DryRunTest&)> bring_about;
  InviteEffect expected;
};
void PrintTo(const InviteeState& row, std::ostream* out) { *out << row.name; }

class DryRunTest : public InviteTest, public testing::WithParamInterface<InviteeState> {
 public:
  using CallerTest::add_person;
  using CallerTest::grant;
  using CallerTest::withdraw;
  Invite call() const { return to("ada@example.org", {user_, planner_}); }
  void pend() { ASSERT_TRUE(invite(with_links_, call())); }
  void pend_for(std::vector<Role> roles) { ASSERT_TRUE(invite(with_links_, to("ada@example.org", std::move(roles)))); }
  void pass(std::chrono::seconds time) { clock_.advance(time); }
  void accept() { ASSERT_TRUE(accept_invitation(sign_up(token_of(invitations().at(0))), *context_)); }
  void decline() { ASSERT_TRUE(decline_invitation(token_of(invitations().at(0)), "192.0.2.7", *context_)); }
  void revoke() {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(revoke_invitation(invitations_in(t).at(0).id, "operator", t, now()));
      return {};
    });
  }
  void disable() {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_account_disabled("ada@example.org", true, t, now()));
      return {};
    });
  }
  const Role& user() const { return user_; }
  const Role& planner() const { return planner_; }
};

using D = DryRunTest;
INSTANTIATE_TEST_SUITE_P(
    EveryState, DryRunTest,
    testing::Values(
        InviteeState{"Unknown", [](D&) {}, InviteEffect::invited},
        InviteeState{"EnteredWithoutPassword", [](D& d) { d.add_person("ada@example.org"); }, InviteEffect::invited},
        InviteeState{"HasAnAccount", [](D& d) { d.add_person("ada@example.org", "hash"); }, InviteEffect::invited},
        InviteeState{"HasSomeRoles",
                     [](D& d) {
                       d.add_person("ada@example.org", "hash");
                       d.grant("ada@example.org", d.user());
                     },
                     InviteEffect::invited},
        InviteeState{"HasAllRoles",
                     [](D& d) {
                       d.add_person("ada@example.org", "hash");
                       d.grant("ada@example.org", d.user());
                       d.grant("ada@example.org", d.planner());
                     },
                     InviteEffect::has_access_already},
        InviteeState{"HasAllRolesAndIsDisabled",
                     [](D& d) {
                       d.add_person("ada@example.org", "hash");
                       d.grant("ada@example.org", d.user());
                       d.grant("ada@example.org", d.planner());
                       d.disable();
                     },
                     InviteEffect::has_access_already},
        InviteeState{"InvitedAMomentAgo", [](D& d) { d.pend(); }, InviteEffect::repeated},
        InviteeState{"Invited",
                     [](D& d) {
                       d.pend();
                       d.pass(1min);
                     },
                     InviteEffect::resent},
        InviteeState{"InvitedToAnother", [](D& d) { d.pend_for({d.user()}); }, InviteEffect::resent},
        InviteeState{"InvitedAndGivenTheRolesSince",
                     [](D& d) {
                       d.pend();
                       d.pass(1min);
                       d.add_person("ada@example.org");
                       d.grant("ada@example.org", d.user());
                       d.grant("ada@example.org", d.planner());
                     },
                     InviteEffect::has_access_already},
        InviteeState{"Expired",
                     [](D& d) {
                       d.pend();
                       d.pass(7 * 24h);
                     },
                     InviteEffect::invited},
        InviteeState{"Accepted",
                     [](D& d) {
                       d.pend();
                       d.accept();
                     },
                     InviteEffect::has_access_already},
        InviteeState{"AcceptedAndWithdrawn",
                     [](D& d) {
                       d.pend();
                       d.accept();
                       d.withdraw("ada@example.org", d.user());
                     },
                     InviteEffect::invited},
        InviteeState{"Declined",
                     [](D& d) {
                       d.pend();
                       d.decline();
                     },
                     InviteEffect::invited},
        InviteeState{"Revoked",
                     [](D& d) {
                       d.pend();
                       d.revoke();
                     },
                     InviteEffect::invited}),
    [](const auto& row) { return row.param.name; });

TEST_P(DryRunTest, SaysWhatThenHappens) {
  GetParam().bring_about(*this);
  if (HasFatalFailure()) return;
  const auto before = std::tuple(invitations().size(), messages().size(), audited());
  const auto planned = plan(with_links_, call());
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->effect, GetParam().expected);
  EXPECT_EQ(std::tuple(invitations().size(), messages().size(), audited()), before) << "it writes nothing";
  const auto done = invite(with_links_, call());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->effect, planned->effect);
  EXPECT_EQ(done->invitation.has_value(), done->effect != InviteEffect::has_access_already);
  EXPECT_EQ(invitations().size() - std::get<0>(before), done->effect == InviteEffect::invited ? 1u : 0u);
  if (done->invitation) {
    EXPECT_EQ(link_of(*done->invitation), LinkState::open);
    EXPECT_EQ(done->invitation->role_ids(), (std::vector{user_.id, planner_.id}));
  }
}

TEST_P(DryRunTest, SaysWhatThenHappensWithoutMail) {
  GetParam().bring_about(*this);
  if (HasFatalFailure()) return;
  const std::size_t mails = messages().size();
  Invite quiet = call();
  quiet.send = false;
  const auto planned = plan(with_links_, quiet);
  ASSERT_TRUE(planned);
  const auto done = invite(with_links_, quiet);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->effect, planned->effect);
  EXPECT_EQ(done->effect, GetParam().expected);
  EXPECT_EQ(messages().size(), mails);
}

}  // namespace
}  // namespace invited::domain
