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
/// For running a batch again, or its works one by one. Each of them may wait as long as the server lets it.
constexpr std::chrono::seconds kLongestBatch{5};
/// After a failure; a commit that waits for a standby takes longer by itself.
constexpr std::chrono::seconds kProbePause{2};
/// What every invitation writes into: empty changes wait for the same locks, of which one that writes does not tell.
constexpr std::string_view kTables[] = {"account", "audit_event", "invitation", "outbox_message"};

std::set<std::string> foreseen(std::span<Submission* const> batch) {
  std::set<std::string> invitee_keys;
  for (const Submission* submission : batch)
    if (submission->foresight != nullptr)
      invitee_keys.insert(submission->foresight->invitee_keys.begin(), submission->foresight->invitee_keys.end());
  return invitee_keys;
}

/// Whether a failure may be a matter of the moment, and of no single work.
bool is_of_the_moment(FailureKind kind) { return kind != FailureKind::statement && kind != FailureKind::duplicate; }

}  // namespace

PostgresWriter::PostgresWriter(PostgresConnection& connection, const base::Clock& clock,
                               std::function<void()> on_connected)
    : connection_(connection),
      clock_(clock),
      on_connected_(std::move(on_connected)),
      transaction_(connection, SqlTransaction::Mode::writing),
      begin_(connection, connection.begin_write_sql()),
      commit_(connection, "COMMIT"),
      // One row that is always there, changed to what it is: a commit that changes nothing waits for no standby.
      probe_(connection, "UPDATE schema_version SET applied_at = applied_at WHERE version = 3") {}

void PostgresWriter::run(std::span<Submission* const> batch) {
  run_to_the_end(batch);
  judge_health(batch);
}

void PostgresWriter::run_to_the_end(std::span<Submission* const> batch) {
  deadline_ = steady_clock::now() + kLongestBatch;
  is_held_up_ = false;
  if (!is_connected()) {
    refuse_all(batch, unavailable_because(FailureKind::connection));
    return;
  }
  Way way;
  bool has_reconnected = false;
  for (int retries = 0;; ++retries) {
    switch (try_batch(batch, way)) {
      case End::committed:
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
        way.carefully = true;
        // Whoever holds a lock for long would hold up all of the batch, not only the work that needs it.
        way.locks_first = last_failure_ != FailureKind::busy;
        break;
      case End::again:
        way.locks_first = true;
        break;
    }
    if (retries == kMostRetries || is_late()) {
      base::log::warning(
          "storage.conflicts",
          {{"tries", retries + 1}, {"batch", batch.size()}, {"last", std::string(to_string(last_failure_))}});
      refuse_all(batch, unavailable_because(last_failure_));
      return;
    }
    if (retries > 0) std::this_thread::sleep_for(jittered(kFirstPause * (1 << retries)));
  }
}

PostgresWriter::End PostgresWriter::try_batch(std::span<Submission* const> batch, Way way) {
  try {
    begin_.execute();
    transaction_.begin_batch(clock_.now(), /*uses_savepoints=*/way.carefully);
    prepare(batch, way);
    for (Submission* submission : batch)
      way.carefully ? run_carefully(*submission) : run_and_settle(*submission, transaction_);
    transaction_.end_batch();
    connection_.flush();
  } catch (const DatabaseFailure& failure) {
    return undo_after(failure, way.carefully);
  }
  return commit(batch);
}

/// What instances lock in different orders they wait for in a circle: so in one order, for all works at once. For one
/// key alone there is no order, and it would be one look-up more, not fewer.
void PostgresWriter::prepare(std::span<Submission* const> batch, Way way) {
  const std::set<std::string> invitee_keys = foreseen(batch);
  if (invitee_keys.size() <= 1) return;
  if (!way.carefully)
    transaction_.look_ahead(invitee_keys);
  else if (way.locks_first)
    transaction_.lock_mailboxes(invitee_keys), connection_.flush();
}

PostgresWriter::End PostgresWriter::undo_after(const DatabaseFailure& failure, bool carefully) {
  transaction_.forget();
  last_failure_ = failure.kind;
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
  if (!carefully || failure.kind == FailureKind::busy) return End::again_carefully;
  base::log::error("storage.batch_failed", {{"kind", to_string(failure.kind)}, {"reason", failure.what()}});
  return End::failed;
}

void PostgresWriter::run_carefully(Submission& submission) {
  if (is_late()) {
    is_held_up_ = true;
    submission.result = std::unexpected(unavailable_because(FailureKind::busy));
    return;
  }
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
      is_held_up_ = is_held_up_ || is_of_the_moment(failure.kind);
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
  is_held_up_ = true;
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
  return true;
}

void PostgresWriter::judge_health(std::span<Submission* const> batch) {
  const auto is_stored = [](const Submission* submission) { return submission->result.has_value(); };
  const auto is_unknown = [](const Submission* submission) {
    return !submission->result && submission->result.error().code == domain::ErrorCode::outcome_unknown;
  };
  const bool is_any_stored = std::ranges::any_of(batch, is_stored);
  if (std::ranges::any_of(batch, is_unknown) || (is_held_up_ && !is_any_stored)) health_.store(Health::failing);
  // What was stored may have been nothing: that alone does not make it good.
  next_probe_ = steady_clock::now() + (is_any_stored ? std::chrono::seconds(0) : kProbePause);
}

void PostgresWriter::probe() {
  Submission submission;
  domain::Store::Work work = [this](domain::Transaction&) -> domain::Result<void> {
    for (const std::string_view table : kTables)
      Statement(connection_, "UPDATE " + std::string(table) + " SET id = id WHERE FALSE").execute();
    if (probe_.run() == 0) throw DatabaseFailure(FailureKind::statement, "schema_version is empty");
    return {};
  };
  submission.work = &work;
  Submission* batch[] = {&submission};
  run(batch);
  if (submission.result) health_.store(Health::good);
}

void PostgresWriter::rest() {
  if (!is_connected()) return;
  if (health_.load() == Health::failing && steady_clock::now() >= next_probe_) probe();
  if (!is_connected() || steady_clock::now() < next_visit_) return;
  next_visit_ = steady_clock::now() + kVisitInterval;
  try {
    if (on_connected_) on_connected_();
  } catch (const DatabaseFailure& failure) {
    note_lost(failure);
  }
}

}  // namespace invited::storage
