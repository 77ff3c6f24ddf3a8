#include "mail/link.h"

namespace invited::mail {

namespace {

std::string under(std::string_view public_url, std::string_view token) {
  while (public_url.ends_with('/')) public_url.remove_suffix(1);
  return std::string(public_url) + "/i/" + std::string(token);
}

}  // namespace

bool carries_link(domain::MessageKind kind) {
  switch (kind) {
    case domain::MessageKind::invitation_to_sign_up:
    case domain::MessageKind::invitation_to_accept:
      return true;
    case domain::MessageKind::already_has_access:
      return false;
  }
  return false;
}

std::string invitation_link(std::string_view public_url, const domain::TokenKeys& keys,
                            const domain::OutboxMessage& message) {
  if (!carries_link(message.kind)) return {};
  return under(public_url, domain::make_token(keys, {message.invitation_id, message.generation}));
}

std::string redacted_link(std::string_view public_url, const domain::OutboxMessage& message) {
  return carries_link(message.kind) ? under(public_url, "(token-not-shown)") : std::string{};
}

}  // namespace invited::mail
