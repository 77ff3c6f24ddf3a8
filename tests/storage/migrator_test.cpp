#include "storage/migrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "storage/sqlite_connection.h"
#include "storage/sqlite_store.h"
#include "storage/statement.h"
#include "support/manual_clock.h"
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
  // As they stand in SQL.
  const std::string kApp = "'0192aaaa-0000-7000-8000-000000000001'";
  const std::string kRole = "'0192aaaa-0000-4000-8000-000000000002'";
  const std::string kEnvironment = "'0192aaaa-0000-4000-8000-000000000003'";
  const std::string kAccount = "'0192aaaa-0000-7000-8000-000000000004'";
  const std::string kPending = "'0192aaaa-0000-7000-8000-000000000005'";
  const std::string kDeclined = "'0192aaaa-0000-7000-8000-000000000006'";

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

// Schema 4 was in use before schema 5 came: what it had no words for reads as nothing said.
TEST_F(MigratorTest, WhatSchemaFourHeldIsReadByTheStore) {
  {
    auto connection = open();
    const auto all = embedded_migrations("sqlite");
    ASSERT_TRUE(migrate(connection, std::span(all).first(4), test::at(0)));
    const auto insert = [&](const std::string& into, const std::string& values) {
      Statement(connection, "INSERT INTO " + into + " VALUES (" + values + ")").run();
    };
    insert("app (id, name, url, language, created_at)", kApp + ", 'Planner', 'https://a.example/', 'en', 0");
    insert("role (app_id, id, name, created_at)", kApp + ", " + kRole + ", 'User', 0");
    insert("environment (id, app_id, name, disabled, created_at)", kEnvironment + ", " + kApp + ", 'Production', 0, 0");
    insert("account (id, email, email_key, name, password_hash, disabled, created_at)",
           kAccount + ", 'g@x.org', 'g@x.org', 'Grace', 'hash', 0, 0");
    for (const auto& [id, invitee, state, settled] :
         {std::tuple(kPending, "p@x.org", "pending", "NULL"), std::tuple(kDeclined, "d@x.org", "declined", "7000")})
      insert(
          "invitation (id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, state, generation,"
          " created_at, sent_at, expires_at, settled_at)",
          id + ", " + kEnvironment + ", " + kRole + ", " + kAccount + ", '" + invitee + "', '" + invitee + "', '" +
              invitee + "', '" + state + "', 1, 1000, 5000, 9000, " + settled);
    insert("idempotency_record (environment_id, key, request_digest, created_at)",
           kEnvironment + ", 'key', 'digest', 0");
    insert("audit_event (at, actor, action, subject_id, detail)", "0, 'operator', 'app.added', " + kApp + ", ''");
  }
  SqliteOptions options;
  options.path = path_;
  options.watermark_bytes = 0;
  const test::ManualClock clock;
  const auto store = open_sqlite_store(options, clock);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->read([](domain::Transaction& t) -> domain::Result<void> {
    const auto app = t.list_apps().at(0);
    EXPECT_EQ(app.grants, domain::GrantRule::any);
    EXPECT_TRUE(app.redirect_urls.empty());
    const auto role = t.list_roles(app.id).at(0);
    EXPECT_FALSE(role.manages_all);
    EXPECT_TRUE(role.manageable.empty());
    const auto environment = t.list_environments().at(0);
    const base::Timestamp epoch{};
    const auto pending = t.find_pending_invitation(environment.id, "p@x.org").value();
    EXPECT_EQ(pending.updated_at, epoch + std::chrono::seconds(5)) << "last sent";
    EXPECT_EQ(pending.role_ids(), std::vector{role.id});
    EXPECT_EQ(pending.metadata + pending.redirect_url, "");
    EXPECT_EQ(pending.lifetime.count(), 0);
    EXPECT_TRUE(pending.token_id.is_nil());
    domain::InvitationQuery query{.environment_id = environment.id, .now = epoch};
    query.order = domain::InvitationField::updated_at;
    query.condition = domain::InvitationCondition::compare(
        domain::InvitationField::updated_at, domain::Comparison::greater, epoch + std::chrono::seconds(4));
    const auto listed = t.query_invitations(query, {});
    EXPECT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed.at(0).invitee.key(), "d@x.org");
    EXPECT_EQ(listed.at(0).updated_at, epoch + std::chrono::seconds(7)) << "settled";
    const auto known = t.find_idempotency(environment.id, "key").value();
    EXPECT_EQ(known.request_digest, "digest");
    EXPECT_EQ(known.status, 0);
    EXPECT_EQ(known.answer, "");
    EXPECT_TRUE(t.list_audit_events({}).at(0).environment_id.is_nil());
    EXPECT_TRUE(t.list_audit_events_of(environment.id, {}).empty());
    EXPECT_TRUE(t.list_api_tokens(std::nullopt, {}).empty());
    return {};
  }));
}

