#include "storage/outbox_statements.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/outbox_rows.h"
#include "storage/row_values.h"

namespace invited::storage {
namespace {

using domain::DeliveryOutcome;
using domain::MessageState;

// Rounds of looking for due messages in one claim, where the ones found were not to be delivered any more: bounds the
// time that a claim takes from the writer. The next claim goes on.
constexpr int kClaimRounds = 8;

constexpr Number kFromTheOldestOn = std::numeric_limits<Number>::min();

Text word(MessageState state) { return Text(domain::to_string(state)); }

std::string over_time(const std::string& last_error) {
  std::string text = "Its time was over before it could be delivered.";
  if (!last_error.empty()) text += " The last attempt: " + last_error;
  return text;
}

}  // namespace

struct OutboxStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  MessageRow row;
  AttemptRow attempt;
  HoldRow hold;
  Number now = 0;
  Number since = 0;
  Number slot = 0;
  NullableNumber newest;
  Number limit = 0;
  Number offset = 0;
  Number due_from = kFromTheOldestOn;

  Statement make_list(std::string_view condition, std::string_view order = "") {
    return {connection,
            std::string(kMessageColumns) + std::string(condition) + "ORDER BY " + std::string(order) +
                row_order(connection) + " DESC LIMIT :limit OFFSET :offset",
            {{"limit", limit}, {"offset", offset}},
            row.columns()};
  }

