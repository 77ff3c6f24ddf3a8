// How things look to Medusa's clients: ids of a prefix and a ULID, invites, users, and the choice of fields. Pure
// functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/account.h"
#include "domain/invitation.h"
#include "domain/related_rows.h"
#include "http/api/strict_json.h"

namespace invited::http {

inline constexpr std::string_view kMedusaDialect = "medusa";

enum class MedusaKind { invite, user, identity };

/// "invite_" and 26 characters of Crockford's base 32: our UUID in other letters.
std::string medusa_id(MedusaKind kind, const base::Uuid& id);
/// Nothing where no id of ours reads so.
std::optional<base::Uuid> parse_medusa_id(MedusaKind kind, std::string_view text);

/// With "rbac_roles", and an empty "token": whoever may see it has it put in.
Json medusa_invite(const domain::Invitation& invitation, const domain::App& app, const domain::RelatedRows& related);

/// `first` and `last`: as the person has just given them; else the account's name, parted at its last blank.
Json medusa_user(const domain::Account& account, const std::optional<std::string>& first = std::nullopt,
                 const std::optional<std::string>& last = std::nullopt);

/// Which members an answer has: the query parameter `fields`. Plain names replace the defaults, and "id" is always
/// there; where each begins with + - * or a blank, or ends with .*, they change the defaults.
class FieldChoice {
 public:
  FieldChoice(std::vector<std::string> defaults, std::string_view fields);

  Json apply(const Json& object) const;

 private:
  std::vector<std::string> names_;  ///< "email", "rbac_roles.id"
};

/// What an invite shows unless asked for otherwise.
FieldChoice invite_fields(std::string_view fields);

}  // namespace invited::http
