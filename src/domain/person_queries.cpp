#include "domain/person_queries.h"

#include "base/utf8.h"
#include "domain/openid.h"

namespace invited::domain {
namespace {

/// Who is asking, and that something was asked.
Result<Environment> check(const PersonQuery& query, Context& context) {
  auto environment = context.authenticator.authenticate(query.environment_uuid, query.environment_password.reveal(),
                                                        query.client_address);
  if (!environment) return environment;
  if (!base::is_valid_utf8(query.openid) || base::trim(query.openid).empty())
    return refuse(ErrorCode::missing_parameter, "The parameter OpenID is missing or empty.", "OpenID");
  return environment;
}

/// The snapshot that authenticated may be seconds old: what the transaction sees counts.
Result<Environment> load(const base::Uuid& environment_id, Transaction& transaction) {
  auto environment = transaction.find_environment(environment_id);
  if (!environment || environment->disabled)
    return refuse(ErrorCode::authentication_failed,
                  "The environment could not be authenticated: check EnvironmentUUID and EnvironmentPassword.");
  return *environment;
}

/// The account with that OpenID in the environment, unless it is disabled.
std::optional<Account> find_account(const Environment& environment, std::string_view public_url,
                                    const std::string& openid, const OpenIdSubject& subject, Transaction& transaction) {
  auto account = subject.account_id ? transaction.find_account(*subject.account_id)
                                    : transaction.find_account_by_email(subject.email_key);
  if (!account || account->disabled || make_openid(environment.openid_template, public_url, *account) != openid)
    return std::nullopt;
  return account;
}

}  // namespace

Result<std::vector<Role>> find_roles_of_person(const PersonQuery& query, Context& context) {
  const auto environment = check(query, context);
  if (!environment) return std::unexpected(environment.error());
  return read_returning(context.store, [&](Transaction& transaction) -> Result<std::vector<Role>> {
    const auto current = load(environment->id, transaction);
    if (!current) return std::unexpected(current.error());
    const auto subject = parse_openid(current->openid_template, context.public_url, query.openid);
    // Not an empty list: that would withdraw everybody's roles after public_url or the template was changed.
    if (!subject)
      return refuse(ErrorCode::unknown_person,
                    "This OpenID is not of the form that this environment's people have: check its --openid-template "
                    "and the setting public_url, which may have been changed.",
                    "OpenID");
    const auto account = find_account(*current, context.public_url, query.openid, *subject, transaction);
    if (!account) return std::vector<Role>();
    return transaction.list_roles_of(account->id, current->id);
  });
}

Result<Person> find_person(const PersonQuery& query, Context& context) {
  const auto environment = check(query, context);
  if (!environment) return std::unexpected(environment.error());
  return read_returning(context.store, [&](Transaction& transaction) -> Result<Person> {
    const auto current = load(environment->id, transaction);
    if (!current) return std::unexpected(current.error());
    const auto subject = parse_openid(current->openid_template, context.public_url, query.openid);
    auto account = subject ? find_account(*current, context.public_url, query.openid, *subject, transaction)
                           : std::optional<Account>();
    if (!account || !transaction.has_any_access(account->id, current->id))
      return refuse(
          ErrorCode::unknown_person,
          "Nobody with this OpenID has access to this environment: give the person a role, or check the OpenID.",
          "OpenID");
    Profile profile = transaction.find_profile(account->id);
    return Person{query.openid, std::move(*account), std::move(profile)};
  });
}

}  // namespace invited::domain
