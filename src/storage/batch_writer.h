// Runs a batch of units of work as one transaction on the writer's connection to SQLite, and tells from the way it
// ended what each caller has to be told: three outcomes, never two (design.md, decision 7). Called by the writer thread
// only, except `health`.
//
// Nearly always no work of a batch fails once it has written. So a batch runs without savepoints first (each makes
// SQLite copy the pages that a work changes), and where a work did fail, all of it is undone and run again with one
// savepoint each, so that only that one is refused.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "storage/connection.h"
#include "storage/group_commit.h"
#include "storage/sql_transaction.h"
#include "storage/statement.h"

namespace invited::storage {

class BatchWriter final : public BatchRunner {
 public:
  /// `on_fatal` is called once, on the writer thread and after the batch's callers were told, when nothing may be
  /// written any more; the process should then exit, to be restarted. The connection outlives this.
  BatchWriter(Connection& connection, std::function<void(std::string_view reason)> on_fatal);

  void run(std::span<Submission* const> batch) override;
  void rest() override;
  void end() override;
  Health health() const override { return health_.load(); }

 private:
  enum class End { settled, again_carefully };

  End try_batch(std::span<Submission* const> batch, bool carefully);
  /// Throws DatabaseFailure where the transaction as a whole is over.
  void run_carefully(Submission& submission);
  /// False: it could not be undone.
  bool undo_for_another_try();
  void commit(std::span<Submission* const> batch);
  /// The batch's transaction is over without a commit: refuses all of it.
  void abandon(std::span<Submission* const> batch, const DatabaseFailure& failure);
  void break_down(const DatabaseFailure& failure);
  void maintain(void (Connection::*what)());
  void tell_if_broken();
  void probe();

  Connection& connection_;
  std::function<void(std::string_view)> on_fatal_;
  SqlTransaction transaction_;
  Statement begin_;
  Statement commit_;
  Statement rollback_;
  Number tries_ = 0;
  Statement probe_;
  std::atomic<Health> health_{Health::good};
  bool failed_for_space_ = false;  ///< the last batch
  bool told_ = false;              ///< on_fatal was called
  std::string reason_;
};

}  // namespace invited::storage
