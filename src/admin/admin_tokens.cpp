// The noun token: API tokens, with which programs call the JSON front doors.
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "base/utf8.h"
#include "domain/manage_api_tokens.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// Far enough for any token, and near enough for a timestamp.
constexpr std::uint64_t kLongestLifeInDays = 36'500;

/// Each by UUID or name, several of them in one text with commas between.
Result<std::vector<base::Uuid>> find_roles(const base::Uuid& app_id, const std::vector<std::string>& named,
                                           Transaction& transaction) {
  std::vector<base::Uuid> ids;
  for (std::string_view rest : named) {
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const auto role = find_role(app_id, base::trim(rest.substr(0, end)), transaction);
      if (!role) return error_of(role);
      ids.push_back(role->id);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return ids;
}

Result<Json> token_add(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text("environment");
  auto email = arguments.text("account");
  auto name = arguments.text_or_empty("name");
  auto ceiling = arguments.optional_texts("role-ceiling");
  for (auto* value : {&environment_name, &email, &name})
    if (!*value) return error_of(*value);
  if (!ceiling) return error_of(ceiling);
  const bool expires = arguments.values().contains("expires_in_seconds");
  const auto life = arguments.number("expires_in_seconds", 0);
  if (!life) return error_of(life);
  const auto longest = std::chrono::seconds(std::chrono::days(kLongestLifeInDays));
  if (*life > static_cast<std::uint64_t>(longest.count()))
    return refuse(ErrorCode::invalid_parameter, "--expires may be 36500d at most; leave it out for never.", "expires");
  domain::AddApiToken request{.environment_id = {},
                              .email = *std::move(email),
                              .name = *std::move(name),
                              .role_ceiling = {},
                              .may_see_links = arguments.flag("links"),
                              .expires_at = std::nullopt};
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    const auto environment = find_environment(*environment_name, transaction);
    if (!environment) return error_of(environment);
    auto roles = find_roles(environment->app_id, ceiling->value_or(std::vector<std::string>()), transaction);
    if (!roles) return error_of(roles);
    // Nothing named is no ceiling: whoever wrote --role-ceiling meant one.
    if (*ceiling && roles->empty())
      return refuse(ErrorCode::missing_parameter, "--role-ceiling names no role: name one, or leave it out.",
                    "role-ceiling");
    request.environment_id = environment->id;
    request.role_ceiling = *std::move(roles);
    if (expires) request.expires_at = now + std::chrono::seconds(*life);
    const auto added = domain::add_api_token(request, context.pepper, transaction, now);
    if (!added) return error_of(added);
    // First, where a person looks for it.
    Json json{{"api_token", added->text.reveal()}};
    json.update(to_json(added->token, domain::RelatedRows(transaction), now));
    return json;
  });
}

Result<Json> token_list(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text_or_empty("environment");
  auto page = arguments.page();
  if (!environment_name) return error_of(environment_name);
  if (!page) return error_of(page);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    std::optional<base::Uuid> environment_id;
    if (!environment_name->empty()) {
      const auto environment = find_environment(*environment_name, transaction);
      if (!environment) return error_of(environment);
      environment_id = environment->id;
    }
    Json list = Json::array();
    const domain::RelatedRows related(transaction);
    for (const domain::ApiToken& token : transaction.list_api_tokens(environment_id, *page))
      list.push_back(to_json(token, related, context.clock.now()));
    return list;
  });
}

Result<Json> token_revoke(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("token");
  if (!id) return error_of(id);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    const auto token = domain::revoke_api_token(*id, transaction, now);
    if (!token) return error_of(token);
    return to_json(*token, domain::RelatedRows(transaction), now);
  });
}

constexpr std::array kCommands{
    Command{"token add", "environment account name role-ceiling expires_in_seconds links", token_add},
    Command{"token list", "environment limit offset", token_list},
    Command{"token revoke", "token", token_revoke},
};

}  // namespace

std::span<const Command> token_commands() { return kCommands; }

}  // namespace invited::admin
