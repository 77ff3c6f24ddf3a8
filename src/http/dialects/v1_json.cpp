#include "http/dialects/v1_json.h"

namespace invited::http::v1 {
namespace {

Json time(base::Timestamp at) { return base::to_rfc3339(at); }
Json time(const std::optional<base::Timestamp>& at) { return at ? Json(base::to_rfc3339(*at)) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json uuid_or_null(const base::Uuid& id) { return id.is_nil() ? Json(nullptr) : Json(id.to_string()); }

Json to_json(const domain::Attempt& attempt) {
  Json json{{"number", attempt.number}, {"outcome", nullptr},     {"stage", nullptr},
            {"reply_code", nullptr},    {"explanation", nullptr}, {"finished_at", time(attempt.finished_at)}};
  if (attempt.result) {
    json["outcome"] = domain::to_string(attempt.result->outcome);
    json["stage"] = text_or_null(attempt.result->stage);
    if (attempt.result->reply_code != 0) json["reply_code"] = attempt.result->reply_code;
    json["explanation"] = text_or_null(attempt.result->explanation);
  }
  return json;
}

}  // namespace

Json to_json(const domain::Invitation& invitation, const domain::App& app, const domain::RelatedRows& related,
             base::Timestamp now) {
  Json roles = Json::array();
  for (const base::Uuid& id : invitation.role_ids()) {
    const auto& role = related.role(app.id, id);
    roles.push_back({{"id", id.to_string()}, {"name", role ? Json(role->name) : Json(nullptr)}});
  }
  const auto& inviter = related.account(invitation.inviter_id);
  return {{"id", invitation.id.to_string()},
          {"email", invitation.invitee.text()},
          {"state", domain::to_string(invitation.state_at(now))},
          {"roles", std::move(roles)},
          {"metadata", invitation.metadata.empty() ? Json(nullptr) : Json::parse(invitation.metadata, nullptr, false)},
          {"redirect_url", text_or_null(invitation.redirect_url)},
          {"generation", invitation.generation},
          {"inviter", inviter ? Json{{"email", inviter->email.text()}, {"name", inviter->name}} : Json(nullptr)},
          {"environment_id", invitation.environment_id.to_string()},
          {"created_at", time(invitation.created_at)},
          {"updated_at", time(invitation.updated_at)},
          {"sent_at", time(invitation.sent_at)},
          {"expires_at", time(invitation.expires_at)},
          {"settled_at", time(invitation.settled_at)}};
}

Json to_json(const domain::TimelineEntry& entry) {
  Json json{{"at", time(entry.at)},
            {"event", entry.event},
            {"generation", entry.generation == 0 ? Json(nullptr) : Json(entry.generation)}};
  if (entry.message) {
    const domain::OutboxMessage& message = *entry.message;
    json["mail"] = {{"id", message.id.to_string()},
                    {"kind", domain::to_string(message.kind)},
                    {"state", domain::to_string(message.state)},
                    {"due_at", message.state == domain::MessageState::queued ? time(message.due_at) : Json(nullptr)}};
  }
  if (entry.attempt) json["attempt"] = to_json(*entry.attempt);
  return json;
}

Json to_json(const domain::Environment& environment, const domain::App& app, const domain::Policy& policy) {
  return {{"id", environment.id.to_string()},
          {"name", environment.name},
          {"app",
           {{"id", app.id.to_string()},
            {"name", app.name},
            {"url", app.url},
            {"language", base::to_string(app.language)},
            {"grants", domain::to_string(app.grants)},
            {"redirect_urls", app.redirect_urls}}},
          {"openid_template", environment.openid_template},
          {"is_told_of_changes", !environment.refresh_url.empty()},
          {"invitation_lifetime", policy.invitation_lifetime.count()},
          {"created_at", time(environment.created_at)}};
}

Json to_json(const domain::Role& role) { return {{"id", role.id.to_string()}, {"name", role.name}}; }

Json to_json(const domain::Account& account) {
  return {{"id", account.id.to_string()},
          {"email", account.email.text()},
          {"name", account.name},
          {"disabled", account.disabled},
          {"created_at", time(account.created_at)}};
}

Json to_json(const domain::Account& account, const domain::Role& role) {
  return {{"account_id", account.id.to_string()},
          {"email", account.email.text()},
          {"name", account.name},
          {"role", to_json(role)}};
}

Json to_json(const domain::AccessEntry& entry) {
  return {{"account_id", entry.access.account_id.to_string()},
          {"email", entry.email},
          {"name", entry.name},
          {"role", {{"id", entry.access.role_id.to_string()}, {"name", entry.role_name}}},
          {"granted_at", time(entry.access.granted_at)}};
}

Json to_json(const domain::AuditEvent& event) {
  return {{"at", time(event.at)},
          {"actor", event.actor},
          {"action", event.action},
          {"subject_id", uuid_or_null(event.subject_id)},
          {"detail", event.detail}};
}

}  // namespace invited::http::v1
