#include "domain/send_invitation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <functional>
#include <thread>
#include <vector>

#include "domain/use_case_fixture.h"

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
