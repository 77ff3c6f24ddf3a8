#include "storage/postgres_store.h"

#include <utility>

#include "storage/database_clock.h"
#include "storage/group_commit.h"
#include "storage/migrator.h"
#include "storage/postgres_checks.h"
#include "storage/postgres_connection.h"
#include "storage/postgres_writer.h"
#include "storage/read_pool.h"

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
        writes_(batches_, {options.queue_limit, options.batch_limit, options.begun_limit}) {}

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

domain::Result<void> migrate_alone(PostgresConnection& connection, base::Timestamp now, OlderSchema older) {
  connection.lock_schema();
  auto migrated = migrate(connection, embedded_migrations("postgresql"), now, older);
  connection.unlock_schema();
  return migrated;
}

}  // namespace

domain::Result<PostgresStore> open_postgres_store(const PostgresOptions& options) {
  try {
    const auto silence = std::make_shared<ServerSilence>();
    auto writer =
        std::make_unique<PostgresConnection>(PostgresConnection::Settings{.url = options.url, .silence = silence});
    if (auto checked = check_durability(*writer, options.allow_unsafe); !checked)
      return std::unexpected(std::move(checked.error()));
    auto clock = std::make_unique<DatabaseClock>();
    const auto [time, took] = writer->ask_clock();
    clock->set(time, took);
    if (auto migrated = migrate_alone(*writer, clock->now(), options.older_schema); !migrated)
      return std::unexpected(std::move(migrated.error()));
    const auto open_reader = [&]() -> std::unique_ptr<Connection> {
      return std::make_unique<PostgresConnection>(
          PostgresConnection::Settings{.url = options.url, .application_name = "invited (reads)", .silence = silence});
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
