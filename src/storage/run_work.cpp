#include "storage/run_work.h"

#include "base/log.h"
#include "storage/writer_errors.h"

namespace invited::storage {

void run_work(Submission& submission, SqlTransaction& transaction) {
  try {
    submission.result = (*submission.work)(transaction);
  } catch (const DatabaseFailure&) {
    throw;
  } catch (const std::exception& error) {
    base::log::error("storage.work_failed", {{"reason", error.what()}});
    submission.result = std::unexpected(failed_inside());
  } catch (...) {
    base::log::error("storage.work_failed", {{"reason", "an unknown exception"}});
    submission.result = std::unexpected(failed_inside());
  }
}

void run_and_settle(Submission& submission, SqlTransaction& transaction) {
  run_work(submission, transaction);
  if (submission.result)
    transaction.keep();
  else
    transaction.undo();
}

}  // namespace invited::storage
