#include "storage/batch_writer.h"

#include <utility>

#include "base/failpoint.h"
#include "base/log.h"
#include "storage/run_work.h"
#include "storage/writer_errors.h"

namespace invited::storage {
namespace {

/// Whether nothing may be written any more: an fsync that failed is never tried again, and what is written into damaged
/// files makes them worse.
bool is_the_end(FailureKind kind) { return kind == FailureKind::sync || kind == FailureKind::damaged; }

/// Whether it was a work's own doing: the next one, and another try, need not fare the same.
bool is_of_one_work(FailureKind kind) { return kind == FailureKind::statement || kind == FailureKind::conflict; }

/// Whether a failed COMMIT left nothing behind for certain. A full disk cuts the commit record short, and a short one
/// does not count; any other error may come after the record was written.
bool is_surely_undone(FailureKind kind) {
  return kind == FailureKind::no_space || kind == FailureKind::busy || kind == FailureKind::statement;
}

}  // namespace

BatchWriter::BatchWriter(Connection& connection, std::function<void(std::string_view)> on_fatal)
    : connection_(connection),
      on_fatal_(std::move(on_fatal)),
      transaction_(connection, SqlTransaction::Mode::writing),
      begin_(connection, connection.begin_write_sql()),
      commit_(connection, "COMMIT"),
      rollback_(connection, "ROLLBACK"),
      probe_(connection,
             "INSERT INTO writer_probe (singleton, tries, ballast) VALUES (1, :tries, randomblob(65536))"
             " ON CONFLICT (singleton) DO UPDATE SET tries = excluded.tries, ballast = excluded.ballast",
             {{"tries", tries_}}) {}

void BatchWriter::run(std::span<Submission* const> batch) {
  if (health_.load() == Health::broken) {
    for (Submission* submission : batch)
      submission->result = std::unexpected(unavailable("Nothing can be stored until the service has been restarted."));
    return;
  }
  if (try_batch(batch, /*carefully=*/false) == End::again_carefully) try_batch(batch, /*carefully=*/true);
}

BatchWriter::End BatchWriter::try_batch(std::span<Submission* const> batch, bool carefully) {
  try {
    begin_.run();
    transaction_.begin_batch(base::Timestamp{}, /*uses_savepoints=*/carefully);
    for (Submission* submission : batch) {
      if (submission->foresight != nullptr) transaction_.look_ahead(*submission->foresight);
      carefully ? run_carefully(*submission) : run_and_settle(*submission, transaction_);
    }
    transaction_.end_batch();
  } catch (const DatabaseFailure& failure) {
    if (!carefully && is_of_one_work(failure.kind) && undo_for_another_try()) return End::again_carefully;
    abandon(batch, failure);
    return End::settled;
  }
  commit(batch);
  return End::settled;
}

void BatchWriter::run_carefully(Submission& submission) {
  try {
    run_and_settle(submission, transaction_);
  } catch (const DatabaseFailure& failure) {
    // Others than the work's own may have taken more with them than this work.
    if (!is_of_one_work(failure.kind) || !connection_.in_transaction()) throw;
    base::log::error("storage.statement_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
    submission.result = std::unexpected(unavailable_because(failure.kind));
    transaction_.undo();
  }
}

bool BatchWriter::undo_for_another_try() {
  transaction_.forget();
  try {
    if (connection_.in_transaction()) rollback_.run();
    return true;
  } catch (const DatabaseFailure&) {
    return false;  // abandon() tries again, and ends it where that fails too
  }
}

void BatchWriter::commit(std::span<Submission* const> batch) {
  try {
    base::failpoint("before_commit");
    commit_.run();
    connection_.expect_in_place();
    base::failpoint("after_commit");
    health_.store(Health::good);
    failed_for_space_ = false;
  } catch (const DatabaseFailure& failure) {
    if (is_surely_undone(failure.kind)) {
      abandon(batch, failure);
      return;
    }
    base::log::error("storage.commit_unknown",
                     {{"kind", to_string(failure.kind)}, {"reason", failure.what()}, {"batch", batch.size()}});
    for (Submission* submission : batch)
      if (submission->result) submission->result = std::unexpected(outcome_unknown());
    break_down(failure);
  }
}

void BatchWriter::abandon(std::span<Submission* const> batch, const DatabaseFailure& failure) {
  base::log::error("storage.batch_failed",
                   {{"kind", to_string(failure.kind)}, {"reason", failure.what()}, {"batch", batch.size()}});
  // What a work itself refused stays so: nothing of it was to be stored anyway. But every answer rested on what the
  // transaction saw, which is gone.
  for (Submission* submission : batch) submission->result = std::unexpected(unavailable_because(failure.kind));
  transaction_.forget();
  health_.store(Health::failing);
  failed_for_space_ = failure.kind == FailureKind::no_space;
  if (is_the_end(failure.kind)) {
    break_down(failure);
    return;
  }
  try {
    if (connection_.in_transaction()) rollback_.run();
  } catch (const DatabaseFailure& second) {
    break_down(second);
  }
}

void BatchWriter::break_down(const DatabaseFailure& failure) {
  reason_ = failure.what();
  health_.store(Health::broken);
  base::log::error(
      "storage.broken",
      {{"kind", to_string(failure.kind)},
       {"reason", failure.what()},
       {"remedy", failure.kind == FailureKind::damaged
                      ? "invited check tells what is damaged; restore a backup where something is"
                      : "look for the disk's errors in the kernel's log; what was acknowledged is stored"}});
}

void BatchWriter::rest() {
  if (health_.load() == Health::failing) {
    if (failed_for_space_) maintain(&Connection::make_space);
    probe();
  }
  if (health_.load() == Health::good) maintain(&Connection::maintain);
  tell_if_broken();
}

void BatchWriter::end() {
  if (health_.load() != Health::broken) maintain(&Connection::end_maintenance);
  tell_if_broken();
}

void BatchWriter::maintain(void (Connection::*what)()) {
  try {
    (connection_.*what)();
  } catch (const DatabaseFailure& failure) {
    // What was acknowledged is in the log, synced.
    if (is_the_end(failure.kind))
      break_down(failure);
    else
      base::log::error("storage.maintenance_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
  }
}

void BatchWriter::tell_if_broken() {
  if (health_.load() != Health::broken || std::exchange(told_, true)) return;
  if (on_fatal_) on_fatal_(reason_);
}

void BatchWriter::probe() {
  Submission submission;
  domain::Store::Work work = [this](domain::Transaction&) -> domain::Result<void> {
    ++tries_;
    probe_.run();
    return {};
  };
  submission.work = &work;
  Submission* batch[] = {&submission};
  run(batch);
}

}  // namespace invited::storage
