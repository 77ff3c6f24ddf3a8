// An outbox message as it is leased, and settings to build it with.
#pragma once

#include "mail/settings.h"
#include "support/sample_data.h"

namespace invited::test {

inline constexpr std::string_view kPublicUrl = "https://invite.example.com";
/// As long as a real one.
inline const std::string kLink =
    "https://invite.example.com/i/AQEBk0Yw7bJx8eSx4wq3n1tZc0AAAAABq8fL2v5mJ0Zr4uXyS6dGQh1Pn9KbTe7WcVoIiNlMfUa-_zzz";

inline domain::OutboxMessage sample_message(domain::MessageKind kind = domain::MessageKind::invitation_to_sign_up,
                                            base::Language language = base::Language::en) {
  const SampleWorld world;
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
                                          domain::MessageKind::already_has_access};

}  // namespace invited::test