// Schema 6 was in use before schema 7 came: whom an invitation is for is found by digests from then on.
TEST_F(MigratorTest, WhoWasInvitedUnderSchemaSixIsFound) {
  const test::SampleWorld world;
  SqliteOptions options;
  options.path = path_;
  options.watermark_bytes = 0;
  const test::ManualClock clock;
  const auto pending = world.invitation("guest+1@example.org", test::at(0));
  {
    const auto store = open_sqlite_store(options, clock);
    ASSERT_TRUE((*store)->write([&](domain::Transaction& t) -> domain::Result<void> {
      world.insert_into(t);
      t.insert(pending);
      t.insert(world.message(pending));
      auto declined = world.invitation("guest+1@example.org", test::at(0));
      declined.state = domain::InvitationState::declined;
      t.insert(declined);
      return {};
    }));
  }
  {
    constexpr const char* kOldIndex =
        "CREATE UNIQUE INDEX invitation_by_invitee"
        " ON invitation (mailbox, invitee_key, environment_id, (CASE WHEN state = 'pending' THEN 1 END))";
    auto connection = open();
    for (const char* sql :
         {"DROP TRIGGER invitation_keeps_invitee", "DROP INDEX invitation_by_invitee",
          "ALTER TABLE invitation DROP COLUMN mailbox_digest", "ALTER TABLE invitation DROP COLUMN invitee_digest",
          kOldIndex, "DELETE FROM schema_version WHERE version = 7"})
      Statement(connection, sql).run();
  }
  const auto store = open_sqlite_store(options, clock);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->read([&](domain::Transaction& t) -> domain::Result<void> {
    const auto found = t.find_pending_invitation(world.environment.id, "guest+1@example.org");
    EXPECT_TRUE(found && found->id == pending.id);
    EXPECT_EQ(t.list_invitations({{}, "guest+1@example.org", {}, {}}, {}).size(), 2u);
    EXPECT_EQ(t.list_mailbox_slots("guest@example.org", test::at(-1)).size(), 1u);
    return {};
  }));
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

/// In memory it was as large as the tables that a migration changes: 400 MiB for a million invitations.
TEST_F(MigratorTest, WhatUndoesALargeStatementIsInAFileBesideTheDatabase) {
  static std::string folder;
  folder = folder_.path().string();
  // How many files there the process has open that have no name any more, for SQL.
  static constexpr auto kCountFiles = [](sqlite3_context* context, int, sqlite3_value**) {
    int found = 0;
    for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const std::string name = std::filesystem::read_symlink(descriptor, gone).string();
      if (name.starts_with(folder) && name.ends_with("(deleted)")) ++found;
    }
    sqlite3_result_int(context, found);
  };
  constexpr auto kOpened = [](sqlite3* handle, const char**, const sqlite3_api_routines*) {
    return sqlite3_create_function(handle, "files_without_a_name", 0, SQLITE_UTF8, nullptr, kCountFiles, nullptr,
                                   nullptr);
  };
  auto* const opened = reinterpret_cast<void (*)()>(+kOpened);
  sqlite3_auto_extension(opened);
  auto connection = open();
  sqlite3_cancel_auto_extension(opened);

  const std::string change_all = "UPDATE many SET digest = digest(16, text)";
  const std::string sql =
      "CREATE TABLE many (text TEXT, digest BLOB);\n"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
      " INSERT INTO many SELECT hex(randomblob(500)), NULL FROM n;\n" +
      change_all + ";\nCREATE TABLE seen AS SELECT files_without_a_name() AS files;\n";
  ASSERT_TRUE(migrate(connection, std::vector<Migration>{{1, "0001_large.sqlite.sql", sql}}, test::at(0)));
  EXPECT_EQ(count(connection, "SELECT files FROM seen"), 1);

  Statement(connection, "BEGIN IMMEDIATE").run();
  Statement(connection, change_all).run();
  EXPECT_EQ(count(connection, "SELECT files_without_a_name()"), 0) << "everything else is undone in memory";
  Statement(connection, "ROLLBACK").run();
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
