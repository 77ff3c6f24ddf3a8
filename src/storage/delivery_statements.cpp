#include "storage/delivery_statements.h"

#include <chrono>
#include <limits>
#include <utility>

#include "storage/mail_turns.h"
#include "storage/outbox_rows.h"
#include "storage/row_values.h"

namespace invited::storage {
namespace {

using domain::DeliveryOutcome;
using domain::MessageState;

// Rounds of looking for due messages in one claim, where the ones found were not to be delivered any more: bounds the
// time that a claim takes from the writer. The next claim goes on.
constexpr int kClaimRounds = 8;

// Of the walk over the queue that tells whose turn it is: rows of a step, and the pause after it, in steps. So it costs
// the writer a twentieth of its time at most.
constexpr Number kRowsOfStep = 1'000;
constexpr int kPauseInSteps = 20;

constexpr Number kFromTheOldestOn = std::numeric_limits<Number>::min();

Text word(MessageState state) { return Text(domain::to_string(state)); }

std::string over_time(const std::string& last_error) {
  std::string text = "Its time was over before it could be delivered.";
  if (!last_error.empty()) text += " The last attempt: " + last_error;
  return text;
}

bool is_same(const AttemptRow& row, const domain::DeliveryResult& result) {
  return !row.outcome.null && row.outcome.value == domain::to_string(result.outcome) &&
         row.reply_code.value == result.reply_code && row.stage.value == result.stage &&
         row.explanation.value == result.explanation;
}

}  // namespace

struct DeliveryStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  MessageRow row;
  AttemptRow attempt;
  HoldRow hold;
  Number now = 0;
  Number limit = 0;
  Number due_from = kFromTheOldestOn;
  MailTurns turns;
  bool is_for_turns = false;  // every other claim is
  Number walked_to = kFromTheOldestOn;
  Text walked_row = base::Uuid().to_string();  // before every row, whatever orders them
  Text next_row;
  std::chrono::steady_clock::time_point next_step_at{};

