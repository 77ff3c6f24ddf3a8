#include "storage/api_token_statements.h"

#include "storage/row_values.h"

namespace invited::storage {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, hash, name, environment_id, account_id, role_ceiling, may_see_links, created_at, expires_at, "
    "revoked_at,"
    " last_used_at FROM api_token ";

struct TokenRow {
  Text id, hash, name, environment_id, account_id, role_ceiling;
  Number may_see_links = 0;
  Number created_at = 0;
  NullableNumber expires_at, revoked_at, last_used_at;

  Columns columns() {
    return {&id,         &hash,       &name,       &environment_id, &account_id, &role_ceiling, &may_see_links,
            &created_at, &expires_at, &revoked_at, &last_used_at};
  }
  Parameters all() {
    return {{"id", id},
            {"hash", hash},
            {"name", name},
            {"environment_id", environment_id},
            {"account_id", account_id},
            {"role_ceiling", role_ceiling},
            {"may_see_links", may_see_links},
            {"created_at", created_at},
            {"expires_at", expires_at},
            {"revoked_at", revoked_at},
            {"last_used_at", last_used_at}};
  }
  void set(const domain::ApiToken& token) {
    id = token.id.to_string();
    hash = token.hash;
    name = token.name;
    environment_id = token.environment_id.to_string();
    account_id = token.account_id.to_string();
    role_ceiling = to_text(token.role_ceiling);
    may_see_links = token.may_see_links ? 1 : 0;
    created_at = to_number(token.created_at);
    storage::set(expires_at, token.expires_at);
    storage::set(revoked_at, token.revoked_at);
    storage::set(last_used_at, token.last_used_at);
  }
  domain::ApiToken get() const {
    return {.id = to_uuid(id),
            .hash = hash,
            .name = name,
            .environment_id = to_uuid(environment_id),
            .account_id = to_uuid(account_id),
            .role_ceiling = to_uuids(role_ceiling),
            .may_see_links = may_see_links != 0,
            .created_at = to_time(created_at),
            .expires_at = to_optional_time(expires_at),
            .revoked_at = to_optional_time(revoked_at),
            .last_used_at = to_optional_time(last_used_at)};
  }
};

}  // namespace

struct ApiTokenStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  TokenRow row;
  Number now = 0;
  Number limit = 0;
  Number offset = 0;

  Statement insert{connection,
                   "INSERT INTO api_token (id, hash, name, environment_id, account_id, role_ceiling, may_see_links,"
                   " created_at, expires_at, revoked_at, last_used_at) VALUES (:id, :hash, :name, :environment_id,"
                   " :account_id, :role_ceiling, :may_see_links, :created_at, :expires_at, :revoked_at, :last_used_at)",
                   row.all()};
  Statement find{connection, std::string(kColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};
  Statement find_by_hash{connection, std::string(kColumns) + "WHERE hash = :hash", {{"hash", row.hash}}, row.columns()};
  Statement list_all{connection,
                     std::string(kColumns) + "ORDER BY seq DESC LIMIT :limit OFFSET :offset",
                     {{"limit", limit}, {"offset", offset}},
                     row.columns()};
  Statement list_of_environment{
      connection,
      std::string(kColumns) + "WHERE environment_id = :environment_id ORDER BY seq DESC LIMIT :limit OFFSET :offset",
      {{"environment_id", row.environment_id}, {"limit", limit}, {"offset", offset}},
      row.columns()};
  Statement revoke{connection,
                   "UPDATE api_token SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL",
                   {{"now", now}, {"id", row.id}}};
  Statement note_use{
      connection, "UPDATE api_token SET last_used_at = :now WHERE id = :id", {{"now", now}, {"id", row.id}}};
};

ApiTokenStatements::ApiTokenStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
ApiTokenStatements::~ApiTokenStatements() = default;

void ApiTokenStatements::insert(const domain::ApiToken& token) {
  prepared_->row.set(token);
  prepared_->insert.execute();
}

std::optional<domain::ApiToken> ApiTokenStatements::find_api_token(std::string_view hash) {
  prepared_->row.hash = hash;
  if (!prepared_->find_by_hash.find()) return std::nullopt;
  return prepared_->row.get();
}

std::optional<domain::ApiToken> ApiTokenStatements::find_api_token(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  if (!prepared_->find.find()) return std::nullopt;
  return prepared_->row.get();
}

std::vector<domain::ApiToken> ApiTokenStatements::list_api_tokens(const std::optional<base::Uuid>& environment_id,
                                                                  const domain::Page& page) {
  Prepared& prepared = *prepared_;
  if (environment_id) prepared.row.environment_id = environment_id->to_string();
  prepared.limit = page.limit;
  prepared.offset = page.offset;
  std::vector<domain::ApiToken> tokens;
  (environment_id ? prepared.list_of_environment : prepared.list_all).each([&] {
    tokens.push_back(prepared.row.get());
  });
  return tokens;
}

bool ApiTokenStatements::revoke_api_token(const base::Uuid& id, base::Timestamp now) {
  prepared_->row.id = id.to_string();
  prepared_->now = to_number(now);
  return prepared_->revoke.run() > 0;
}

void ApiTokenStatements::note_use_of_api_token(const base::Uuid& id, base::Timestamp now) {
  prepared_->row.id = id.to_string();
  prepared_->now = to_number(now);
  prepared_->note_use.execute();
}

}  // namespace invited::storage
