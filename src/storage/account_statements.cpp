#include "storage/account_statements.h"

#include "domain/like_pattern.h"
#include "storage/account_row.h"
#include "storage/role_row.h"
#include "storage/row_values.h"

namespace invited::storage {
namespace {

struct AccessRow {
  Text account_id, environment_id, role_id, email, name;
  NullableText role_name;
  Text app_id;
  Number granted_at = 0;
  Number role_created_at = 0;
  Text role_manageable;

  void set(const domain::Access& access) {
    account_id = access.account_id.to_string();
    environment_id = access.environment_id.to_string();
    role_id = access.role_id.to_string();
    granted_at = to_number(access.granted_at);
  }
};

}  // namespace

struct AccountStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  AccountRow account;
  AccessRow access;
  Number limit = 0;
  Number offset = 0;
  Number one = 0;

  Statement insert_account{connection,
                           "INSERT INTO account (id, email, email_key, name, password_hash, password_generation,"
                           " disabled, created_at) VALUES (:id, :email, :email_key, :name, :password_hash,"
                           " :password_generation, :disabled, :created_at)",
                           {{"id", account.id},
                            {"email", account.email},
                            {"email_key", account.email_key},
                            {"name", account.name},
                            {"password_hash", account.password_hash},
                            {"password_generation", account.password_generation},
                            {"disabled", account.disabled},
                            {"created_at", account.created_at}}};
  Statement update_account{
      connection,
      "UPDATE account SET name = :name, password_hash = :password_hash, password_generation = :password_generation,"
      " disabled = :disabled WHERE id = :id",
      {{"name", account.name},
       {"password_hash", account.password_hash},
       {"password_generation", account.password_generation},
       {"disabled", account.disabled},
       {"id", account.id}}};
  Statement find_account{
      connection, std::string(kAccountColumns) + "WHERE id = :id", {{"id", account.id}}, account.columns()};
  Statement find_account_by_email{connection,
                                  std::string(kAccountColumns) + "WHERE email_key = :email_key",
                                  {{"email_key", account.email_key}},
                                  account.columns()};
  Statement list_accounts{connection,
                          std::string(kAccountColumns) + "ORDER BY seq DESC LIMIT :limit OFFSET :offset",
                          {{"limit", limit}, {"offset", offset}},
                          account.columns()};

  Statement insert_access{connection,
                          "INSERT INTO access (account_id, environment_id, role_id, granted_at)"
                          " VALUES (:account_id, :environment_id, :role_id, :granted_at) ON CONFLICT DO NOTHING",
                          {{"account_id", access.account_id},
                           {"environment_id", access.environment_id},
                           {"role_id", access.role_id},
                           {"granted_at", access.granted_at}}};
  Statement erase_access{
      connection,
      "DELETE FROM access WHERE account_id = :account_id AND environment_id = :environment_id AND role_id = :role_id",
      {{"account_id", access.account_id}, {"environment_id", access.environment_id}, {"role_id", access.role_id}}};
  Statement has_any_access{
      connection,
      "SELECT 1 FROM access WHERE account_id = :account_id AND environment_id = :environment_id LIMIT 1",
      {{"account_id", access.account_id}, {"environment_id", access.environment_id}},
      {&one}};
  Statement has_access{
      connection,
      "SELECT 1 FROM access WHERE account_id = :account_id AND environment_id = :environment_id AND role_id = :role_id",
      {{"account_id", access.account_id}, {"environment_id", access.environment_id}, {"role_id", access.role_id}},
      {&one}};
  Statement make_list_access(const std::string& behind, Parameters parameters) {
    return {
        connection,
        "SELECT access.account_id, access.role_id, access.granted_at, account.email, account.name, role.name"
        " FROM access JOIN account ON account.id = access.account_id"
        " JOIN environment ON environment.id = access.environment_id"
        " LEFT JOIN role ON role.app_id = environment.app_id AND role.id = access.role_id"
        " WHERE access.environment_id = :environment_id" +
            behind +
            " ORDER BY access.granted_at DESC, access.account_id DESC, access.role_id DESC LIMIT :limit OFFSET :offset",
        std::move(parameters),
        {&access.account_id, &access.role_id, &access.granted_at, &access.email, &access.name, &access.role_name}};
  }
  Statement list_access =
      make_list_access("", {{"environment_id", access.environment_id}, {"limit", limit}, {"offset", offset}});
  // The time stands alone, too: it is what the index of the environment has.
  Statement list_access_behind = make_list_access(
      " AND access.granted_at <= :granted_at AND (access.granted_at, access.account_id, access.role_id)"
      " < (:granted_at, :account_id, :role_id)",
      {{"environment_id", access.environment_id},
       {"granted_at", access.granted_at},
       {"account_id", access.account_id},
       {"role_id", access.role_id},
       {"limit", limit},
       {"offset", offset}});
  Statement list_roles_of{
      connection,
      "SELECT role.app_id, role.id, role.name, role.created_at, role.manageable FROM access"
      " JOIN environment ON environment.id = access.environment_id"
      " JOIN role ON role.app_id = environment.app_id AND role.id = access.role_id"
      " WHERE access.account_id = :account_id AND access.environment_id = :environment_id"
      " ORDER BY role.name, role.id",
      {{"account_id", access.account_id}, {"environment_id", access.environment_id}},
      {&access.app_id, &access.role_id, &access.role_name, &access.role_created_at, &access.role_manageable}};
  Statement list_environments_of{
      connection,
      "SELECT DISTINCT environment_id FROM access WHERE account_id = :account_id ORDER BY environment_id",
      {{"account_id", access.account_id}},
      {&access.environment_id}};

