#include "storage/read_pool.h"

#include <chrono>

#include "base/log.h"
#include "storage/connection.h"
#include "storage/sql_transaction.h"
#include "storage/statement.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;

constexpr std::chrono::seconds kLongestWait{5};
constexpr const char* kUnreadable = "The service cannot read its database right now: try again in a moment.";

std::unexpected<domain::Error> refuse(std::string message) {
  return domain::refuse(ErrorCode::unavailable, std::move(message), {}, std::chrono::seconds(1));
}

}  // namespace

struct ReadPool::Reader {
  explicit Reader(std::unique_ptr<Connection> connection_in)
      : connection(std::move(connection_in)),
        transaction(*connection, SqlTransaction::Mode::reading),
        begin(*connection, connection->begin_read_sql()),
        end(*connection, "ROLLBACK") {}

  std::unique_ptr<Connection> connection;
  SqlTransaction transaction;
  Statement begin;
  Statement end;

  /// Opens a connection again that was lost; false while the server is away, of which recover() tells the log.
  bool is_connected() {
    try {
      connection->recover();
      return true;
    } catch (const DatabaseFailure&) {
      return false;
    }
  }

  /// A connection may have been lost while nobody used it, or what it had prepared be of no use any more.
  domain::Result<void> run(domain::Store::Work& work) {
    try {
      return run_once(work);
    } catch (const DatabaseFailure& failure) {
      if (failure.kind != FailureKind::connection) throw;
      connection->recover();
      return run_once(work);
    }
  }

 private:
  domain::Result<void> run_once(domain::Store::Work& work) {
    begin.run();
    domain::Result<void> result;
    try {
      result = work(transaction);
    } catch (...) {
      if (connection->in_transaction()) end.run();
      throw;
    }
    end.run();
    return result;
  }
};

ReadPool::ReadPool(const Open& open, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) free_.push_back(std::make_unique<Reader>(open()));
}

ReadPool::~ReadPool() = default;

std::unique_ptr<ReadPool::Reader> ReadPool::take() {
  std::unique_lock lock(mutex_);
  if (!returned_.wait_for(lock, kLongestWait, [this] { return !free_.empty(); })) return nullptr;
  auto reader = std::move(free_.back());
  free_.pop_back();
  return reader;
}

void ReadPool::give_back(std::unique_ptr<Reader> reader) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(reader));
  }
  returned_.notify_one();
}

domain::Result<void> ReadPool::read(domain::Store::Work& work) {
  auto reader = take();
  if (!reader) return refuse("The service is busy: try again in a moment.");
  domain::Result<void> result;
  try {
    result = reader->is_connected() ? reader->run(work) : refuse(kUnreadable);
  } catch (const std::exception& error) {
    base::log::error("storage.read_failed", {{"reason", error.what()}});
    result = refuse(kUnreadable);
  } catch (...) {
    base::log::error("storage.read_failed", {{"reason", "an unknown exception"}});
    result = refuse("The service failed inside. Tell its operator.");
  }
  give_back(std::move(reader));
  return result;
}

}  // namespace invited::storage
