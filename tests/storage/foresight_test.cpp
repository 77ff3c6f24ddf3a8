// What a caller foresees (domain::Foresight) is looked up for a whole batch at once: nobody may notice but by the
// clock.
#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <vector>

#include "storage/look_ahead.h"
#include "storage/sqlite_connection.h"
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::Result;
using domain::Transaction;
using domain::Urgency;
using test::at;

class ForesightTest : public StoreContractTest {
 protected:
  /// Runs `work(transaction, number)` on as many threads at once, each foreseeing `email_of(number)`.
  template <class Email, class Work>
  void run_together(int threads, Email email_of, Work work) {
    std::barrier start(threads);
    std::vector<std::jthread> callers;
    for (int number = 0; number < threads; ++number)
      callers.emplace_back([&, number] {
        const std::string email = email_of(number);
        start.arrive_and_wait();
        const auto done = store().write(
            [&](Transaction& transaction) -> Result<void> {
              work(transaction, number);
              return {};
            },
            Urgency::new_work, {.invitee_keys = {email}});
        if (!done) ++failed_;
      });
  }

  std::atomic<int> failed_{0};
};

TEST_P(ForesightTest, OfManyWorksForOneInviteeEachSeesWhatTheOthersDid) {
  std::atomic<int> inserted{0};
  run_together(
      32, [](int) { return std::string("guest@example.com"); },
      [&](Transaction& t, int) {
        if (t.find_pending_invitation(world_.environment.id, "guest@example.com")) return;
        t.insert(world_.invitation("guest@example.com"));
        ++inserted;
      });
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(inserted, 1);
}

