#include "domain/send_invitation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <ctime>
#include <functional>
#include <thread>
#include <vector>

#include "domain/use_case_fixture.h"
#include "support/timing.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class SendInvitationTest : public UseCaseTest {};

TEST_F(SendInvitationTest, ANewInviteeGetsOneInvitationAndOneMail) {
  const auto sent = send("Ada@Example.org");
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sent->effect, InviteEffect::invited);
  ASSERT_EQ(invitations().size(), 1u);
  const Invitation invitation = invitations()[0];
  EXPECT_EQ(invitation.id, sent->invitation_id);
  EXPECT_EQ(invitation.state, InvitationState::pending);
  EXPECT_EQ(invitation.expires_at, now() + policy_.invitation_lifetime);
  EXPECT_EQ(invitation.inviter_id, inviter_->id);
  ASSERT_EQ(messages().size(), 1u);
  const OutboxMessage message = messages()[0];
  EXPECT_EQ(message.kind, MessageKind::invitation_to_sign_up);
  EXPECT_EQ(message.recipient.text(), "Ada@example.org");
  EXPECT_EQ(message.inviter_name, "Grace Hopper");
  EXPECT_EQ(message.app_name, "Harbour Planner");
  EXPECT_EQ(message.role_name, "User");
  EXPECT_EQ(message.due_at, now());
  EXPECT_EQ(message.expires_at, invitation.expires_at);
  EXPECT_EQ(mail_queued_, 1);
  EXPECT_EQ(audited().front(), "invitation.created");
}

TEST_F(SendInvitationTest, TheSameCallWithinTheWindowIsTheSameInvitation) {
  ASSERT_TRUE(send());
  clock_.advance(59s);
  const auto again = send("ADA@example.ORG");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->effect, InviteEffect::repeated);
  EXPECT_EQ(invitations().size(), 1u);
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(SendInvitationTest, LaterItIsSentAgainAndTheOldLinkDies) {
  ASSERT_TRUE(send());
  const std::string old_token = token_of(invitations()[0]);
  clock_.advance(61s);
  const auto again = send();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->effect, InviteEffect::resent);
  ASSERT_EQ(invitations().size(), 1u);
  EXPECT_EQ(invitations()[0].generation, 2u);
  EXPECT_EQ(invitations()[0].expires_at, now() + policy_.invitation_lifetime);
  EXPECT_EQ(messages(MessageState::queued).size(), 1u);
  EXPECT_EQ(messages(MessageState::cancelled).size(), 1u);
  EXPECT_EQ(view_invitation(old_token, "192.0.2.7", *context_)->link, LinkState::superseded);
  EXPECT_EQ(view_invitation(token_of(invitations()[0]), "192.0.2.7", *context_)->link, LinkState::open);
}

TEST_F(SendInvitationTest, AnotherRoleReplacesTheRoleAtOnce) {
  ASSERT_TRUE(send());
  auto other = request();
  other.role_uuid = planner_.id.to_string();
  const auto again = send_invitation(other, *context_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->effect, InviteEffect::resent);
  ASSERT_EQ(invitations().size(), 1u);
  EXPECT_EQ(invitations()[0].role_id, planner_.id);
  EXPECT_EQ(messages(MessageState::queued)[0].role_name, "Planner");
}

TEST_F(SendInvitationTest, AnAccountWithoutTheRoleGetsTheOtherWording) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(add_account("ada@example.org", "Ada Lovelace", hasher_.hash(base::Secret(kGoodPassword)), t, now()));
    return {};
  });
  ASSERT_TRUE(send());
  EXPECT_EQ(messages()[0].kind, MessageKind::invitation_to_accept);
}

TEST_F(SendInvitationTest, AnAccountWithTheRoleGetsANoticeAtMostOnceADay) {
  const auto notices = [&] { return messages().size(); };
  for (const auto& [wait, expected] : {std::pair{0h, 1u}, {1h, 1u}, {22h, 1u}, {2h, 2u}}) {
    clock_.advance(wait);
    const auto sent = send("grace@example.org");
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->effect, InviteEffect::has_access_already);
    EXPECT_EQ(notices(), expected);
  }
  EXPECT_EQ(messages()[0].kind, MessageKind::already_has_access);
  EXPECT_TRUE(invitations().empty());
}

