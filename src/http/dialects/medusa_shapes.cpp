#include "http/dialects/medusa_shapes.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "domain/role_alias.h"

namespace invited::http {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kUlidLength = 26;
constexpr std::size_t kUuidBits = 128;
constexpr std::size_t kBitsOfDigit = 5;
/// A ULID's 130 bits begin with two that are 0.
constexpr std::size_t kLeadingBits = kUlidLength * kBitsOfDigit - kUuidBits;

constexpr std::string_view kAllOf = ".*";

std::string_view prefix_of(MedusaKind kind) {
  switch (kind) {
    case MedusaKind::invite:
      return "invite_";
    case MedusaKind::user:
      return "user_";
    case MedusaKind::identity:
      return "authid_";
  }
  return "";
}

Json time_or_null(const std::optional<base::Timestamp>& time) {
  return time ? Json(base::to_rfc3339(*time)) : Json(nullptr);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool changes_defaults(const std::string& name) {
  return std::string_view("+-* ").find(name.front()) != std::string_view::npos || name.ends_with(kAllOf);
}

/// "rbac_roles.*", "*rbac_roles": the whole of it.
std::string whole(std::string name) {
  if (name.ends_with(kAllOf)) name.resize(name.size() - kAllOf.size());
  return name;
}

Json pick(const Json& value, const std::vector<std::string>& names) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& one : value) list.push_back(pick(one, names));
    return list;
  }
  if (!value.is_object()) return value;
  Json picked = Json::object();
  for (const auto& [key, member] : value.items()) {
    if (std::ranges::find(names, key) != names.end()) {
      picked[key] = member;
      continue;
    }
    std::vector<std::string> below;
    for (const std::string& name : names)
      if (name.starts_with(key + '.')) below.push_back(name.substr(key.size() + 1));
    if (!below.empty()) picked[key] = pick(member, below);
  }
  return picked;
}

}  // namespace

std::string medusa_id(MedusaKind kind, const base::Uuid& id) {
  const std::string bytes = id.to_bytes();
  std::string text(prefix_of(kind));
  for (std::size_t digit = 0; digit < kUlidLength; ++digit) {
    unsigned value = 0;
    for (std::size_t bit = digit * kBitsOfDigit; bit < (digit + 1) * kBitsOfDigit; ++bit) {
      value <<= 1;
      if (bit < kLeadingBits) continue;
      const std::size_t at = bit - kLeadingBits;
      value |= (static_cast<unsigned char>(bytes[at / 8]) >> (7 - at % 8)) & 1U;
    }
    text += kDigits[value];
  }
  return text;
}

std::optional<base::Uuid> parse_medusa_id(MedusaKind kind, std::string_view text) {
  const std::string_view prefix = prefix_of(kind);
  if (!text.starts_with(prefix) || text.size() != prefix.size() + kUlidLength) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::string bytes(kUuidBits / 8, '\0');
  for (std::size_t digit = 0; digit < kUlidLength; ++digit) {
    const std::size_t value = kDigits.find(text[digit]);
    if (value == std::string_view::npos) return std::nullopt;
    for (std::size_t i = 0; i < kBitsOfDigit; ++i) {
      if (((value >> (kBitsOfDigit - 1 - i)) & 1U) == 0) continue;
      const std::size_t bit = digit * kBitsOfDigit + i;
      if (bit < kLeadingBits) return std::nullopt;
      const std::size_t at = bit - kLeadingBits;
      bytes[at / 8] = static_cast<char>(static_cast<unsigned char>(bytes[at / 8]) | (0x80U >> (at % 8)));
    }
  }
  return base::Uuid::from_bytes(bytes);
}

Json medusa_invite(const domain::Invitation& invitation, const domain::App& app, const domain::RelatedRows& related) {
  Json roles = Json::array();
  for (const base::Uuid& id : invitation.role_ids()) {
    const auto& role = related.role(app.id, id);
    const std::string& alias = related.role_alias(app, kMedusaDialect, id);
    roles.push_back({{"id", alias.empty() ? id.to_string() : alias}, {"name", role ? role->name : std::string()}});
  }
  const Json metadata =
      invitation.metadata.empty() ? Json(nullptr) : Json::parse(invitation.metadata, nullptr, /*exceptions=*/false);
  return {{"id", medusa_id(MedusaKind::invite, invitation.id)},
          {"email", invitation.invitee.text()},
          {"accepted", invitation.state == domain::InvitationState::accepted},
          {"token", ""},
          {"expires_at", base::to_rfc3339(invitation.expires_at)},
          {"metadata", metadata},
          {"created_at", base::to_rfc3339(invitation.created_at)},
          {"updated_at", base::to_rfc3339(invitation.updated_at)},
          {"deleted_at", time_or_null(invitation.settled_at)},
          {"rbac_roles", std::move(roles)}};
}

Json medusa_user(const domain::Account& account, const std::optional<std::string>& first,
                 const std::optional<std::string>& last) {
  Json first_name = first ? Json(*first) : Json(nullptr);
  Json last_name = last ? Json(*last) : Json(nullptr);
  if (!first && !last) {
    const std::size_t blank = account.name.rfind(' ');
    first_name = account.name.substr(0, blank);
    if (blank != std::string::npos) last_name = account.name.substr(blank + 1);
  }
  const std::string created = base::to_rfc3339(account.created_at);
  return {{"id", medusa_id(MedusaKind::user, account.id)},
          {"email", account.email.text()},
          {"first_name", std::move(first_name)},
          {"last_name", std::move(last_name)},
          {"avatar_url", nullptr},
          {"metadata", nullptr},
          {"created_at", created},
          {"updated_at", created},
          {"deleted_at", nullptr}};
}

FieldChoice::FieldChoice(std::vector<std::string> defaults, std::string_view fields) {
  const auto asked = split_list(fields);
  if (asked.empty()) {
    names_ = std::move(defaults);
    return;
  }
  if (!std::ranges::all_of(asked, changes_defaults)) {
    names_ = {"id"};
    for (const std::string& name : asked) names_.push_back(whole(name));
    return;
  }
  names_ = std::move(defaults);
  for (const std::string& name : asked) {
    const bool takes_away = name.front() == '-';
    const std::string plain =
        whole(std::string_view("+-* ").find(name.front()) != std::string_view::npos ? name.substr(1) : name);
    if (takes_away && plain != "id")
      std::erase(names_, plain);
    else if (!takes_away)
      names_.push_back(plain);
  }
}

Json FieldChoice::apply(const Json& object) const { return pick(object, names_); }

FieldChoice invite_fields(std::string_view fields) {
  return FieldChoice(
      {"id", "email", "accepted", "token", "expires_at", "metadata", "created_at", "updated_at", "deleted_at"}, fields);
}

}  // namespace invited::http