TEST_P(ForesightTest, AMailboxOfSeveralAddressesHasOneListOfSlots) {
  run_together(
      16, [](int number) { return "guest+" + std::to_string(number) + "@example.com"; },
      [&](Transaction& t, int number) {
        const std::string email = "guest+" + std::to_string(number) + "@example.com";
        const auto slots = t.list_mailbox_slots("guest@example.com", at(-86'400));
        const auto invitation = world_.invitation(email);
        auto message = world_.message(invitation);
        message.not_before = slots.empty() ? at(0) : slots.back() + std::chrono::seconds(60);
        t.insert(invitation);
        t.insert(message);
      });
  EXPECT_EQ(failed_, 0);
  const auto slots = read([](Transaction& t) { return t.list_mailbox_slots("guest@example.com", at(-86'400)); });
  EXPECT_EQ(std::set(slots.begin(), slots.end()).size(), 16U);
}

TEST_P(ForesightTest, AnAccountThatOneWorkMakesIsThereForTheNext) {
  std::atomic<int> made{0};
  run_together(
      16, [](int) { return std::string("new@example.com"); },
      [&](Transaction& t, int) {
        if (t.find_account_by_email("new@example.com")) return;
        t.insert(test::sample_account("new@example.com", "New"));
        ++made;
      });
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(made, 1);
}

TEST_P(ForesightTest, WhatIsThereAlreadyIsFoundAsItIs) {
  const auto [invitation, message] = invite("known@example.com", at(0));
  write([&](Transaction& t) { t.insert(test::sample_account("known@example.com", "Known")); });
  std::atomic<int> right{0};
  run_together(
      8,
      [](int number) {
        return number % 2 == 0 ? std::string("known@example.com")
                               : "o\"dd\\name" + std::to_string(number) + "@example.com";
      },
      [&](Transaction& t, int number) {
        if (number % 2 != 0) {
          if (!t.find_account_by_email("nobody@example.com")) ++right;
          return;
        }
        const auto found = t.find_pending_invitation(world_.environment.id, "known@example.com");
        const auto elsewhere = t.find_pending_invitation(base::Uuid::random(), "known@example.com");
        const auto account = t.find_account_by_email("known@example.com");
        const auto slots = t.list_mailbox_slots("known@example.com", at(-86'400));
        if (found && found->id == invitation.id && !elsewhere && account && slots.size() == 1) ++right;
      });
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(right, 8);
}

TEST_P(ForesightTest, AnInvitationThatIsAnsweredAmidTheBatchIsNotPendingForTheNext) {
  const auto [invitation, message] = invite("guest@example.com", at(0));
  std::atomic<int> revoked{0};
  run_together(
      16, [](int) { return std::string("guest@example.com"); },
      [&](Transaction& t, int) {
        auto pending = t.find_pending_invitation(world_.environment.id, "guest@example.com");
        if (!pending) return;
        pending->state = domain::InvitationState::revoked;
        pending->settled_at = at(1);
        t.update(*pending);
        t.cancel_messages(pending->id, at(1));
        ++revoked;
      });
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(revoked, 1);
  EXPECT_TRUE(read([](Transaction& t) { return t.list_mailbox_slots("guest@example.com", at(-86'400)); }).empty());
}

TEST_P(ForesightTest, WhoIsNewButForTheirMailboxIsFoundAsTheyAre) {
  // Of one mailbox there is an invitation that is over, of the other no more than a notice.
  const auto [over, mail] = invite("guest@example.com", at(0));
  auto notice = world_.message(world_.invitation("member@example.com"));
  notice.kind = domain::MessageKind::already_has_access;
  notice.invitation_id = base::Uuid();
  write([&](Transaction& t) {
    auto revoked = t.find_invitation(over.id).value();
    revoked.state = domain::InvitationState::revoked;
    revoked.settled_at = at(1);
    t.update(revoked);
    t.insert(notice);
  });
  for (const std::string& name : {std::string("guest"), std::string("member"), std::string("new")}) {
    std::size_t slots = 0;
    bool is_pending = true;
    const auto done = store().write(
        [&](Transaction& t) -> Result<void> {
          const std::string key = name + "+1@example.com";
          is_pending = t.find_account_by_email(key) || t.find_pending_invitation(world_.environment.id, key);
          t.insert(world_.invitation(key));
          slots = t.list_mailbox_slots(name + "@example.com", at(-86'400)).size();
          return {};
        },
        Urgency::new_work, {.invitee_keys = {name + "+1@example.com"}});
    EXPECT_TRUE(done);
    EXPECT_FALSE(is_pending) << name;
    EXPECT_EQ(slots, name == "new" ? 0U : 1U) << name;
  }
}

// No database is there that could answer: all of it was looked up before.
TEST(LookAheadOnSqlite, OfANewInviteeEverythingIsKnownAtOnce) {
  const test::TemporaryDirectory folder{test::TemporaryDirectory::in_memory()};
  SqliteOptions options;
  options.path = folder / "invited.db";
  options.watermark_bytes = 0;
  const test::SampleWorld world;
  {
    auto store = open_sqlite_store(options, test::ManualClock());
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->write([&](Transaction& t) -> Result<void> {
      world.insert_into(t);
      t.insert(world.invitation("guest@example.com"));
      return {};
    }));
  }
  SqliteConnection connection(options.path, SqliteConnection::Role::reader);
  LookAhead ahead(connection);
  ahead.load_if_new("new@example.com");
  const auto account = ahead.account("new@example.com");
  EXPECT_TRUE(account && !*account);
  const auto pending = ahead.pending_invitation(world.environment.id, "new@example.com");
  EXPECT_TRUE(pending && !*pending);
  EXPECT_EQ(ahead.slots("new@example.com", at(-86'400)), std::vector<base::Timestamp>());

  ahead.forget();
  for (const std::string& known : {world.inviter.email.key(), std::string("guest@example.com")}) {
    ahead.load_if_new(known);
    EXPECT_FALSE(ahead.account(known)) << known;
    EXPECT_FALSE(ahead.pending_invitation(world.environment.id, known)) << known;
    EXPECT_FALSE(ahead.slots(known, at(-86'400))) << known;
  }
}

INSTANTIATE_TEST_SUITE_P(Databases, ForesightTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