TEST_F(SendInvitationTest, AfterExpiryDeclineOrRevocationThereIsANewInvitation) {
  ASSERT_TRUE(send());
  clock_.advance(policy_.invitation_lifetime);
  EXPECT_EQ(send()->effect, InviteEffect::invited);
  ASSERT_EQ(invitations().size(), 2u);

  ASSERT_TRUE(decline_invitation(token_of(invitations()[0]), "192.0.2.7", *context_));
  EXPECT_EQ(send()->effect, InviteEffect::invited);
  ASSERT_EQ(invitations().size(), 3u);

  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(
        revoke_invitation(t.find_pending_invitation(environment_.id, "ada@example.org")->id, "operator", t, now()));
    return {};
  });
  EXPECT_EQ(send()->effect, InviteEffect::invited);
  EXPECT_EQ(invitations().size(), 4u);
}

TEST_F(SendInvitationTest, ManyCallersAtTheSameMomentMakeOne) {
  constexpr int kCallers = 16;
  std::barrier start(kCallers);
  std::vector<std::jthread> callers;
  std::atomic<int> successes{0};
  for (int i = 0; i < kCallers; ++i)
    callers.emplace_back([&] {
      start.arrive_and_wait();
      if (send()) ++successes;
    });
  callers.clear();
  EXPECT_EQ(successes, kCallers);
  EXPECT_EQ(invitations().size(), 1u);
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(SendInvitationTest, D31TheSameIdempotencyKeyIsOneInvitationD32AnotherBodyIsRefused) {
  auto keyed = request();
  keyed.idempotency_key = "order-17";
  ASSERT_TRUE(send_invitation(keyed, *context_));
  clock_.advance(1h);  // far beyond the window: only the key makes it a repeat
  for (int i = 0; i < 100; ++i) {
    const auto again = send_invitation(keyed, *context_);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->effect, InviteEffect::repeated);
  }
  EXPECT_EQ(messages().size(), 1u);

  auto other = keyed;
  other.invitee_email_address = "bob@example.org";
  EXPECT_EQ(send_invitation(other, *context_).error().code, ErrorCode::idempotency_mismatch);
  EXPECT_EQ(invitations().size(), 1u);

  clock_.advance(24h);
  EXPECT_TRUE(send_invitation(other, *context_));
}

TEST_F(SendInvitationTest, UuidsAreNormalised) {
  auto spelled = request();
  std::string upper = environment_.id.to_string();
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  spelled.environment_uuid = " {" + upper + "}\n";
  spelled.role_uuid = "\t{" + user_.id.to_string() + "} ";
  EXPECT_TRUE(send_invitation(spelled, *context_));
}

struct Refusal {
  const char* name;
  std::function<void(SendInvitation&)> change;
  ErrorCode code;
  const char* parameter;
};

class RefusedSendInvitation : public UseCaseTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusedSendInvitation, StoresNothing) {
  auto changed = request();
  GetParam().change(changed);
  const auto refused = send_invitation(changed, *context_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, GetParam().code) << to_string(refused.error().code);
  EXPECT_EQ(refused.error().parameter, GetParam().parameter);
  EXPECT_FALSE(refused.error().message.empty());
  EXPECT_TRUE(invitations().empty());
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(mail_queued_, 0);
}

