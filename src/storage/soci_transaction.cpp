#include "storage/soci_transaction.h"

namespace invited::storage {

SociTransaction::SociTransaction(Connection& connection, Mode mode)
    : mode_(mode),
      savepoint_(connection, "SAVEPOINT work"),
      release_(connection, "RELEASE SAVEPOINT work"),
      rollback_to_(connection, "ROLLBACK TO SAVEPOINT work"),
      apps_(connection),
      accounts_(connection),
      invitations_(connection),
      outbox_(connection),
      people_(connection),
      refreshes_(connection),
      records_(connection),
      histories_(connection) {}

void SociTransaction::writing() {
  if (has_savepoint_) return;
  if (mode_ == Mode::reading) throw domain::StorageFailure("work that only reads tried to write");
  savepoint_.run();
  has_savepoint_ = true;
}

void SociTransaction::end_batch() {
  memory_.write_rates(
      [this](std::string_view subject, const domain::RateRecord& record) { records_.set_rate(subject, record); });
}

void SociTransaction::keep() {
  memory_.keep_rates();
  if (!has_savepoint_) return;
  release_.run();
  has_savepoint_ = false;
}

void SociTransaction::undo() {
  memory_.undo_rates();
  if (!has_savepoint_) return;
  memory_.forget_rows();
  rollback_to_.run();
  release_.run();
  has_savepoint_ = false;
}

}  // namespace invited::storage
