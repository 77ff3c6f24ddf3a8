#include "domain/environment_people.h"

#include "domain/invite.h"

namespace invited::domain {
namespace {

struct Subject {
  Account account;
  Role role;
};

Result<Subject> find_subject(const Caller& caller, std::string_view email, std::string_view role,
                             Transaction& transaction) {
  if (email.empty()) return refuse(ErrorCode::missing_parameter, "The e-mail address is missing.", "email");
  if (role.empty()) return refuse(ErrorCode::missing_parameter, "The role is missing.", "role");
  const auto address = EmailAddress::parse(email);
  if (!address)
    return refuse(ErrorCode::invalid_email_address, "The e-mail address cannot be used: write it as name@example.org.",
                  "email");
  auto roles = find_roles_by_text(caller.app, {std::string(role)}, transaction);
  if (!roles) {
    roles.error().parameter = "role";
    return std::unexpected(std::move(roles.error()));
  }
  if (auto granted = check_grant(caller, *roles, transaction); !granted)
    return std::unexpected(std::move(granted.error()));
  auto account = transaction.find_account_by_email(address->key());
  if (!account || !transaction.has_any_access(account->id, caller.environment.id))
    return refuse(ErrorCode::not_found, "Nobody with that address has access to this environment: invite them instead.",
                  "email");
  return Subject{*std::move(account), std::move(roles->front())};
}

}  // namespace

Result<Account> find_person_of(const Caller& caller, const base::Uuid& account_id, Transaction& transaction) {
  auto account = transaction.find_account(account_id);
  if (!account || !transaction.has_any_access(account_id, caller.environment.id))
    return refuse(ErrorCode::not_found, "There is no account " + account_id.to_string() + " in this environment.",
                  "id");
  return *std::move(account);
}

Result<RoleChange> give_role(const Caller& caller, std::string_view email, std::string_view role,
                             Transaction& transaction, base::Timestamp now) {
  auto subject = find_subject(caller, email, role, transaction);
  if (!subject) return std::unexpected(std::move(subject.error()));
  const auto given = grant_access(caller.environment.id, email, subject->role.id, transaction, now, caller.actor);
  if (!given) return std::unexpected(given.error());
  return RoleChange{std::move(subject->account), std::move(subject->role), *given};
}

Result<RoleChange> take_role(const Caller& caller, std::string_view email, std::string_view role,
                             Transaction& transaction, base::Timestamp now) {
  auto subject = find_subject(caller, email, role, transaction);
  if (!subject) return std::unexpected(std::move(subject.error()));
  const auto taken = revoke_access(caller.environment.id, email, subject->role.id, transaction, now, caller.actor);
  if (!taken) return std::unexpected(taken.error());
  return RoleChange{std::move(subject->account), std::move(subject->role), *taken};
}

}  // namespace invited::domain
