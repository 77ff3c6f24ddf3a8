// How webhooks and their deliveries look as rows: the variables that their statements bind. Only for storage's
// statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

inline constexpr std::string_view kWebhookColumns =
    "SELECT id, environment_id, url, events, disabled, disabled_reason, secret_version, old_secret_until, created_at"
    " FROM webhook ";

struct WebhookRow {
  Text id, environment_id, url, events;
  Number disabled = 0;
  Text disabled_reason;
  Number secret_version = 0;
  NullableNumber old_secret_until;
  Number created_at = 0;

  /// In the order of kWebhookColumns.
  Columns columns() {
    return {&id,        &environment_id, &url, &events, &disabled, &disabled_reason, &secret_version, &old_secret_until,
            &created_at};
  }
  /// What a change may write.
  Parameters changes() {
    return {{"id", id},
            {"url", url},
            {"events", events},
            {"disabled", disabled},
            {"disabled_reason", disabled_reason},
            {"secret_version", secret_version},
            {"old_secret_until", old_secret_until}};
  }
  Parameters all() {
    Parameters parameters = changes();
    parameters.emplace_back("environment_id", environment_id);
    parameters.emplace_back("created_at", created_at);
    return parameters;
  }

  void set(const domain::Webhook& webhook) {
    id = webhook.id.to_string();
    environment_id = webhook.environment_id.to_string();
    url = webhook.url;
    events.clear();
    for (const domain::EventType type : webhook.events) {
      if (!events.empty()) events += ' ';
      events += domain::to_string(type);
    }
    disabled = webhook.disabled ? 1 : 0;
    disabled_reason = webhook.disabled_reason;
    secret_version = webhook.secret_version;
    storage::set(old_secret_until, webhook.old_secret_until);
    created_at = to_number(webhook.created_at);
  }
  domain::Webhook get() const {
    domain::Webhook webhook{.id = to_uuid(id),
                            .environment_id = to_uuid(environment_id),
                            .url = url,
                            .events = {},
                            .disabled = disabled != 0,
                            .disabled_reason = disabled_reason,
                            .secret_version = static_cast<std::uint32_t>(secret_version),
                            .old_secret_until = to_optional_time(old_secret_until),
                            .created_at = to_time(created_at)};
    for (std::string_view rest = events; !rest.empty();) {
      const std::string_view event = rest.substr(0, rest.find(' '));
      webhook.events.push_back(known_word(domain::parse_event_type(event)));
      rest.remove_prefix(std::min(rest.size(), event.size() + 1));
    }
    return webhook;
  }
};

inline constexpr std::string_view kDeliveryColumns =
    "SELECT id, webhook_id, environment_id, event, payload, state, queued_at, due_at, attempts, finished_at,"
    " last_error FROM webhook_delivery ";

struct DeliveryRow {
  Text id, webhook_id, environment_id, event, payload, state;
  Number queued_at = 0;
  Number due_at = 0;
  Number attempts = 0;
  NullableNumber finished_at;
  Text last_error;

  /// In the order of kDeliveryColumns.
  Columns columns() {
    return {&id,        &webhook_id, &environment_id, &event,       &payload,   &state,
            &queued_at, &due_at,     &attempts,       &finished_at, &last_error};
  }
  Parameters all() {
    return {{"id", id},
            {"webhook_id", webhook_id},
            {"environment_id", environment_id},
            {"event", event},
            {"payload", payload},
            {"state", state},
            {"queued_at", queued_at},
            {"due_at", due_at},
            {"attempts", attempts},
            {"finished_at", finished_at},
            {"last_error", last_error}};
  }

  void set(const domain::WebhookDelivery& delivery) {
    id = delivery.id.to_string();
    webhook_id = delivery.webhook_id.to_string();
    environment_id = delivery.environment_id.to_string();
    event = domain::to_string(delivery.event);
    payload = delivery.payload;
    state = domain::to_string(delivery.state);
    queued_at = to_number(delivery.queued_at);
    due_at = to_number(delivery.due_at);
    attempts = delivery.attempts;
    storage::set(finished_at, delivery.finished_at);
    last_error = delivery.last_error;
  }
  domain::WebhookDelivery get() const {
    return {.id = to_uuid(id),
            .webhook_id = to_uuid(webhook_id),
            .environment_id = to_uuid(environment_id),
            .event = known_word(domain::parse_event_type(event)),
            .payload = payload,
            .state = known_word(domain::parse_call_state(state)),
            .queued_at = to_time(queued_at),
            .due_at = to_time(due_at),
            .attempts = static_cast<std::uint32_t>(attempts),
            .finished_at = to_optional_time(finished_at),
            .last_error = last_error};
  }
};

}  // namespace invited::storage
