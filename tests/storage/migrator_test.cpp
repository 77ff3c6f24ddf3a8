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

// Schema 1 was in use before schema 2 came: what is owed and what was tried must come along.
TEST_F(MigratorTest, WhatSchemaOneHeldIsThereInTheNewest) {
  auto connection = open();
  const auto all = embedded_migrations("sqlite");
  ASSERT_TRUE(migrate(connection, std::span(all).first(1), test::at(0)));
  for (const char* sql :
       {"INSERT INTO app VALUES (1, 'a', 'Planner', 'https://a.example/', 'en', 0)",
        "INSERT INTO environment (id, app_id, name, disabled, created_at) VALUES ('e', 'a', 'Production', 0, 0)",
        "INSERT INTO account VALUES (1, 'p', 'g@x.org', 'g@x.org', 'Grace', 'hash', 0, 0)",
        "INSERT INTO invitation VALUES (4, 'i', 'e', 'r', 'p', 'n@x.org', 'n@x.org', 'n@x.org', 'pending', 1, 0, 0, 9, "
        "NULL)",
        "INSERT INTO outbox_message VALUES (7, 'm', 'invitation_to_sign_up', 'queued', 'e', 'i', 1, 'n@x.org', "
        "'n@x.org', 'n@x.org', 'en', 'Grace', 'Planner', 'https://a.example/', 'User', 1, 2, 3, 4, 5, 6, 7, NULL, "
        "'busy', 'lease', 8)",
        "INSERT INTO attempt VALUES ('m', 7, 1, NULL, NULL, NULL, NULL, NULL)",
        "INSERT INTO writer_probe VALUES (1, 3)"})
    Statement(connection, sql).run();

  ASSERT_TRUE(migrate(connection, all, test::at(1)));
  EXPECT_EQ(
      count(connection,
            "SELECT count(*) FROM outbox_message WHERE seq = 7 AND id = 'm' AND state = 'queued' AND environment_id "
            "= 'e' AND invitation_id = 'i' AND account_id IS NULL AND due_at = 3 AND attempts = 5 AND deaths = 6 "
            "AND claims = 7 AND last_error = 'busy' AND lease_id = 'lease' AND lease_until = 8"),
      1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM attempt WHERE message_id = 'm' AND number = 7"), 1);
  EXPECT_EQ(count(connection,
                  "SELECT count(*) FROM environment WHERE openid_template = '{public_url}/id?id={account_uuid}' AND "
                  "refresh_url = '' AND refresh_namespace = 'http://home.mendix.com/'"),
            1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM account WHERE name = 'Grace' AND password_generation = 0"), 1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  EXPECT_THROW(Statement(connection, "INSERT INTO attempt VALUES ('nobody', 1, 1, NULL, NULL, NULL, NULL, NULL)").run(),
               DatabaseFailure);
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
