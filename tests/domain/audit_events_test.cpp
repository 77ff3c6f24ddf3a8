// What each use case writes down of what it changed: exactly these events, by whom and about what. One row for each
// event that a use case inserts; and for those that change nothing, where somebody might think that they do.
#include <algorithm>
#include <tuple>

#include "domain/bulk_invite.h"
#include "domain/caller_fixture.h"
#include "domain/environment_people.h"
#include "domain/manage_webhooks.h"
#include "domain/reset_password.h"
#include "domain/restore.h"
#include "domain/role_alias.h"
#include "domain/session.h"
#include "storage/store_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAda = "ada@example.org";
constexpr const char* kGrace = "grace@example.org";
constexpr const char* kClient = "192.0.2.7";
constexpr const char* kOtherPassword = "umbrella granite tempo";

class AuditEventsTest;
using Events = std::vector<std::string>;

struct Row {
  const char* name;
  Events (*run)(AuditEventsTest&);  ///< returns what is to be written since `from_here`
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string event(std::string_view actor, std::string_view action, const base::Uuid& subject) {
  return std::string(actor) + ' ' + std::string(action) + ' ' + subject.to_string();
}

std::string by_account(const Account& account) { return "account:" + account.id.to_string(); }

using Parameters = std::tuple<storage::StoreFactory, Row>;

std::string name_of(const testing::TestParamInfo<Parameters>& info) {
  return std::get<storage::StoreFactory>(info.param).name + std::get<Row>(info.param).name;
}

class AuditEventsTest : public CallerTest, public testing::WithParamInterface<Parameters> {
 public:
  static const std::vector<Row>& rows();

 protected:
  AuditEventsTest() : CallerTest(open(std::get<storage::StoreFactory>(GetParam()))) {}

  void SetUp() override {
    if (const auto reason = std::get<storage::StoreFactory>(GetParam()).why_not()) GTEST_SKIP() << *reason;
  }

  /// What is changed from now on counts.
  void from_here() {
    clock_.advance(1min);
    from_ = now();
  }

  Events written() {
    Events found;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      for (const AuditEvent& written : t.list_audit_events({.limit = 1'000, .offset = 0}))
        if (written.at >= from_) found.push_back(event(written.actor, written.action, written.subject_id));
      return {};
    }));
    return found;
  }

  template <class Work>
  auto in_transaction(Work work) {
    auto done = write_returning(*store_, [&](Transaction& t) { return work(t); });
    EXPECT_TRUE(done) << done.error().message;
    return *std::move(done);
  }

  std::string by_environment() const { return "environment:" + environment_.id.to_string(); }

  /// The invitation that came last.
  Invitation sent(const char* email = kAda) {
    EXPECT_TRUE(send(email));
    return newest();
  }
  Invitation newest() { return invitations().front(); }

  Account ada(std::string_view password_hash = {}, std::string_view name = "Ada Lovelace") {
    return in_transaction([&](Transaction& t) { return add_account(kAda, name, password_hash, t, now()); });
  }
  Account ada_with_password() { return ada(hasher_.hash(base::Secret(kGoodPassword))); }
  Account grace() { return *account(kGrace); }

  std::string sign_in_as(const char* email, const std::string& previous = {}) {
    const auto signed_in = sign_in({email, base::Secret(kGoodPassword), kClient, previous}, *context_);
    EXPECT_TRUE(signed_in) << signed_in.error().message;
    return std::string(signed_in->token.reveal());
  }

  bool is_signed_in(const std::string& session) {
    const auto person = find_signed_in(session, *context_);
    EXPECT_TRUE(person) << person.error().message;
    return person->has_value();
  }

  Account accept(const Invitation& invitation) {
    const auto accepted = accept_invitation(sign_up(token_of(invitation)), *context_);
    EXPECT_TRUE(accepted) << accepted.error().message;
    return *account(kAda);
  }
  Events accepted_by(const Account& person, const Invitation& invitation) const {
    return {event(by_account(person), "invitation.accepted", invitation.id),
            event(by_account(person), "access.granted", person.id)};
  }

  Webhook a_webhook() {
    return in_transaction([&](Transaction& t) {
      return add_webhook(environment_.id, "https://planner.example.org/hook", {}, false, t, now());
    });
  }
  void set_disabled(const Webhook& webhook, bool disabled) {
    in_transaction([&](Transaction& t) { return set_webhook_disabled(webhook.id, disabled, t, now()); });
  }

