// Runs a batch of units of work as one transaction on the writer's connection to PostgreSQL, where other instances
// write too, and tells from the way it ended what each caller has to be told. Called by the writer thread only, except
// `health`.
//
// A batch is run in the cheapest way first: no savepoints, and nobody waits for what is only written. Where a work of
// it fails, all of it is undone and run again carefully, one savepoint each, so that only that one is refused. Where
// others got in the way (serialization failure, deadlock, a key that was taken just now) it is run again too, three
// times at most. A lost connection before COMMIT means that nothing was stored; during COMMIT, that it is unknown.
// Neither ends the process: the connection is opened again, with growing pauses.
//
// All that waits queues up behind a batch, so a batch has a deadline: what of it was not run by then is refused. Where
// nothing of a batch could be stored, or its outcome is unknown, health is failing until a commit of our own, tried now
// and then, has succeeded: a connection that stands says nothing about that.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "base/clock.h"
#include "storage/group_commit.h"
#include "storage/postgres_connection.h"
#include "storage/sql_transaction.h"
#include "storage/statement.h"

namespace invited::storage {

class PostgresWriter final : public BatchRunner {
 public:
  /// The connection outlives it; its schema is there. `on_connected` is called on the writer thread after every
  /// reconnection, and now and then; it may use the connection.
  PostgresWriter(PostgresConnection& connection, const base::Clock& clock, std::function<void()> on_connected);

  void run(std::span<Submission* const> batch) override;
  void rest() override;
  Health health() const override { return health_.load(); }

 private:
  enum class End {
    committed,
    unknown,
    again,            ///< others were in the way
    again_carefully,  ///< one of the works failed
    failed,
    lost,  ///< the connection, before COMMIT
  };

  /// How a batch is tried.
  struct Way {
    bool carefully = false;
    bool locks_first = true;  ///< where it runs carefully: all mailboxes that are foreseen, in one order
  };

  void run_to_the_end(std::span<Submission* const> batch);
  End try_batch(std::span<Submission* const> batch, Way way);
  void prepare(std::span<Submission* const> batch, Way way);
  void run_carefully(Submission& submission);
  bool is_late() const { return std::chrono::steady_clock::now() >= deadline_; }
  void judge_health(std::span<Submission* const> batch);
  void probe();
  End commit(std::span<Submission* const> batch);
  End undo_after(const DatabaseFailure& failure, bool carefully);
  void refuse_all(std::span<Submission* const> batch, const domain::Error& error);
  /// False while the server is away.
  bool is_connected();
  void note_lost(const DatabaseFailure& failure);

  PostgresConnection& connection_;
  const base::Clock& clock_;
  std::function<void()> on_connected_;
  SqlTransaction transaction_;
  Statement begin_;
  Statement commit_;
  std::atomic<Health> health_{Health::good};
  std::chrono::steady_clock::time_point next_visit_{};
  std::chrono::steady_clock::time_point deadline_{};  ///< of the batch
  FailureKind last_failure_ = FailureKind::statement;
  bool is_held_up_ = false;  ///< the database refused a work of the batch that it would have taken at another time
  std::chrono::steady_clock::time_point next_probe_{};
  Statement probe_;
};

}  // namespace invited::storage
