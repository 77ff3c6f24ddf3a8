#include "domain/answer_invitation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <thread>

#include "domain/manage_api_tokens.h"
#include "domain/reset_password.h"
#include "domain/session.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class AnswerInvitationTest : public UseCaseTest {
 protected:
  /// Invites ada and gives the token of her link.
  std::string invite() {
    EXPECT_TRUE(send());
    return token_of(invitations()[0]);
  }

  LinkState link(const std::string& token) { return view_invitation(token, "192.0.2.7", *context_)->link; }

  void add_ada() {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(add_account("ada@example.org", "Ada L.", hasher_.hash(base::Secret(kGoodPassword)), t, now()));
      return {};
    });
  }
};

TEST_F(AnswerInvitationTest, ShowsWhoInvitesToWhatAsWhatUntilWhen) {
  const auto view = view_invitation(invite(), "192.0.2.7", *context_);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->link, LinkState::open);
  EXPECT_EQ(view->invitee_email, "ada@example.org");
  EXPECT_EQ(view->inviter_name, "Grace Hopper");
  EXPECT_EQ(view->app_name, "Harbour Planner");
  EXPECT_EQ(view->role_name, "User");
  EXPECT_EQ(view->expires_at, now() + policy_.invitation_lifetime);
  EXPECT_FALSE(view->signs_in);
}

TEST_F(AnswerInvitationTest, T01LookingChangesNothing) {
  const std::string token = invite();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(link(token), LinkState::open);
  EXPECT_TRUE(accept_invitation(sign_up(token), *context_));
}

TEST_F(AnswerInvitationTest, SigningUpCreatesAccountAccessAndAcceptedStateTogether) {
  const std::string token = invite();
  const auto accepted = accept_invitation(sign_up(token), *context_);
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->link, LinkState::accepted);
  EXPECT_EQ(accepted->app_url, "https://planner.example.org/");
  const auto ada = account("ada@example.org");
  ASSERT_TRUE(ada);
  EXPECT_EQ(ada->name, "Ada Lovelace");
  EXPECT_TRUE(hasher_.verify(ada->password_hash, kGoodPassword).correct);
  EXPECT_TRUE(has_access(*ada, user_));
  EXPECT_EQ(invitations()[0].state, InvitationState::accepted);
  EXPECT_TRUE(messages(MessageState::queued).empty()) << "a mail with a used link is not sent any more";
  EXPECT_EQ(link(token), LinkState::accepted);
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::link_not_valid);
}

TEST_F(AnswerInvitationTest, T03OfTwoAtTheSameMomentOneSucceeds) {
  for (int round = 0; round < 20; ++round) {
    const std::string address = "p" + std::to_string(round) + "@example.org";
    policy_.sign_ups_per_minute = 0;
    ASSERT_TRUE(send(address));
    std::string token;
    for (const Invitation& invitation : invitations())
      if (invitation.invitee.key() == address) token = token_of(invitation);
    std::barrier start(2);
    std::atomic<int> successes{0}, refusals{0};
    {
      std::vector<std::jthread> people;
      for (int i = 0; i < 2; ++i)
        people.emplace_back([&, i] {
          auto form = sign_up(token);
          form.client_address = "198.51.100." + std::to_string(2 * round + i);
          start.arrive_and_wait();
          const auto result = accept_invitation(form, *context_);
          if (result)
            ++successes;
          else if (result.error().code == ErrorCode::link_not_valid)
            ++refusals;
        });
    }
    EXPECT_EQ(successes, 1) << round;
    EXPECT_EQ(refusals, 1) << round;
    EXPECT_TRUE(account(address));
  }
}

TEST_F(AnswerInvitationTest, P07AFormThatIsRefusedLeavesTheLinkAsItIs) {
  const std::string token = invite();
  struct Case {
    const char* parameter;
    std::function<void(AcceptInvitation&)> change;
  };
  for (const auto& [parameter, change] :
       {Case{"Name", [](AcceptInvitation& f) { f.name = "  "; }},
        Case{"Name", [](AcceptInvitation& f) { f.name = "www.evil.example"; }},
        Case{"Password", [](AcceptInvitation& f) { f.password = base::Secret(""); }},
        Case{"Password", [](AcceptInvitation& f) { f.password = base::Secret("passwordpassword"); }},
        Case{"PasswordAgain",
             [](AcceptInvitation& f) { f.password_again = base::Secret("lighthouse piano carga"); }}}) {
    auto form = sign_up(token);
    change(form);
    const auto refused = accept_invitation(form, *context_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_parameter);
    EXPECT_EQ(refused.error().parameter, parameter);
    EXPECT_EQ(link(token), LinkState::open);
  }
  EXPECT_FALSE(account("ada@example.org"));
  EXPECT_TRUE(accept_invitation(sign_up(token), *context_));
}

