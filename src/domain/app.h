// What a person is invited to: the app with its roles, and its environments (deployments), which authenticate.
// Plain values as they are stored; rules live in the use cases. Thread-safe as values are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/translation.h"
#include "base/uuid.h"

namespace invited::domain {

inline constexpr std::string_view kDefaultOpenIdTemplate = "{public_url}/id?id={account_uuid}";

/// The namespaces in which apps are known to offer RefreshUserPermissions (soap-contract.md); the first is the default.
inline constexpr std::string_view kRefreshNamespace = "http://home.mendix.com/";
inline constexpr std::string_view kOldRefreshNamespace = "http://www.example.com";

/// Which roles a person may invite others to.
enum class GrantRule {
  any,         ///< every role of the app: the app decides before it calls
  manageable,  ///< those that one of the person's own roles manages (Mendix's ManageableRoles)
};
std::string_view to_string(GrantRule rule);
std::optional<GrantRule> parse_grant_rule(std::string_view text);

struct App {
  base::Uuid id;
  std::string name;
  std::string url;                               ///< absolute http(s) URL: where the button leads after accepting
  base::Language language = base::Language::en;  ///< of mails
  base::Timestamp created_at;
  GrantRule grants = GrantRule::any;
  /// Where a caller may send people after accepting: prefixes of URLs (domain/redirect_url.h).
  std::vector<std::string> redirect_urls{};
};

/// Means something only together with its app: GUIDs of template roles repeat between Mendix apps.
struct Role {
  base::Uuid app_id;
  base::Uuid id;
  std::string name;
  base::Timestamp created_at;
  // Whom its holders may invite, where the app asks (GrantRule::manageable).
  bool manages_all = false;
  std::vector<base::Uuid> manageable{};
};

/// "User\nPlanner": a line each, since names hold commas but no line ends (person_name.h).
std::string names_of(const std::vector<Role>& roles);
/// Of what names_of() made.
bool are_several(std::string_view names);
/// "User, Planner", of what names_of() made.
std::string with_commas(std::string_view names);

/// What a dialect calls a role: "admin" (manage_apps.h).
struct RoleAlias {
  base::Uuid app_id;
  std::string dialect;
  std::string name;
  base::Uuid role_id;
};

/// How an environment's password is kept (design.md, decision 4).
enum class PasswordKind {
  issued,   ///< 256 bits that we made: HMAC-SHA-256 under the pepper, base64url
  brought,  ///< an operator's own: Argon2id in libsodium's text form
};

/// One of at most two passwords; two while a rotation lasts.
struct PasswordSlot {
  PasswordKind kind = PasswordKind::issued;
  std::string hash;
  base::Timestamp valid_from;
  std::optional<base::Timestamp> valid_until;
};

struct Environment {
  base::Uuid id;  ///< the EnvironmentUUID of the contract
  base::Uuid app_id;
  std::string name;
  bool disabled = false;
  std::vector<PasswordSlot> passwords;  ///< one or two
  base::Timestamp created_at;
  /// What makes a person's OpenID in this environment (domain/openid.h).
  std::string openid_template = std::string(kDefaultOpenIdTemplate);
  /// Where the app wants to be told that a person's roles changed; empty: nowhere.
  std::string refresh_url{};
  std::string refresh_namespace = std::string(kRefreshNamespace);
};

}  // namespace invited::domain