using S = SendInvitation;
INSTANTIATE_TEST_SUITE_P(
    InTheOrderOfTheContract, RefusedSendInvitation,
    testing::Values(
        Refusal{"UnknownEnvironment", [](S& s) { s.environment_uuid = base::Uuid::random().to_string(); },
                ErrorCode::authentication_failed, ""},
        Refusal{"NoUuid", [](S& s) { s.environment_uuid = "production"; }, ErrorCode::authentication_failed, ""},
        Refusal{"BlankEnvironment",
                [](S& s) {
                  s.environment_uuid = "";
                  s.role_uuid = "";
                },
                ErrorCode::authentication_failed, ""},
        Refusal{"WrongPassword",
                [](S& s) {
                  s.environment_password = base::Secret("wrong");
                  s.role_uuid = "";
                },
                ErrorCode::authentication_failed, ""},
        Refusal{"EmptyPassword", [](S& s) { s.environment_password = base::Secret(""); },
                ErrorCode::authentication_failed, ""},
        Refusal{"PasswordIsUuid", [](S& s) { s.environment_password = base::Secret(s.environment_uuid); },
                ErrorCode::authentication_failed, ""},
        Refusal{"BlankRole",
                [](S& s) {
                  s.role_uuid = " \n";
                  s.invitee_email_address = "bad";
                },
                ErrorCode::missing_parameter, "RoleUUID"},
        Refusal{"BlankInvitee",
                [](S& s) {
                  s.invitee_email_address = "\t";
                  s.inviter_email_address = "bad";
                },
                ErrorCode::missing_parameter, "InviteeEmailAddress"},
        Refusal{"BlankInviter",
                [](S& s) {
                  s.inviter_email_address = "";
                  s.invitee_email_address = "bad";
                },
                ErrorCode::missing_parameter, "InviterEmailAddress"},
        Refusal{"BadInvitee",
                [](S& s) {
                  s.invitee_email_address = "a@b, c@d";
                  s.inviter_email_address = "nobody@example.org";
                },
                ErrorCode::invalid_email_address, "InviteeEmailAddress"},
        Refusal{"BadInviter", [](S& s) { s.inviter_email_address = "<a@b.org>"; }, ErrorCode::invalid_email_address,
                "InviterEmailAddress"},
        Refusal{"UnknownInviter",
                [](S& s) {
                  s.inviter_email_address = "nobody@example.org";
                  s.role_uuid = "x";
                },
                ErrorCode::inviter_without_access, "InviterEmailAddress"},
        Refusal{"UnknownRole", [](S& s) { s.role_uuid = base::Uuid::random().to_string(); }, ErrorCode::unknown_role,
                "RoleUUID"},
        Refusal{"RoleIsNoUuid", [](S& s) { s.role_uuid = "Administrator"; }, ErrorCode::unknown_role, "RoleUUID"},
        Refusal{"NilRole", [](S& s) { s.role_uuid = base::Uuid{}.to_string(); }, ErrorCode::unknown_role, "RoleUUID"}),
    [](const auto& row) { return row.param.name; });

