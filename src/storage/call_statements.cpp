#include "storage/call_statements.h"

#include <algorithm>

#include "storage/call_rows.h"

namespace invited::storage {
namespace {

using domain::CallKind;
using domain::CallOutcome;
using domain::CallState;

// Rounds of looking for a due call while others take what was found.
constexpr int kClaimRounds = 8;

Text word(CallState state) { return Text(domain::to_string(state)); }

/// Where calls of one kind lie.
struct Tables {
  std::string_view calls, attempts, target;
};

Tables tables_of(CallKind kind) {
  return kind == CallKind::refresh ? Tables{"refresh_call", "refresh_attempt", "environment_id"}
                                   : Tables{"webhook_delivery", "webhook_attempt", "webhook_id"};
}

/// `text` with the tables' names in place of {calls}, {attempts} and {target}.
std::string with(const Tables& tables, std::string text) {
  for (const auto& [name, value] : {std::pair{std::string_view("{calls}"), tables.calls},
                                    std::pair{std::string_view("{attempts}"), tables.attempts},
                                    std::pair{std::string_view("{target}"), tables.target}})
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), value);
  return text;
}

constexpr std::string_view kColumns =
    "SELECT call.id, call.{target}, call.state, call.queued_at, call.due_at, call.attempts, call.claims,"
    " call.finished_at, call.last_error FROM {calls} AS call ";
constexpr std::string_view kIsFree = "(call.lease_until IS NULL OR call.lease_until <= :now)";

}  // namespace

struct CallStatements::Prepared {
  Prepared(Connection& connection_in, CallKind kind) : connection(connection_in), tables(tables_of(kind)) {}

  Connection& connection;
  const Tables tables;
  CallRow row;
  CallAttemptRow attempt;
  Number now = 0;
  Number most = 0;

  struct Candidate {
    Text id, target_id;
  };
  Candidate candidate;

  Statement make(std::string sql, Parameters parameters, Columns columns = {}) {
    return {connection, with(tables, std::move(sql)), std::move(parameters), std::move(columns)};
  }

  const std::string lock = lock_clause(connection);
  const std::string select{kColumns};
  const std::string is_free{kIsFree};
  const std::string order = row_order(connection);

  // Goes from target to target in the index of what is due, and takes the oldest of each that is free: the work grows
  // with the targets that are owed a call, not with the calls.
  Statement find_due = make(
      "WITH RECURSIVE owed (target) AS (SELECT (SELECT {target} FROM {calls} WHERE state = 'queued'"
      " ORDER BY {target} LIMIT 1) UNION ALL SELECT (SELECT following.{target} FROM {calls} AS following"
      " WHERE following.state = 'queued' AND following.{target} > owed.target ORDER BY following.{target} LIMIT 1)"
      " FROM owed WHERE owed.target IS NOT NULL), oldest (target, busy, id) AS (SELECT target,"
      " (SELECT COUNT(*) FROM {calls} AS busy WHERE busy.{target} = owed.target AND busy.lease_until > :now),"
      " (SELECT call.id FROM {calls} AS call WHERE call.state = 'queued' AND call.{target} = owed.target"
      " AND call.due_at <= :now AND " +
          is_free + " ORDER BY call.due_at, call." + order +
          " LIMIT 1) FROM owed WHERE target IS NOT NULL)"
          " SELECT call.id, call.{target} FROM oldest JOIN {calls} AS call ON call.id = oldest.id"
          " WHERE oldest.busy < :most ORDER BY oldest.busy, call.due_at, call." +
          order,
      {{"now", now}, {"most", most}}, {&candidate.id, &candidate.target_id});
  // Looked at again once nobody else may claim one of its target.
  Statement find_free = make(select + "WHERE call.id = :id AND " + row_is("call.state", "queued") +
                                 " AND call.due_at <= :now AND " + is_free +
                                 " AND (SELECT COUNT(*) FROM {calls} AS busy WHERE busy.{target} = call.{target}"
                                 " AND busy.lease_until > :now) < :most" +
                                 lock,
                             {{"id", row.id}, {"now", now}, {"most", most}}, row.columns());
  Statement find_leased = make(select + "WHERE call.id = :id AND call.lease_id = :lease_id" + lock,
                               {{"id", row.id}, {"lease_id", row.lease_id}}, row.columns());
  // Not what is being made: its outcome comes.
  Statement find_to_retry =
      make(select + "WHERE call.id = :id AND " + is_free + lock, {{"id", row.id}, {"now", now}}, row.columns());
  // Those that died do not count, as they do not for `attempts`.
  NullableNumber first_attempt;
  Statement find_first_attempt = make(
      "SELECT MIN(counted.started_at) FROM (SELECT started_at FROM {attempts} WHERE call_id = :id"
      " AND finished_at IS NOT NULL ORDER BY number DESC LIMIT :attempts) AS counted",
      {{"id", row.id}, {"attempts", row.attempts}}, {&first_attempt});
  Statement progress = make(
      "UPDATE {calls} SET state = :state, queued_at = :queued_at, due_at = :due_at, attempts = :attempts,"
      " claims = :claims, finished_at = :finished_at, last_error = :last_error, lease_id = :lease_id,"
      " lease_until = :lease_until WHERE id = :id",
      row.progress());
  Statement end_leases =
      make("UPDATE {calls} SET lease_until = :now WHERE state = 'queued' AND lease_until > :now", {{"now", now}});

  /// Of the call in `row`, which is to be tried at `at`.
  base::Timestamp tried_since(base::Timestamp at) {
    if (row.attempts == 0 || !find_first_attempt.find() || first_attempt.null) return at;
    return to_time(first_attempt.value);
  }

