#include "storage/sql_transaction.h"

namespace invited::storage {

SqlTransaction::SqlTransaction(Connection& connection, Mode mode)
    : connection_(connection),
      mode_(mode),
      locks_(connection),
      ahead_(connection),
      savepoint_(connection, "SAVEPOINT work"),
      release_(connection, "RELEASE SAVEPOINT work"),
      rollback_to_(connection, "ROLLBACK TO SAVEPOINT work"),
      apps_(connection),
      tokens_(connection),
      accounts_(connection),
      invitations_(connection),
      outbox_(connection),
      deliveries_(connection),
      people_(connection),
      refreshes_(connection),
      refresh_calls_(connection, domain::CallKind::refresh),
      webhooks_(connection),
      webhook_calls_(connection, domain::CallKind::webhook),
      records_(connection),
      histories_(connection),
      incarnations_(connection) {}

void SqlTransaction::begin_batch(base::Timestamp now, bool uses_savepoints) {
  forget();
  uses_savepoints_ = uses_savepoints;
  began_ = now;
  memory_.forget();
  locks_.forget();
  ahead_.forget();
  deliveries_.begin_transaction();
}

void SqlTransaction::look_ahead(const std::set<std::string>& invitee_keys) {
  // Works ask for slots of the last day, by clocks that are a moment later than ours.
  ahead_.load(invitee_keys, began_ - std::chrono::hours(25), locks_);
}

void SqlTransaction::look_ahead(const domain::Foresight& foresight) {
  ahead_.forget();
  for (const std::string& key : foresight.invitee_keys) ahead_.load_if_new(key);
}

void SqlTransaction::lock_mailboxes(const std::set<std::string>& invitee_keys) {
  locks_.lock_names("mailbox", mailboxes_of(invitee_keys));
}

void SqlTransaction::writing() {
  if (mode_ == Mode::reading) throw domain::StorageFailure("work that only reads tried to write");
  has_written_ = true;
  if (!has_savepoint_ && uses_savepoints_) begin_with_savepoint();
}

void SqlTransaction::begin_with_savepoint() {
  savepoint_.execute();
  has_savepoint_ = true;
}

void SqlTransaction::lock_mailbox_of(std::string_view email_key) {
  if (mode_ == Mode::reading || connection_.dialect() == Dialect::sqlite) return;  // one writer, nothing to lock
  if (const auto address = domain::EmailAddress::parse(email_key)) lock_name("mailbox", address->mailbox());
}

void SqlTransaction::end_batch() {
  memory_.write_rates([this](std::string_view subject, const domain::RateRecord& seen,
                             const domain::RateRecord& record) { records_.set_rate(subject, seen, record, began_); });
}

void SqlTransaction::keep() {
  memory_.keep_rates();
  has_written_ = false;
  if (!has_savepoint_) return;
  release_.execute();
  has_savepoint_ = false;
}

void SqlTransaction::undo() {
  memory_.undo_rates();
  if (!std::exchange(has_written_, false) && !has_savepoint_) return;
  memory_.forget_rows();
  ahead_.forget();
  if (!has_savepoint_) throw DatabaseFailure(FailureKind::conflict, "a work that wrote was refused");
  locks_.forget();  // those that were taken since the savepoint are given back
  rollback_to_.execute();
  release_.execute();
  has_savepoint_ = false;
}

}  // namespace invited::storage
