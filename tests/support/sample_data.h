// Values of the domain for tests, complete and valid, to be changed where a test cares; and the rows that an invitation
// needs around it.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"
#include "domain/store.h"

namespace invited::test {

inline base::Timestamp at(long long seconds) {
  return base::Timestamp(std::chrono::milliseconds(1'795'163'400'000)) + std::chrono::seconds(seconds);
}

inline domain::EmailAddress address(std::string_view text) {
  auto parsed = domain::EmailAddress::parse(text);
  if (!parsed) throw std::runtime_error("not an address: " + std::string(text));
  return *parsed;
}

inline domain::App sample_app(std::string name = "Orders") {
  return {base::Uuid::ordered(at(0)), std::move(name), "https://orders.example.com/", base::Language::en, at(0)};
}

inline domain::Role sample_role(const domain::App& app, std::string name = "Planner") {
  return {app.id, base::Uuid::random(), std::move(name), at(0)};
}

inline domain::Environment sample_environment(const domain::App& app, std::string name = "Production") {
  return {base::Uuid::random(),
          app.id,
          std::move(name),
          false,
          {{domain::PasswordKind::issued, "hash-of-a-password", at(0), std::nullopt}},
          at(0)};
}

inline domain::Account sample_account(std::string_view email = "inviter@example.com", std::string name = "Ina Viter") {
  return {base::Uuid::ordered(at(0)), address(email), std::move(name), "$argon2id$...", false, at(0)};
}

inline domain::RefreshCall sample_refresh_call(const domain::Environment& environment, const domain::Account& account,
                                               base::Timestamp now = at(0)) {
  domain::RefreshCall call;
  call.id = base::Uuid::ordered(now);
  call.environment_id = environment.id;
  call.account_id = account.id;
  call.queued_at = now;
  call.due_at = now;
  return call;
}

inline domain::Webhook sample_webhook(const domain::Environment& environment,
                                      std::vector<domain::EventType> events = {}) {
  domain::Webhook webhook;
  webhook.id = base::Uuid::ordered(at(0));
  webhook.environment_id = environment.id;
  webhook.url = "https://planner.example.com/hooks/invited";
  webhook.events = std::move(events);
  webhook.created_at = at(0);
  return webhook;
}

inline domain::WebhookDelivery sample_delivery(const domain::Webhook& webhook, base::Timestamp now = at(0)) {
  domain::WebhookDelivery delivery;
  delivery.id = base::Uuid::ordered(now);
  delivery.webhook_id = webhook.id;
  delivery.environment_id = webhook.environment_id;
  delivery.payload = R"({"type":"invitation.created","data":{"email":"no\"ne@example.com"}})";
  delivery.queued_at = now;
  delivery.due_at = now;
  return delivery;
}

/// An app with one role, one environment, and an account with access: what every invitation needs.
struct SampleWorld {
  domain::App app = sample_app();
  domain::Role role = sample_role(app);
  domain::Environment environment = sample_environment(app);
  domain::Account inviter = sample_account();

  void insert_into(domain::Transaction& transaction) const {
    transaction.insert(app);
    transaction.insert(role);
    transaction.insert(environment);
    transaction.insert(inviter);
    transaction.insert(domain::Access{inviter.id, environment.id, role.id, at(0)});
  }

  domain::Invitation invitation(std::string_view email = "guest@example.com", base::Timestamp now = at(0)) const {
    return {.id = base::Uuid::ordered(now),
            .environment_id = environment.id,
            .role_id = role.id,
            .inviter_id = inviter.id,
            .invitee = address(email),
            .state = domain::InvitationState::pending,
            .generation = 1,
            .created_at = now,
            .sent_at = now,
            .expires_at = now + std::chrono::hours(24 * 7),
            .settled_at = std::nullopt};
  }

  domain::OutboxMessage message(const domain::Invitation& invitation) const {
    return {.id = base::Uuid::ordered(invitation.sent_at),
            .kind = domain::MessageKind::invitation_to_sign_up,
            .state = domain::MessageState::queued,
            .environment_id = invitation.environment_id,
            .invitation_id = invitation.id,
            .generation = invitation.generation,
            .recipient = invitation.invitee,
            .language = app.language,
            .inviter_name = inviter.name,
            .app_name = app.name,
            .app_url = app.url,
            .role_name = role.name,
            .queued_at = invitation.sent_at,
            .not_before = invitation.sent_at,
            .due_at = invitation.sent_at,
            .expires_at = invitation.expires_at,
            .attempts = 0,
            .deaths = 0,
            .finished_at = std::nullopt,
            .last_error = {},
            .account_id = {}};
  }

  /// The statements of one SendInvite to a fresh address, as domain/send_invitation.cpp has them.
  domain::Result<void> send_invite(domain::Transaction& transaction, std::string_view email,
                                   base::Timestamp now) const {
    const auto invitee = address(email);
    const auto found = transaction.find_environment(environment.id);
    const auto who = transaction.find_account_by_email(inviter.email.key());
    if (!found || !who || !transaction.has_any_access(who->id, found->id))
      return domain::refuse(domain::ErrorCode::inviter_without_access, "no access");
    const auto what = transaction.find_role(app.id, role.id);
    const auto where = transaction.find_app(app.id);
    if (!what || !where) return domain::refuse(domain::ErrorCode::unknown_role, "no role");
    if (transaction.find_account_by_email(invitee.key()))
      return domain::refuse(domain::ErrorCode::already_exists, "has an account");
    if (transaction.find_pending_invitation(environment.id, invitee.key())) return {};
    for (const std::string& subject : {"environment:" + environment.id.to_string(), "inviter:" + who->id.to_string()}) {
      const auto rate = transaction.find_rate(subject);
      transaction.set_rate(subject, {std::max(rate.short_term, now) + std::chrono::milliseconds(1), now});
    }
    const auto row = invitation(email, now);
    transaction.insert(row);
    auto mail = message(row);
    for (const auto slot : transaction.list_mailbox_slots(invitee.mailbox(), now - std::chrono::hours(24)))
      mail.due_at = std::max(mail.due_at, slot);
    transaction.insert(mail);
    transaction.insert(domain::AuditEvent{
        now, "environment:" + environment.id.to_string(), "invitation.created", row.id,
        "invitee=" + invitee.key() + " inviter=" + inviter.email.key() + " role=" + role.id.to_string()});
    return {};
  }
};

}  // namespace invited::test