  Statement begin_attempt =
      make("INSERT INTO {attempts} (call_id, number, started_at) VALUES (:call_id, :number, :started_at)",
           {{"call_id", attempt.call_id}, {"number", attempt.number}, {"started_at", attempt.started_at}});
  Statement end_attempt = make(
      "UPDATE {attempts} SET finished_at = :finished_at, outcome = :outcome, http_status = :http_status,"
      " explanation = :explanation WHERE call_id = :call_id AND number = :number",
      {{"call_id", attempt.call_id},
       {"number", attempt.number},
       {"finished_at", attempt.finished_at},
       {"outcome", attempt.outcome},
       {"http_status", attempt.http_status},
       {"explanation", attempt.explanation}});
  Statement list_attempts =
      make(std::string(kCallAttemptColumns) + "{attempts} WHERE call_id = :call_id ORDER BY number",
           {{"call_id", attempt.call_id}}, attempt.columns());
};

CallStatements::CallStatements(Connection& connection, CallKind kind)
    : kind_(kind), prepared_(std::make_unique<Prepared>(connection, kind)) {}
CallStatements::~CallStatements() = default;

std::vector<domain::CallAttempt> CallStatements::list_call_attempts(const base::Uuid& call_id) {
  std::vector<domain::CallAttempt> attempts;
  prepared_->attempt.call_id = call_id.to_string();
  prepared_->list_attempts.each([&] { attempts.push_back(prepared_->attempt.get()); });
  return attempts;
}

/// Another instance may find a call of the same target at this moment: whoever locks the target's name first has it,
/// the other looks again.
bool CallStatements::find_due(const domain::CallClaim& claim, LockStatements& locks) {
  Prepared& prepared = *prepared_;
  prepared.now = to_number(claim.now);
  prepared.most = claim.most_at_once;
  for (int round = 0; round < kClaimRounds; ++round) {
    std::vector<Prepared::Candidate> candidates;
    prepared.find_due.each([&] { candidates.push_back(prepared.candidate); });
    const auto chosen = std::ranges::find_if(candidates, [&](const Prepared::Candidate& candidate) {
      return !claim.may_call || claim.may_call(to_uuid(candidate.target_id));
    });
    if (chosen == candidates.end()) return false;
    locks.lock_name(prepared.tables.calls, chosen->target_id);
    prepared.row.id = chosen->id;
    if (prepared.find_free.find()) return true;
  }
  return false;
}

std::optional<domain::CallLease> CallStatements::claim_due_call(const domain::CallClaim& claim, LockStatements& locks) {
  if (!find_due(claim, locks)) return std::nullopt;
  Prepared& prepared = *prepared_;
  CallRow& row = prepared.row;
  const domain::CallLease lease{.id = base::Uuid::random(),
                                .call_id = to_uuid(row.id),
                                .target_id = to_uuid(row.target_id),
                                .queued_at = to_time(row.queued_at),
                                .tried_since = prepared.tried_since(claim.now),
                                .attempts = static_cast<std::uint32_t>(row.attempts),
                                .lease_until = claim.lease_until};
  row.claims += 1;
  row.lease_id = lease.id.to_string();
  row.lease_until = to_number(lease.lease_until);
  prepared.progress.execute();
  prepared.attempt.call_id = row.id;
  prepared.attempt.number = row.claims;
  prepared.attempt.started_at = prepared.now;
  prepared.begin_attempt.execute();
  return lease;
}

bool CallStatements::finish_call_attempt(const domain::CallLease& lease, const domain::CallResult& result,
                                         std::optional<base::Timestamp> next_attempt, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  CallRow& row = prepared.row;
  row.id = lease.call_id.to_string();
  row.lease_id = lease.id.to_string();
  if (!prepared.find_leased.find()) return false;

  CallAttemptRow& attempt = prepared.attempt;
  attempt.call_id = row.id;
  attempt.number = row.claims;
  attempt.finished_at = to_number(now);
  attempt.outcome = Text(domain::to_string(result.outcome));
  attempt.http_status = Number{result.http_status};
  attempt.explanation = result.explanation;
  prepared.end_attempt.execute();

  row.attempts += 1;
  row.last_error = result.outcome == CallOutcome::done ? Text() : result.explanation;
  switch (result.outcome) {
    case CallOutcome::done:
      row.settle(CallState::done, now);
      break;
    case CallOutcome::cancelled:
      row.settle(CallState::cancelled, now);
      break;
    case CallOutcome::deferred:
      if (next_attempt)
        row.due_at = to_number(*next_attempt);
      else
        row.settle(CallState::failed, now);
      break;
  }
  row.end_lease();
  prepared.progress.execute();
  return true;
}

bool CallStatements::retry_call(const base::Uuid& id, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  CallRow& row = prepared.row;
  row.id = id.to_string();
  prepared.now = to_number(now);
  if (!prepared.find_to_retry.find()) return false;
  // An app that was told asks by itself whenever it wants; what a webhook was told it can only be told again.
  if (row.state == word(CallState::done) && kind_ == CallKind::refresh) return false;
  const bool waits = row.state == word(CallState::queued);
  row.due_at = waits ? std::min(row.due_at, prepared.now) : prepared.now;
  row.state = word(CallState::queued);
  row.queued_at = prepared.now;
  row.attempts = 0;
  row.finished_at = std::nullopt;
  row.end_lease();
  prepared.progress.execute();
  return true;
}

long long CallStatements::end_all_leases(base::Timestamp now) {
  prepared_->now = to_number(now);
  return prepared_->end_leases.run();
}

}  // namespace invited::storage
