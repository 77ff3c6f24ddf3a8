// The values by which SQLite finds invitations, and that they only find: the texts decide.
#include "storage/sqlite_digest.h"

#include <sqlite3.h>

#include <set>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::Transaction;
using testing::HasSubstr;

class SqliteDigestTest : public testing::Test {
 protected:
  SqliteDigestTest() {
    options_.path = folder_ / "invited.db";
    options_.watermark_bytes = 0;
  }

  auto open() { return open_sqlite_store(options_, clock_); }

  /// What an operator types into a shell: its error, or nothing.
  std::string type(const std::string& sql) const {
    sqlite3* shell = nullptr;
    EXPECT_EQ(sqlite3_open(options_.path.c_str(), &shell), SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(shell, sql.c_str(), nullptr, nullptr, &error);
    std::string said = error == nullptr ? "" : error;
    sqlite3_free(error);
    sqlite3_close(shell);
    return said;
  }

  /// In hexadecimal digits, or "error".
  static std::string digest(const std::string& arguments) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
    add_digest_function(database);
    std::string answer = "error";
    const auto take = [](void* target, int, char** values, char**) {
      *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    sqlite3_exec(database, ("SELECT hex(digest(" + arguments + "))").c_str(), take, &answer, nullptr);
    sqlite3_close(database);
    return answer;
  }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  test::ManualClock clock_;
  SqliteOptions options_;
  const test::SampleWorld world_;
};

/// Databases hold them, so they are for ever. Computed by another program.
TEST_F(SqliteDigestTest, DigestsNeverChange) {
  EXPECT_EQ(digest("8, 'guest@example.com'"), "ABDDF36B2735F18E");
  EXPECT_EQ(digest("16, 'a', 'b'"), "08B1E8B75C8635D39C23D0EBBD825AF4");
  EXPECT_EQ(digest("16, 'ab'"), "29EC5944EB10B4B4AAAD6E4654A2C979");
}

TEST_F(SqliteDigestTest, WhatHasNone) {
  EXPECT_EQ(digest("16, 'a', NULL"), "");
  for (const char* wrong : {"", "0, 'a'", "17, 'a'"}) EXPECT_EQ(digest(wrong), "error") << wrong;
}

/// Somebody who looks for them finds addresses with one digest.
TEST_F(SqliteDigestTest, AddressesWithOneDigestAreToldApart) {
  {
    const auto store = open();
    ASSERT_TRUE((*store)->write([&](Transaction& t) -> domain::Result<void> {
      world_.insert_into(t);
      const auto invitation = world_.invitation("other@example.com", test::at(0));
      t.insert(invitation);
      t.insert(world_.message(invitation));
      return {};
    }));
  }
  const std::string mailbox = digest("8, 'guest@example.com'");
  const std::string invitee = digest("16, '" + world_.environment.id.to_string() + "', 'guest@example.com'");
  ASSERT_EQ(type("UPDATE invitation SET mailbox_digest = x'" + mailbox + "', invitee_digest = x'" + invitee + "'"), "");
  const auto checked = check_sqlite_database(options_.path);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("invited invitation revoke"));
  const auto store = open();
  ASSERT_TRUE((*store)->read([&](Transaction& t) -> domain::Result<void> {
    EXPECT_FALSE(t.find_pending_invitation(world_.environment.id, "guest@example.com"));
    EXPECT_TRUE(t.list_invitations({{}, "guest@example.com", {}, {}}, {}).empty());
    EXPECT_TRUE(t.list_mailbox_slots("guest@example.com", test::at(-1)).empty());
    return {};
  }));
}

/// The statements themselves, as the store runs them: without statistics the planner may like another index better.
TEST_F(SqliteDigestTest, WhomAnInvitationIsForFindsIt) {
  static std::set<std::string> statements;
  statements.clear();
  constexpr auto kOpened = [](sqlite3* handle, const char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(
        handle, SQLITE_TRACE_STMT,
        [](unsigned, void*, void*, void* text) {
          statements.emplace(static_cast<const char*>(text));
          return 0;
        },
        nullptr);
  };
  auto* const opened = reinterpret_cast<void (*)()>(+kOpened);
  sqlite3_auto_extension(opened);
  const auto store = open();
  sqlite3_cancel_auto_extension(opened);
  ASSERT_TRUE((*store)->write(
      [&](Transaction& t) -> domain::Result<void> {
        world_.insert_into(t);
        t.insert(world_.invitation("guest@example.com", test::at(0)));
        t.find_pending_invitation(world_.environment.id, "guest@example.com");
        t.list_invitations({{}, "guest@example.com", {}, {}}, {});
        t.list_invitations({world_.environment.id, "guest@example.com", {}, {}}, {});
        t.list_mailbox_slots("guest@example.com", test::at(0));
        return {};
      },
      domain::Urgency::new_work, {.invitee_keys = {"other@example.com"}}));

  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(options_.path.c_str(), &database), SQLITE_OK);
  add_digest_function(database);
  int found = 0;
  for (const std::string& sql : statements) {
    if (!sql.starts_with("SELECT") || sql.find("mailbox_digest") == std::string::npos) continue;
    ++found;
    std::string plan;
    const auto add_step = [](void* target, int, char** values, char**) {
      *static_cast<std::string*>(target) += std::string(values[3]) + "\n";
      return 0;
    };
    ASSERT_EQ(sqlite3_exec(database, ("EXPLAIN QUERY PLAN " + sql).c_str(), add_step, &plan, nullptr), SQLITE_OK)
        << sql;
    EXPECT_THAT(plan, HasSubstr("invitation_by_invitee (mailbox_digest=?")) << sql;
  }
  sqlite3_close(database);
  EXPECT_EQ(found, 5);
}

TEST_F(SqliteDigestTest, WhomAnInvitationIsForCannotBeChangedByHand) {
  {
    const auto store = open();
    ASSERT_TRUE((*store)->write([&](Transaction& t) -> domain::Result<void> {
      world_.insert_into(t);
      t.insert(world_.invitation("guest@example.com", test::at(0)));
      return {};
    }));
  }
  EXPECT_TRUE(check_sqlite_database(options_.path));
  for (const char* change : {"invitee = 'guest@example.net'", "mailbox = 'guest@example.net'",
                             "invitee_key = 'guest@example.net'", "environment_id = ''"})
    EXPECT_THAT(type(std::string("UPDATE invitation SET ") + change), HasSubstr("revoke it and send another one"))
        << change;
  EXPECT_EQ(type("UPDATE invitation SET state = 'revoked'"), "");
}

}  // namespace
}  // namespace invited::storage
