#include "storage/outbox_statements.h"

#include <algorithm>

#include "storage/invitation_row.h"
#include "storage/outbox_rows.h"
#include "storage/row_values.h"

namespace invited::storage {
namespace {

using domain::MessageState;

}  // namespace

struct OutboxStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  MessageRow row;
  AttemptRow attempt;
  Number now = 0;
  Number since = 0;
  Number slot = 0;
  NullableNumber newest;
  Number limit = 0;
  Number offset = 0;

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
                             " ON outbox_message.invitation_id = invitation.id WHERE " +
                                 of_mailbox(connection) + " AND outbox_message.not_before > :since AND " +
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
  Statement count_held{
      connection, "SELECT COUNT(*) FROM outbox_message WHERE state = 'queued' AND due_at >= expires_at", {}, {&slot}};
  Statement end_leases{connection,
                       "UPDATE outbox_message SET lease_until = :now WHERE state = 'queued' AND lease_until > :now",
                       {{"now", now}}};

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

long long OutboxStatements::end_all_leases(base::Timestamp now) {
  prepared_->now = to_number(now);
  return prepared_->end_leases.run();
}

}  // namespace invited::storage
