#include "storage/person_statements.h"

#include "storage/row_values.h"

namespace invited::storage {

struct PersonStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Text account_id, field, value;
  Text token_hash;
  Number password_generation = 0;
  Number created_at = 0;
  Number expires_at = 0;

  Statement find_profile{connection,
                         "SELECT field, value FROM profile_value WHERE account_id = :account_id",
                         {{"account_id", account_id}},
                         {&field, &value}};
  Statement clear_profile{
      connection, "DELETE FROM profile_value WHERE account_id = :account_id", {{"account_id", account_id}}};
  Statement insert_value{connection,
                         "INSERT INTO profile_value (account_id, field, value) VALUES (:account_id, :field, :value)",
                         {{"account_id", account_id}, {"field", field}, {"value", value}}};

  Statement insert_session{connection,
                           "INSERT INTO session (token_hash, account_id, password_generation, created_at, expires_at)"
                           " VALUES (:token_hash, :account_id, :password_generation, :created_at, :expires_at)",
                           {{"token_hash", token_hash},
                            {"account_id", account_id},
                            {"password_generation", password_generation},
                            {"created_at", created_at},
                            {"expires_at", expires_at}}};
  Statement find_session{connection,
                         "SELECT account_id, password_generation, created_at, expires_at FROM session"
                         " WHERE token_hash = :token_hash",
                         {{"token_hash", token_hash}},
                         {&account_id, &password_generation, &created_at, &expires_at}};
  Statement erase_session{
      connection, "DELETE FROM session WHERE token_hash = :token_hash", {{"token_hash", token_hash}}};
  Statement erase_sessions{
      connection, "DELETE FROM session WHERE account_id = :account_id", {{"account_id", account_id}}};
  Statement erase_all_sessions{connection, "DELETE FROM session"};
};

PersonStatements::PersonStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
PersonStatements::~PersonStatements() = default;

domain::Profile PersonStatements::find_profile(const base::Uuid& account_id) {
  Prepared& row = *prepared_;
  domain::Profile profile;
  row.account_id = account_id.to_string();
  row.find_profile.each([&] { profile.set(known_word(domain::parse_profile_field(row.field)), row.value); });
  return profile;
}

void PersonStatements::set_profile(const base::Uuid& account_id, const domain::Profile& profile) {
  Prepared& row = *prepared_;
  row.account_id = account_id.to_string();
  row.clear_profile.execute();
  for (const domain::ProfileFieldDescription& description : domain::kProfileFields) {
    row.value = profile.get(description.field);
    if (row.value.empty()) continue;
    row.field = description.name;
    row.insert_value.execute();
  }
}

void PersonStatements::insert(const domain::Session& session) {
  Prepared& row = *prepared_;
  row.token_hash = session.token_hash;
  row.account_id = session.account_id.to_string();
  row.password_generation = session.password_generation;
  row.created_at = to_number(session.created_at);
  row.expires_at = to_number(session.expires_at);
  row.insert_session.execute();
}

std::optional<domain::Session> PersonStatements::find_session(std::string_view token_hash) {
  Prepared& row = *prepared_;
  row.token_hash = token_hash;
  if (!row.find_session.find()) return std::nullopt;
  return domain::Session{std::string(token_hash), to_uuid(row.account_id),
                         static_cast<std::uint32_t>(row.password_generation), to_time(row.created_at),
                         to_time(row.expires_at)};
}

bool PersonStatements::erase_session(std::string_view token_hash) {
  prepared_->token_hash = token_hash;
  return prepared_->erase_session.run() > 0;
}

void PersonStatements::erase_sessions(const base::Uuid& account_id) {
  prepared_->account_id = account_id.to_string();
  prepared_->erase_sessions.execute();
}

void PersonStatements::erase_all_sessions() { prepared_->erase_all_sessions.run(); }

}  // namespace invited::storage