TEST_F(AnswerInvitationTest, T08AnExistingAccountSignsInAndKeepsItsPassword) {
  add_ada();
  const std::string before = account("ada@example.org")->password_hash;
  const std::string token = invite();
  EXPECT_TRUE(view_invitation(token, "192.0.2.7", *context_)->signs_in);

  auto attack = sign_up(token);  // a form as for a new address, with the attacker's own password
  attack.password = attack.password_again = base::Secret("attacker chosen words");
  EXPECT_EQ(accept_invitation(attack, *context_).error().code, ErrorCode::sign_in_failed);
  EXPECT_EQ(account("ada@example.org")->password_hash, before);
  EXPECT_EQ(link(token), LinkState::open);

  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  const auto ada = account("ada@example.org");
  EXPECT_EQ(ada->password_hash, before);
  EXPECT_EQ(ada->name, "Ada L.");
  EXPECT_TRUE(has_access(*ada, user_));
}

// Ten a minute were let through here for as long as one liked, where the sign-in page takes thirty an hour.
TEST_F(AnswerInvitationTest, AWrongPasswordCountsAsOnTheSignInPage) {
  add_ada();
  const std::string token = invite();
  auto guess = sign_up(token);
  guess.password = base::Secret("not the password at all");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(accept_invitation(guess, *context_).error().code, ErrorCode::sign_in_failed);
  clock_.advance(1min);  // the limit on posts is not what is meant
  const auto refused = accept_invitation(sign_up(token), *context_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(refused.error().retry_after);
  const SignIn same_guesser{"ada@example.org", base::Secret(kGoodPassword), guess.client_address, {}};
  EXPECT_EQ(sign_in(same_guesser, *context_).error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(sign_in({"ada@example.org", base::Secret(kGoodPassword), "198.51.100.1", {}}, *context_));
  EXPECT_EQ(link(token), LinkState::open);

  clock_.advance(1h);
  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(find_accepted(guess, *context_).error().code, ErrorCode::link_not_valid);
  clock_.advance(1min);
  EXPECT_EQ(find_accepted(sign_up(token), *context_).error().code, ErrorCode::rate_limited);
}

TEST_F(AnswerInvitationTest, AnAccountThatAnOperatorEnteredChoosesItsFirstPassword) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(add_account("ada@example.org", "Ada L.", {}, t, now()));
    return {};
  });
  const std::string token = invite();
  const auto view = view_invitation(token, "192.0.2.7", *context_);
  EXPECT_FALSE(view->signs_in);
  EXPECT_EQ(view->known_name, "Ada L.");
  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  EXPECT_TRUE(hasher_.verify(account("ada@example.org")->password_hash, kGoodPassword).correct);
}

// An app that sees links is given one for whomever it invites: by it, it became an administrator of another app whom an
// operator had entered without a password.
TEST_F(AnswerInvitationTest, ALinkThatAnAppMaySeeSetsNobodysFirstPassword) {
  base::Uuid token_id;
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(add_account("ada@example.org", "Ada L.", {}, t, now()));
    token_id = add_api_token({.environment_id = environment_.id,
                              .email = "grace@example.org",
                              .name = "app",
                              .role_ceiling = {},
                              .may_see_links = true,
                              .expires_at = std::nullopt},
                             authenticator_->pepper(), t, now())
                   ->token.id;
    return {};
  });
  const std::string token = invite();
  EXPECT_EQ(messages()[0].kind, MessageKind::invitation_to_accept);
  auto view = view_invitation(token, "192.0.2.7", *context_);
  EXPECT_TRUE(view->signs_in);
  EXPECT_TRUE(view->needs_password);
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::sign_in_failed);
  const KnownInvitee registered{*EmailAddress::parse("ada@example.org"), "Mallory",
                                hasher_.hash(base::Secret(kGoodPassword)), std::nullopt};
  EXPECT_EQ(accept_as(*check_token(keys_, token), registered, *context_).error().code, ErrorCode::link_not_valid);
  EXPECT_EQ(account("ada@example.org")->password_hash, "");
  EXPECT_EQ(account("ada@example.org")->name, "Ada L.");

  // Also when the token is revoked afterwards.
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_api_token(token_id, t, now()));
    return {};
  });
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::sign_in_failed);

  // The mail with a link to a new password goes to the mailbox only.
  ASSERT_TRUE(request_password_reset("ada@example.org", base::Language::en, "192.0.2.7", *context_));
  const auto mails = messages();
  const auto mail = std::ranges::find(mails, MessageKind::password_reset, &OutboxMessage::kind);
  const std::string reset_link = make_reset_token(keys_, {mail->account_id, mail->generation, mail->expires_at});
  ASSERT_TRUE(
      reset_password({reset_link, base::Secret(kGoodPassword), base::Secret(kGoodPassword), "192.0.2.7"}, *context_));
  view = view_invitation(token, "192.0.2.7", *context_);
  EXPECT_TRUE(view->signs_in);
  EXPECT_FALSE(view->needs_password);
  EXPECT_TRUE(accept_invitation(sign_up(token), *context_));
}