  Statement insert{
      connection,
      "INSERT INTO outbox_message (id, kind, state, environment_id, invitation_id, account_id, generation,"
      " recipient, recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name, queued_at,"
      " not_before, due_at, expires_at, attempts, deaths, claims, finished_at, last_error)"
      " VALUES (:id, :kind, :state, :environment_id, :invitation_id, :account_id, :generation,"
      " :recipient, :recipient_key, :mailbox, :language, :inviter_name, :app_name, :app_url, :role_name, :queued_at,"
      " :not_before, :due_at, :expires_at, :attempts, :deaths, 0, :finished_at, :last_error)",
      row.all()};
  Statement find{connection, std::string(kMessageColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};
  Statement find_state{connection, "SELECT state FROM outbox_message WHERE id = :id", {{"id", row.id}}, {&row.state}};

  // The words are in the text, not bound: only so do the partial indexes serve.
  Statement list_all = make_list("");
  Statement list_queued = make_list("WHERE state = 'queued' ", "due_at DESC, ");  // in the order of their index
  Statement list_sent = make_list("WHERE state = 'sent' ");
  Statement list_failed = make_list("WHERE state = 'failed' ");
  Statement list_quarantined = make_list("WHERE state = 'quarantined' ");
  Statement list_cancelled = make_list("WHERE state = 'cancelled' ");

  // A mailbox's messages are found through its invitations; notices have none.
  // Mails about passwords are limited by rates of their own.
  Statement list_slots{
      connection,
      // PostgreSQL's planner is not to begin with the mails (see look_ahead.cpp).
      std::string(by_dialect(connection,
                             "SELECT outbox_message.not_before FROM invitation JOIN outbox_message"
                             " ON outbox_message.invitation_id = invitation.id WHERE invitation.mailbox = :mailbox"
                             " AND outbox_message.not_before > :since AND " +
                                 takes_slot("outbox_message."),
                             "SELECT mail.not_before FROM (SELECT id FROM invitation WHERE mailbox = :mailbox OFFSET 0)"
                             " AS invited CROSS JOIN LATERAL (SELECT not_before FROM outbox_message"
                             " WHERE invitation_id = invited.id AND not_before > :since AND " +
                                 takes_slot() + " OFFSET 0) AS mail")) +
          " UNION ALL SELECT not_before FROM outbox_message WHERE kind = 'already_has_access'"
          " AND mailbox = :mailbox AND not_before > :since AND " +
          takes_slot(),
      {{"mailbox", row.mailbox}, {"since", since}},
      {&slot}};
  Statement last_notice{
      connection,
      "SELECT MAX(queued_at) FROM outbox_message WHERE kind = 'already_has_access' AND mailbox = :mailbox"
      " AND environment_id = :environment_id AND recipient_key = :recipient_key",
      {{"mailbox", row.mailbox}, {"environment_id", row.environment_id}, {"recipient_key", row.recipient_key}},
      {&newest}};

  Statement cancel{connection,
                   "UPDATE outbox_message SET state = 'cancelled', finished_at = :now"
                   " WHERE invitation_id = :invitation_id AND " +
                       row_is("state", "queued"),
                   {{"invitation_id", row.invitation_id}, {"now", now}}};
  Statement cancel_one{connection,
                       "UPDATE outbox_message SET state = 'cancelled', finished_at = :now WHERE id = :id AND " +
                           row_is("state", "queued"),
                       {{"id", row.id}, {"now", now}}};
  // The first, while those that are held are still told by their old expiry.
  Statement fail_too_late{connection,
                          "UPDATE outbox_message SET state = 'failed', finished_at = :now, last_error = :last_error"
                          " WHERE invitation_id = :invitation_id AND due_at < expires_at AND due_at >= :expires_at"
                          " AND lease_id IS NULL AND " +
                              row_is("state", "queued"),
                          {{"invitation_id", row.invitation_id},
                           {"expires_at", row.expires_at},
                           {"last_error", row.last_error},
                           {"now", now}}};
  Statement set_expiry{connection,
                       "UPDATE outbox_message SET"
                       " due_at = CASE WHEN due_at >= expires_at THEN :expires_at ELSE due_at END,"
                       " expires_at = :expires_at WHERE invitation_id = :invitation_id AND (" +
                           row_is("state", "queued") + " OR (" + row_is("state", "sent") + " AND expires_at > :now))",
                       {{"invitation_id", row.invitation_id}, {"expires_at", row.expires_at}, {"now", now}}};
  Statement end_older{connection,
                      "UPDATE outbox_message SET expires_at = :now WHERE invitation_id = :invitation_id"
                      " AND generation < :generation AND expires_at > :now AND " +
                          row_is("state", "sent"),
                      {{"invitation_id", row.invitation_id}, {"generation", row.generation}, {"now", now}}};
  Statement hurry{connection,
                  "UPDATE outbox_message SET due_at = CASE WHEN not_before > :now THEN not_before ELSE :now END"
                  " WHERE state = 'queued' AND due_at > :now AND due_at < expires_at"
                  " AND environment_id = :environment_id",
                  {{"environment_id", row.environment_id}, {"now", now}}};
  // Held is: due when its time is over. A claim finds it then, and fails it.
  Statement hold_queued{connection,
                        "UPDATE outbox_message SET due_at = expires_at, last_error = :last_error, lease_id = NULL,"
                        " lease_until = NULL WHERE state = 'queued'",
                        {{"last_error", row.last_error}}};
  Statement release{connection,
                    "UPDATE outbox_message SET due_at = :now, last_error = ''"
                    " WHERE id = :id AND due_at >= expires_at AND " +
                        row_is("state", "queued"),
                    {{"id", row.id}, {"now", now}}};
  // Not what is being tried, waits for its first try, or is held.
  Statement retry_waiting{connection,
                          "UPDATE outbox_message SET due_at = :now, attempts = 0"
                          " WHERE id = :id AND attempts > 0 AND due_at > :now AND due_at < expires_at"
                          " AND lease_id IS NULL AND " +
                              row_is("state", "queued"),
                          {{"id", row.id}, {"now", now}}};
  Statement count_held{
      connection, "SELECT COUNT(*) FROM outbox_message WHERE state = 'queued' AND due_at >= expires_at", {}, {&slot}};
  Statement find_due{connection,
                     std::string(kMessageColumns) +
                         "WHERE state = 'queued' AND due_at >= :due_from AND due_at <= :now AND (lease_until IS NULL "
                         "OR lease_until <= :now)"
                         " ORDER BY due_at, " +
                         row_order(connection) + " LIMIT :limit" +
                         std::string(by_dialect(connection, "", " FOR UPDATE SKIP LOCKED")),
                     {{"due_from", due_from}, {"now", now}, {"limit", limit}},
                     row.columns()};
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

  Statement end_leases{connection,
                       "UPDATE outbox_message SET lease_until = :now WHERE state = 'queued' AND lease_until > :now",
                       {{"now", now}}};

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
  Statement list_of_invitation{
      connection,
      std::string(kMessageColumns) + "WHERE invitation_id = :invitation_id ORDER BY " + row_order(connection),
      {{"invitation_id", row.invitation_id}},
      row.columns()};
  Statement list_attempts{connection,
                          "SELECT number, started_at, finished_at, outcome, reply_code, stage, explanation FROM attempt"
                          " WHERE message_id = :message_id ORDER BY number",
                          {{"message_id", attempt.message_id}},
                          {&attempt.number, &attempt.started_at, &attempt.finished_at, &attempt.outcome,
                           &attempt.reply_code, &attempt.stage, &attempt.explanation}};

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

  Statement& list_of(std::optional<MessageState> state) {
    if (!state) return list_all;
    switch (*state) {
      case MessageState::queued:
        return list_queued;
      case MessageState::sent:
        return list_sent;
      case MessageState::failed:
        return list_failed;
      case MessageState::quarantined:
        return list_quarantined;
      case MessageState::cancelled:
        return list_cancelled;
    }
    return list_all;
  }

  void settle(MessageState state, base::Timestamp at) {
    row.state = word(state);
    row.finished_at = to_number(at);
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

OutboxStatements::OutboxStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
OutboxStatements::~OutboxStatements() = default;

void OutboxStatements::insert(const domain::OutboxMessage& message) {
  prepared_->row.set(message);
  prepared_->insert.execute();
}

std::optional<domain::OutboxMessage> OutboxStatements::find_message(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  if (!prepared_->find.find()) return std::nullopt;
  return prepared_->row.get();
}

std::optional<MessageState> OutboxStatements::find_message_state(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  if (!prepared_->find_state.find()) return std::nullopt;
  return domain::parse_message_state(prepared_->row.state);
}

std::vector<domain::OutboxMessage> OutboxStatements::list_messages(std::optional<MessageState> state,
                                                                   const domain::Page& page) {
  std::vector<domain::OutboxMessage> messages;
  prepared_->limit = page.limit;
  prepared_->offset = page.offset;
  prepared_->list_of(state).each([&] { messages.push_back(prepared_->row.get()); });
  return messages;
}

std::vector<domain::OutboxMessage> OutboxStatements::list_messages_of(const base::Uuid& invitation_id) {
  std::vector<domain::OutboxMessage> messages;
  set(prepared_->row.invitation_id, invitation_id);
  prepared_->list_of_invitation.each([&] { messages.push_back(prepared_->row.get()); });
  return messages;
}

std::vector<domain::Attempt> OutboxStatements::list_attempts(const base::Uuid& message_id) {
  std::vector<domain::Attempt> attempts;
  prepared_->attempt.message_id = message_id.to_string();
  prepared_->list_attempts.each([&] { attempts.push_back(prepared_->attempt.get()); });
  return attempts;
}

std::vector<base::Timestamp> OutboxStatements::list_mailbox_slots(std::string_view mailbox, base::Timestamp since) {
  std::vector<base::Timestamp> slots;
  prepared_->row.mailbox = mailbox;
  prepared_->since = to_number(since);
  prepared_->list_slots.each([&] { slots.push_back(to_time(prepared_->slot)); });
  std::ranges::sort(slots);
  return slots;
}

std::optional<base::Timestamp> OutboxStatements::last_notice_at(const base::Uuid& environment_id,
                                                                std::string_view recipient_key) {
  prepared_->row.environment_id = environment_id.to_string();
  const auto address = domain::EmailAddress::parse(recipient_key);
  if (!address) return std::nullopt;
  prepared_->row.recipient_key = recipient_key;
  prepared_->row.mailbox = address->mailbox();
  prepared_->last_notice.find();
  return to_optional_time(prepared_->newest);
}

void OutboxStatements::cancel_messages(const base::Uuid& invitation_id, base::Timestamp now) {
  prepared_->row.invitation_id = invitation_id.to_string();
  prepared_->now = to_number(now);
  prepared_->cancel.execute();
}

bool OutboxStatements::cancel_message(const base::Uuid& id, base::Timestamp now) {
  prepared_->row.id = id.to_string();
  prepared_->now = to_number(now);
  return prepared_->cancel_one.run() > 0;
}

std::uint64_t OutboxStatements::set_expiry_of_messages(const base::Uuid& invitation_id, base::Timestamp expires_at,
                                                       base::Timestamp now) {
  MessageRow& row = prepared_->row;
  set(row.invitation_id, invitation_id);
  row.expires_at = to_number(expires_at);
  row.last_error = "The invitation is to end before this mail could be sent.";
  prepared_->now = to_number(now);
  const auto failed = prepared_->fail_too_late.run();
  prepared_->set_expiry.execute();
  return static_cast<std::uint64_t>(failed);
}

void OutboxStatements::end_older_links(const base::Uuid& invitation_id, std::uint32_t generation, base::Timestamp now) {
  set(prepared_->row.invitation_id, invitation_id);
  prepared_->row.generation = generation;
  prepared_->now = to_number(now);
  prepared_->end_older.execute();
}

void OutboxStatements::hurry_messages(const base::Uuid& environment_id, base::Timestamp now) {
  set(prepared_->row.environment_id, environment_id);
  prepared_->now = to_number(now);
  prepared_->hurry.execute();
}

std::uint64_t OutboxStatements::hold_queued_messages(std::string_view reason) {
  prepared_->row.last_error = reason;
  return static_cast<std::uint64_t>(prepared_->hold_queued.run());
}

bool OutboxStatements::release_message(const base::Uuid& id, base::Timestamp now) {
  prepared_->row.id = id.to_string();
  prepared_->now = to_number(now);
  return prepared_->release.run() > 0;
}

std::uint64_t OutboxStatements::count_held_messages() {
  prepared_->count_held.find();
  return static_cast<std::uint64_t>(prepared_->slot);
}

std::vector<domain::Lease> OutboxStatements::find_due(std::uint32_t limit, base::Timestamp now) {
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

void OutboxStatements::begin_transaction() { prepared_->due_from = kFromTheOldestOn; }

std::vector<domain::Lease> OutboxStatements::claim_due_messages(std::uint32_t limit, base::Timestamp now,
                                                                base::Timestamp lease_until) {
  std::vector<domain::Lease> leases;
  for (int round = 0; round < kClaimRounds && leases.size() < limit; ++round) {
    auto due = find_due(limit - static_cast<std::uint32_t>(leases.size()), now);
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
        leases.push_back(std::move(lease));
      }
      prepared.progress.execute();
    }
  }
  return leases;
}

bool OutboxStatements::finish_attempt(const domain::Lease& lease, const domain::DeliveryResult& result,
                                      std::optional<base::Timestamp> next_attempt, base::Timestamp now) {
  Prepared& prepared = *prepared_;
  MessageRow& row = prepared.row;
  row.id = lease.message.id.to_string();
  row.lease_id = lease.id.to_string();
  if (!prepared.find_leased.find()) return false;

  prepared.attempt.message_id = row.id;
  prepared.attempt.number = row.claims;
  prepared.attempt.finished_at = to_number(now);
  prepared.attempt.set(result);
  prepared.end_attempt.execute();

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

bool OutboxStatements::retry_message(const base::Uuid& id, base::Timestamp now) {
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

long long OutboxStatements::end_all_leases(base::Timestamp now) {
  prepared_->now = to_number(now);
  return prepared_->end_leases.run();
}

std::optional<domain::MailHold> OutboxStatements::find_mail_hold() {
  if (!prepared_->find_hold.find()) return std::nullopt;
  return prepared_->hold.get();
}

void OutboxStatements::set_mail_hold(const std::optional<domain::MailHold>& hold) {
  if (!hold) {
    prepared_->clear_hold.execute();
    return;
  }
  prepared_->hold.set(*hold);
  prepared_->set_hold.execute();
}

}  // namespace invited::storage
