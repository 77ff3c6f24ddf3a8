#include "mail/link.h"

namespace invited::mail {

namespace {

using domain::MessageKind;

/// The page to which the link of that kind leads; empty where it has none.
std::string_view page_of(MessageKind kind) {
  switch (kind) {
    case MessageKind::invitation_to_sign_up:
    case MessageKind::invitation_to_accept:
      return "/i/";
    case MessageKind::password_reset:
      return "/reset-password/";
    case MessageKind::already_has_access:
      return {};
  }
  return {};
}

std::string token_of(const domain::TokenKeys& keys, const domain::OutboxMessage& message) {
  if (message.kind == MessageKind::password_reset)
    return domain::make_reset_token(keys, {message.account_id, message.generation, message.expires_at});
  return domain::make_token(keys, {message.invitation_id, message.generation});
}

std::string under(std::string_view public_url, MessageKind kind, std::string_view token) {
  while (public_url.ends_with('/')) public_url.remove_suffix(1);
  return std::string(public_url).append(page_of(kind)).append(token);
}

}  // namespace

bool carries_link(MessageKind kind) { return !page_of(kind).empty(); }

std::string message_link(std::string_view public_url, const domain::TokenKeys& keys,
                         const domain::OutboxMessage& message) {
  if (!carries_link(message.kind)) return {};
  return under(public_url, message.kind, token_of(keys, message));
}

std::string redacted_link(std::string_view public_url, const domain::OutboxMessage& message) {
  return carries_link(message.kind) ? under(public_url, message.kind, "(token-not-shown)") : std::string{};
}

}  // namespace invited::mail