TEST_F(AnswerInvitationTest, ALinkThatNoAppMaySeeAnyMoreProvesTheMailbox) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(add_account("ada@example.org", "Ada L.", {}, t, now()));
    const auto added = add_api_token({.environment_id = environment_.id,
                                      .email = "grace@example.org",
                                      .name = "app",
                                      .role_ceiling = {},
                                      .may_see_links = true,
                                      .expires_at = std::nullopt},
                                     authenticator_->pepper(), t, now());
    EXPECT_TRUE(revoke_api_token(added->token.id, t, now()));
    return {};
  });
  clock_.advance(1s);
  const std::string token = invite();
  EXPECT_FALSE(view_invitation(token, "192.0.2.7", *context_)->signs_in);
  EXPECT_TRUE(accept_invitation(sign_up(token), *context_));
}

TEST_F(AnswerInvitationTest, ADisabledAccountCannotAccept) {
  add_ada();
  const std::string token = invite();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account_disabled("ada@example.org", true, t, now()));
    return {};
  });
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::not_allowed);
  auto guess = sign_up(token);
  guess.password = base::Secret("not the password at all");
  EXPECT_EQ(accept_invitation(guess, *context_).error().code, ErrorCode::sign_in_failed)
      << "that it is disabled is said to nobody else";
  EXPECT_EQ(link(token), LinkState::open);
}

TEST_F(AnswerInvitationTest, AFormThatIsSentTwiceIsAnsweredTwice) {
  const std::string token = invite();
  EXPECT_EQ(find_accepted(sign_up(token), *context_).error().code, ErrorCode::link_not_valid) << "nobody did yet";
  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  const auto again = find_accepted(sign_up(token), *context_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->role_name, "User");
  auto other = sign_up(token);
  other.password = base::Secret("not the password at all");
  EXPECT_EQ(find_accepted(other, *context_).error().code, ErrorCode::link_not_valid);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(find_accepted(other, *context_));
  EXPECT_EQ(find_accepted(sign_up(token), *context_).error().code, ErrorCode::rate_limited) << "no place to guess at";
}

TEST_F(AnswerInvitationTest, AUsedLinkTellsOfTheAccessThatThereIsByNow) {
  const std::string token = invite();
  ASSERT_TRUE(accept_invitation(sign_up(token), *context_));
  const auto view = [&] { return *view_invitation(token, "192.0.2.7", *context_); };
  EXPECT_TRUE(view().has_access);
  EXPECT_EQ(view().role_name, "User");
  const auto change = [&](auto work) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(work(t));
      return {};
    });
  };
  change([&](Transaction& t) { return grant_access(environment_.id, "ada@example.org", planner_.id, t, now()); });
  EXPECT_EQ(view().role_name, "Planner\nUser");
  change([&](Transaction& t) { return revoke_access(environment_.id, "ada@example.org", user_.id, t, now()); });
  EXPECT_EQ(view().role_name, "Planner");
  change([&](Transaction& t) { return revoke_access(environment_.id, "ada@example.org", planner_.id, t, now()); });
  EXPECT_EQ(view().link, LinkState::accepted);
  EXPECT_FALSE(view().has_access);
  EXPECT_FALSE(find_accepted(sign_up(token), *context_));
  change([&](Transaction& t) { return grant_access(environment_.id, "ada@example.org", user_.id, t, now()); });
  change([&](Transaction& t) { return set_account_disabled("ada@example.org", true, t, now()); });
  EXPECT_FALSE(view().has_access);
}