TEST_F(SendInvitationTest, A01UnknownWrongAndDisabledGiveOneAndTheSameError) {
  std::vector<std::string> answers;
  auto unknown = request();
  unknown.environment_uuid = base::Uuid::random().to_string();
  answers.push_back(send_invitation(unknown, *context_).error().message);
  auto wrong = request();
  wrong.environment_password = make_environment_password();
  answers.push_back(send_invitation(wrong, *context_).error().message);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_environment_disabled(environment_.id, true, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  const auto disabled = send();
  answers.push_back(disabled.error().message);
  EXPECT_EQ(disabled.error().code, ErrorCode::authentication_failed);
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(answers[0], answers[2]);
}

TEST_F(SendInvitationTest, A02ARightBeginningOfAPasswordTakesNoMoreTimeThanAnother) {
  Policy unlimited;
  unlimited.wrong_passwords_per_minute = 0;
  EnvironmentAuthenticator authenticator(*store_, clock_, authenticator_->pepper(), unlimited);
  const std::string uuid = environment_.id.to_string();
  std::string almost(password_.reveal());
  almost.back() = almost.back() == 'A' ? 'B' : 'A';
  int admitted = 0;
  const auto authenticate = [&](const std::string& password) {
    admitted += authenticator.authenticate(uuid, password, "192.0.2.1").has_value() ? 1 : 0;
  };
  EXPECT_LT(test::least_timing_difference(almost, authenticate, 10'000), test::kCertainlyNotConstant);
  EXPECT_EQ(admitted, 0);
}

TEST_F(SendInvitationTest, A04BothRotationSlotsWorkUntilTheOldOneEnds) {
  base::Secret next;
  write([&](Transaction& t) -> Result<void> {
    next = rotate_password(environment_.id, {1h}, authenticator_->pepper(), t, now())->password;
    return {};
  });
  write([&](Transaction& t) -> Result<void> {
    const auto again = rotate_password(environment_.id, {1h}, authenticator_->pepper(), t, now());
    EXPECT_FALSE(again) << "the app that has the first one would be cut off";
    return {};
  });
  authenticator_->forget_snapshot();
  auto with_next = request("b@example.org");
  with_next.environment_password = next;
  EXPECT_TRUE(send("a@example.org"));
  EXPECT_TRUE(send_invitation(with_next, *context_));
  clock_.advance(1h);
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::authentication_failed);
  EXPECT_TRUE(send_invitation(with_next, *context_));
  clock_.advance(-2h);  // the clock was set back: to before the new one was made
  EXPECT_TRUE(send_invitation(with_next, *context_));
}

TEST_F(SendInvitationTest, ABroughtPasswordWorksToo) {
  auto brought = request();
  write([&](Transaction& t) -> Result<void> {
    const auto added = add_environment({app_.id, "Legacy", std::nullopt, hasher_.hash(base::Secret("legacy-password"))},
                                       authenticator_->pepper(), t, now());
    EXPECT_TRUE(added->password.empty());
    brought.environment_uuid = added->environment.id.to_string();
    EXPECT_TRUE(grant_access(added->environment.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  brought.environment_password = base::Secret("legacy-password");
  EXPECT_TRUE(send_invitation(brought, *context_));
  brought.environment_password = base::Secret("legacy-passwort");
  EXPECT_EQ(send_invitation(brought, *context_).error().code, ErrorCode::authentication_failed);
}

TEST_F(SendInvitationTest, A03WhatCanBeNobodysPasswordIsRefusedAsAWrongOneAndWithoutArgon2) {
  const std::string right = "cl\u00e9-de-1998";
  std::string environment;
  write([&](Transaction& t) -> Result<void> {
    environment = add_environment({app_.id, "Legacy", std::nullopt, hasher_.hash(base::Secret(right))},
                                  authenticator_->pepper(), t, now())
                      ->environment.id.to_string();
    return {};
  });
  authenticator_->forget_snapshot();
  int address = 0;
  struct Answer {
    std::optional<Error> refused;
    std::clock_t cpu;
  };
  // Each from an address of its own: nobody is slowed down, and spared Argon2 for that.
  const auto call = [&](std::string_view password) {
    const std::string client = "192.0.2." + std::to_string(++address);
    const std::clock_t began = std::clock();
    const auto answer = authenticator_->authenticate(environment, password, client);
    const std::clock_t cpu = std::clock() - began;
    return Answer{answer ? std::nullopt : std::optional(answer.error()), cpu};
  };
  call("the first reads the snapshot");
  const Answer wrong = call("cle-de-1998");
  ASSERT_TRUE(wrong.refused);
  EXPECT_EQ(wrong.refused->code, ErrorCode::authentication_failed);
  constexpr std::size_t kMaxBody = 64 * 1024;  // more does not get in; 1 MiB costs its HMAC, as for any environment
  const std::string odd[]{"",
                          std::string(129, 'x'),
                          std::string(kMaxBody, 'x'),
                          std::string(1 << 20, 'x'),
                          right + '\0',
                          std::string("\0", 1),
                          "cl\xe9-de-1998"};
  for (const std::string& password : odd) {
    const Answer answer = call(password);
    SCOPED_TRACE(password.substr(0, 20));
    ASSERT_TRUE(answer.refused);
    EXPECT_EQ(answer.refused->code, wrong.refused->code);
    EXPECT_EQ(answer.refused->message, wrong.refused->message);
    if (password.size() <= kMaxBody) {
      EXPECT_LT(answer.cpu, wrong.cpu / 4) << "that was Argon2";
    }
  }
  EXPECT_FALSE(call("cle\u0301-de-1998").refused) << "the right one, spelled in NFD";
  EXPECT_FALSE(call(right).refused);
}

// Argon2 runs for one such password at a time. Wrong ones from many addresses, each within its limit, waited for it in
// all workers of the listener.
TEST_F(SendInvitationTest, NotEveryWorkerWaitsForABroughtPassword) {
  auto brought = request();
  write([&](Transaction& t) -> Result<void> {
    const auto added = add_environment({app_.id, "Old", std::nullopt, hasher_.hash(base::Secret("legacy-password"))},
                                       authenticator_->pepper(), t, now());
    brought.environment_uuid = added->environment.id.to_string();
    EXPECT_TRUE(grant_access(added->environment.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  constexpr int kCallers = 40;
  std::barrier start(kCallers);
  std::atomic<int> wrong = 0;
  std::atomic<int> busy = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i)
      callers.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto refused =
            authenticator_->authenticate(brought.environment_uuid, "wrong", "192.0.2." + std::to_string(i));
        const ErrorCode code = refused ? ErrorCode::not_found : refused.error().code;
        wrong += code == ErrorCode::authentication_failed ? 1 : 0;
        busy += code == ErrorCode::unavailable ? 1 : 0;
      });
  }
  EXPECT_EQ(wrong + busy, kCallers);
  EXPECT_GE(wrong, 8);
  EXPECT_GT(busy, 0);
  brought.environment_password = base::Secret("legacy-password");
  EXPECT_TRUE(send_invitation(brought, *context_));
}

TEST_F(SendInvitationTest, A06WrongPasswordsAreSlowedButTheRightOneAlwaysPasses) {
  auto wrong = request();
  wrong.environment_password = base::Secret("wrong");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(send_invitation(wrong, *context_).error().code, ErrorCode::authentication_failed) << i;
  const auto slowed = send_invitation(wrong, *context_);
  EXPECT_EQ(slowed.error().code, ErrorCode::rate_limited);
  EXPECT_GT(slowed.error().retry_after.value_or(0s), 0s);
  auto elsewhere = wrong;
  elsewhere.client_address = "192.0.2.99";
  EXPECT_EQ(send_invitation(elsewhere, *context_).error().code, ErrorCode::authentication_failed);
  EXPECT_TRUE(send());
  EXPECT_EQ(send_invitation(wrong, *context_).error().code, ErrorCode::authentication_failed) << "a success clears";
}

TEST_F(SendInvitationTest, A06AfterTenWrongPasswordsOneInTenSecondsIsLookedAt) {
  auto wrong = request();
  wrong.environment_password = base::Secret("wrong");
  const auto codes = [&](int calls) {
    std::vector<ErrorCode> answered;
    for (int i = 0; i < calls; ++i) answered.push_back(send_invitation(wrong, *context_).error().code);
    return answered;
  };
  using enum ErrorCode;
  EXPECT_EQ(codes(10), std::vector(10, authentication_failed));
  for (int i = 0; i < 3; ++i) {
    const auto slowed = send_invitation(wrong, *context_);
    EXPECT_EQ(slowed.error().code, rate_limited);
    EXPECT_EQ(slowed.error().retry_after, 10s);
    clock_.advance(9'999ms);
    EXPECT_EQ(codes(2), (std::vector{rate_limited, rate_limited})) << "and what is slowed down makes it no longer";
    clock_.advance(1ms);
    EXPECT_EQ(codes(2), (std::vector{authentication_failed, rate_limited}));
  }
  clock_.advance(100s);
  EXPECT_EQ(codes(10), std::vector(10, authentication_failed)) << "ten at once again, after a pause";
  EXPECT_EQ(codes(1), std::vector{rate_limited});
}

TEST_F(SendInvitationTest, A09AnInviterWhoIsDisabledIsRefusedInsideTheTransaction) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account_disabled("grace@example.org", true, t, now()));
    return {};
  });
  EXPECT_EQ(send().error().code, ErrorCode::inviter_without_access);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account_disabled("grace@example.org", false, t, now()));
    EXPECT_TRUE(revoke_access(environment_.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  EXPECT_EQ(send().error().code, ErrorCode::inviter_without_access);
}

TEST_F(SendInvitationTest, TheInvitersHourlyRateIsKept) {
  policy_.inviter_per_hour = 3;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("a" + std::to_string(i) + "@example.org"));
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 1200s);
  EXPECT_EQ(invitations().size(), 3u);
  EXPECT_TRUE(send("a0@example.org")) << "a repeat counts against no rate";
  clock_.advance(1200s);
  EXPECT_TRUE(send("b@example.org"));
}

TEST_F(SendInvitationTest, TheInvitersDailyRateIsKept) {
  policy_.inviter_per_hour = 0;
  policy_.environment_per_second = 0;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(send("a" + std::to_string(i) + "@example.org")) << i;
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 173s) << "a five-hundredth of a day";
  clock_.advance(173s);
  EXPECT_TRUE(send("b@example.org"));
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::rate_limited);
}

