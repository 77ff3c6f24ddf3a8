// The stores that the contract suite runs on, and what its tests share: a fresh store for each test with one app, role,
// environment and inviter in it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/postgres_cluster.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited::storage {

/// A store and what it lives in.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual domain::Store& store() = 0;
  /// Closes it and opens it anew: what was durable is there.
  virtual void reopen() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  std::function<std::optional<std::string>()> why_not;  ///< why there can be none on this machine
};

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() { reopen(); }

  domain::Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    SqliteOptions options;
    options.path = folder_ / "invited.db";
    options.watermark_bytes = 0;
    auto opened = open_sqlite_store(options, clock_);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 private:
  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  test::ManualClock clock_;
  std::unique_ptr<domain::Store> store_;
};

class PostgresUnderTest final : public StoreUnderTest {
 public:
  PostgresUnderTest() { reopen(); }

  const std::string& url() const { return database_.url(); }
  domain::Store& store() override { return *opened_.store; }
  void reopen() override {
    opened_.store.reset();
    PostgresOptions options;
    options.url = database_.url();
    auto opened = open_postgres_store(options);
    if (!opened) throw std::runtime_error(opened.error().message);
    opened_ = std::move(*opened);
  }

 private:
  test::PostgresDatabase database_;
  PostgresStore opened_;
};

inline const StoreFactory kSqlite{"Sqlite", [] { return std::make_unique<SqliteUnderTest>(); },
                                  [] { return std::optional<std::string>(); }};
inline const StoreFactory kPostgres{"Postgres", [] { return std::make_unique<PostgresUnderTest>(); },
                                    test::PostgresCluster::why_not};

/// In test names and messages, in place of the object's bytes.
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

class StoreContractTest : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    if (const auto reason = GetParam().why_not()) GTEST_SKIP() << *reason;
    under_test_ = GetParam().make();
    write([&](domain::Transaction& t) { world_.insert_into(t); });
  }

  domain::Store& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }

  /// Runs `work` in one transaction and expects it to be stored.
  void write(const std::function<void(domain::Transaction&)>& work) {
    const auto done = store().write([&](domain::Transaction& t) -> domain::Result<void> {
      work(t);
      return {};
    });
    ASSERT_TRUE(done) << done.error().message;
  }

  /// What `query` finds, on a snapshot.
  template <class Query>
  auto read(Query query) {
    using Found = std::invoke_result_t<Query, domain::Transaction&>;
    auto found =
        domain::read_returning(store(), [&](domain::Transaction& t) -> domain::Result<Found> { return query(t); });
    if (!found) throw std::runtime_error(found.error().message);
    return *std::move(found);
  }

  /// Stores an invitation with its mail.
  std::pair<domain::Invitation, domain::OutboxMessage> invite(std::string_view email, base::Timestamp now) {
    const auto invitation = world_.invitation(email, now);
    const auto message = world_.message(invitation);
    write([&](domain::Transaction& t) {
      t.insert(invitation);
      t.insert(message);
    });
    return {invitation, message};
  }

  domain::OutboxMessage message(const base::Uuid& id) {
    return read([&](domain::Transaction& t) { return t.find_message(id); }).value();
  }

  test::SampleWorld world_;
  std::unique_ptr<StoreUnderTest> under_test_;
};

inline std::string name_of(const testing::TestParamInfo<StoreFactory>& info) { return info.param.name; }

}  // namespace invited::storage