  // Escaped, in lower case and between %, or %% for all.
  Text search;
  Number count = 0;
  std::string people(std::string_view columns) const {
    // PostgreSQL's lower() knows the letters of the database's language besides; `search` was lowered without those.
    const std::string name(by_dialect(connection, "lower(name)", "lower(name COLLATE \"C\")"));
    return std::string(columns) +
           "WHERE id IN (SELECT account_id FROM access WHERE environment_id = :environment_id)"
           " AND (email_key LIKE :search ESCAPE '\\' OR " +
           name + " LIKE :search ESCAPE '\\') ";
  }
  Statement list_people{
      connection,
      people(kAccountColumns) + "ORDER BY id LIMIT :limit OFFSET :offset",
      {{"environment_id", access.environment_id}, {"search", search}, {"limit", limit}, {"offset", offset}},
      account.columns()};
  Statement list_people_behind{
      connection,
      people(kAccountColumns) + "AND id > :id ORDER BY id LIMIT :limit",
      {{"environment_id", access.environment_id}, {"search", search}, {"id", account.id}, {"limit", limit}},
      account.columns()};
  Statement count_people{connection,
                         people("SELECT COUNT(*) FROM account "),
                         {{"environment_id", access.environment_id}, {"search", search}},
                         {&count}};

  void set(const domain::Page& page) {
    limit = page.limit;
    offset = page.offset;
  }

  std::vector<domain::AccessEntry> entries_of(Statement& list) {
    std::vector<domain::AccessEntry> entries;
    const base::Uuid environment_id = to_uuid(access.environment_id);
    list.each([&] {
      entries.push_back(
          {{to_uuid(access.account_id), environment_id, to_uuid(access.role_id), to_time(access.granted_at)},
           access.email,
           access.name,
           access.role_name.null ? std::string() : access.role_name.value});
    });
    return entries;
  }
};

AccountStatements::AccountStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
AccountStatements::~AccountStatements() = default;

void AccountStatements::insert(const domain::Account& account) {
  prepared_->account.set(account);
  prepared_->insert_account.execute();
}

void AccountStatements::update(const domain::Account& account) {
  prepared_->account.set(account);
  prepared_->update_account.execute();
}

std::optional<domain::Account> AccountStatements::find_account(const base::Uuid& id) {
  prepared_->account.id = id.to_string();
  if (!prepared_->find_account.find()) return std::nullopt;
  return prepared_->account.get();
}

