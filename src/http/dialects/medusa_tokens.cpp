#include "http/dialects/medusa_tokens.h"

#include <jwt.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "base/crypto.h"
#include "http/dialects/medusa_shapes.h"

namespace invited::http {
namespace {

constexpr std::string_view kInvitePurpose = "invite";
constexpr std::size_t kLongestToken = 4'096;

using Jwt = std::unique_ptr<jwt_t, decltype(&jwt_free)>;
using Text = std::unique_ptr<char, decltype(&std::free)>;

/// Each purpose has a key of its own, so that no token passes for another.
std::string key_of(const domain::TokenKeys& keys, const domain::TokenKey& key, std::string_view purpose) {
  return base::hmac_sha256(key.key.reveal(),
                           "invited jwt 1 " + std::string(purpose) + ' ' + std::to_string(keys.epoch));
}

const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::int64_t seconds_of(base::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

std::string make_jwt(const domain::TokenKeys& keys, std::string_view purpose, const Json& claims) {
  jwt_t* made = nullptr;
  if (jwt_new(&made) != 0) throw std::bad_alloc();
  const Jwt jwt(made, &jwt_free);
  const std::string key = key_of(keys, keys.keys.front(), purpose);
  const std::string json = claims.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (jwt_add_grants_json(made, json.c_str()) != 0 ||
      jwt_set_alg(made, JWT_ALG_HS256, bytes_of(key), static_cast<int>(key.size())) != 0)
    throw std::runtime_error("a JSON Web Token cannot be made");
  const Text text(jwt_encode_str(made), &std::free);
  if (!text) throw std::runtime_error("a JSON Web Token cannot be signed");
  return text.get();
}

std::optional<Json> check_jwt(const domain::TokenKeys& keys, std::string_view purpose, std::string_view token) {
  if (token.size() > kLongestToken || token.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string text(token);
  for (const domain::TokenKey& candidate : keys.keys) {
    const std::string key = key_of(keys, candidate, purpose);
    jwt_t* read = nullptr;
    if (jwt_decode(&read, text.c_str(), bytes_of(key), static_cast<int>(key.size())) != 0) continue;
    const Jwt jwt(read, &jwt_free);
    // The key decides what is signed how, not the token.
    if (jwt_get_alg(read) != JWT_ALG_HS256) return std::nullopt;
    const Text claims(jwt_get_grants_json(read, nullptr), &std::free);
    if (!claims) return std::nullopt;
    auto json = Json::parse(claims.get(), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return std::nullopt;
    return json;
  }
  return std::nullopt;
}

std::string make_invite_token(const domain::TokenKeys& keys, const domain::Invitation& invitation) {
  const std::string id = medusa_id(MedusaKind::invite, invitation.id);
  const std::string unique = base::sha256(id + ' ' + std::to_string(invitation.generation));
  return make_jwt(keys, kInvitePurpose,
                  {{"id", id},
                   {"email", invitation.invitee.text()},
                   {"iat", seconds_of(invitation.sent_at)},
                   {"exp", seconds_of(invitation.expires_at)},
                   {"jti", base::Uuid::from_bytes(std::string_view(unique).substr(0, 16))->to_string()},
                   {"gen", invitation.generation}});
}

std::optional<domain::TokenSubject> check_invite_token(const domain::TokenKeys& keys, std::string_view token) {
  if (const auto subject = domain::check_token(keys, token)) return subject;
  const auto claims = check_jwt(keys, kInvitePurpose, token);
  if (!claims || !claims->contains("id") || !claims->contains("gen") || !(*claims)["id"].is_string() ||
      !(*claims)["gen"].is_number_unsigned())
    return std::nullopt;
  const auto id = parse_medusa_id(MedusaKind::invite, (*claims)["id"].get<std::string>());
  if (!id) return std::nullopt;
  return domain::TokenSubject{*id, (*claims)["gen"].get<std::uint32_t>()};
}

}  // namespace invited::http
