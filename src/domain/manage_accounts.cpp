#include "domain/manage_accounts.h"

#include <algorithm>

#include "domain/person_name.h"
#include "domain/queue_event.h"
#include "domain/refresh_call.h"

namespace invited::domain {
namespace {

void audit(std::string_view action, const base::Uuid& subject, std::string detail, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(AuditEvent{now, "operator", std::string(action), subject, std::move(detail)});
}

void audit(std::string_view action, const Access& access, std::string_view actor, Transaction& transaction,
           base::Timestamp now) {
  transaction.insert(
      AuditEvent{now, std::string(actor), std::string(action), access.account_id,
                 "environment=" + access.environment_id.to_string() + " role=" + access.role_id.to_string(),
                 access.environment_id});
}

Result<EmailAddress> parse_email(std::string_view text) {
  auto email = EmailAddress::parse(text);
  if (!email)
    return refuse(ErrorCode::invalid_email_address, "--email cannot be used: write it as name@example.org.", "email");
  return *email;
}

Result<Account> find_account(std::string_view email, Transaction& transaction) {
  const auto address = parse_email(email);
  if (!address) return std::unexpected(address.error());
  auto account = transaction.find_account_by_email(address->key());
  if (!account)
    return refuse(ErrorCode::not_found, "There is no account " + address->text() + ": see `account list`.", "email");
  return *account;
}

/// For what changes it.
Result<Account> find_account_to_change(std::string_view email, Transaction& transaction) {
  const auto known = find_account(email, transaction);
  if (!known) return known;
  transaction.lock_account(known->id);
  return find_account(email, transaction);
}

/// A disabled person has no roles: the apps are to ask again, the webhooks to know which those are.
void tell_everywhere(const Account& account, Transaction& transaction, base::Timestamp now) {
  const auto event = account.disabled ? EventType::access_withdrawn : EventType::access_granted;
  for (const base::Uuid& id : transaction.list_environments_of(account.id)) {
    const auto environment = transaction.find_environment(id);
    if (!environment) continue;
    queue_refresh(*environment, account.id, transaction, now);
    const auto roles = transaction.list_roles_of(account.id, id);
    if (!roles.empty()) queue_access_event(event, id, account, roles, transaction, now);
  }
}

struct AccessSubject {
  Environment environment;
  Account account;
  Role role;
  Access access;
};

/// The parts of an access that an operator names, checked to belong together.
Result<AccessSubject> find_access_subject(const base::Uuid& environment_id, std::string_view email,
                                          const base::Uuid& role_id, Transaction& transaction, base::Timestamp now) {
  auto environment = transaction.find_environment(environment_id);
  if (!environment)
    return refuse(ErrorCode::not_found,
                  "There is no environment " + environment_id.to_string() + ": see `environment list`.", "environment");
  auto account = find_account(email, transaction);
  if (!account) return std::unexpected(std::move(account.error()));
  auto role = transaction.find_role(environment->app_id, role_id);
  if (!role)
    return refuse(ErrorCode::unknown_role, "The role is not one of this environment's app: see `role list`.", "role");
  Access access{account->id, environment_id, role_id, now};
  return AccessSubject{std::move(*environment), std::move(*account), *std::move(role), access};
}

/// Of somebody disabled all roles were told as withdrawn; those left when they are enabled are told then.
void tell_webhooks(EventType event, const AccessSubject& subject, Transaction& transaction, base::Timestamp now) {
  if (subject.account.disabled) return;
  queue_access_event(event, subject.environment.id, subject.account, {subject.role}, transaction, now);
}

}  // namespace

Result<Account> add_account(std::string_view email, std::string_view name, std::string_view password_hash,
                            Transaction& transaction, base::Timestamp now, const std::optional<base::Uuid>& id) {
  const auto address = parse_email(email);
  if (!address) return std::unexpected(address.error());
  auto checked_name = parse_name(name, "name");
  if (!checked_name) return std::unexpected(std::move(checked_name.error()));
  if (transaction.find_account_by_email(address->key()))
    return refuse(ErrorCode::already_exists, "There is an account " + address->text() + " already: see `account show`.",
                  "email");
  if (id && id->is_nil())
    return refuse(ErrorCode::invalid_parameter, "--uuid: the nil UUID cannot be an account.", "uuid");
  if (id && transaction.find_account(*id))
    return refuse(ErrorCode::already_exists,
                  "--uuid: another account has " + id->to_string() + " already: see `account list --json`.", "uuid");
  Account account{
      id.value_or(base::Uuid::ordered(now)), *address, *checked_name, std::string(password_hash), false, now};
  transaction.insert(account);
  audit("account.created", account.id, "email=" + address->key(), transaction, now);
  return account;
}

Result<Account> set_account(std::string_view email, const AccountChange& change, Transaction& transaction,
                            base::Timestamp now) {
  auto account = find_account_to_change(email, transaction);
  if (!account) return account;
  std::string changed;
  if (change.name) {
    auto name = parse_name(*change.name, "name");
    if (!name) return std::unexpected(std::move(name.error()));
    account->name = std::move(*name);
    changed += " name";
    transaction.update(*account);
  }
  Profile profile = transaction.find_profile(account->id);
  for (const auto& [field, value] : change.fields) {
    auto checked = check_profile_value(field, value);
    if (!checked) {
      // What a page shows beside the field; an operator may have given several options.
      std::string option(describe(field).name);
      std::ranges::replace(option, '_', '-');
      checked.error().message = "--" + option + ": " + checked.error().message;
      return std::unexpected(std::move(checked.error()));
    }
    profile.set(field, std::move(*checked));
    changed += ' ' + std::string(describe(field).name);
  }
  if (!change.fields.empty()) transaction.set_profile(account->id, profile);
  audit("account.profile_changed", account->id, changed.empty() ? changed : "changed=" + changed.substr(1), transaction,
        now);
  return account;
}

Result<Account> set_account_password(std::string_view email, std::string_view password_hash, Transaction& transaction,
                                     base::Timestamp now) {
  auto account = find_account_to_change(email, transaction);
  if (!account) return account;
  account->password_hash = password_hash;
  account->password_generation += 1;
  transaction.update(*account);
  transaction.erase_sessions(account->id);
  audit("account.password_set", account->id, {}, transaction, now);
  return account;
}

Result<Account> set_account_disabled(std::string_view email, bool disabled, Transaction& transaction,
                                     base::Timestamp now) {
  auto account = find_account_to_change(email, transaction);
  if (!account) return account;
  const bool changed = account->disabled != disabled;
  account->disabled = disabled;
  transaction.update(*account);
  if (disabled) transaction.erase_sessions(account->id);
  if (changed) tell_everywhere(*account, transaction, now);
  audit(disabled ? "account.disabled" : "account.enabled", account->id, {}, transaction, now);
  return account;
}

Result<ChangedAccess> grant_access(const base::Uuid& environment_id, std::string_view email, const base::Uuid& role_id,
                                   Transaction& transaction, base::Timestamp now, std::string_view actor) {
  auto subject = find_access_subject(environment_id, email, role_id, transaction, now);
  if (!subject) return std::unexpected(std::move(subject.error()));
  const Access& access = subject->access;
  const bool changed = !transaction.has_access(access.account_id, environment_id, role_id);
  if (changed) {
    transaction.insert(access);
    queue_refresh(subject->environment, access.account_id, transaction, now);
    tell_webhooks(EventType::access_granted, *subject, transaction, now);
    audit("access.granted", access, actor, transaction, now);
  }
  return ChangedAccess{access, changed};
}

Result<ChangedAccess> revoke_access(const base::Uuid& environment_id, std::string_view email, const base::Uuid& role_id,
                                    Transaction& transaction, base::Timestamp now, std::string_view actor) {
  auto subject = find_access_subject(environment_id, email, role_id, transaction, now);
  if (!subject) return std::unexpected(std::move(subject.error()));
  const Access& access = subject->access;
  const bool changed = transaction.erase(access);
  if (changed) {
    queue_refresh(subject->environment, access.account_id, transaction, now);
    tell_webhooks(EventType::access_withdrawn, *subject, transaction, now);
    audit("access.withdrawn", access, actor, transaction, now);
  }
  return ChangedAccess{access, changed};
}

}  // namespace invited::domain
