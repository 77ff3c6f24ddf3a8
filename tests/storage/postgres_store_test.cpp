// The store on a PostgreSQL that makes trouble: commits that hang, tables that are locked or altered, other instances.
#include "storage/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <vector>

#include "storage/migrator.h"
#include "storage/postgres_connection.h"
#include "storage/schema_lock.h"
#include "storage/statement.h"
#include "support/postgres_cluster.h"
#include "support/sample_data.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::ErrorCode;
using domain::Result;
using domain::Transaction;
using std::chrono::steady_clock;
using test::at;
using testing::HasSubstr;

template <class Condition>
void wait_until(Condition condition) {
  const auto end = steady_clock::now() + 30s;
  while (!condition()) {
    ASSERT_LT(steady_clock::now(), end) << "waited in vain";
    std::this_thread::sleep_for(5ms);
  }
}

class PostgresStoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!test::PostgresCluster::why_not()) cluster_ = std::make_unique<test::PostgresCluster>();
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  void SetUp() override {
    if (const auto reason = test::PostgresCluster::why_not()) GTEST_SKIP() << *reason;
    options_.url = cluster_->create_database();
    options_.statement_timeout = 500ms;
    options_.lock_timeout = 200ms;
  }

  PostgresStore open() {
    auto opened = open_postgres_store(options_);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  PostgresStore open_with_world() {
    PostgresStore opened = open();
    EXPECT_TRUE(opened.store->write([&](Transaction& t) -> Result<void> {
      world_.insert_into(t);
      return {};
    }));
    return opened;
  }

  Result<void> invite(domain::Store& store, const std::string& email) {
    return store.write([this, email](Transaction& t) { return world_.send_invite(t, email, at(0)); });
  }

  std::string ask(const std::string& sql) const {
    return test::postgres_query(options_.url, sql).at(0).at(0).value_or("");
  }

  /// A connection that is somebody else's, and may rest in a transaction.
  PostgresConnection stranger() const { return PostgresConnection({.url = options_.url, .statement_timeout = 60s}); }
  static void run(Connection& connection, const std::string& sql) { Statement(connection, sql).run(); }

  static void set_standbys(const std::string& names) {
    cluster_->set("synchronous_standby_names", names);
    cluster_->reload();
  }

  static inline std::unique_ptr<test::PostgresCluster> cluster_;
  PostgresOptions options_;
  test::SampleWorld world_;
};