  Statement find{connection, std::string(kMessageColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};
  Statement find_due{connection,
                     std::string(kMessageColumns) +
                         "WHERE state = 'queued' AND due_at >= :due_from AND due_at <= :now AND (lease_until IS NULL "
                         "OR lease_until <= :now)"
                         " ORDER BY due_at, " +
                         row_order(connection) + " LIMIT :limit" +
                         std::string(by_dialect(connection, "", " FOR UPDATE SKIP LOCKED")),
                     {{"due_from", due_from}, {"now", now}, {"limit", limit}},
                     row.columns()};
  Statement find_in_turn{connection,
                         std::string(kMessageColumns) +
                             "WHERE id = :id AND due_at <= :now AND (lease_until IS NULL OR lease_until <= :now) AND " +
                             row_is("state", "queued") +
                             std::string(by_dialect(connection, "", " FOR UPDATE SKIP LOCKED")),
                         {{"id", row.id}, {"now", now}},
                         row.columns()};
  Statement walk{connection,
                 "SELECT id, environment_id, due_at, CAST(" + row_order(connection) +
                     " AS TEXT) AS place FROM outbox_message WHERE state = 'queued' AND (due_at, " +
                     row_order(connection) +
                     ") > (:walked_to, :walked_row) AND due_at <= :now AND (lease_until IS NULL OR lease_until <= :now)"
                     " ORDER BY due_at, " +
                     row_order(connection) + " LIMIT :limit",
                 {{"walked_to", walked_to}, {"walked_row", walked_row}, {"now", now}, {"limit", limit}},
                 {&row.id, &row.environment_id, &row.due_at, &next_row}};
  Statement find_leased{
      connection,
      std::string(kMessageColumns) + "WHERE id = :id AND lease_id = :lease_id" + lock_clause(connection),
      {{"id", row.id}, {"lease_id", row.lease_id}},
      row.columns()};
  Statement progress{connection,
                     "UPDATE outbox_message SET state = :state, due_at = :due_at, attempts = :attempts,"
                     " deaths = :deaths, claims = :claims, finished_at = :finished_at, last_error = :last_error,"
                     " lease_id = :lease_id, lease_until = :lease_until WHERE id = :id",
                     row.progress()};

  Statement begin_attempt{
      connection,
      "INSERT INTO attempt (message_id, number, started_at) VALUES (:message_id, :number, :started_at)",
      {{"message_id", attempt.message_id}, {"number", attempt.number}, {"started_at", attempt.started_at}}};
  Statement end_attempt{
      connection,
      "UPDATE attempt SET finished_at = :finished_at, outcome = :outcome, reply_code = :reply_code,"
      " stage = :stage, explanation = :explanation WHERE message_id = :message_id AND number = :number",
      {{"message_id", attempt.message_id},
       {"number", attempt.number},
       {"finished_at", attempt.finished_at},
       {"outcome", attempt.outcome},
       {"reply_code", attempt.reply_code},
       {"stage", attempt.stage},
       {"explanation", attempt.explanation}}};

  Statement find_attempt_before{
      connection,
      "SELECT outcome, reply_code, stage, explanation FROM attempt WHERE message_id = :message_id AND number < :number"
      " ORDER BY number DESC LIMIT 1",
      {{"message_id", attempt.message_id}, {"number", attempt.number}},
      {&attempt.outcome, &attempt.reply_code, &attempt.stage, &attempt.explanation}};
  Statement drop_attempt{connection,
                         "DELETE FROM attempt WHERE message_id = :message_id AND number = :number",
                         {{"message_id", attempt.message_id}, {"number", attempt.number}}};

  // Not what is being tried, waits for its first try, or is held.
  Statement retry_waiting{connection,
                          "UPDATE outbox_message SET due_at = :now, attempts = 0"
                          " WHERE id = :id AND attempts > 0 AND due_at > :now AND due_at < expires_at"
                          " AND lease_id IS NULL AND " +
                              row_is("state", "queued"),
                          {{"id", row.id}, {"now", now}}};

  Statement find_hold{
      connection,
      "SELECT since, next_try_at, tries, outcome, reply_code, stage, explanation FROM mail_hold WHERE singleton = 1",
      {},
      hold.columns()};
  Statement set_hold{connection,
                     "INSERT INTO mail_hold (singleton, since, next_try_at, tries, outcome, reply_code, stage,"
                     " explanation)"
                     " VALUES (1, :since, :next_try_at, :tries, :outcome, :reply_code, :stage, :explanation)"
                     " ON CONFLICT (singleton) DO UPDATE SET since = excluded.since,"
                     " next_try_at = excluded.next_try_at, tries = excluded.tries, outcome = excluded.outcome,"
                     " reply_code = excluded.reply_code, stage = excluded.stage, explanation = excluded.explanation",
                     hold.all()};
  Statement clear_hold{connection, "DELETE FROM mail_hold"};

  void settle(MessageState state, base::Timestamp at) {
    row.state = word(state);
    row.finished_at = to_number(at);
  }

  /// Of the attempt that `attempt` names. What waits may wait for months (its environment is disabled): held again for
  /// the same reason it leaves no row of its own.
  void record_attempt(const domain::DeliveryResult& result, base::Timestamp at) {
    if (result.outcome == DeliveryOutcome::held && find_attempt_before.find() && is_same(attempt, result)) {
      drop_attempt.execute();
      return;
    }
    attempt.finished_at = to_number(at);
    attempt.set(result);
    end_attempt.execute();
  }

  void end_lease() {
    row.lease_id = std::nullopt;
    row.lease_until = std::nullopt;
  }

  /// Loads a due message's row anew (others were loaded since it was found).
  void load(const base::Uuid& id) {
    row.id = id.to_string();
    if (!find.find()) throw domain::StorageFailure("a due message is gone");
  }
};

DeliveryStatements::DeliveryStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
DeliveryStatements::~DeliveryStatements() = default;

std::vector<domain::Lease> DeliveryStatements::find_due(std::uint32_t limit, base::Timestamp now) {
  std::vector<domain::Lease> due;
  prepared_->now = to_number(now);
  prepared_->limit = limit;
  const auto look = [&] { prepared_->find_due.each([&] { due.push_back({{}, prepared_->row.get(), now}); }); };
  look();
  if (due.empty() && std::exchange(prepared_->due_from, kFromTheOldestOn) != kFromTheOldestOn) look();
  // The oldest of the queue are those under way: each claim would pass by all of them again.
  if (!due.empty()) prepared_->due_from = to_number(due.back().message.due_at);
  return due;
}

void DeliveryStatements::walk_on(base::Timestamp now) {
  Prepared& prepared = *prepared_;
  const auto begin = std::chrono::steady_clock::now();
  if (begin < prepared.next_step_at) return;
  prepared.now = to_number(now);
  prepared.limit = kRowsOfStep;
  Number rows = 0;
  Number due_at = prepared.walked_to;
  prepared.walk.each([&] {
    prepared.turns.note(to_uuid(prepared.row.environment_id), to_uuid(prepared.row.id));
    due_at = prepared.row.due_at;
    ++rows;
  });
  prepared.walked_to = due_at;
  if (rows > 0) prepared.walked_row = prepared.next_row;
  if (rows < kRowsOfStep) {
    prepared.turns.end_walk();
    prepared.walked_to = kFromTheOldestOn;
  }
  const auto end = std::chrono::steady_clock::now();
  prepared.next_step_at = end + kPauseInSteps * (end - begin);
}

std::vector<domain::Lease> DeliveryStatements::find_in_turn(base::Timestamp now) {
  Prepared& prepared = *prepared_;
  walk_on(now);
  const auto mail = prepared.turns.take();
  if (!mail) return {};
  prepared.row.id = mail->to_string();
  prepared.now = to_number(now);
  if (!prepared.find_in_turn.find()) return {};
  return {{{}, prepared.row.get(), now}};
}

void DeliveryStatements::begin_transaction() { prepared_->due_from = kFromTheOldestOn; }

std::vector<domain::Lease> DeliveryStatements::claim_due_messages(std::uint32_t limit, base::Timestamp now,
                                                                  base::Timestamp lease_until) {
  std::vector<domain::Lease> leases;
  // Whoever queued ten thousand mails would keep everybody else's waiting until all have left. The other half of the
  // claims goes by age alone, so that nothing depends on the turns.
  bool is_in_turn = std::exchange(prepared_->is_for_turns, !prepared_->is_for_turns);
  for (int round = 0; round < kClaimRounds && leases.size() < limit; ++round) {
    auto due = std::exchange(is_in_turn, false) ? find_in_turn(now) : std::vector<domain::Lease>{};
    if (due.empty()) due = find_due(limit - static_cast<std::uint32_t>(leases.size()), now);
    if (due.empty()) break;
    for (domain::Lease& lease : due) {
      Prepared& prepared = *prepared_;
      MessageRow& row = prepared.row;
      if (due.size() > 1) prepared.load(lease.message.id);  // else it is loaded still
      if (!row.lease_id.null) row.deaths += 1;              // its worker never came back
      prepared.end_lease();

      if (row.deaths >= domain::kDeathsBeforeQuarantine) {
        prepared.settle(MessageState::quarantined, now);
        row.last_error = "The process died each of the " + std::to_string(row.deaths) + " times it was tried.";
      } else if (lease.message.expires_at <= now) {
        prepared.settle(MessageState::failed, now);
        row.last_error = over_time(row.last_error);
      } else {
        lease.id = base::Uuid::random();
        lease.lease_until = lease_until;
        lease.message.deaths = static_cast<std::uint32_t>(row.deaths);
        row.claims += 1;
        row.lease_id = lease.id.to_string();
        row.lease_until = to_number(lease_until);
        prepared.attempt.message_id = row.id;
        prepared.attempt.number = row.claims;
        prepared.attempt.started_at = to_number(now);
        prepared.begin_attempt.execute();
        prepared.turns.served(lease.message.environment_id);
        leases.push_back(std::move(lease));
      }
      prepared.progress.execute();
    }
  }
  return leases;
}

bool DeliveryStatements::finish_attempt(const domain::Lease& lease, const domain::DeliveryResult& result,
                                        std::optional<base::Timestamp> next_attempt, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  MessageRow& row = prepared.row;
  row.id = lease.message.id.to_string();
  row.lease_id = lease.id.to_string();
  if (!prepared.find_leased.find()) return false;

  prepared.attempt.message_id = row.id;
  prepared.attempt.number = row.claims;
  prepared.record_attempt(result, now);

  // Cancelled meanwhile: its link is dead whatever the relay said, unless the mail is out already.
  const bool owed = row.state == word(MessageState::queued);
  row.last_error = result.outcome == DeliveryOutcome::sent ? Text() : result.explanation;
  if (result.outcome != DeliveryOutcome::held) row.attempts += 1;
  switch (result.outcome) {
    case DeliveryOutcome::sent:
      prepared.settle(MessageState::sent, now);
      break;
    case DeliveryOutcome::rejected:
      if (owed) prepared.settle(MessageState::failed, now);
      break;
    case DeliveryOutcome::poisoned:
      if (owed) prepared.settle(MessageState::quarantined, now);
      break;
    case DeliveryOutcome::deferred:
      // Its expiry may have been set anew meanwhile.
      if (owed && (!next_attempt || to_number(*next_attempt) >= row.expires_at))
        prepared.settle(MessageState::failed, now);
      [[fallthrough]];
    case DeliveryOutcome::held:
      if (owed && next_attempt) row.due_at = to_number(*next_attempt);
      break;
  }
  prepared.end_lease();
  prepared.progress.execute();
  return true;
}

bool DeliveryStatements::retry_message(const base::Uuid& id, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  MessageRow& row = prepared.row;
  row.id = id.to_string();
  if (!prepared.find.find()) return false;
  if (row.state == word(MessageState::queued)) {
    prepared.now = to_number(now);
    return prepared.retry_waiting.run() > 0;
  }
  if (row.state != word(MessageState::failed) && row.state != word(MessageState::quarantined)) return false;
  row.state = word(MessageState::queued);
  row.due_at = to_number(now);
  row.attempts = 0;
  row.deaths = 0;
  row.finished_at = std::nullopt;
  prepared.end_lease();
  prepared.progress.execute();
  return true;
}

std::optional<domain::MailHold> DeliveryStatements::find_mail_hold() {
  if (!prepared_->find_hold.find()) return std::nullopt;
  return prepared_->hold.get();
}

void DeliveryStatements::set_mail_hold(const std::optional<domain::MailHold>& hold) {
  if (!hold) {
    prepared_->clear_hold.execute();
    return;
  }
  prepared_->hold.set(*hold);
  prepared_->set_hold.execute();
}

}  // namespace invited::storage
