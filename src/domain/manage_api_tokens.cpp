#include "domain/manage_api_tokens.h"

#include <algorithm>

#include "base/utf8.h"

namespace invited::domain {
namespace {

void audit(std::string_view action, const ApiToken& token, std::string detail, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(
      AuditEvent{now, "operator", std::string(action), token.id, std::move(detail), token.environment_id});
}

/// It is read by operators only, so that an address may stand in it: "ci.example.com".
Result<std::string> parse_token_name(std::string_view text) {
  std::string name(base::trim(text));
  if (name.size() > kMaxTokenName || !base::is_valid_utf8(name) ||
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return refuse(ErrorCode::invalid_parameter,
                  "--name cannot be used: say in at most 100 bytes on one line what the token is for.", "name");
  return name;
}

/// The account, where it may invite to the environment.
Result<Account> find_inviter(const Environment& environment, std::string_view email, Transaction& transaction) {
  const auto address = EmailAddress::parse(email);
  if (!address)
    return refuse(ErrorCode::invalid_email_address, "--account cannot be used: write it as name@example.org.",
                  "account");
  auto account = transaction.find_account_by_email(address->key());
  if (!account)
    return refuse(ErrorCode::not_found, "There is no account " + address->text() + ": see `account list`.", "account");
  if (account->disabled || !transaction.has_any_access(account->id, environment.id))
    return refuse(ErrorCode::inviter_without_access,
                  address->text() + (account->disabled ? " is disabled: see `account enable`."
                                                       : " has no role in this environment: see `access grant`."),
                  "account");
  return *std::move(account);
}

}  // namespace

Result<AddedApiToken> add_api_token(const AddApiToken& request, const base::Secret& pepper, Transaction& transaction,
                                    base::Timestamp now) {
  const auto environment = transaction.find_environment(request.environment_id);
  if (!environment)
    return refuse(ErrorCode::not_found,
                  "There is no environment " + request.environment_id.to_string() + ": see `environment list`.",
                  "environment");
  const auto account = find_inviter(*environment, request.email, transaction);
  if (!account) return std::unexpected(account.error());
  auto name = parse_token_name(request.name);
  if (!name) return std::unexpected(std::move(name.error()));
  std::vector<base::Uuid> ceiling;
  for (const base::Uuid& role_id : request.role_ceiling) {
    if (!transaction.find_role(environment->app_id, role_id))
      return refuse(ErrorCode::unknown_role, "A role of --role-ceiling is not one of this app's: see `role list`.",
                    "role-ceiling");
    if (std::ranges::find(ceiling, role_id) == ceiling.end()) ceiling.push_back(role_id);
  }
  if (request.expires_at && *request.expires_at <= now)
    return refuse(ErrorCode::invalid_parameter, "--expires must lie in the future, like 90d.", "expires");

  AddedApiToken added{.token = {}, .text = make_api_token()};
  added.token = {.id = base::Uuid::ordered(now),
                 .hash = hash_api_token(pepper, added.text.reveal()),
                 .name = *std::move(name),
                 .environment_id = environment->id,
                 .account_id = account->id,
                 .role_ceiling = std::move(ceiling),
                 .may_see_links = request.may_see_links,
                 .created_at = now,
                 .expires_at = request.expires_at,
                 .revoked_at = std::nullopt,
                 .last_used_at = std::nullopt};
  transaction.insert(added.token);
  std::string detail = "account=" + account->id.to_string() + (request.may_see_links ? " links" : "");
  for (const base::Uuid& role_id : added.token.role_ceiling) detail += " role=" + role_id.to_string();
  audit("token.added", added.token, std::move(detail), transaction, now);
  return added;
}

Result<ApiToken> revoke_api_token(const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
  auto token = transaction.find_api_token(id);
  if (!token)
    return refuse(ErrorCode::not_found, "There is no API token " + id.to_string() + ": see `token list`.", "token");
  if (!transaction.revoke_api_token(id, now)) return *std::move(token);
  token->revoked_at = now;
  audit("token.revoked", *token, {}, transaction, now);
  return *std::move(token);
}

}  // namespace invited::domain
