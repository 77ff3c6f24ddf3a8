// The nouns account and access.
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "domain/manage_accounts.h"

namespace invited::admin {
namespace {

using domain::Result;
using domain::Transaction;

template <class T>
std::unexpected<domain::Error> error_of(T& failed) {
  return std::unexpected(std::move(failed.error()));
}

/// The hash of the argument "password" where it may be used, empty where there is none. Argon2 runs here, outside of
/// every transaction.
Result<std::string> hash_of_password(const Arguments& arguments, const std::vector<std::string>& related,
                                     AdminContext& context) {
  auto text = arguments.text_or_empty("password");
  if (!text) return error_of(text);
  if (text->empty()) return std::string();
  auto checked = domain::check_new_password(*text, related);
  base::wipe(*text);
  if (!checked) {
    checked.error().parameter = "password";
    return error_of(checked);
  }
  return context.password_hasher.hash(*checked);
}

Result<Json> account_add(const Arguments& arguments, AdminContext& context) {
  auto email = arguments.text("email");
  auto name = arguments.text("name");
  if (!email) return error_of(email);
  if (!name) return error_of(name);
  auto hash = hash_of_password(arguments, {*email, *name}, context);
  if (!hash) return error_of(hash);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto account = domain::add_account(*email, *name, *hash, transaction, context.clock.now());
    if (!account) return error_of(account);
    return to_json(*account);
  });
}

Result<Json> account_list(const Arguments& arguments, AdminContext& context) {
  auto page = arguments.page();
  if (!page) return error_of(page);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    for (const domain::Account& account : transaction.list_accounts(*page)) list.push_back(to_json(account));
    return list;
  });
}

Result<Json> account_set_password(const Arguments& arguments, AdminContext& context) {
  auto email = arguments.text("email");
  auto password = arguments.text("password");
  if (!email) return error_of(email);
  if (!password) return error_of(password);
  base::wipe(*password);
  auto hash = hash_of_password(arguments, {*email}, context);
  if (!hash) return error_of(hash);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto account = domain::set_account_password(*email, *hash, transaction, context.clock.now());
    if (!account) return error_of(account);
    return to_json(*account);
  });
}

Result<Json> set_disabled(const Arguments& arguments, AdminContext& context, bool disabled) {
  auto email = arguments.text("email");
  if (!email) return error_of(email);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto account = domain::set_account_disabled(*email, disabled, transaction, context.clock.now());
    if (!account) return error_of(account);
    return to_json(*account);
  });
}

Result<Json> account_disable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/true);
}

Result<Json> account_enable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/false);
}

using ChangeAccess = Result<domain::Access> (*)(const base::Uuid&, std::string_view, const base::Uuid&, Transaction&,
                                                base::Timestamp);

/// Grant or revoke: the answer says what was meant, in words.
Result<Json> change_access(const Arguments& arguments, AdminContext& context, ChangeAccess change) {
  auto environment_name = arguments.text("environment");
  auto email = arguments.text("email");
  auto role_name = arguments.text("role");
  if (!environment_name) return error_of(environment_name);
  if (!email) return error_of(email);
  if (!role_name) return error_of(role_name);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto environment = find_environment(*environment_name, transaction);
    if (!environment) return error_of(environment);
    const auto role = find_role(environment->app_id, *role_name, transaction);
    if (!role) return error_of(role);
    const auto access = change(environment->id, *email, role->id, transaction, context.clock.now());
    if (!access) return error_of(access);
    const auto account = transaction.find_account(access->account_id);
    const auto app = transaction.find_app(environment->app_id);
    if (!account || !app) throw domain::StorageFailure("an access without its account or app");
    return to_json(domain::AccessEntry{*access, account->email.text(), account->name, role->name}, *environment, *app);
  });
}

Result<Json> access_grant(const Arguments& arguments, AdminContext& context) {
  return change_access(arguments, context, domain::grant_access);
}

Result<Json> access_revoke(const Arguments& arguments, AdminContext& context) {
  return change_access(arguments, context, domain::revoke_access);
}

Result<Json> access_list(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text_or_empty("environment");
  auto page = arguments.page();
  if (!environment_name) return error_of(environment_name);
  if (!page) return error_of(page);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    std::vector<domain::Environment> environments;
    if (environment_name->empty()) {
      environments = transaction.list_environments();
    } else {
      auto environment = find_environment(*environment_name, transaction);
      if (!environment) return error_of(environment);
      environments.push_back(std::move(*environment));
    }
    // One page over all environments together: the port lists each by itself.
    Json list = Json::array();
    std::uint32_t skip = page->offset;
    for (const domain::Environment& environment : environments) {
      const auto app = transaction.find_app(environment.app_id);
      if (!app) throw domain::StorageFailure("an environment without its app");
      const auto wanted = page->limit - static_cast<std::uint32_t>(list.size());
      const auto entries = transaction.list_access(environment.id, {.limit = wanted + skip, .offset = 0});
      const std::uint32_t skipped = std::min(skip, static_cast<std::uint32_t>(entries.size()));
      skip -= skipped;
      for (const auto& entry : std::span(entries).subspan(skipped)) list.push_back(to_json(entry, environment, *app));
      if (list.size() >= page->limit) break;
    }
    return list;
  });
}

constexpr std::array kCommands{
    Command{"account add", "email name password", account_add},
    Command{"account list", "limit offset", account_list},
    Command{"account set-password", "email password", account_set_password},
    Command{"account disable", "email", account_disable},
    Command{"account enable", "email", account_enable},
    Command{"access grant", "environment email role", access_grant},
    Command{"access revoke", "environment email role", access_revoke},
    Command{"access list", "environment limit offset", access_list},
};

}  // namespace

std::span<const Command> people_commands() { return kCommands; }

}  // namespace invited::admin
