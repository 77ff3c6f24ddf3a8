#include "storage/migrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited::storage {
namespace {

using testing::HasSubstr;

class MigratorTest : public testing::Test {
 protected:
  SqliteConnection open() { return SqliteConnection(path_, SqliteConnection::Role::writer); }

  static long long count(Connection& connection, std::string_view sql) {
    Number number = 0;
    Statement(connection, sql, {}, {&number}).find();
    return number;
  }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  const std::string path_ = folder_ / "invited.db";
  const Migration one_{1, "0001_one.sqlite.sql",
                       "-- first\nCREATE TABLE one (id INTEGER);\n\nCREATE TABLE two (id INTEGER);\n"};
  const Migration two_{2, "0002_two.sqlite.sql",
                       "INSERT INTO one (id) VALUES (7);\nALTER TABLE two ADD COLUMN extra TEXT;\n"};
};

TEST_F(MigratorTest, TheEmbeddedMigrationsAreNumberedWithoutGaps) {
  const auto migrations = embedded_migrations("sqlite");
  ASSERT_FALSE(migrations.empty());
  for (std::size_t i = 0; i < migrations.size(); ++i) EXPECT_EQ(migrations[i].version, static_cast<int>(i) + 1);
  EXPECT_TRUE(embedded_migrations("no such dialect").empty());
}

TEST_F(MigratorTest, WhatIsMissingIsAppliedOnce) {
  auto connection = open();
  ASSERT_TRUE(migrate(connection, std::vector{one_}, test::at(0)));
  ASSERT_TRUE(migrate(connection, std::vector{one_, two_}, test::at(1)));
  ASSERT_TRUE(migrate(connection, std::vector{one_, two_}, test::at(2)));
  EXPECT_EQ(count(connection, "SELECT count(*) FROM one"), 1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM schema_version"), 2);
  EXPECT_EQ(count(connection, "SELECT applied_at FROM schema_version WHERE version = 2"),
            test::at(1).time_since_epoch().count());
}

TEST_F(MigratorTest, ANewerSchemaIsRefusedWithBothVersionsNamed) {
  auto connection = open();
  ASSERT_TRUE(migrate(connection, std::vector{one_, two_}, test::at(0)));
  const auto refused = migrate(connection, std::vector{one_}, test::at(1));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("schema version 2"));
  EXPECT_THAT(refused.error().message, HasSubstr("up to 1"));
}

TEST_F(MigratorTest, AMigrationThatFailsLeavesNothingBehindAndIsNamed) {
  auto connection = open();
  const Migration bad{2, "0002_bad.sqlite.sql", "CREATE TABLE three (id INTEGER);\nINSERT INTO nowhere VALUES (1);\n"};
  const auto refused = migrate(connection, std::vector{one_, bad}, test::at(0));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("0002_bad.sqlite.sql"));
  EXPECT_EQ(count(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'three'"), 0);
  EXPECT_EQ(count(connection, "SELECT max(version) FROM schema_version"), 1);
  EXPECT_TRUE(migrate(connection, std::vector{one_, two_}, test::at(1)));
}

}  // namespace
}  // namespace invited::storage
