// The events of inviting and answering.
#include "domain/audit_events_fixture.h"
#include "domain/bulk_invite.h"

namespace invited::domain {

std::vector<AuditEventsRow> AuditEventsTest::inviting_and_answering() {
  return {
      // --- inviting ---------------------------------------------------------------------------------
      {"SendInvite",
       [](Test& test) -> Events {
         test.from_here();
         for (int times = 0; times < 2; ++times) test.sent();  // the second one is a repeat
         return {event(kHere, test.by_environment(), "invitation.created", test.newest().id)};
       }},
      {"SendInviteWhilePending",
       [](Test& test) -> Events {
         test.sent();
         test.from_here();
         return {event(kHere, test.by_environment(), "invitation.resent", test.sent().id)};
       }},
      {"SendInviteAfterExpiry",
       [](Test& test) -> Events {
         const auto expired = test.sent();
         test.clock_.advance(test.policy_.invitation_lifetime);
         test.from_here();
         const auto fresh = test.sent();
         EXPECT_NE(fresh.id, expired.id);
         return {event(kHere, test.by_environment(), "invitation.created", fresh.id)};
       }},
      {"SendInviteToWhoHasAccess",
       [](Test& test) -> Events {
         test.from_here();
         EXPECT_TRUE(test.send(kGrace));
         EXPECT_TRUE(test.send(kGrace)) << "no second notice, no second event";
         return {event(kHere, test.by_environment(), "invitation.not_needed", test.grace().id)};
       }},
      {"InviteByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         test.from_here();
         const auto invited = test.invite(caller, test.to(kAda, {test.user_, test.planner_}));
         return {event(kHere, "token:" + caller.token_id.to_string(), "invitation.created", invited->invitation->id)};
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
             if (!dry_run) expected.push_back(event(kHere, caller.actor, "invitation.created", verdict.invitation->id));
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
         return {event(kHere, caller.actor, "invitation.resent", invitation.id)};
       }},
      {"ResendByOperator",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return resend_invitation(invitation.id, "operator", t, test.policy_, test.now()); });
         return {event(kHere, "operator", "invitation.resent", invitation.id)};
       }},
      {"RevokeByOperator",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return revoke_invitation(invitation.id, "operator", t, test.now()); });
         return {event(kHere, "operator", "invitation.revoked", invitation.id)};
       }},
      {"RevokeByToken",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return revoke_invitation(caller, invitation, t, test.now()); });
         return {event(kHere, caller.actor, "invitation.revoked", invitation.id)};
       }},
      {"ChangeInvitation",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller();
         const auto invitation = test.sent();
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return change_invitation(invitation, {.metadata = R"({"order":1})"}, caller, t, test.now());
         });
         return {event(kHere, caller.actor, "invitation.changed", invitation.id)};
       }},
      {"ShowLink",
       [](Test& test) -> Events {
         const Caller caller = test.make_caller({.may_see_links = true});
         const auto invitation = test.sent();
         test.from_here();
         test.write([&](Transaction& t) { return note_link_shown(caller, invitation, t, test.now()); });
         return {event(kHere, caller.actor, "invitation.link_shown", invitation.id)};
       }},

      // --- answering --------------------------------------------------------------------------------
      {"AcceptSigningUp",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         const Account person = test.accept(invitation);
         return test.accepted_by(person, invitation) + Events{event(kService, "invitee", "account.created", person.id)};
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
         return test.accepted_by(person, invitation) +
                Events{event(kService, "invitee", "account.password_set", person.id)};
       }},
      {"AcceptWithTheFirstPasswordAndAnotherName",
       [](Test& test) -> Events {
         const Account person = test.ada({}, "A. King");
         const auto invitation = test.sent();
         test.from_here();
         test.accept(invitation);
         return test.accepted_by(person, invitation) +
                Events{event(kService, "invitee", "account.password_set", person.id),
                       event(kService, "invitee", "account.profile_changed", person.id)};
       }},
      {"AcceptSeveralRoles",
       [](Test& test) -> Events {
         const auto invitation =
             *test.invite(test.environments_caller(), test.to(kAda, {test.user_, test.planner_}))->invitation;
         test.from_here();
         const Account person = test.accept(invitation);
         return test.accepted_by(person, invitation) +
                Events{event(kService, "invitee", "account.created", person.id),
                       event(kHere, by_account(person), "access.granted", person.id)};
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
         return test.accepted_by(*person, invitation) +
                Events{event(kService, "invitee", "account.created", person->id)};
       }},
      {"Decline",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.from_here();
         EXPECT_TRUE(decline_invitation(test.token_of(invitation), kClient, *test.context_));
         return {event(kHere, "invitee", "invitation.declined", invitation.id)};
       }},
      {"AskForAFreshLink",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         test.clock_.advance(test.policy_.invitation_lifetime);
         test.from_here();
         EXPECT_TRUE(request_fresh_link(test.token_of(invitation), kClient, *test.context_));
         return {event(kHere, "invitee", "invitation.resent", invitation.id)};
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Invitations, AuditEventsTest,
                         AuditEventsTest::on_both_databases(AuditEventsTest::inviting_and_answering()),
                         AuditEventsTest::name_of);

}  // namespace invited::domain
