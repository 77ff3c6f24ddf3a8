// What a caller foresees (domain::Foresight) is looked up for a whole batch at once: nobody may notice but by the
// clock.
#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <vector>

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
            Urgency::new_work, {.invitee_key = email});
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

INSTANTIATE_TEST_SUITE_P(Databases, ForesightTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
