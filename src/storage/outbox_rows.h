// How messages, attempts and the hold look as rows: the variables that are bound. Only for outbox_statements.cpp,
// delivery_statements.cpp and look_ahead.cpp.
#pragma once

#include <string>
#include <string_view>

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

/// Which messages count for the limit on mail to their mailbox: not what was cancelled, nor what failed untried, as
/// that reached nobody. `table`: "name.", where several are joined.
inline std::string takes_slot(const std::string& table = {}) {
  return table + "state <> 'cancelled' AND NOT (" + table + "state = 'failed' AND " + table + "attempts = 0)";
}

inline constexpr std::string_view kMessageColumns =
    "SELECT id, kind, state, environment_id, invitation_id, account_id, generation, recipient, language, inviter_name,"
    " app_name, app_url, role_name, queued_at, not_before, due_at, expires_at, attempts, deaths, claims, finished_at, "
    "last_error,"
    " lease_id, lease_until FROM outbox_message ";

struct MessageRow {
  Text id, kind, state;
  NullableText environment_id, invitation_id, account_id;
  Number generation = 0;
  Text recipient, recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name;
  Number queued_at = 0;
  Number not_before = 0;
  Number due_at = 0;
  Number expires_at = 0;
  Number attempts = 0;
  Number deaths = 0;
  Number claims = 0;
  NullableNumber finished_at;
  Text last_error;
  NullableText lease_id;
  NullableNumber lease_until;

  /// In the order of kMessageColumns.
  Columns columns() {
    return {&id,         &kind,      &state,       &environment_id, &invitation_id, &account_id,
            &generation, &recipient, &language,    &inviter_name,   &app_name,      &app_url,
            &role_name,  &queued_at, &not_before,  &due_at,         &expires_at,    &attempts,
            &deaths,     &claims,    &finished_at, &last_error,     &lease_id,      &lease_until};
  }
  /// What a change of state writes.
  Parameters progress() {
    return {{"id", id},
            {"state", state},
            {"due_at", due_at},
            {"attempts", attempts},
            {"deaths", deaths},
            {"claims", claims},
            {"finished_at", finished_at},
            {"last_error", last_error},
            {"lease_id", lease_id},
            {"lease_until", lease_until}};
  }
  Parameters all() {
    return {{"id", id},
            {"kind", kind},
            {"state", state},
            {"environment_id", environment_id},
            {"invitation_id", invitation_id},
            {"account_id", account_id},
            {"generation", generation},
            {"recipient", recipient},
            {"recipient_key", recipient_key},
            {"mailbox", mailbox},
            {"language", language},
            {"inviter_name", inviter_name},
            {"app_name", app_name},
            {"app_url", app_url},
            {"role_name", role_name},
            {"queued_at", queued_at},
            {"not_before", not_before},
            {"due_at", due_at},
            {"expires_at", expires_at},
            {"attempts", attempts},
            {"deaths", deaths},
            {"finished_at", finished_at},
            {"last_error", last_error}};
  }

  void set(const domain::OutboxMessage& message) {
    id = message.id.to_string();
    kind = domain::to_string(message.kind);
    state = domain::to_string(message.state);
    storage::set(environment_id, message.environment_id);
    storage::set(invitation_id, message.invitation_id);
    storage::set(account_id, message.account_id);
    generation = message.generation;
    recipient = message.recipient.text();
    recipient_key = message.recipient.key();
    mailbox = message.recipient.mailbox();
    language = base::to_string(message.language);
    inviter_name = message.inviter_name;
    app_name = message.app_name;
    app_url = message.app_url;
    role_name = message.role_name;
    queued_at = to_number(message.queued_at);
    not_before = to_number(message.not_before);
    due_at = to_number(message.due_at);
    expires_at = to_number(message.expires_at);
    attempts = message.attempts;
    deaths = message.deaths;
    storage::set(finished_at, message.finished_at);
    last_error = message.last_error;
  }
  domain::OutboxMessage get() const {
    return {.id = to_uuid(id),
            .kind = known_word(domain::parse_message_kind(kind)),
            .state = known_word(domain::parse_message_state(state)),
            .environment_id = to_uuid(environment_id),
            .invitation_id = to_uuid(invitation_id),
            .generation = static_cast<std::uint32_t>(generation),
            .recipient = to_email(recipient),
            .language = known_word(base::parse_language(language)),
            .inviter_name = inviter_name,
            .app_name = app_name,
            .app_url = app_url,
            .role_name = role_name,
            .queued_at = to_time(queued_at),
            .not_before = to_time(not_before),
            .due_at = to_time(due_at),
            .expires_at = to_time(expires_at),
            .attempts = static_cast<std::uint32_t>(attempts),
            .deaths = static_cast<std::uint32_t>(deaths),
            .finished_at = to_optional_time(finished_at),
            .last_error = last_error,
            .account_id = to_uuid(account_id)};
  }
};

struct AttemptRow {
  Text message_id;
  Number number = 0;
  Number started_at = 0;
  NullableNumber finished_at;
  NullableText outcome;
  NullableNumber reply_code;
  NullableText stage, explanation;

  void set(const domain::DeliveryResult& result) {
    outcome = Text(domain::to_string(result.outcome));
    reply_code = Number{result.reply_code};
    stage = result.stage;
    explanation = result.explanation;
  }
  domain::Attempt get() const {
    domain::Attempt attempt{.message_id = to_uuid(message_id),
                            .number = static_cast<std::uint32_t>(number),
                            .started_at = to_time(started_at),
                            .finished_at = to_optional_time(finished_at),
                            .result = std::nullopt};
    if (!outcome.null)
      attempt.result = domain::DeliveryResult{known_word(domain::parse_delivery_outcome(outcome.value)),
                                              static_cast<int>(reply_code.value), stage.value, explanation.value};
    return attempt;
  }
};

struct HoldRow {
  Number since = 0;
  Number next_try_at = 0;
  Number tries = 0;
  Text outcome;
  Number reply_code = 0;
  Text stage, explanation;

  Parameters all() {
    return {{"since", since},
            {"next_try_at", next_try_at},
            {"tries", tries},
            {"outcome", outcome},
            {"reply_code", reply_code},
            {"stage", stage},
            {"explanation", explanation}};
  }
  Columns columns() { return {&since, &next_try_at, &tries, &outcome, &reply_code, &stage, &explanation}; }

  void set(const domain::MailHold& hold) {
    since = to_number(hold.since);
    next_try_at = to_number(hold.next_try_at);
    tries = hold.tries;
    outcome = domain::to_string(hold.reason.outcome);
    reply_code = hold.reason.reply_code;
    stage = hold.reason.stage;
    explanation = hold.reason.explanation;
  }
  domain::MailHold get() const {
    return {to_time(since),
            to_time(next_try_at),
            static_cast<std::uint32_t>(tries),
            {known_word(domain::parse_delivery_outcome(outcome)), static_cast<int>(reply_code), stage, explanation}};
  }
};

}  // namespace invited::storage
