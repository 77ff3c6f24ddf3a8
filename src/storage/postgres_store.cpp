#include "storage/postgres_store.h"

#include <utility>

#include "storage/database_clock.h"
#include "storage/group_commit.h"
#include "storage/migrator.h"
#include "storage/postgres_checks.h"
#include "storage/postgres_connection.h"
#include "storage/postgres_writer.h"
#include "storage/read_pool.h"
#include "storage/schema_lock.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;

class PostgresStoreImplementation final : public domain::Store {
 public:
  PostgresStoreImplementation(std::unique_ptr<PostgresConnection> writer, DatabaseClock& clock,
                              const ReadPool::Open& open_reader, const PostgresOptions& options)
      : connection_(std::move(writer)),
        reads_(open_reader, options.readers),
        batches_(*connection_, clock, [this, &clock] { synchronise(clock); }),
        // Undivided: a table that somebody has locked is waited for by each batch, one after the other.
        writes_(batches_, {options.queue_limit, options.batch_limit, options.begun_limit, options.batch_limit}) {}

  domain::Result<void> write(Work work, domain::Urgency urgency, const domain::Foresight& foresight) override {
    return writes_.submit(work, urgency, foresight);
  }
  void begin_write(Work work, domain::Urgency urgency, const domain::Foresight& foresight, Done done) override {
    writes_.begin(std::move(work), urgency, foresight, std::move(done));
  }
  domain::Result<void> read(Work work) override { return reads_.read(work); }
  bool is_ready() const override { return writes_.is_ready(); }
  void drain() override { writes_.drain(); }

 private:
  void synchronise(DatabaseClock& clock) {
    const auto [time, took] = connection_->ask_clock();
    clock.set(time, took);
  }

  // Destroyed from the last to the first: the writer thread ends, then the connections close.
  std::unique_ptr<PostgresConnection> connection_;
  ReadPool reads_;
  PostgresWriter batches_;
  GroupCommit writes_;
};

/// Where nothing is to be migrated, nobody else who begins to use it is waited for, but for one who has it for itself.
domain::Result<void> bring_up_to_date(PostgresConnection& connection, base::Timestamp now,
                                      const PostgresOptions& options) {
  const auto migrations = embedded_migrations("postgresql");
  const auto is_done = is_migrated(connection, migrations, options.older_schema);
  if (!is_done) return std::unexpected(is_done.error());
  Patience patience(options.gives_up);
  const auto lock =
      SchemaLock::take(connection, *is_done ? SchemaLock::Mode::shared : SchemaLock::Mode::exclusive, patience);
  if (!lock) return std::unexpected(lock.error());
  return *is_done ? domain::Result<void>() : migrate(connection, migrations, now, options.older_schema, &patience);
}

}  // namespace

domain::Result<PostgresStore> open_postgres_store(const PostgresOptions& options) {
  try {
    PostgresConnection::Settings settings{
        .url = options.url, .statement_timeout = options.statement_timeout, .lock_timeout = options.lock_timeout};
    auto writer = std::make_unique<PostgresConnection>(settings);
    if (auto checked = check_durability(*writer, options.allow_unsafe); !checked)
      return std::unexpected(std::move(checked.error()));
    if (auto checked = check_encoding(*writer); !checked) return std::unexpected(std::move(checked.error()));
    auto clock = std::make_unique<DatabaseClock>();
    const auto [time, took] = writer->ask_clock();
    clock->set(time, took);
    if (auto migrated = bring_up_to_date(*writer, clock->now(), options); !migrated)
      return std::unexpected(std::move(migrated.error()));
    settings.application_name = "invited (reads)";
    const auto open_reader = [&]() -> std::unique_ptr<Connection> {
      return std::make_unique<PostgresConnection>(settings);
    };
    auto store = std::make_unique<PostgresStoreImplementation>(std::move(writer), *clock, open_reader, options);
    return PostgresStore{std::move(clock), std::move(store)};
  } catch (const DatabaseFailure& failure) {
    return domain::refuse(ErrorCode::unavailable,
                          std::string("The PostgreSQL database of the setting `database` cannot be used: ") +
                              failure.what() + ". See that the server runs, takes connections from here and writes.");
  }
}

}  // namespace invited::storage
