#include "storage/refresh_statements.h"

#include "storage/refresh_rows.h"

namespace invited::storage {
namespace {

using domain::RefreshOutcome;
using domain::RefreshState;

// Rounds of looking for a due call while others take what was found.
constexpr int kClaimRounds = 8;

Text word(RefreshState state) { return Text(domain::to_string(state)); }

}  // namespace

struct RefreshStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  RefreshCallRow row;
  RefreshAttemptRow attempt;
  Number now = 0;
  Number busy = 0;
  Number limit = 0;
  Number offset = 0;

  Statement make_list(std::string_view condition, std::string_view order = "") {
    return {connection,
            std::string(kRefreshCallColumns) + std::string(condition) + "ORDER BY " + std::string(order) +
                row_order(connection) + " DESC LIMIT :limit OFFSET :offset",
            {{"limit", limit}, {"offset", offset}},
            row.columns()};
  }

  Statement join_waiting{
      connection,
      "UPDATE refresh_call SET queued_at = :queued_at, lease_id = NULL, lease_until = NULL WHERE state = 'queued'"
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

  // Goes from environment to environment in the index of what is due, and takes the oldest of each that is free: the
  // work grows with the environments that are owed a call, not with the calls.
  Statement find_due{
      connection,
      "WITH RECURSIVE owed (environment_id) AS (SELECT (SELECT environment_id FROM refresh_call"
      " WHERE state = 'queued' ORDER BY environment_id LIMIT 1) UNION ALL SELECT (SELECT following.environment_id"
      " FROM refresh_call AS following WHERE following.state = 'queued'"
      " AND following.environment_id > owed.environment_id ORDER BY following.environment_id LIMIT 1) FROM owed"
      " WHERE owed.environment_id IS NOT NULL) " +
          std::string(kRefreshCallColumns) +
          "WHERE id IN (SELECT (SELECT due.id FROM refresh_call AS due WHERE due.state = 'queued'"
          " AND due.environment_id = owed.environment_id AND due.due_at <= :now ORDER BY due.due_at, due." +
          row_order(connection) +
          " LIMIT 1) FROM owed WHERE NOT EXISTS (SELECT 1 FROM refresh_call AS busy"
          " WHERE busy.environment_id = owed.environment_id AND busy.lease_until > :now)) ORDER BY due_at, " +
          row_order(connection) + " LIMIT 1" + std::string(by_dialect(connection, "", " FOR UPDATE SKIP LOCKED")),
      {{"now", now}},
      row.columns()};
  Statement is_busy{connection,
                    "SELECT COUNT(*) FROM refresh_call WHERE environment_id = :environment_id AND lease_until > :now",
                    {{"environment_id", row.environment_id}, {"now", now}},
                    {&busy}};
  Statement find_leased{connection,
                        std::string(kRefreshCallColumns) + "WHERE id = :id AND lease_id = :lease_id" +
                            std::string(by_dialect(connection, "", " FOR UPDATE")),
                        {{"id", row.id}, {"lease_id", row.lease_id}},
                        row.columns()};
  Statement progress{connection,
                     "UPDATE refresh_call SET state = :state, queued_at = :queued_at, due_at = :due_at,"
                     " attempts = :attempts, claims = :claims, finished_at = :finished_at, last_error = :last_error,"
                     " lease_id = :lease_id, lease_until = :lease_until WHERE id = :id",
                     row.progress()};
  Statement end_leases{connection,
                       "UPDATE refresh_call SET lease_until = :now WHERE state = 'queued' AND lease_until > :now",
                       {{"now", now}}};

  Statement begin_attempt{
      connection,
      "INSERT INTO refresh_attempt (call_id, number, started_at) VALUES (:call_id, :number, :started_at)",
      {{"call_id", attempt.call_id}, {"number", attempt.number}, {"started_at", attempt.started_at}}};
  Statement end_attempt{connection,
                        "UPDATE refresh_attempt SET finished_at = :finished_at, outcome = :outcome,"
                        " http_status = :http_status, explanation = :explanation"
                        " WHERE call_id = :call_id AND number = :number",
                        {{"call_id", attempt.call_id},
                         {"number", attempt.number},
                         {"finished_at", attempt.finished_at},
                         {"outcome", attempt.outcome},
                         {"http_status", attempt.http_status},
                         {"explanation", attempt.explanation}}};
  Statement list_attempts{connection,
                          "SELECT number, started_at, finished_at, outcome, http_status, explanation"
                          " FROM refresh_attempt WHERE call_id = :call_id ORDER BY number",
                          {{"call_id", attempt.call_id}},
                          {&attempt.number, &attempt.started_at, &attempt.finished_at, &attempt.outcome,
                           &attempt.http_status, &attempt.explanation}};

  Statement& list_of(std::optional<RefreshState> state) {
    if (!state) return list_all;
    switch (*state) {
      case RefreshState::queued:
        return list_queued;
      case RefreshState::done:
        return list_done;
      case RefreshState::failed:
        return list_failed;
      case RefreshState::cancelled:
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

std::vector<domain::RefreshCall> RefreshStatements::list_refresh_calls(std::optional<RefreshState> state,
                                                                       const domain::Page& page) {
  std::vector<domain::RefreshCall> calls;
  prepared_->limit = page.limit;
  prepared_->offset = page.offset;
  prepared_->list_of(state).each([&] { calls.push_back(prepared_->row.get()); });
  return calls;
}

std::vector<domain::RefreshAttempt> RefreshStatements::list_refresh_attempts(const base::Uuid& call_id) {
  std::vector<domain::RefreshAttempt> attempts;
  prepared_->attempt.call_id = call_id.to_string();
  prepared_->list_attempts.each([&] { attempts.push_back(prepared_->attempt.get()); });
  return attempts;
}

/// Another instance may find another call of the same environment at this moment: whoever locks the environment's name
/// first has it, the other looks again.
bool RefreshStatements::find_due(base::Timestamp now, LockStatements& locks) {
  Prepared& prepared = *prepared_;
  prepared.now = to_number(now);
  for (int round = 0; round < kClaimRounds; ++round) {
    if (!prepared.find_due.find()) return false;
    locks.lock_name("refresh", prepared.row.environment_id);
    prepared.is_busy.find();
    if (prepared.busy == 0) return true;
  }
  return false;
}

std::optional<domain::RefreshLease> RefreshStatements::claim_due_refresh_call(base::Timestamp now,
                                                                              base::Timestamp lease_until,
                                                                              LockStatements& locks) {
  Prepared& prepared = *prepared_;
  RefreshCallRow& row = prepared.row;
  if (!find_due(now, locks)) return std::nullopt;
  domain::RefreshLease lease{base::Uuid::random(), row.get(), lease_until};
  row.claims += 1;
  row.lease_id = lease.id.to_string();
  row.lease_until = to_number(lease_until);
  prepared.progress.execute();
  prepared.attempt.call_id = row.id;
  prepared.attempt.number = row.claims;
  prepared.attempt.started_at = to_number(now);
  prepared.begin_attempt.execute();
  return lease;
}

bool RefreshStatements::finish_refresh_attempt(const domain::RefreshLease& lease, const domain::RefreshResult& result,
                                               std::optional<base::Timestamp> next_attempt, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  RefreshCallRow& row = prepared.row;
  row.id = lease.call.id.to_string();
  row.lease_id = lease.id.to_string();
  if (!prepared.find_leased.find()) return false;

  RefreshAttemptRow& attempt = prepared.attempt;
  attempt.call_id = row.id;
  attempt.number = row.claims;
  attempt.finished_at = to_number(now);
  attempt.outcome = Text(domain::to_string(result.outcome));
  attempt.http_status = Number{result.http_status};
  attempt.explanation = result.explanation;
  prepared.end_attempt.execute();

  row.attempts += 1;
  row.last_error = result.outcome == RefreshOutcome::done ? Text() : result.explanation;
  switch (result.outcome) {
    case RefreshOutcome::done:
      row.settle(RefreshState::done, now);
      break;
    case RefreshOutcome::cancelled:
      row.settle(RefreshState::cancelled, now);
      break;
    case RefreshOutcome::deferred:
      if (next_attempt)
        row.due_at = to_number(*next_attempt);
      else
        row.settle(RefreshState::failed, now);
      break;
  }
  row.end_lease();
  prepared.progress.execute();
  return true;
}

bool RefreshStatements::retry_refresh_call(const base::Uuid& id, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  RefreshCallRow& row = prepared.row;
  row.id = id.to_string();
  if (!prepared.find.find()) return false;
  if (row.state != word(RefreshState::failed) && row.state != word(RefreshState::cancelled)) return false;
  row.state = word(RefreshState::queued);
  row.queued_at = to_number(now);
  row.due_at = to_number(now);
  row.attempts = 0;
  row.finished_at = std::nullopt;
  row.end_lease();
  prepared.progress.execute();
  return true;
}

long long RefreshStatements::end_all_leases(base::Timestamp now) {
  prepared_->now = to_number(now);
  return prepared_->end_leases.run();
}

}  // namespace invited::storage