TEST_F(SendInvitationTest, TheHourlyAndTheDailyRateOfAnInviterHoldTogether) {
  policy_.environment_per_second = 0;
  int number = 0;
  int sent = 0;
  for (int hour = 0; hour < 24; ++hour) {
    int this_hour = 0;
    while (send("a" + std::to_string(++number) + "@example.org")) ++this_hour;
    EXPECT_LE(this_hour, 100);
    sent += this_hour;
    clock_.advance(1h);
  }
  // Five hundred at most to begin with, and what comes free in the 23 hours until the last: 500 * 23 / 24.
  EXPECT_EQ(sent, 500 + 479);
}

TEST_F(SendInvitationTest, TheEnvironmentsDailyRateIsKept) {
  policy_.environment_per_second = 0;
  policy_.inviter_per_hour = policy_.inviter_per_day = 0;
  policy_.environment_per_day = 48;
  for (int i = 0; i < 48; ++i) ASSERT_TRUE(send("a" + std::to_string(i) + "@example.org")) << i;
  const auto refused = send("b@example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 30min);
  EXPECT_TRUE(send("a0@example.org")) << "a repeat counts against no rate";
  clock_.advance(30min);
  EXPECT_TRUE(send("b@example.org"));
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::rate_limited);
}

TEST_F(SendInvitationTest, TheEnvironmentsBurstIsKept) {
  policy_.environment_per_second = 1;
  policy_.environment_burst = 2;
  EXPECT_TRUE(send("a@example.org"));
  EXPECT_TRUE(send("b@example.org"));
  const auto refused = send("c@example.org");
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 1s);
}

