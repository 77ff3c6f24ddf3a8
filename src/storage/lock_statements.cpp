#include "storage/lock_statements.h"

#include <unordered_set>

#include "storage/postgres_array.h"
#include "storage/statement.h"

namespace invited::storage {

struct LockStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Text id, name;
  std::unordered_set<std::string> names;  ///< that are locked already

  Statement account{connection, "SELECT 1 FROM account WHERE id = :id FOR NO KEY UPDATE", {{"id", id}}};
  Statement environment{connection, "SELECT 1 FROM environment WHERE id = :id FOR NO KEY UPDATE", {{"id", id}}};
  Statement by_name{connection, "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", {{"name", name}}};

  Statement by_names{connection,
                     "SELECT count(pg_advisory_xact_lock(number)) FROM (SELECT DISTINCT hashtextextended(name, 0) AS"
                     " number FROM unnest(CAST(:name AS TEXT[])) AS names (name) ORDER BY number) AS ordered",
                     {{"name", name}}};

  bool is_needed() const { return connection.dialect() == Dialect::postgresql; }
};

LockStatements::LockStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
LockStatements::~LockStatements() = default;

void LockStatements::lock_account(const base::Uuid& id) {
  if (!prepared_->is_needed()) return;
  prepared_->id = id.to_string();
  prepared_->account.execute();
}

void LockStatements::lock_environment(const base::Uuid& id) {
  if (!prepared_->is_needed()) return;
  prepared_->id = id.to_string();
  prepared_->environment.execute();
}

void LockStatements::lock_name(std::string_view kind, std::string_view name) {
  if (!prepared_->is_needed()) return;
  std::string both(kind);
  both += ' ';
  both += name;
  if (!prepared_->names.insert(both).second) return;
  prepared_->name = std::move(both);
  prepared_->by_name.execute();
}

void LockStatements::lock_names(std::string_view kind, const std::set<std::string>& names) {
  if (!prepared_->is_needed()) return;
  std::set<std::string> wanted;
  for (const std::string& name : names) {
    std::string both = std::string(kind) + ' ' + name;
    if (prepared_->names.insert(both).second) wanted.insert(std::move(both));
  }
  if (wanted.empty()) return;
  prepared_->name = array_text(wanted);
  prepared_->by_names.execute();
}

void LockStatements::forget() { prepared_->names.clear(); }

}  // namespace invited::storage