  /// Queued when a backup was made that was restored since.
  OutboxMessage held_message() {
    in_transaction(
        [&](Transaction& t) -> Result<AcceptedRestore> { return accept_restored_database({"digest", 2}, t, now()); });
    return messages(MessageState::queued).front();
  }
  void release(const OutboxMessage& message) {
    in_transaction([&](Transaction& t) { return release_held_message(message.id, "operator", t, policy_, now()); });
  }

 private:
  /// Nothing where there is no such server here: SetUp says so.
  static std::shared_ptr<Store> open(const storage::StoreFactory& factory) {
    if (factory.why_not()) return nullptr;
    const std::shared_ptr<storage::StoreUnderTest> opened = factory.make();
    return {opened, &opened->store()};
  }

  base::Timestamp from_;
};

Events operator+(Events some, const Events& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

const std::vector<Row>& AuditEventsTest::rows() {
  using Test = AuditEventsTest;
  static const std::vector<Row> kRows{
      // --- inviting ---------------------------------------------------------------------------------
      {"SendInvite",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.sent();  // the second one is a repeat
         return {event(test.by_environment(), "invitation.created", test.newest().id)};
       }},
      {"SendInviteWhilePending",
       [](Test& test) -> Events {
         test.sent();
         test.from_here();
         return {event(test.by_environment(), "invitation.resent", test.sent().id)};
       }},
      {"SendInviteAfterExpiry",
       [](Test& test) -> Events {
         const auto expired = test.sent();
         test.clock_.advance(test.policy_.invitation_lifetime);
         test.from_here();
         const auto fresh = test.sent();
         EXPECT_NE(fresh.id, expired.id);
         return {event(test.by_environment(), "invitation.created", fresh.id)};
       }},
      {"SendInviteToWhoHasAccess",
       [](Test& test) -> Events {
         test.from_here();
         EXPECT_TRUE(test.send(kGrace));
         EXPECT_TRUE(test.send(kGrace)) << "no second notice, no second event";
         return {event(test.by_environment(), "invitation.not_needed", test.grace().id)};
       }},
      {"InviteByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         test.from_here();
         const auto invited = test.invite(caller, test.to(kAda, {test.user_, test.planner_}));
         return {event("token:" + caller.token_id.to_string(), "invitation.created", invited->invitation->id)};
       }},
      {"InviteMany",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         test.from_here();
         const std::vector<BulkItem> items{{.text = {kAda, {}, {}}, .roles = {"User"}},
                                           {.text = {"bob@example.org", {}, {}}, .roles = {"Planner"}}};
         Events expected;
         for (const bool dry_run : {true, false}) {
           const auto verdicts = test.in_transaction([&](Transaction& t) -> Result<std::vector<BulkVerdict>> {
             return invite_all(caller, items, dry_run, t, test.policy_, test.now());
           });
           for (const BulkVerdict& verdict : verdicts)
             if (!dry_run) expected.push_back(event(caller.actor, "invitation.created", verdict.invitation->id));
         }
         return expected;
       }},
      {"ResendByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return resend(caller, invitation, true, t, test.policy_, test.now()); });
         return {event(caller.actor, "invitation.resent", invitation.id)};
       }},
      {"ResendByOperator",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return resend_invitation(invitation.id, "operator", t, test.policy_, test.now()); });
         return {event("operator", "invitation.resent", invitation.id)};
       }},
      {"RevokeByOperator",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return revoke_invitation(invitation.id, "operator", t, test.now()); });
         return {event("operator", "invitation.revoked", invitation.id)};
       }},
      {"RevokeByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return revoke_invitation(caller, invitation, t, test.now()); });
         return {event(caller.actor, "invitation.revoked", invitation.id)};
       }},
      {"ChangeInvitation",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return change_invitation(invitation, {.metadata = R"({"order":1})"}, caller, t, test.now());
         });
         return {event(caller.actor, "invitation.changed", invitation.id)};
       }},
      {"ShowLink",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller({.may_see_links = true});
         const auto invitation = test.sent();
         test.from_here();
         test.write([&](Transaction& t) { return note_link_shown(caller, invitation, t, test.now()); });
         return {event(caller.actor, "invitation.link_shown", invitation.id)};
       }},

      // --- answering --------------------------------------------------------------------------------
      {"AcceptSigningUp",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         const Account person = test.accept(invitation);
         return test.accepted_by(person, invitation) + Events{event("invitee", "account.created", person.id)};
       }},
      {"AcceptSigningIn",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const auto invitation = test.sent();
         test.from_here();
         test.accept(invitation);
         return test.accepted_by(person, invitation);
       }},
      {"AcceptWithTheFirstPassword",
       [](Test& test) -> Events {
         const Account person = test.ada();
         const auto invitation = test.sent();
         test.from_here();
         test.accept(invitation);
         return test.accepted_by(person, invitation) + Events{event("invitee", "account.password_set", person.id)};
       }},
      {"AcceptWithTheFirstPasswordAndAnotherName",
       [](Test& test) -> Events {
         const Account person = test.ada({}, "A. King");
         const auto invitation = test.sent();
         test.from_here();
         test.accept(invitation);
         return test.accepted_by(person, invitation) + Events{event("invitee", "account.password_set", person.id),
                                                              event("invitee", "account.profile_changed", person.id)};
       }},
      {"AcceptSeveralRoles",
       [](Test& test) -> Events {
         const auto invitation =
             *test.invite(test.environments_caller(), test.to(kAda, {test.user_, test.planner_}))->invitation;
         test.from_here();
         const Account person = test.accept(invitation);
         return test.accepted_by(person, invitation) + Events{event("invitee", "account.created", person.id),
                                                              event(by_account(person), "access.granted", person.id)};
       }},
      {"AcceptAsSomebodyRegistered",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         const auto person = accept_as(
             {invitation.id, invitation.generation},
             {.email = invitation.invitee, .name = "Ada", .password_hash = "hash", .account_id = std::nullopt},
             *test.context_);
         EXPECT_TRUE(person);
         return test.accepted_by(*person, invitation) + Events{event("invitee", "account.created", person->id)};
       }},
      {"Decline",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         EXPECT_TRUE(decline_invitation(test.token_of(invitation), kClient, *test.context_));
         return {event("invitee", "invitation.declined", invitation.id)};
       }},
      {"AskForAFreshLink",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.clock_.advance(test.policy_.invitation_lifetime);
         test.from_here();
         EXPECT_TRUE(request_fresh_link(test.token_of(invitation), kClient, *test.context_));
         return {event("invitee", "invitation.resent", invitation.id)};
       }},

      // --- people -----------------------------------------------------------------------------------
      {"SignIn",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.from_here();
         test.sign_in_as(kAda);
         return {event(by_account(person), "account.signed_in", person.id)};
       }},
      {"SignInAsAnotherPersonInTheSameBrowser",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.in_transaction(
             [&](Transaction& t) { return set_account_password(kGrace, person.password_hash, t, test.now()); });
         const std::string before = test.sign_in_as(kGrace);
         test.from_here();
         test.sign_in_as(kAda, before);
         return {event(by_account(test.grace()), "account.signed_out", test.grace().id),
                 event(by_account(person), "account.signed_in", person.id)};
       }},
      {"SignInAgainInTheSameBrowser",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string before = test.sign_in_as(kAda);
         test.from_here();
         test.sign_in_as(kAda, before);
         EXPECT_FALSE(test.is_signed_in(before));
         return {event(by_account(person), "account.signed_in", person.id)};
       }},
      {"SignOut",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string session = test.sign_in_as(kAda);
         test.from_here();
         for (int times = 0; times < 2; ++times) EXPECT_TRUE(sign_out(session, *test.context_));
         return {event(by_account(person), "account.signed_out", person.id)};
       }},
      {"SignOutAfterExpiry",
       [](Test& test) -> Events {
         test.ada_with_password();
         const std::string session = test.sign_in_as(kAda);
         test.clock_.advance(test.policy_.session_lifetime);
         test.from_here();
         EXPECT_TRUE(sign_out(session, *test.context_));
         return {};
       }},
      {"SignInAsAnotherPersonAfterExpiry",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.in_transaction(
             [&](Transaction& t) { return set_account_password(kGrace, person.password_hash, t, test.now()); });
         const std::string before = test.sign_in_as(kGrace);
         test.clock_.advance(test.policy_.session_lifetime);
         test.from_here();
         test.sign_in_as(kAda, before);
         return {event(by_account(person), "account.signed_in", person.id)};
       }},
      {"EditProfile",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string session = test.sign_in_as(kAda);
         test.from_here();
         for (int times = 0; times < 2; ++times) EXPECT_TRUE(edit_profile({session, "Ada King", {}}, *test.context_));
         return {event(by_account(person), "account.profile_changed", person.id)};
       }},
      {"AskForANewPassword",
       [](Test& test) -> Events {
         test.from_here();
         for (const char* email : {kGrace, "nobody@example.org"})
           EXPECT_TRUE(request_password_reset(email, base::Language::en, kClient, *test.context_));
         return {event("visitor", "account.password_reset_asked", test.grace().id)};
       }},
      {"ResetPassword",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.from_here();
         const auto expiry = std::chrono::floor<std::chrono::seconds>(test.now()) + kResetLinkLifetime;
         const auto token = make_reset_token(test.keys_, {person.id, person.password_generation, expiry});
         EXPECT_TRUE(reset_password({token, base::Secret(kOtherPassword), base::Secret(kOtherPassword), kClient},
                                    *test.context_));
         return {event(by_account(person), "account.password_reset", person.id)};
       }},

      // --- operators: accounts and access -----------------------------------------------------------
      {"AddAccount",
       [](Test& test) -> Events {
         test.from_here();
         return {event("operator", "account.created", test.ada().id)};
       }},
      {"SetAccount",
       [](Test& test) -> Events {
         test.from_here();
         const auto changed = test.in_transaction([&](Transaction& t) {
           return set_account(kGrace, {"Grace", {{ProfileField::company_id, "C-1"}}}, t, test.now());
         });
         return {event("operator", "account.profile_changed", changed.id)};
       }},
      {"SetAccountPassword",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return set_account_password(kGrace, "hash", t, test.now()); });
         return {event("operator", "account.password_set", test.grace().id)};
       }},
      {"DisableAndEnableAccount",
       [](Test& test) -> Events {
         test.from_here();
         for (const bool disabled : {true, false})
           test.in_transaction([&](Transaction& t) { return set_account_disabled(kGrace, disabled, t, test.now()); });
         return {event("operator", "account.disabled", test.grace().id),
                 event("operator", "account.enabled", test.grace().id)};
       }},
      {"GrantAccess",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.grant(kGrace, test.planner_);
         return {event("operator", "access.granted", test.grace().id)};
       }},
      {"RevokeAccess",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.withdraw(kGrace, test.user_);
         return {event("operator", "access.withdrawn", test.grace().id)};
       }},
      {"GiveAndTakeRoleByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return give_role(caller, kGrace, "Planner", t, test.now()); });
         test.in_transaction([&](Transaction& t) { return take_role(caller, kGrace, "Planner", t, test.now()); });
         return {event(caller.actor, "access.granted", test.grace().id),
                 event(caller.actor, "access.withdrawn", test.grace().id)};
       }},

      // --- operators: apps, roles, environments -----------------------------------------------------
      {"AddApp",
       [](Test& test) -> Events {
         test.from_here();
         const auto app = test.in_transaction(
             [&](Transaction& t) { return add_app("Ledger", "https://ledger.example.org/", "nl", t, test.now()); });
         return {event("operator", "app.added", app.id)};
       }},
      {"SetApp",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return set_app(test.app_.id, {.name = "Harbour"}, t, test.now()); });
         return {event("operator", "app.changed", test.app_.id)};
       }},
      {"AddRole",
       [](Test& test) -> Events {
         test.from_here();
         const auto role = test.in_transaction(
             [&](Transaction& t) { return add_role(test.app_.id, std::nullopt, "Guest", t, test.now()); });
         return {event("operator", "role.added", role.id)};
       }},
      {"RenameRole",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return rename_role(test.user_, "Member", t, test.now()); });
         return {event("operator", "role.renamed", test.user_.id)};
       }},
      {"ImportRoles",
       [](Test& test) -> Events {
         const auto added = base::Uuid::random();
         const std::vector<ImportedRole> roles{{added, "Guest"},
                                               {test.user_.id, "Member"},
                                               {.id = test.planner_.id, .name = "Planner", .manages_all = true},
                                               {test.administrator_.id, "Administrator"}};
         test.from_here();
         test.in_transaction([&](Transaction& t) { return import_roles(test.app_.id, roles, t, test.now()); });
         return {event("operator", "role.added", added), event("operator", "role.renamed", test.user_.id),
                 event("operator", "role.changed", test.planner_.id)};
       }},
      {"MapAndUnmapRole",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return map_role(test.app_, "medusa", "admin", test.user_.id, t, test.now()); });
         test.write([&](Transaction& t) { return unmap_role(test.app_, "medusa", "admin", t, test.now()); });
         return {event("operator", "role.mapped", test.user_.id), event("operator", "role.unmapped", test.app_.id)};
       }},
      {"AddEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         const auto added = test.in_transaction([&](Transaction& t) {
           return add_environment({test.app_.id, "Acceptance", std::nullopt, {}}, test.authenticator_->pepper(), t,
                                  test.now());
         });
         return {event("operator", "environment.added", added.environment.id)};
       }},
      {"RotatePassword",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return rotate_password(test.environment_.id, {.overlap = 0s}, test.authenticator_->pepper(), t, test.now());
         });
         return {event("operator", "environment.password_rotated", test.environment_.id)};
       }},
      {"SetEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return set_environment(test.environment_.id, {.name = "Live"}, "https://invite.example.org", t, test.now());
         });
         return {event("operator", "environment.changed", test.environment_.id)};
       }},
      {"DisableAndEnableEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         for (const bool disabled : {true, false})
           test.in_transaction(
               [&](Transaction& t) { return set_environment_disabled(test.environment_.id, disabled, t, test.now()); });
         return {event("operator", "environment.disabled", test.environment_.id),
                 event("operator", "environment.enabled", test.environment_.id)};
       }},

      // --- operators: API tokens, webhooks, after a restore -----------------------------------------
      {"AddAndRevokeApiToken",
       [](Test& test) -> Events {
         test.from_here();
         const auto id = test.add_token().token.id;
         for (int times = 0; times < 2; ++times)
           test.in_transaction([&](Transaction& t) { return revoke_api_token(id, t, test.now()); });
         return {event("operator", "token.added", id), event("operator", "token.revoked", id)};
       }},
      {"AddAndRemoveWebhook",
       [](Test& test) -> Events {
         test.from_here();
         const auto id = test.a_webhook().id;
         test.in_transaction([&](Transaction& t) { return remove_webhook(id, t, test.now()); });
         return {event("operator", "webhook.added", id), event("operator", "webhook.removed", id)};
       }},
      {"DisableAndEnableWebhook",
       [](Test& test) -> Events {
         const auto webhook = test.a_webhook();
         test.from_here();
         for (const bool disabled : {true, false}) test.set_disabled(webhook, disabled);
         return {event("operator", "webhook.disabled", webhook.id), event("operator", "webhook.enabled", webhook.id)};
       }},
      {"RotateWebhookSecret",
       [](Test& test) -> Events {
         const auto webhook = test.a_webhook();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return rotate_webhook_secret(webhook.id, false, t, test.now()); });
         return {event("operator", "webhook.secret_rotated", webhook.id)};
       }},
      {"ReplayDelivery",
       [](Test& test) -> Events {
         const auto webhook = test.a_webhook();
         const auto delivery = test::sample_delivery(webhook, test.now());
         test.write([&](Transaction& t) -> Result<void> {
           t.insert(delivery);
           return {};
         });
         for (const bool disabled : {true, false}) test.set_disabled(webhook, disabled);  // cancels it
         test.from_here();
         test.in_transaction([&](Transaction& t) { return replay_delivery(delivery.id, t, test.now()); });
         return {event("operator", "webhook.replayed", webhook.id)};
       }},
      {"AcceptRestoredDatabase",
       [](Test& test) -> Events {
         test.sent();
         test.from_here();
         test.held_message();
         return {event("operator", "restore.accepted", {})};
       }},
      {"ReleaseHeldInvitation",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event("operator", "invitation.resent", invitation.id), event("operator", "mail.released", held.id)};
       }},
      {"ReleaseHeldNotice",
       [](Test& test) -> Events {
         EXPECT_TRUE(test.send(kGrace));
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event("operator", "mail.released", held.id)};
       }},
      {"ReleaseHeldPasswordReset",
       [](Test& test) -> Events {
         EXPECT_TRUE(request_password_reset(kGrace, base::Language::en, kClient, *test.context_));
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event("operator", "mail.released", held.id)};
       }},
  };
  return kRows;
}

TEST_P(AuditEventsTest, AreWrittenForWhatChangesAndForNothingElse) {
  auto expected = std::get<Row>(GetParam()).run(*this);
  EXPECT_THAT(written(), testing::UnorderedElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(Databases, AuditEventsTest,
                         testing::Combine(testing::Values(storage::kSqlite, storage::kPostgres),
                                          testing::ValuesIn(AuditEventsTest::rows())),
                         name_of);

}  // namespace
}  // namespace invited::domain
