// Statements on SQLite: what goes in comes out, whatever variables are used for both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "support/temporary_directory.h"

namespace {

using namespace invited::storage;
using testing::ElementsAre;
using testing::HasSubstr;

class SqliteStatementTest : public testing::Test {
 protected:
  void SetUp() override {
    Statement(connection, "CREATE TABLE pair (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT) STRICT").run();
  }

  void insert(Number id, Text name, std::optional<Text> note = std::nullopt) {
    NullableText nullable;
    if (note) nullable = *std::move(note);
    Statement(connection, "INSERT INTO pair (id, name, note) VALUES (:id, :name, :note)",
              {{"id", id}, {"name", name}, {"note", nullable}})
        .run();
  }

  invited::test::TemporaryDirectory folder;
  SqliteConnection connection{folder / "test.db", SqliteConnection::Role::writer};
};

// A row's variables serve both the question and the answer. The longer name makes the string move while the query
// stands.
TEST_F(SqliteStatementTest, AColumnMayBeReadIntoTheVariableThatWasAskedWith) {
  const std::string longer(200, 'b');
  insert(1, "a");
  insert(2, longer);
  insert(3, "c");
  Text name = "a";
  Statement statement(connection, "SELECT name FROM pair WHERE name >= :name ORDER BY id", {{"name", name}}, {&name});
  std::vector<std::string> names;
  statement.each([&] { names.push_back(name); });
  EXPECT_THAT(names, ElementsAre("a", longer, "c"));
}

TEST_F(SqliteStatementTest, IsAskedAgainWithWhatItsVariablesHoldThen) {
  Number id = 0;
  Text name;
  NullableText note;
  Statement insert(connection, "INSERT INTO pair (id, name, note) VALUES (:id, :name, :note)",
                   {{"id", id}, {"name", name}, {"note", note}});
  id = 1, name = "one", note = "first";
  EXPECT_EQ(insert.run(), 1);
  id = 2, name = std::string(5'000, 'x'), note = std::nullopt;
  EXPECT_EQ(insert.run(), 1);

  Text found;
  NullableText found_note;
  Statement find(connection, "SELECT name, note FROM pair WHERE id = :id", {{"id", id}}, {&found, &found_note});
  ASSERT_TRUE(find.find());
  EXPECT_EQ(found, std::string(5'000, 'x'));
  EXPECT_TRUE(found_note.null);
  id = 1;
  ASSERT_TRUE(find.find());
  EXPECT_EQ(found, "one");
  EXPECT_FALSE(found_note.null);
  EXPECT_EQ(found_note.value, "first");
  id = 3;
  EXPECT_FALSE(find.find());
}

TEST_F(SqliteStatementTest, KeepsEmptyTextAndEveryByteOfText) {
  const std::string odd("a\0b\xc3\xa9'\"", 7);
  insert(1, "", odd);
  Text name = "not read";
  NullableText note;
  Statement find(connection, "SELECT name, note FROM pair", {}, {&name, &note});
  ASSERT_TRUE(find.find());
  EXPECT_EQ(name, "");
  EXPECT_EQ(note.value, odd);
}

TEST_F(SqliteStatementTest, ANullWhereNoneMayBeIsAFailure) {
  insert(1, "one");
  Text note;
  Statement find(connection, "SELECT note FROM pair", {}, {&note});
  try {
    find.find();
    FAIL() << "it was taken for a text";
  } catch (const DatabaseFailure& failure) {
    EXPECT_EQ(failure.kind, FailureKind::statement);
    EXPECT_THAT(failure.what(), HasSubstr("NULL"));
  }
}

TEST_F(SqliteStatementTest, AsManyVariablesAsColumnsOrNone) {
  insert(1, "one");
  Text name;
  Statement few(connection, "SELECT name, note FROM pair", {}, {&name});
  EXPECT_THROW(few.find(), DatabaseFailure);
  Statement none(connection, "SELECT name, note FROM pair");
  EXPECT_TRUE(none.find());
}

TEST_F(SqliteStatementTest, ARefusedRowIsToldByItsRuleAndWithoutItsValues) {
  insert(1, "one");
  try {
    insert(1, "a secret");
    FAIL() << "two rows have one key";
  } catch (const DatabaseFailure& failure) {
    EXPECT_EQ(failure.kind, FailureKind::statement);
    EXPECT_THAT(failure.what(), HasSubstr("UNIQUE constraint failed: pair.id"));
    EXPECT_THAT(failure.what(), testing::Not(HasSubstr("secret")));
  }
  insert(2, "the next one is not affected");
}

}  // namespace