std::optional<domain::Account> AccountStatements::find_account_by_email(std::string_view email_key) {
  prepared_->account.email_key = email_key;
  if (!prepared_->find_account_by_email.find()) return std::nullopt;
  return prepared_->account.get();
}

std::vector<domain::Account> AccountStatements::list_accounts(const domain::Page& page) {
  std::vector<domain::Account> accounts;
  prepared_->set(page);
  prepared_->list_accounts.each([&] { accounts.push_back(prepared_->account.get()); });
  return accounts;
}

std::vector<domain::Account> AccountStatements::list_people(const base::Uuid& environment_id, std::string_view search,
                                                            const domain::Page& page) {
  std::vector<domain::Account> people;
  prepared_->access.environment_id = environment_id.to_string();
  prepared_->search = domain::pattern_holding(search);
  prepared_->set(page);
  prepared_->list_people.each([&] { people.push_back(prepared_->account.get()); });
  return people;
}

std::vector<domain::Account> AccountStatements::list_people_behind(const base::Uuid& environment_id,
                                                                   std::string_view search, const base::Uuid& last,
                                                                   std::uint32_t limit) {
  std::vector<domain::Account> people;
  prepared_->access.environment_id = environment_id.to_string();
  prepared_->search = domain::pattern_holding(search);
  prepared_->account.id = last.to_string();
  prepared_->limit = limit;
  prepared_->list_people_behind.each([&] { people.push_back(prepared_->account.get()); });
  return people;
}

std::uint64_t AccountStatements::count_people(const base::Uuid& environment_id, std::string_view search) {
  prepared_->access.environment_id = environment_id.to_string();
  prepared_->search = domain::pattern_holding(search);
  prepared_->count_people.find();
  return static_cast<std::uint64_t>(prepared_->count);
}

void AccountStatements::insert(const domain::Access& access) {
  prepared_->access.set(access);
  prepared_->insert_access.execute();
}

bool AccountStatements::erase(const domain::Access& access) {
  prepared_->access.set(access);
  return prepared_->erase_access.run() > 0;
}

bool AccountStatements::has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id) {
  prepared_->access.account_id = account_id.to_string();
  prepared_->access.environment_id = environment_id.to_string();
  return prepared_->has_any_access.find();
}

bool AccountStatements::has_access(const base::Uuid& account_id, const base::Uuid& environment_id,
                                   const base::Uuid& role_id) {
  prepared_->access.account_id = account_id.to_string();
  prepared_->access.environment_id = environment_id.to_string();
  prepared_->access.role_id = role_id.to_string();
  return prepared_->has_access.find();
}

std::vector<domain::AccessEntry> AccountStatements::list_access(const base::Uuid& environment_id,
                                                                const domain::Page& page) {
  prepared_->access.environment_id = environment_id.to_string();
  prepared_->set(page);
  return prepared_->entries_of(prepared_->list_access);
}

std::vector<domain::AccessEntry> AccountStatements::list_access_behind(const domain::Access& last,
                                                                       std::uint32_t limit) {
  prepared_->access.set(last);
  prepared_->set({.limit = limit, .offset = 0});
  return prepared_->entries_of(prepared_->list_access_behind);
}

std::vector<domain::Role> AccountStatements::list_roles_of(const base::Uuid& account_id,
                                                           const base::Uuid& environment_id) {
  std::vector<domain::Role> roles;
  AccessRow& row = prepared_->access;
  row.account_id = account_id.to_string();
  row.environment_id = environment_id.to_string();
  prepared_->list_roles_of.each([&] {
    roles.push_back(to_role(row.app_id, row.role_id, row.role_name.value, row.role_created_at, row.role_manageable));
  });
  return roles;
}

std::vector<base::Uuid> AccountStatements::list_environments_of(const base::Uuid& account_id) {
  std::vector<base::Uuid> environments;
  prepared_->access.account_id = account_id.to_string();
  prepared_->list_environments_of.each([&] { environments.push_back(to_uuid(prepared_->access.environment_id)); });
  return environments;
}

}  // namespace invited::storage