TEST_F(SendInvitationTest, M16MailToOneMailboxWaitsAndCallersLearnNothing) {
  for (const char* address : {"ada@example.org", "ada+1@example.org", "a.da@example.org", "A.D.A@example.org"}) {
    const auto sent = send(address);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->effect, InviteEffect::invited);
  }
  std::vector<std::chrono::milliseconds> waits;
  for (const OutboxMessage& message : messages()) waits.push_back(message.due_at - now());
  std::sort(waits.begin(), waits.end());
  EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{0min, 1min, 2min, 1h}));
}

TEST_F(SendInvitationTest, AMailWhoseTurnWouldComeTooLateFailsAtOnceAndTakesNoTurn) {
  policy_.invitation_lifetime = std::chrono::minutes(5);
  for (const char* invitee : {"vic+0@example.org", "vic+1@example.org", "vic+2@example.org", "vic+3@example.org"})
    ASSERT_TRUE(send(invitee));
  EXPECT_EQ(messages(MessageState::queued).size(), 3U) << "three in an hour";
  const auto failed = messages(MessageState::failed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].recipient.key(), "vic+3@example.org");
  EXPECT_THAT(failed[0].last_error, testing::HasSubstr("many mails"));
  EXPECT_EQ(failed[0].finished_at, now());
  for (const OutboxMessage& message : messages()) EXPECT_FALSE(is_held(message)) << message.recipient.key();

  clock_.advance(std::chrono::hours(1) + std::chrono::minutes(3));
  ASSERT_TRUE(send("vic+4@example.org"));
  EXPECT_EQ(messages().front().not_before, now());
  EXPECT_EQ(messages().front().state, MessageState::queued);
}

TEST_F(SendInvitationTest, AKeyThatIsNoKeyIsRefused) {
  for (const std::string& key : std::vector<std::string>{"caf\xE9", "one\ntwo", "tab\t", std::string(256, 'x')}) {
    auto keyed = request();
    keyed.idempotency_key = key;
    const auto refused = send_invitation(keyed, *context_);
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_parameter) << key;
    EXPECT_EQ(refused.error().parameter, "Idempotency-Key");
  }
  EXPECT_TRUE(invitations().empty());
}

}  // namespace
}  // namespace invited::domain
