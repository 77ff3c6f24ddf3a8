// How an invitation looks as a row: the variables that its statements bind. Only for storage's statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

inline constexpr std::string_view kInvitationColumns =
    "SELECT id, environment_id, role_id, inviter_id, invitee, state, generation, created_at, sent_at, expires_at,"
    " settled_at, updated_at, more_role_ids, metadata, redirect_url, lifetime_seconds, token_id FROM invitation ";

/// What finds a mailbox's invitations, with the parameter :mailbox.
inline std::string of_mailbox(const Connection& connection) {
  return std::string(by_dialect(connection, "invitation.mailbox_digest = digest(8, :mailbox) AND ", "")) +
         "invitation.mailbox = :mailbox";
}

struct InvitationRow {
  Text id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, state;
  Number generation = 0;
  Number created_at = 0;
  Number sent_at = 0;
  Number expires_at = 0;
  NullableNumber settled_at, updated_at;
  Text more_role_ids, metadata, redirect_url;
  Number lifetime_seconds = 0;
  NullableText token_id;

  /// In the order of kInvitationColumns.
  Columns columns() {
    return {&id,           &environment_id,   &role_id,    &inviter_id, &invitee,    &state,         &generation,
            &created_at,   &sent_at,          &expires_at, &settled_at, &updated_at, &more_role_ids, &metadata,
            &redirect_url, &lifetime_seconds, &token_id};
  }

  void set(const domain::Invitation& invitation) {
    id = invitation.id.to_string();
    environment_id = invitation.environment_id.to_string();
    role_id = invitation.role_id.to_string();
    inviter_id = invitation.inviter_id.to_string();
    invitee = invitation.invitee.text();
    invitee_key = invitation.invitee.key();
    mailbox = invitation.invitee.mailbox();
    state = domain::to_string(invitation.state);
    generation = invitation.generation;
    created_at = to_number(invitation.created_at);
    sent_at = to_number(invitation.sent_at);
    expires_at = to_number(invitation.expires_at);
    storage::set(settled_at, invitation.settled_at);
    updated_at = to_number(invitation.updated_at);
    more_role_ids = to_text(invitation.more_role_ids);
    metadata = invitation.metadata;
    redirect_url = invitation.redirect_url;
    lifetime_seconds = invitation.lifetime.count();
    storage::set(token_id, invitation.token_id);
  }
  /// False where nobody has such a key.
  bool set_invitee(std::string_view key) {
    const auto address = domain::EmailAddress::parse(key);
    if (!address) return false;
    invitee_key = key;
    mailbox = address->mailbox();
    return true;
  }
  /// Those made before schema 5 did not note it.
  base::Timestamp last_change() const {
    if (!updated_at.null) return to_time(updated_at.value);
    return to_time(settled_at.null ? sent_at : settled_at.value);
  }
  domain::Invitation get() const {
    return {.id = to_uuid(id),
            .environment_id = to_uuid(environment_id),
            .role_id = to_uuid(role_id),
            .inviter_id = to_uuid(inviter_id),
            .invitee = to_email(invitee),
            .state = known_word(domain::parse_invitation_state(state)),
            .generation = static_cast<std::uint32_t>(generation),
            .created_at = to_time(created_at),
            .sent_at = to_time(sent_at),
            .expires_at = to_time(expires_at),
            .settled_at = to_optional_time(settled_at),
            .updated_at = last_change(),
            .more_role_ids = to_uuids(more_role_ids),
            .metadata = metadata,
            .redirect_url = redirect_url,
            .lifetime = std::chrono::seconds(lifetime_seconds),
            .token_id = to_uuid(token_id)};
  }
};

}  // namespace invited::storage
