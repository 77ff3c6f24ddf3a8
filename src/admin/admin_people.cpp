// The nouns account and access.
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "domain/manage_accounts.h"
#include "domain/openid.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// What "account set" knows: "email name", and every field of a profile.
constexpr auto kAccountSetArguments = [] {
  std::array<char, 300> text{};
  std::size_t size = 0;
  const auto append = [&](std::string_view part) {
    for (const char c : part) text.at(size++) = c;
  };
  append("email name");
  for (const domain::ProfileFieldDescription& field : domain::kProfileFields) {
    append(" ");
    append(field.name);
  }
  return std::pair(text, size);
}();

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
  auto id = arguments.optional_uuid("uuid");
  if (!email) return error_of(email);
  if (!name) return error_of(name);
  if (!id) return error_of(id);
  auto hash = hash_of_password(arguments, {*email, *name}, context);
  if (!hash) return error_of(hash);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto account = domain::add_account(*email, *name, *hash, transaction, context.clock.now(), *id);
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

/// The account and all that it says of the person, and what they may do where.
Json to_json_with_profile(const domain::Account& account, std::string_view public_url, Transaction& transaction) {
  Json json = to_json(account);
  json["profile"] = to_json(transaction.find_profile(account.id));
  Json roles = Json::array();
  for (const base::Uuid& id : transaction.list_environments_of(account.id)) {
    const auto environment = transaction.find_environment(id);
    const auto app = environment ? transaction.find_app(environment->app_id) : std::nullopt;
    if (!app) throw domain::StorageFailure("an access without its environment or app");
    for (const domain::Role& role : transaction.list_roles_of(account.id, id))
      roles.push_back({{"role_uuid", role.id.to_string()},
                       {"role_name", role.name},
                       {"environment_uuid", id.to_string()},
                       {"environment_name", environment->name},
                       {"app_name", app->name},
                       {"openid", domain::make_openid(environment->openid_template, public_url, account)}});
  }
  json["roles"] = std::move(roles);
  return json;
}

Result<Json> account_show(const Arguments& arguments, AdminContext& context) {
  auto email = arguments.text("email");
  if (!email) return error_of(email);
  const auto address = domain::EmailAddress::parse(*email);
  if (!address) return refuse(ErrorCode::invalid_email_address, "\"" + *email + "\" is not a mail address.", "email");
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto account = transaction.find_account_by_email(address->key());
    if (!account)
      return refuse(ErrorCode::not_found, "There is no account " + address->text() + ": see invited account list.",
                    "email");
    return to_json_with_profile(*account, context.public_url, transaction);
  });
}

Result<Json> account_set(const Arguments& arguments, AdminContext& context) {
  auto email = arguments.text("email");
  auto name = arguments.optional_text("name");
  if (!email) return error_of(email);
  if (!name) return error_of(name);
  domain::AccountChange change{*name, {}};
  for (const domain::ProfileFieldDescription& field : domain::kProfileFields) {
    auto value = arguments.optional_text(field.name);
    if (!value) return error_of(value);
    if (*value) change.fields.emplace_back(field.field, std::move(**value));
  }
  if (!change.name && change.fields.empty())
    return refuse(ErrorCode::missing_parameter, "Say what to change: --name, --job-title, … (see --help).");
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto account = domain::set_account(*email, change, transaction, context.clock.now());
    if (!account) return error_of(account);
    return to_json_with_profile(*account, context.public_url, transaction);
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
  auto changed = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    auto account = domain::set_account_disabled(*email, disabled, transaction, context.clock.now());
    if (!account) return error_of(account);
    return to_json(*account);
  });
  if (changed) context.refresh_queued();
  return changed;
}

Result<Json> account_disable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/true);
}

Result<Json> account_enable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/false);
}

using ChangeAccess = Result<domain::ChangedAccess> (*)(const base::Uuid&, std::string_view, const base::Uuid&,
                                                       Transaction&, base::Timestamp, std::string_view);

/// Grant or revoke: the answer says what was meant, in words.
Result<Json> change_access(const Arguments& arguments, AdminContext& context, ChangeAccess change) {
  auto environment_name = arguments.text("environment");
  auto email = arguments.text("email");
  auto role_name = arguments.text("role");
  if (!environment_name) return error_of(environment_name);
  if (!email) return error_of(email);
  if (!role_name) return error_of(role_name);
  auto changed = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto environment = find_environment(*environment_name, transaction);
    if (!environment) return error_of(environment);
    const auto role = find_role(environment->app_id, *role_name, transaction);
    if (!role) return error_of(role);
    const auto done = change(environment->id, *email, role->id, transaction, context.clock.now(), "operator");
    if (!done) return error_of(done);
    const auto account = transaction.find_account(done->access.account_id);
    const auto app = transaction.find_app(environment->app_id);
    if (!account || !app) throw domain::StorageFailure("an access without its account or app");
    Json json = to_json(domain::AccessEntry{done->access, account->email.text(), account->name, role->name},
                        *environment, *app);
    if (!done->changed || change != domain::grant_access) json.erase("granted_at");  // it is older, or gone
    json["changed"] = done->changed;
    return json;
  });
  if (changed) context.refresh_queued();
  return changed;
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
    Command{"account add", "email name uuid password", account_add},
    Command{"account list", "limit offset", account_list},
    Command{"account show", "email", account_show},
    Command{"account set", std::string_view(kAccountSetArguments.first.data(), kAccountSetArguments.second),
            account_set},
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