TEST_F(AnswerInvitationTest, DecliningSettlesIt) {
  const std::string token = invite();
  ASSERT_TRUE(decline_invitation(token, "192.0.2.7", *context_));
  EXPECT_EQ(link(token), LinkState::declined);
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::link_not_valid);
  EXPECT_EQ(decline_invitation(token, "192.0.2.7", *context_).error().code, ErrorCode::link_not_valid);
  EXPECT_FALSE(account("ada@example.org"));
}

TEST_F(AnswerInvitationTest, ExpiryIsToTheMillisecondAndAFreshLinkCanBeAskedFor) {
  const std::string token = invite();
  EXPECT_EQ(request_fresh_link(token, "192.0.2.7", *context_).error().code, ErrorCode::link_not_valid);
  clock_.advance(policy_.invitation_lifetime - 1ms);
  EXPECT_EQ(link(token), LinkState::open);
  clock_.advance(1ms);
  EXPECT_EQ(link(token), LinkState::expired);
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::link_not_valid);

  ASSERT_TRUE(request_fresh_link(token, "192.0.2.7", *context_));
  EXPECT_EQ(link(token), LinkState::superseded);
  EXPECT_EQ(request_fresh_link(token, "192.0.2.7", *context_).error().code, ErrorCode::link_not_valid);
  EXPECT_EQ(messages(MessageState::queued).size(), 1u);
  EXPECT_EQ(messages(MessageState::queued)[0].recipient.key(), "ada@example.org");
  EXPECT_TRUE(accept_invitation(sign_up(token_of(invitations()[0])), *context_));
}

TEST_F(AnswerInvitationTest, RevokedAndDisabledLinksSaySo) {
  const std::string token = invite();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_environment_disabled(environment_.id, true, t, now()));
    return {};
  });
  EXPECT_EQ(link(token), LinkState::revoked);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_environment_disabled(environment_.id, false, t, now()));
    EXPECT_TRUE(revoke_invitation(invitations()[0].id, "operator", t, now()));
    return {};
  });
  EXPECT_EQ(link(token), LinkState::revoked);
  EXPECT_EQ(accept_invitation(sign_up(token), *context_).error().code, ErrorCode::link_not_valid);
}

TEST_F(AnswerInvitationTest, AForgedTokenIsWrongAndSlowedAfterThirtyFromOneAddress) {
  invite();
  const std::string forged =
      make_token({{TokenKey{1, base::Secret(std::string(32, 'x'))}}, 1}, {invitations()[0].id, 1});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(link(forged), LinkState::wrong);
  const auto slowed = view_invitation(forged, "192.0.2.7", *context_);
  ASSERT_FALSE(slowed);
  EXPECT_EQ(slowed.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(link(token_of(invitations()[0])), LinkState::open) << "a genuine link is never slowed";
  EXPECT_EQ(view_invitation(forged, "192.0.2.8", *context_)->link, LinkState::wrong);
  EXPECT_EQ(accept_invitation(sign_up(forged), *context_).error().code, ErrorCode::rate_limited);
}

TEST_F(AnswerInvitationTest, SignUpPostsFromOneAddressAreLimited) {
  const std::string token = invite();
  auto form = sign_up(token);
  form.name = "";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(accept_invitation(form, *context_).error().code, ErrorCode::invalid_parameter);
  EXPECT_EQ(accept_invitation(form, *context_).error().code, ErrorCode::rate_limited);
  clock_.advance(60s);
  EXPECT_TRUE(accept_invitation(sign_up(token), *context_));
}

TEST_F(AnswerInvitationTest, AnOperatorsResendKillsTheOldLinkAndWaitsForItsSlot) {
  const std::string token = invite();
  write([&](Transaction& t) -> Result<void> {
    const auto resent = resend_invitation(invitations()[0].id, "operator", t, policy_, now());
    EXPECT_TRUE(resent);
    EXPECT_EQ(resent->generation, 2u);
    return {};
  });
  EXPECT_EQ(link(token), LinkState::superseded) << "its own mail had not left: nobody has this link";
  EXPECT_EQ(messages(MessageState::queued).size(), 1u);
}

}  // namespace
}  // namespace invited::domain
