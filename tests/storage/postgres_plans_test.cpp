// What PostgreSQL makes of our statements where its statistics are older than what is in the tables: they are made now
// and then, by autovacuum, and a queue of mails comes within seconds.
#include <chrono>
#include <string>
#include <thread>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

class PostgresPlansTest : public StoreContractTest {
 protected:
  /// So many mails like `message`, of other invitations.
  void copy(const domain::OutboxMessage& message, std::string_view state, int count) {
    query("INSERT INTO outbox_message SELECT copy.* FROM outbox_message AS message, generate_series(1, " +
          std::to_string(count) +
          ") AS number, LATERAL jsonb_populate_record(message, jsonb_build_object('number', number,"
          " 'id', gen_random_uuid(), 'invitation_id', gen_random_uuid(), 'state', '" +
          std::string(state) + "')) AS copy WHERE message.id = '" + message.id.to_string() + "'");
  }

  test::PostgresRows query(const std::string& sql) {
    return test::postgres_query(static_cast<PostgresUnderTest&>(*under_test_).url(), sql);
  }

  long long number(const std::string& sql) { return std::stoll(query(sql).at(0).at(0).value()); }

  /// Runs `work` in a transaction. How many entries it and what it finds were read from that index.
  long long entries_read(const std::string& index, const std::function<void(domain::Transaction&)>& work) {
    const std::string read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = '" + index + "'";
    const std::string updates = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'outbox_message'";
    const long long before = number(read);
    const long long updates_before = number(updates);
    write(work);
    // Sessions tell what they did a second after the last time, at the end of a transaction.
    for (int tries = 0; tries < 200 && number(updates) == updates_before; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      write([](domain::Transaction& t) { t.set_mail_hold(std::nullopt); });
    }
    EXPECT_GT(number(updates), updates_before) << "the server does not tell";
    return number(read) - before;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, PostgresPlansTest, testing::Values(kPostgres), name_of);

TEST_P(PostgresPlansTest, mails_are_cancelled_without_a_walk_through_the_queue) {
  const auto [invitation, message] = invite("first@example.com", test::at(0));
  const auto [other, single] = invite("second@example.com", test::at(0));
  query("UPDATE outbox_message SET state = 'sent'");
  copy(message, "sent", 2'000);
  query("VACUUM ANALYZE outbox_message");  // "nothing is queued"
  query("UPDATE outbox_message SET state = 'queued' WHERE id IN ('" + message.id.to_string() + "', '" +
        single.id.to_string() + "')");
  copy(message, "queued", 5'000);

  EXPECT_LT(entries_read("outbox_message_due",
                         [&](domain::Transaction& t) { t.cancel_messages(invitation.id, test::at(1)); }),
            100);
  EXPECT_LT(
      entries_read("outbox_message_due", [&](domain::Transaction& t) { t.cancel_message(single.id, test::at(1)); }),
      100);
  EXPECT_EQ(read([&](domain::Transaction& t) { return t.find_message_state(message.id); }),
            domain::MessageState::cancelled);
  EXPECT_EQ(read([&](domain::Transaction& t) { return t.find_message_state(single.id); }),
            domain::MessageState::cancelled);
}

/// The order of time and the condition together made the planner walk through the primary key, 64,000 entries here.
TEST_P(PostgresPlansTest, an_environments_lists_do_not_walk_over_what_another_one_did_since) {
  const auto [oldest, message] = invite("first@example.com", test::at(0));
  const auto [over, single] = invite("second@example.com", test::at(0));
  domain::Environment busy = world_.environment;
  busy.id = base::Uuid::random();
  busy.passwords.clear();
  write([&](domain::Transaction& t) { t.insert(busy); });
  // A tenth are the quiet one's, in the order of time, which is what the statistics say; then come the busy one's only.
  const auto copy_of_each = [&](int first, int last, const std::string& environment) {
    query("INSERT INTO invitation SELECT copy.* FROM invitation, generate_series(" + std::to_string(first) + ", " +
          std::to_string(last) +
          ") AS number, LATERAL jsonb_populate_record(invitation, jsonb_build_object('id',"
          " CAST('ffffffff-ffff-7000-8000-' || lpad(to_hex(number), 12, '0') AS UUID), 'state', 'revoked',"
          " 'environment_id', " +
          environment + ")) AS copy WHERE invitation.id = '" + over.id.to_string() + "'");
  };
  const std::string is_busy = "'" + busy.id.to_string() + "'";
  copy_of_each(1, 20'000,
               "CASE WHEN number % 10 = 0 THEN '" + world_.environment.id.to_string() + "' ELSE " + is_busy + " END");
  query("VACUUM ANALYZE invitation");
  copy_of_each(20'001, 40'000, is_busy);

  const auto lists = [&](domain::Transaction& t) {
    const base::Uuid& quiet = world_.environment.id;
    const auto newest = t.query_invitations({.environment_id = quiet, .now = test::at(1)}, {100, 0});
    EXPECT_EQ(newest.size(), 100u);
    const auto next =
        t.query_invitations({.environment_id = quiet, .now = test::at(1), .after = newest.back().id}, {100, 0});
    EXPECT_EQ(next.size(), 100u);
    EXPECT_LT(next.front().id, newest.back().id);
    EXPECT_EQ(t.list_invitations({quiet, std::nullopt, std::nullopt, test::at(1)}, {100, 0}).size(), 100u);
    t.cancel_message(single.id, test::at(1));
  };
  EXPECT_LT(entries_read("invitation_pkey", lists), 400);
}

/// Each part of a list of access is read from where it begins, not from the newest one on.
TEST_P(PostgresPlansTest, a_part_of_an_environments_access_is_not_searched_for_from_the_first_one_on) {
  const std::string here = "'" + world_.environment.id.to_string() + "'";
  query(
      "INSERT INTO account SELECT copy.* FROM account, generate_series(1, 20000) AS number, LATERAL"
      " jsonb_populate_record(account, jsonb_build_object('seq', 1000 + number, 'id', gen_random_uuid(),"
      " 'email', 'p' || number || '@example.com', 'email_key', 'p' || number || '@example.com')) AS copy"
      " WHERE account.id = '" +
      world_.inviter.id.to_string() + "'");
  query("INSERT INTO access (account_id, environment_id, role_id, granted_at) SELECT id, " + here + ", '" +
        world_.role.id.to_string() + "', " + std::to_string(test::at(0).time_since_epoch().count()) +
        " + seq FROM account WHERE seq > 1000");
  query("VACUUM ANALYZE access");
  query("VACUUM ANALYZE account");
  const auto [invitation, message] = invite("first@example.com", test::at(0));
  const domain::Access last{base::Uuid::random(), world_.environment.id, world_.role.id,
                            test::at(0) + std::chrono::milliseconds(2'000)};
  EXPECT_LT(entries_read("access_by_environment",
                         [&](domain::Transaction& t) {
                           EXPECT_EQ(t.list_access_behind(last, 100).size(), 100u);
                           t.cancel_message(message.id, test::at(1));
                         }),
            500);
}

}  // namespace
}  // namespace invited::storage
