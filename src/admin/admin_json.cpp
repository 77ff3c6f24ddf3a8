#include "admin/admin_json.h"

#include <algorithm>

namespace invited::admin {
namespace {

Json time(base::Timestamp at) { return base::to_rfc3339(at); }
Json time(const std::optional<base::Timestamp>& at) { return at ? Json(base::to_rfc3339(*at)) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json texts(const std::vector<base::Uuid>& ids) {
  Json list = Json::array();
  for (const base::Uuid& id : ids) list.push_back(id.to_string());
  return list;
}
Json uuid_or_null(const base::Uuid& id) { return id.is_nil() ? Json(nullptr) : Json(id.to_string()); }

}  // namespace

Json to_json(const domain::Error& error) {
  Json json{{"code", domain::to_string(error.code)}, {"message", error.message}, {"parameter", error.parameter}};
  if (error.retry_after) json["retry_after_seconds"] = error.retry_after->count();
  return json;
}

Json to_json(const domain::App& app) {
  return {{"app_uuid", app.id.to_string()},
          {"name", app.name},
          {"url", app.url},
          {"language", base::to_string(app.language)},
          {"grants", domain::to_string(app.grants)},
          {"redirect_urls", app.redirect_urls},
          {"created_at", time(app.created_at)}};
}

Json to_json(const domain::Role& role, const domain::App& app) {
  return {{"role_uuid", role.id.to_string()},   {"name", role.name},
          {"app_uuid", app.id.to_string()},     {"app_name", app.name},
          {"manages_all", role.manages_all},    {"manageable_role_uuids", texts(role.manageable)},
          {"created_at", time(role.created_at)}};
}

Json to_json(const domain::RoleAlias& alias, const domain::App& app, const domain::Role& role) {
  return {{"dialect", alias.dialect},         {"name", alias.name},
          {"role_uuid", role.id.to_string()}, {"role_name", role.name},
          {"app_uuid", app.id.to_string()},   {"app_name", app.name}};
}

namespace {

/// What becomes of a call with it: the caller is told no more than that it is refused.
std::string_view state_of(const domain::ApiToken& token, const domain::RelatedRows& related, base::Timestamp now) {
  if (token.revoked_at) return "revoked";
  if (!token.is_valid_at(now)) return "expired";
  const auto& environment = related.environment(token.environment_id);
  const auto& account = related.account(token.account_id);
  if (!environment || environment->disabled) return "environment disabled";
  if (!account || account->disabled) return "account disabled";
  if (!related.has_any_access(account->id, environment->id)) return "account has no role";
  return "valid";
}

Json names_of(const std::vector<base::Uuid>& role_ids, const std::optional<domain::App>& app,
              const domain::RelatedRows& related) {
  Json names = Json::array();
  for (const base::Uuid& id : role_ids)
    if (const auto role = app ? related.role(app->id, id) : std::nullopt) names.push_back(role->name);
  return names;
}

}  // namespace

Json to_json(const domain::ApiToken& token, const domain::RelatedRows& related, base::Timestamp now) {
  const auto& environment = related.environment(token.environment_id);
  const auto& app = related.app_of(environment);
  const auto& account = related.account(token.account_id);
  return {{"token_uuid", token.id.to_string()},
          {"name", text_or_null(token.name)},
          {"state", state_of(token, related, now)},
          {"email", account ? Json(account->email.text()) : Json(nullptr)},
          {"environment_uuid", token.environment_id.to_string()},
          {"environment_name", environment ? Json(environment->name) : Json(nullptr)},
          {"app_name", app ? Json(app->name) : Json(nullptr)},
          {"role_ceiling_uuids", texts(token.role_ceiling)},
          {"role_ceiling", names_of(token.role_ceiling, app, related)},
          {"links", token.may_see_links},
          {"created_at", time(token.created_at)},
          {"expires_at", time(token.expires_at)},
          {"revoked_at", time(token.revoked_at)},
          {"last_used_at", time(token.last_used_at)}};
}

Json to_json(const domain::Environment& environment, const domain::App& app) {
  Json passwords = Json::array();
  for (const domain::PasswordSlot& slot : environment.passwords)
    passwords.push_back({{"kind", slot.kind == domain::PasswordKind::issued ? "issued" : "brought"},
                         {"valid_from", time(slot.valid_from)},
                         {"valid_until", time(slot.valid_until)}});
  return {{"environment_uuid", environment.id.to_string()},
          {"name", environment.name},
          {"app_uuid", app.id.to_string()},
          {"app_name", app.name},
          {"disabled", environment.disabled},
          {"openid_template", environment.openid_template},
          {"refresh_url", text_or_null(environment.refresh_url)},
          {"refresh_namespace", environment.refresh_namespace},
          {"passwords", std::move(passwords)},
          {"created_at", time(environment.created_at)}};
}

Json to_json(const domain::Account& account) {
  return {{"account_uuid", account.id.to_string()},
          {"email", account.email.text()},
          {"name", account.name},
          {"has_password", !account.password_hash.empty()},
          {"disabled", account.disabled},
          {"created_at", time(account.created_at)}};
}

Json to_json(const domain::Profile& profile) {
  Json json = Json::object();
  for (const domain::ProfileFieldDescription& field : domain::kProfileFields)
    json[std::string(field.name)] = text_or_null(profile.get(field.field));
  return json;
}

Json to_json(const domain::AuditEvent& event) {
  return {{"at", time(event.at)},
          {"actor", event.actor},
          {"action", event.action},
          {"subject_uuid", uuid_or_null(event.subject_id)},
          {"detail", event.detail}};
}

Json to_json(const domain::Attempt& attempt) {
  Json json{{"number", attempt.number},
            {"started_at", time(attempt.started_at)},
            {"finished_at", time(attempt.finished_at)},
            {"outcome", nullptr},
            {"stage", nullptr},
            {"reply_code", nullptr},
            {"explanation", nullptr}};
  if (attempt.result) {
    json["outcome"] = domain::to_string(attempt.result->outcome);
    json["stage"] = text_or_null(attempt.result->stage);
    if (attempt.result->reply_code != 0) json["reply_code"] = attempt.result->reply_code;
    json["explanation"] = text_or_null(attempt.result->explanation);
  }
  return json;
}

Json to_json(const domain::MailHold& hold) {
  Json json{{"since", time(hold.since)}, {"next_try_at", time(hold.next_try_at)},
            {"tries", hold.tries},       {"stage", text_or_null(hold.reason.stage)},
            {"reply_code", nullptr},     {"explanation", text_or_null(hold.reason.explanation)}};
  if (hold.reason.reply_code != 0) json["reply_code"] = hold.reason.reply_code;
  return json;
}

Json to_json(const domain::OutboxMessage& message, const std::optional<domain::MailHold>& hold) {
  const bool held = hold && message.state == domain::MessageState::queued;
  return {{"message_uuid", message.id.to_string()},
          {"state", domain::to_string(message.state)},
          {"kind", domain::to_string(message.kind)},
          {"recipient_email", message.recipient.text()},
          {"environment_uuid", uuid_or_null(message.environment_id)},
          {"invitation_uuid", uuid_or_null(message.invitation_id)},
          {"account_uuid", uuid_or_null(message.account_id)},
          {"generation", message.generation},
          {"message_id", domain::message_id_of(message)},
          {"language", base::to_string(message.language)},
          {"inviter_name", text_or_null(message.inviter_name)},
          {"app_name", text_or_null(message.app_name)},
          {"role_name", text_or_null(domain::with_commas(message.role_name))},
          {"queued_at", time(message.queued_at)},
          // What goes ahead of others is due before it was queued.
          {"due_at", time(std::max(message.due_at, message.queued_at))},
          {"expires_at", time(message.expires_at)},
          {"finished_at", time(message.finished_at)},
          {"attempt_count", message.attempts},
          {"deaths", message.deaths},
          {"last_error", text_or_null(message.last_error)},
          {"held_after_restore", domain::is_held(message)},
          {"hold", held ? to_json(*hold) : Json(nullptr)}};
}

Json to_json(const domain::CallAttempt& attempt) {
  Json json{{"number", attempt.number},
            {"started_at", time(attempt.started_at)},
            {"finished_at", time(attempt.finished_at)},
            {"outcome", nullptr},
            {"http_status", nullptr},
            {"explanation", nullptr}};
  if (attempt.result) {
    json["outcome"] = domain::to_string(attempt.result->outcome);
    if (attempt.result->http_status != 0) json["http_status"] = attempt.result->http_status;
    json["explanation"] = text_or_null(attempt.result->explanation);
  }
  return json;
}

Json to_json(const domain::RefreshCall& call, const domain::RelatedRows& related) {
  const auto& environment = related.environment(call.environment_id);
  const auto& app = related.app_of(environment);
  const auto& account = related.account(call.account_id);
  return {{"refresh_uuid", call.id.to_string()},
          {"state", domain::to_string(call.state)},
          {"email", account ? Json(account->email.text()) : Json(nullptr)},
          {"account_uuid", call.account_id.to_string()},
          {"environment_uuid", call.environment_id.to_string()},
          {"environment_name", environment ? Json(environment->name) : Json(nullptr)},
          {"app_name", app ? Json(app->name) : Json(nullptr)},
          {"refresh_url", environment ? text_or_null(environment->refresh_url) : Json(nullptr)},
          {"queued_at", time(call.queued_at)},
          {"due_at", time(call.due_at)},
          {"finished_at", time(call.finished_at)},
          {"attempt_count", call.attempts},
          {"last_error", text_or_null(call.last_error)}};
}

Json to_json(const domain::Webhook& webhook) {
  Json events = Json::array();
  for (const domain::EventType type : webhook.events) events.push_back(domain::to_string(type));
  return {{"webhook_uuid", webhook.id.to_string()},
          {"environment_uuid", webhook.environment_id.to_string()},
          {"url", webhook.url},
          {"events", webhook.events.empty() ? Json(nullptr) : std::move(events)},
          {"disabled", webhook.disabled},
          {"disabled_reason", text_or_null(webhook.disabled_reason)},
          {"secret_version", webhook.secret_version},
          {"old_secret_until", time(webhook.old_secret_until)},
          {"created_at", time(webhook.created_at)}};
}

Json to_json(const domain::WebhookDelivery& delivery) {
  return {{"delivery_uuid", delivery.id.to_string()},
          {"state", domain::to_string(delivery.state)},
          {"event", domain::to_string(delivery.event)},
          {"webhook_uuid", delivery.webhook_id.to_string()},
          {"environment_uuid", delivery.environment_id.to_string()},
          {"queued_at", time(delivery.queued_at)},
          {"due_at", time(delivery.due_at)},
          {"finished_at", time(delivery.finished_at)},
          {"attempt_count", delivery.attempts},
          {"last_error", text_or_null(delivery.last_error)}};
}

Json metadata_of(const domain::Invitation& invitation) {
  return invitation.metadata.empty() ? Json(nullptr) : Json::parse(invitation.metadata, nullptr, false);
}

Json to_json(const domain::Invitation& invitation, const domain::RelatedRows& related, base::Timestamp now) {
  const auto& environment = related.environment(invitation.environment_id);
  const auto& app = related.app_of(environment);
  const auto role = app ? related.role(app->id, invitation.role_id) : std::nullopt;
  const auto& inviter = related.account(invitation.inviter_id);
  return {{"invitation_uuid", invitation.id.to_string()},
          {"state", domain::to_string(invitation.state_at(now))},
          {"invitee_email", invitation.invitee.text()},
          {"inviter_email", inviter ? Json(inviter->email.text()) : Json(nullptr)},
          {"inviter_name", inviter ? Json(inviter->name) : Json(nullptr)},
          {"role_uuid", invitation.role_id.to_string()},
          {"role_name", role ? Json(role->name) : Json(nullptr)},
          {"role_uuids", texts(invitation.role_ids())},
          {"role_names", names_of(invitation.role_ids(), app, related)},
          {"environment_uuid", invitation.environment_id.to_string()},
          {"environment_name", environment ? Json(environment->name) : Json(nullptr)},
          {"app_name", app ? Json(app->name) : Json(nullptr)},
          {"generation", invitation.generation},
          {"created_at", time(invitation.created_at)},
          {"sent_at", time(invitation.sent_at)},
          {"expires_at", time(invitation.expires_at)},
          {"settled_at", time(invitation.settled_at)},
          {"metadata", metadata_of(invitation)},
          {"redirect_url", text_or_null(invitation.redirect_url)}};
}

Json to_json(const domain::AccessEntry& entry, const domain::Environment& environment, const domain::App& app) {
  return {{"email", entry.email},
          {"name", entry.name},
          {"role_uuid", entry.access.role_id.to_string()},
          {"role_name", entry.role_name},
          {"environment_uuid", environment.id.to_string()},
          {"environment_name", environment.name},
          {"app_name", app.name},
          {"account_uuid", entry.access.account_id.to_string()},
          {"granted_at", time(entry.access.granted_at)}};
}

}  // namespace invited::admin
