// An outbox message as it is leased, and settings to build it with.
#pragma once

#include "mail/settings.h"
#include "support/sample_data.h"

namespace invited::test {

inline constexpr std::string_view kPublicUrl = "https://invite.example.com";
/// As long as real ones.
inline const std::string kLink =
    "https://invite.example.com/i/AQEBk0Yw7bJx8eSx4wq3n1tZc0AAAAABq8fL2v5mJ0Zr4uXyS6dGQh1Pn9KbTe7WcVoIiNlMfUa-_zzz";
inline const std::string kResetLink =
    "https://invite.example.com/reset-password/"
    "AgEBk0Yw7bJx8eSx4wq3n1tZc0AAAAABawfs4q8Lv2v5mJ0Zr4uXyS6dGQh1Pn9KbTe7WcVoIiNlMf";

/// Asked for at at(0) by, or in the name of, `account`.
inline domain::OutboxMessage sample_reset_message(const domain::Account& account,
                                                  base::Language language = base::Language::en) {
  return {.id = base::Uuid::ordered(at(0)),
          .kind = domain::MessageKind::password_reset,
          .state = domain::MessageState::queued,
          .environment_id = {},
          .invitation_id = {},
          .generation = account.password_generation,
          .recipient = account.email,
          .language = language,
          .inviter_name = {},
          .app_name = {},
          .app_url = {},
          .role_name = {},
          .queued_at = at(0),
          .not_before = at(0),
          .due_at = at(0),
          .expires_at = at(3600),
          .attempts = 0,
          .deaths = 0,
          .finished_at = std::nullopt,
          .last_error = {},
          .account_id = account.id};
}

inline domain::OutboxMessage sample_message(domain::MessageKind kind = domain::MessageKind::invitation_to_sign_up,
                                            base::Language language = base::Language::en) {
  const SampleWorld world;
  if (kind == domain::MessageKind::password_reset) return sample_reset_message(world.inviter, language);
  domain::OutboxMessage message = world.message(world.invitation());
  message.kind = kind;
  message.language = language;
  if (kind == domain::MessageKind::already_has_access) message.invitation_id = {};
  return message;
}

inline mail::Settings sample_settings() {
  mail::Settings settings;
  settings.from = "invitations@example.com";
  settings.from_name = "Example Company";
  settings.message_id_domain = "invite.example.com";
  return settings;
}

inline constexpr std::array kMessageKinds{domain::MessageKind::invitation_to_sign_up,
                                          domain::MessageKind::invitation_to_accept,
                                          domain::MessageKind::already_has_access, domain::MessageKind::password_reset};

/// What stands in a mail of that kind; empty where it has no link.
inline const std::string& sample_link(domain::MessageKind kind) {
  static const std::string kNone;
  if (kind == domain::MessageKind::already_has_access) return kNone;
  return kind == domain::MessageKind::password_reset ? kResetLink : kLink;
}

}  // namespace invited::test
