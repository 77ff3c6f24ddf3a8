#include "storage/refresh_statements.h"

#include "storage/refresh_rows.h"

namespace invited::storage {

using domain::CallState;

struct RefreshStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  RefreshCallRow row;
  Number limit = 0;
  Number offset = 0;

  Statement make_list(std::string_view condition, std::string_view order = "") {
    return {connection,
            std::string(kRefreshCallColumns) + std::string(condition) + "ORDER BY " + std::string(order) +
                row_order(connection) + " DESC LIMIT :limit OFFSET :offset",
            {{"limit", limit}, {"offset", offset}},
            row.columns()};
  }

  // What it waited for is over with a new change: it is as due as a call that would be queued for that alone.
  Statement join_waiting{
      connection,
      "UPDATE refresh_call SET queued_at = :queued_at,"
      " due_at = CASE WHEN due_at > :queued_at THEN :queued_at ELSE due_at END, attempts = 0,"
      " lease_id = NULL, lease_until = NULL WHERE state = 'queued'"
      " AND environment_id = :environment_id AND account_id = :account_id"
      " AND (lease_until IS NULL OR lease_until <= :queued_at)",
      {{"environment_id", row.environment_id}, {"account_id", row.account_id}, {"queued_at", row.queued_at}}};
  Statement insert{connection,
                   "INSERT INTO refresh_call (id, environment_id, account_id, state, queued_at, due_at, attempts,"
                   " claims, finished_at, last_error) VALUES (:id, :environment_id, :account_id, :state, :queued_at,"
                   " :due_at, :attempts, 0, :finished_at, :last_error)",
                   {{"id", row.id},
                    {"environment_id", row.environment_id},
                    {"account_id", row.account_id},
                    {"state", row.state},
                    {"queued_at", row.queued_at},
                    {"due_at", row.due_at},
                    {"attempts", row.attempts},
                    {"finished_at", row.finished_at},
                    {"last_error", row.last_error}}};
  Statement find{connection, std::string(kRefreshCallColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};

  // The words are in the text, not bound: only so do the partial indexes serve.
  Statement list_all = make_list("");
  // Few among many: SQLite is not to find them by walking the table.
  Statement list_queued = make_list("WHERE state = 'queued' ", by_dialect(connection, "+", ""));
  Statement list_done = make_list("WHERE state = 'done' ");
  Statement list_failed = make_list("WHERE state = 'failed' ");
  Statement list_cancelled = make_list("WHERE state = 'cancelled' ");

  Statement& list_of(std::optional<CallState> state) {
    if (!state) return list_all;
    switch (*state) {
      case CallState::queued:
        return list_queued;
      case CallState::done:
        return list_done;
      case CallState::failed:
        return list_failed;
      case CallState::cancelled:
        return list_cancelled;
    }
    return list_all;
  }
};

RefreshStatements::RefreshStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
RefreshStatements::~RefreshStatements() = default;

void RefreshStatements::insert(const domain::RefreshCall& call) {
  prepared_->row.set(call);
  if (prepared_->join_waiting.run() == 0) prepared_->insert.execute();
}

std::optional<domain::RefreshCall> RefreshStatements::find_refresh_call(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  if (!prepared_->find.find()) return std::nullopt;
  return prepared_->row.get();
}

std::vector<domain::RefreshCall> RefreshStatements::list_refresh_calls(std::optional<CallState> state,
                                                                       const domain::Page& page) {
  std::vector<domain::RefreshCall> calls;
  prepared_->limit = page.limit;
  prepared_->offset = page.offset;
  prepared_->list_of(state).each([&] { calls.push_back(prepared_->row.get()); });
  return calls;
}

}  // namespace invited::storage
