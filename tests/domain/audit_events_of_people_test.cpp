// The events of what people do about their accounts, and of what operators and programs do about accounts and access.
#include "domain/audit_events_fixture.h"
#include "domain/environment_people.h"

namespace invited::domain {
namespace {

constexpr const char* kOtherPassword = "umbrella granite tempo";

}  // namespace

std::vector<AuditEventsRow> AuditEventsTest::people_and_access() {
  return {
      // --- people -----------------------------------------------------------------------------------
      {"SignIn",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.from_here();
         test.sign_in_as(kAda);
         return {event(kService, by_account(person), "account.signed_in", person.id)};
       }},
      {"SignInAsAnotherPersonInTheSameBrowser",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.in_transaction(
             [&](Transaction& t) { return set_account_password(kGrace, person.password_hash, t, test.now()); });
         const std::string before = test.sign_in_as(kGrace);
         test.from_here();
         test.sign_in_as(kAda, before);
         return {event(kService, by_account(test.grace()), "account.signed_out", test.grace().id),
                 event(kService, by_account(person), "account.signed_in", person.id)};
       }},
      {"SignInAgainInTheSameBrowser",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string before = test.sign_in_as(kAda);
         test.from_here();
         test.sign_in_as(kAda, before);
         EXPECT_FALSE(test.is_signed_in(before));
         return {event(kService, by_account(person), "account.signed_in", person.id)};
       }},
      {"SignOut",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string session = test.sign_in_as(kAda);
         test.from_here();
         for (int times = 0; times < 2; ++times) EXPECT_TRUE(sign_out(session, *test.context_));
         return {event(kService, by_account(person), "account.signed_out", person.id)};
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
         return {event(kService, by_account(person), "account.signed_in", person.id)};
       }},
      {"EditProfile",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         const std::string session = test.sign_in_as(kAda);
         test.from_here();
         for (int times = 0; times < 2; ++times) EXPECT_TRUE(edit_profile({session, "Ada King", {}}, *test.context_));
         return {event(kService, by_account(person), "account.profile_changed", person.id)};
       }},
      {"AskForANewPassword",
       [](Test& test) -> Events {
         test.from_here();
         for (const char* email : {kGrace, "nobody@example.org"})
           EXPECT_TRUE(request_password_reset(email, base::Language::en, kClient, *test.context_));
         return {event(kService, "visitor", "account.password_reset_asked", test.grace().id)};
       }},
      {"ResetPassword",
       [](Test& test) -> Events {
         const Account person = test.ada_with_password();
         test.from_here();
         const auto expiry = std::chrono::floor<std::chrono::seconds>(test.now()) + kResetLinkLifetime;
         const auto token = make_reset_token(test.keys_, {person.id, person.password_generation, expiry});
         EXPECT_TRUE(reset_password({token, base::Secret(kOtherPassword), base::Secret(kOtherPassword), kClient},
                                    *test.context_));
         return {event(kService, by_account(person), "account.password_reset", person.id)};
       }},

      // --- operators: accounts and access -----------------------------------------------------------
      {"AddAccount",
       [](Test& test) -> Events {
         test.from_here();
         return {event(kService, "operator", "account.created", test.ada().id)};
       }},
      {"SetAccount",
       [](Test& test) -> Events {
         test.from_here();
         const auto changed = test.in_transaction([&](Transaction& t) {
           return set_account(kGrace, {"Grace", {{ProfileField::company_id, "C-1"}}}, t, test.now());
         });
         return {event(kService, "operator", "account.profile_changed", changed.id)};
       }},
      {"SetAccountPassword",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return set_account_password(kGrace, "hash", t, test.now()); });
         return {event(kService, "operator", "account.password_set", test.grace().id)};
       }},
      {"DisableAndEnableAccount",
       [](Test& test) -> Events {
         test.from_here();
         for (const bool disabled : {true, false})
           test.in_transaction([&](Transaction& t) { return set_account_disabled(kGrace, disabled, t, test.now()); });
         return {event(kService, "operator", "account.disabled", test.grace().id),
                 event(kService, "operator", "account.enabled", test.grace().id)};
       }},
      {"GrantAccess",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.grant(kGrace, test.planner_);
         return {event(kHere, "operator", "access.granted", test.grace().id)};
       }},
      {"RevokeAccess",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.withdraw(kGrace, test.user_);
         return {event(kHere, "operator", "access.withdrawn", test.grace().id)};
       }},
      {"GiveAndTakeRoleByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return give_role(caller, kGrace, "Planner", t, test.now()); });
         test.in_transaction([&](Transaction& t) { return take_role(caller, kGrace, "Planner", t, test.now()); });
         return {event(kHere, caller.actor, "access.granted", test.grace().id),
                 event(kHere, caller.actor, "access.withdrawn", test.grace().id)};
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(People, AuditEventsTest,
                         AuditEventsTest::on_both_databases(AuditEventsTest::people_and_access()),
                         AuditEventsTest::name_of);

}  // namespace invited::domain
