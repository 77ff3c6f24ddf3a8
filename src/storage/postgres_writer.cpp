#include "storage/postgres_writer.h"

#include <algorithm>
#include <thread>

#include "base/failpoint.h"
#include "base/log.h"
#include "storage/jitter.h"
#include "storage/run_work.h"
#include "storage/writer_errors.h"

namespace invited::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMostRetries = 3;
/// For one work whose key was taken just now: it will find the other's row.
constexpr int kMostTriesOfOne = 3;
constexpr milliseconds kFirstPause{5};
constexpr std::chrono::seconds kVisitInterval{10};

}  // namespace

PostgresWriter::PostgresWriter(PostgresConnection& connection, const base::Clock& clock,
                               std::function<void()> on_connected)
    : connection_(connection),
      clock_(clock),
      on_connected_(std::move(on_connected)),
      transaction_(connection, SqlTransaction::Mode::writing),
      begin_(connection, connection.begin_write_sql()),
      commit_(connection, "COMMIT") {}

void PostgresWriter::run(std::span<Submission* const> batch) {
  if (!is_connected()) {
    refuse_all(batch, unavailable_because(FailureKind::connection));
    return;
  }
  bool carefully = false;
  bool has_reconnected = false;
  for (int retries = 0;; ++retries) {
    switch (try_batch(batch, carefully)) {
      case End::committed:
        health_.store(Health::good);
        return;
      case End::unknown:
        return;
      case End::failed:
        refuse_all(batch, unavailable_because(FailureKind::statement));
        return;
      case End::lost:
        // Nothing was stored. It may have been away for a moment, while we had nothing to ask.
        if (std::exchange(has_reconnected, true) || !is_connected()) {
          refuse_all(batch, unavailable_because(FailureKind::connection));
          return;
        }
        break;
      case End::again_carefully:
        carefully = true;
        break;
      case End::again:
        break;
    }
    if (retries == kMostRetries) {
      base::log::warning("storage.conflicts", {{"tries", retries + 1}, {"batch", batch.size()}});
      refuse_all(batch, unavailable_because(FailureKind::conflict));
      return;
    }
    if (retries > 0) std::this_thread::sleep_for(jittered(kFirstPause * (1 << retries)));
  }
}

PostgresWriter::End PostgresWriter::try_batch(std::span<Submission* const> batch, bool carefully) {
  try {
    begin_.execute();
    transaction_.begin_batch(clock_.now(), /*uses_savepoints=*/carefully);
    prepare(batch, carefully);
    for (Submission* submission : batch)
      carefully ? run_carefully(*submission) : run_and_settle(*submission, transaction_);
    transaction_.end_batch();
    connection_.flush();
  } catch (const DatabaseFailure& failure) {
    return undo_after(failure, carefully);
  }
  return commit(batch);
}

/// What instances lock in different orders they wait for in a circle: so in one order, for all works at once. For one
/// key alone there is no order, and it would be one look-up more, not fewer.
void PostgresWriter::prepare(std::span<Submission* const> batch, bool carefully) {
  std::set<std::string> invitee_keys;
  for (const Submission* submission : batch)
    if (submission->foresight != nullptr)
      invitee_keys.insert(submission->foresight->invitee_keys.begin(), submission->foresight->invitee_keys.end());
  if (invitee_keys.size() <= 1) return;
  if (carefully)
    transaction_.lock_mailboxes(invitee_keys), connection_.flush();
  else
    transaction_.look_ahead(invitee_keys);
}

PostgresWriter::End PostgresWriter::undo_after(const DatabaseFailure& failure, bool carefully) {
  transaction_.forget();
  if (failure.kind == FailureKind::connection) {
    note_lost(failure);
    return End::lost;
  }
  try {
    connection_.rollback();
  } catch (const DatabaseFailure& second) {
    note_lost(second);
    return End::lost;
  }
  if (failure.kind == FailureKind::conflict) return carefully ? End::again : End::again_carefully;
  if (!carefully) return End::again_carefully;
  base::log::error("storage.batch_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
  return End::failed;
}

void PostgresWriter::run_carefully(Submission& submission) {
  for (int tries = 1;; ++tries) {
    try {
      transaction_.begin_with_savepoint();
      run_work(submission, transaction_);
      if (!submission.result) {
        transaction_.undo();
        return;
      }
      connection_.flush();
      transaction_.keep();
      return;
    } catch (const DatabaseFailure& failure) {
      if (failure.kind == FailureKind::connection || failure.kind == FailureKind::conflict) throw;
      transaction_.undo();
      if (failure.kind == FailureKind::duplicate && tries < kMostTriesOfOne) continue;
      base::log::error("storage.statement_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
      submission.result = std::unexpected(unavailable_because(failure.kind));
      return;
    }
  }
}

PostgresWriter::End PostgresWriter::commit(std::span<Submission* const> batch) {
  std::optional<std::string> doubt;
  try {
    base::failpoint("before_commit");
    static_cast<void>(connection_.take_warning());
    commit_.run();
    // Told to stop waiting for a standby, the server says so in a warning and calls it a success.
    doubt = connection_.take_warning();
    base::failpoint("after_commit");
  } catch (const DatabaseFailure& failure) {
    if (failure.kind != FailureKind::connection) return undo_after(failure, /*carefully=*/true);
    doubt = failure.what();
    note_lost(failure);
  }
  if (!doubt) return End::committed;
  base::log::error("storage.commit_unknown", {{"reason", *doubt}, {"batch", batch.size()}});
  for (Submission* submission : batch)
    if (submission->result) submission->result = std::unexpected(outcome_unknown());
  return End::unknown;
}

void PostgresWriter::refuse_all(std::span<Submission* const> batch, const domain::Error& error) {
  for (Submission* submission : batch) submission->result = std::unexpected(error);
}

void PostgresWriter::note_lost(const DatabaseFailure& failure) {
  base::log::error("storage.connection_lost", {{"reason", failure.what()}});
  health_.store(Health::failing);
}

bool PostgresWriter::is_connected() {
  if (connection_.is_connected()) return true;
  try {
    connection_.recover();
    if (on_connected_) on_connected_();
  } catch (const DatabaseFailure&) {
    return false;
  }
  next_visit_ = steady_clock::now() + kVisitInterval;
  health_.store(Health::good);
  return true;
}

void PostgresWriter::rest() {
  if (!is_connected() || steady_clock::now() < next_visit_) return;
  next_visit_ = steady_clock::now() + kVisitInterval;
  try {
    if (on_connected_) on_connected_();
  } catch (const DatabaseFailure& failure) {
    note_lost(failure);
  }
}

}  // namespace invited::storage
