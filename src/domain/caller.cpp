#include "domain/caller.h"

#include <algorithm>

namespace invited::domain {
namespace {

constexpr std::chrono::minutes kUseResolution{1};

Error not_authenticated() {
  return {ErrorCode::authentication_failed,
          "The API token is not valid: it may have expired or been revoked. Make one with invited token add.",
          {},
          std::nullopt};
}

Result<Caller> behind(const std::optional<ApiToken>& found, Transaction& transaction, base::Timestamp now) {
  if (!found || !found->is_valid_at(now)) return std::unexpected(not_authenticated());
  auto environment = transaction.find_environment(found->environment_id);
  auto account = transaction.find_account(found->account_id);
  if (!environment || environment->disabled || !account || account->disabled ||
      !transaction.has_any_access(account->id, environment->id))
    return std::unexpected(not_authenticated());
  auto app = transaction.find_app(environment->app_id);
  if (!app) throw StorageFailure("an environment without its app");
  return Caller{*std::move(environment),
                *std::move(app),
                *std::move(account),
                found->role_ceiling,
                found->may_see_links,
                found->id,
                "token:" + found->id.to_string()};
}

}  // namespace

Result<Caller> find_again(const Caller& caller, Transaction& transaction, base::Timestamp now) {
  if (!caller.token_id.is_nil()) return behind(transaction.find_api_token(caller.token_id), transaction, now);
  Caller again = caller;
  auto environment = transaction.find_environment(caller.environment.id);
  auto account = transaction.find_account(caller.account.id);
  auto app = transaction.find_app(caller.app.id);
  if (!environment || environment->disabled || !app || !account || account->disabled ||
      account->password_generation != caller.account.password_generation ||
      !transaction.has_any_access(account->id, environment->id))
    return std::unexpected(not_authenticated());
  again.environment = *std::move(environment);
  again.app = *std::move(app);
  again.account = *std::move(account);
  return again;
}

Result<Caller> authenticate_token(std::string_view token, std::string_view client_address, Context& context) {
  const base::Timestamp now = context.clock.now();
  bool note_use = false;
  const auto find = [&](Transaction& transaction) -> Result<Caller> {
    const auto found = transaction.find_api_token(hash_api_token(context.authenticator.pepper(), token));
    note_use =
        found && (!found->last_used_at || now - *found->last_used_at >= kUseResolution || *found->last_used_at > now);
    return behind(found, transaction, now);
  };
  auto caller =
      looks_like_api_token(token) ? read_returning(context.store, find) : std::unexpected(not_authenticated());
  // Without any nobody guesses: a program that was not given its token is told just that, however often it calls.
  if (!caller && !token.empty() && caller.error().code == ErrorCode::authentication_failed) {
    if (const auto wait = context.wrong_links.attempt("token:" + limited_as(client_address), now)) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
      return refuse(
          ErrorCode::rate_limited,
          "Too many API tokens that are not valid: try again in " + std::to_string(seconds.count()) + " seconds.", {},
          seconds);
    }
  }
  if (caller && note_use) {
    // Only for operators to see: a disk that is full must not keep the caller out.
    [[maybe_unused]] const auto noted =
        context.store.write([id = caller->token_id, now](Transaction& transaction) -> Result<void> {
          transaction.note_use_of_api_token(id, now);
          return {};
        });
  }
  return caller;
}

Result<void> check_grant(const Caller& caller, const std::vector<Role>& roles, Transaction& transaction) {
  const auto refused = [](const Role& role, std::string_view why) {
    return refuse(ErrorCode::role_not_allowed,
                  "The role \"" + role.name + "\" may not be granted here: " + std::string(why), "role");
  };
  for (const Role& role : roles)
    if (!caller.role_ceiling.empty() && std::ranges::find(caller.role_ceiling, role.id) == caller.role_ceiling.end())
      return refused(role, "it is not one of those that the caller was allowed.");
  if (caller.app.grants == GrantRule::any) return {};
  const auto own = caller.account.disabled ? std::vector<Role>{}
                                           : transaction.list_roles_of(caller.account.id, caller.environment.id);
  for (const Role& role : roles) {
    const bool managed = std::ranges::any_of(own, [&](const Role& mine) {
      return mine.manages_all || std::ranges::find(mine.manageable, role.id) != mine.manageable.end();
    });
    if (!managed) return refused(role, "none of the inviter's own roles manages it.");
  }
  return {};
}

}  // namespace invited::domain