TEST_F(PostgresStoreTest, CommitsThatHangLeaveNothingBehindOnTheServerAndAreNotReady) {
  const auto opened = open_with_world();
  domain::Store& store = *opened.store;
  set_standbys("gone");
  int tries = 0;
  // The server takes up its settings when it likes.
  wait_until([&] { return !invite(store, "first" + std::to_string(++tries) + "@example.com"); });
  // Refused meanwhile, where the connection is not opened anew yet.
  const auto end = steady_clock::now() + 60s;
  const auto comes_to_an_end = [&](const domain::Store::Work& work) {
    for (;;) {
      const auto done = store.write(work);
      EXPECT_FALSE(store.is_ready());
      if (done || done.error().code != ErrorCode::unavailable || steady_clock::now() > end) return done;
      std::this_thread::sleep_for(5ms);
    }
  };
  for (int i = 0; i < 4; ++i) {
    const auto done = comes_to_an_end(
        [&](Transaction& t) { return world_.send_invite(t, "hung" + std::to_string(i) + "@example.com", at(0)); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::outcome_unknown);
    EXPECT_THAT(done.error().message, testing::HasSubstr("call again, a repetition does no harm"));
    // Work that writes nothing waits for no standby, and says nothing about one.
    EXPECT_TRUE(comes_to_an_end([](Transaction&) -> Result<void> { return {}; }));
  }
  // One may be under way: the store tries whether it is over.
  EXPECT_LE(std::stoi(ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")), 1);
  EXPECT_LE(std::stoi(ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'invited'")), 2);

  set_standbys("");
  wait_until([&] { return store.is_ready(); });
  EXPECT_TRUE(invite(store, "after@example.com"));
}

TEST_F(PostgresStoreTest, ALockedTableIsToldSoonAndGetsReadyByItself) {
  const auto opened = open_with_world();
  domain::Store& store = *opened.store;
  auto stranger = this->stranger();
  run(stranger, "BEGIN");
  run(stranger, "LOCK TABLE invitation");
  const auto began = steady_clock::now();
  std::atomic<int> unavailable{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 100; ++i)
      callers.emplace_back([&, i] {
        const auto done = invite(store, "guest" + std::to_string(i) + "@example.com");
        if (!done && done.error().code == ErrorCode::unavailable) ++unavailable;
      });
  }
  EXPECT_EQ(unavailable, 100);
  // The first finds out alone; the others are one batch, or two.
  EXPECT_LT(steady_clock::now() - began, 15s) << "one after the other waits for the lock";
  EXPECT_FALSE(store.is_ready());
  run(stranger, "ROLLBACK");
  wait_until([&] { return store.is_ready(); });
  EXPECT_TRUE(invite(store, "guest1@example.com"));
}

TEST_F(PostgresStoreTest, AnAlteredTableIsWrittenAndReadAtOnce) {
  const auto opened = open_with_world();
  domain::Store& store = *opened.store;
  const auto read = [&] {
    return store.read([&](Transaction& t) -> Result<void> {
      EXPECT_EQ(t.list_apps().size(), 1U);
      EXPECT_TRUE(t.find_app(world_.app.id));
      return {};
    });
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(read());
  ASSERT_TRUE(invite(store, "before@example.com"));
  test::postgres_query(options_.url,
                       "ALTER TABLE app ALTER COLUMN name TYPE varchar(500); "
                       "ALTER TABLE environment ALTER COLUMN name TYPE varchar(500)");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(read());
  const auto written = store.write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(t.find_app(world_.app.id));
    return world_.send_invite(t, "after@example.com", at(0));
  });
  EXPECT_TRUE(written) << written.error().message;
  wait_until([&] { return store.is_ready(); });
}

TEST_F(PostgresStoreTest, WorksForManyInviteesOfTwoInstancesDoNotGetInEachOthersWay) {
  options_.statement_timeout = 4s;
  options_.lock_timeout = 3s;
  const PostgresStore one = open_with_world();
  const PostgresStore two = open();
  constexpr int kCallers = 6, kRounds = 10;
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back("guest" + std::to_string(i) + "@example.com");
  std::atomic<int> runs{0}, failed{0};
  std::barrier start(kCallers);
  {
    std::vector<std::jthread> callers;
    for (int number = 0; number < kCallers; ++number)
      callers.emplace_back([&, number] {
        const auto order = number % 2 == 0 ? keys : std::vector(keys.rbegin(), keys.rend());
        for (int round = 0; round < kRounds; ++round) {
          start.arrive_and_wait();
          // One of them is refused after it wrote, so that its batch runs again, carefully.
          const bool is_refused = number == 0 && round % 2 == 0;
          const auto done = (number % 2 == 0 ? one : two)
                                .store->write(
                                    [&](Transaction& t) -> Result<void> {
                                      ++runs;
                                      for (const std::string& key : order) {
                                        t.find_pending_invitation(world_.environment.id, key);
                                        t.insert(domain::AuditEvent{at(0), "test", "test.seen", world_.app.id, key});
                                      }
                                      if (is_refused) return domain::refuse(ErrorCode::rate_limited, "no");
                                      return {};
                                    },
                                    domain::Urgency::new_work, {.invitee_keys = order});
          if (done.has_value() == is_refused) ++failed;
        }
      });
  }
  EXPECT_EQ(failed, 0);
  // A batch that was refused to one of them ran twice, and no other: half of the rounds, at most three works.
  EXPECT_LE(runs, kCallers * kRounds + kRounds / 2 * kCallers / 2) << "instances wait for each other in a circle";
}

TEST(PostgresMessages, AreOneLineWithoutTabs) {
  PostgresOptions options;
  options.url = "postgresql://invited@127.0.0.1:1/invited";
  const auto refused = open_postgres_store(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("Connection refused Is the server running"));
}

TEST_F(PostgresStoreTest, AnOpeningThatWaitsForAnotherProcessEndsWhenItIsTold) {
  auto stranger = this->stranger();
  Patience patience;
  std::optional<SchemaLock> lock(std::move(*SchemaLock::take(stranger, SchemaLock::Mode::exclusive, patience)));
  int asked = 0;
  options_.gives_up = [&] { return ++asked > 2; };
  const auto opened = open_postgres_store(options_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("Another process changes the schema"));
  EXPECT_EQ(asked, 3);
  lock.reset();
  EXPECT_NO_THROW(open());
}

TEST_F(PostgresStoreTest, NobodyBeginsToUseADatabaseThatAnotherProcessHasForItself) {
  open();
  auto stranger = this->stranger();
  Patience patience;
  const auto lock = SchemaLock::take(stranger, SchemaLock::Mode::exclusive, patience);
  ASSERT_TRUE(lock);
  options_.gives_up = [] { return true; };
  EXPECT_FALSE(open_postgres_store(options_)) << "what is moved into it would be mixed with what it writes";
}

TEST_F(PostgresStoreTest, WhoeverMustNotMigrateWaitsForNobody) {
  const auto all = embedded_migrations("postgresql");
  auto stranger = this->stranger();
  ASSERT_TRUE(migrate(stranger, std::span(all).first(2), at(0)));
  Patience patience;
  const auto lock = SchemaLock::take(stranger, SchemaLock::Mode::exclusive, patience);
  options_.older_schema = OlderSchema::refuse;
  options_.gives_up = [] {
    ADD_FAILURE() << "it waits";
    return true;
  };
  const auto opened = open_postgres_store(options_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().parameter, kSchemaParameter);
}

TEST_F(PostgresStoreTest, AMigrationWaitsForWhoeverUsesATableWithoutHoldingUpOthers) {
  const auto all = embedded_migrations("postgresql");
  auto reader = stranger();
  ASSERT_TRUE(migrate(reader, std::span(all).first(2), at(0)));
  run(reader, "BEGIN");
  run(reader, "LOCK TABLE invitation IN ACCESS SHARE MODE");  // as a dump does
  std::atomic<bool> waits{false}, is_open{false};
  options_.gives_up = [&] {
    waits = true;
    return false;
  };
  std::jthread opening([&] {
    open();
    is_open = true;
  });
  wait_until([&] { return waits.load(); });
  // Behind a migration that waits for the table nobody could read it.
  auto running = PostgresConnection({.url = options_.url, .lock_timeout = 1'500ms});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(running.ask("SELECT count(*) FROM invitation"), "0");
  EXPECT_FALSE(is_open);
  run(reader, "ROLLBACK");
  wait_until([&] { return is_open.load(); });
  EXPECT_EQ(ask("SELECT MAX(version) FROM schema_version"), std::to_string(all.back().version));
}

TEST_F(PostgresStoreTest, ADatabaseThatCannotHoldEveryNameIsRefused) {
  test::postgres_query(cluster_->admin_url(),
                       "CREATE DATABASE latin OWNER invited ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  options_.url = cluster_->url("latin");
  const auto opened = open_postgres_store(options_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("encoding is LATIN1"));
}

}  // namespace
}  // namespace invited::storage
