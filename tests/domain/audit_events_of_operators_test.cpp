// The events of what operators do about apps, roles, environments, API tokens, webhooks, and after a restore.
#include "domain/audit_events_fixture.h"
#include "domain/role_alias.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

}  // namespace

std::vector<AuditEventsRow> AuditEventsTest::operators() {
  return {
      // --- operators: apps, roles, environments -----------------------------------------------------
      {"AddApp",
       [](Test& test) -> Events {
         test.from_here();
         const auto app = test.in_transaction(
             [&](Transaction& t) { return add_app("Ledger", "https://ledger.example.org/", "nl", t, test.now()); });
         return {event(kService, "operator", "app.added", app.id)};
       }},
      {"SetApp",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return set_app(test.app_.id, {.name = "Harbour"}, t, test.now()); });
         return {event(kService, "operator", "app.changed", test.app_.id)};
       }},
      {"AddRole",
       [](Test& test) -> Events {
         test.from_here();
         const auto role = test.in_transaction(
             [&](Transaction& t) { return add_role(test.app_.id, std::nullopt, "Guest", t, test.now()); });
         return {event(kService, "operator", "role.added", role.id)};
       }},
      {"RenameRole",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) { return rename_role(test.user_, "Member", t, test.now()); });
         return {event(kService, "operator", "role.renamed", test.user_.id)};
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
         return {event(kService, "operator", "role.added", added),
                 event(kService, "operator", "role.renamed", test.user_.id),
                 event(kService, "operator", "role.changed", test.planner_.id)};
       }},
      {"MapAndUnmapRole",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction(
             [&](Transaction& t) { return map_role(test.app_, "medusa", "admin", test.user_.id, t, test.now()); });
         test.write([&](Transaction& t) { return unmap_role(test.app_, "medusa", "admin", t, test.now()); });
         return {event(kService, "operator", "role.mapped", test.user_.id),
                 event(kService, "operator", "role.unmapped", test.app_.id)};
       }},
      {"AddEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         const auto added = test.in_transaction([&](Transaction& t) {
           return add_environment({test.app_.id, "Acceptance", std::nullopt, {}}, test.authenticator_->pepper(), t,
                                  test.now());
         });
         return {event("Acceptance", "operator", "environment.added", added.environment.id)};
       }},
      {"RotatePassword",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return rotate_password(test.environment_.id, {.overlap = 0s}, test.authenticator_->pepper(), t, test.now());
         });
         return {event(kHere, "operator", "environment.password_rotated", test.environment_.id)};
       }},
      {"SetEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         test.in_transaction([&](Transaction& t) {
           return set_environment(test.environment_.id, {.name = "Live"}, "https://invite.example.org", t, test.now());
         });
         return {event(kService, "operator", "environment.changed", test.environment_.id)};
       }},
      {"DisableAndEnableEnvironment",
       [](Test& test) -> Events {
         test.from_here();
         for (const bool disabled : {true, false})
           test.in_transaction(
               [&](Transaction& t) { return set_environment_disabled(test.environment_.id, disabled, t, test.now()); });
         return {event(kHere, "operator", "environment.disabled", test.environment_.id),
                 event(kHere, "operator", "environment.enabled", test.environment_.id)};
       }},

      // --- operators: API tokens, webhooks, after a restore -----------------------------------------
      {"AddAndRevokeApiToken",
       [](Test& test) -> Events {
         test.from_here();
         const auto id = test.add_token().token.id;
         for (int times = 0; times < 2; ++times)
           test.in_transaction([&](Transaction& t) { return revoke_api_token(id, t, test.now()); });
         return {event(kHere, "operator", "token.added", id), event(kHere, "operator", "token.revoked", id)};
       }},
      {"AddAndRemoveWebhook",
       [](Test& test) -> Events {
         test.from_here();
         const auto id = test.a_webhook().id;
         test.in_transaction([&](Transaction& t) { return remove_webhook(id, t, test.now()); });
         return {event(kHere, "operator", "webhook.added", id), event(kHere, "operator", "webhook.removed", id)};
       }},
      {"DisableAndEnableWebhook",
       [](Test& test) -> Events {
         const auto webhook = test.a_webhook();
         test.from_here();
         for (const bool disabled : {true, false}) test.set_disabled(webhook, disabled);
         return {event(kHere, "operator", "webhook.disabled", webhook.id),
                 event(kHere, "operator", "webhook.enabled", webhook.id)};
       }},
      {"RotateWebhookSecret",
       [](Test& test) -> Events {
         const auto webhook = test.a_webhook();
         test.from_here();
         test.in_transaction([&](Transaction& t) { return rotate_webhook_secret(webhook.id, false, t, test.now()); });
         return {event(kHere, "operator", "webhook.secret_rotated", webhook.id)};
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
         return {event(kHere, "operator", "webhook.replayed", webhook.id)};
       }},
      {"AcceptRestoredDatabase",
       [](Test& test) -> Events {
         test.sent();
         test.from_here();
         test.held_message();
         return {event(kService, "operator", "restore.accepted", {})};
       }},
      {"ReleaseHeldInvitation",
       [](Test& test) -> Events {
         const auto invitation = test.sent();
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event(kHere, "operator", "invitation.resent", invitation.id),
                 event(kHere, "operator", "mail.released", held.id)};
       }},
      {"ReleaseHeldNotice",
       [](Test& test) -> Events {
         EXPECT_TRUE(test.send(kGrace));
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event(kHere, "operator", "mail.released", held.id)};
       }},
      {"ReleaseHeldPasswordReset",
       [](Test& test) -> Events {
         EXPECT_TRUE(request_password_reset(kGrace, base::Language::en, kClient, *test.context_));
         const auto held = test.held_message();
         test.from_here();
         test.release(held);
         return {event(kService, "operator", "mail.released", held.id)};
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Operators, AuditEventsTest, AuditEventsTest::on_both_databases(AuditEventsTest::operators()),
                         AuditEventsTest::name_of);

}  // namespace invited::domain
