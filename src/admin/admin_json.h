// How stored things look in JSON for operators: one function each, so that a listing, a `show` and the answer of an
// `add` agree. Times are RFC 3339, identities UUID texts, what is absent is null; never a hash, never a secret.
// Pure functions; thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "admin/admin_commands.h"
#include "domain/related_rows.h"
#include "domain/store.h"

namespace invited::admin {

Json to_json(const domain::App& app);
Json to_json(const domain::Role& role, const domain::App& app);
/// What a dialect calls a role.
Json to_json(const domain::RoleAlias& alias, const domain::App& app, const domain::Role& role);
/// Without the token's text, which nobody knows any more.
Json to_json(const domain::ApiToken& token, const domain::RelatedRows& related, base::Timestamp now);
Json to_json(const domain::Environment& environment, const domain::App& app);
Json to_json(const domain::Account& account);
/// Every field, null where nothing is said.
Json to_json(const domain::Profile& profile);
Json to_json(const domain::AuditEvent& event);
Json to_json(const domain::Attempt& attempt);
Json to_json(const domain::MailHold& hold);
/// `hold`: the queue's, shown with a queued message.
Json to_json(const domain::OutboxMessage& message, const std::optional<domain::MailHold>& hold);
Json to_json(const domain::CallAttempt& attempt);
Json to_json(const domain::RefreshCall& call, const domain::RelatedRows& related);
/// Without its secret, which is not in the database.
Json to_json(const domain::Webhook& webhook);
/// Without its payload.
Json to_json(const domain::WebhookDelivery& delivery);
/// The caller's own, null where there is none.
Json metadata_of(const domain::Invitation& invitation);
Json to_json(const domain::Invitation& invitation, const domain::RelatedRows& related, base::Timestamp now);
Json to_json(const domain::AccessEntry& entry, const domain::Environment& environment, const domain::App& app);

}  // namespace invited::admin
