// Holds a service against its model after each of many operations (two_worlds.h), and tells seed and last operations
// where they differ. For tests of any order of operations, through use cases or through front doors.
#pragma once

#include <cstdlib>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "domain/two_worlds.h"

namespace invited::domain {

/// A parameter that stands for a seed of its own each time.
inline constexpr int kRandomSeed = 0;

/// INVITED_SEED, where somebody runs a failure again; else what the parameter says.
inline std::uint64_t seed_of(int parameter) {
  const char* asked = std::getenv("INVITED_SEED");
  if (asked != nullptr) return std::strtoull(asked, nullptr, 10);
  return parameter == kRandomSeed ? std::random_device()() : static_cast<std::uint64_t>(parameter);
}

class ComparedWorlds : public TwoWorlds {
 protected:
  /// One operation at random. Says what it was, and what both told of it.
  virtual std::string step() = 0;

  void note_new_invitation() {
    for (const Invitation& one : stored())
      if (std::ranges::find(ids_, one.id) == ids_.end()) ids_.push_back(one.id);
    EXPECT_EQ(ids_.size(), model_.invitations.size());
  }

  void compare() {
    model_.now = now();
    const auto all = stored();
    ASSERT_EQ(all.size(), model_.invitations.size());
    std::set<std::pair<base::Uuid, std::string>> pending;
    for (const Invitation& one : all) {
      const std::size_t number = static_cast<std::size_t>(std::ranges::find(ids_, one.id) - ids_.begin());
      SCOPED_TRACE("invitation " + std::to_string(number));
      const ModelInvitation& other = model_.invitations.at(number);
      EXPECT_EQ(to_string(one.state), to_string(other.state));
      EXPECT_EQ(to_string(one.state_at(now())), to_string(model_.state_of(other)));
      EXPECT_EQ(one.generation, other.generation);
      EXPECT_EQ(one.expires_at, other.expires_at);
      EXPECT_EQ(one.role_ids(), ids_of(other.roles));
      EXPECT_EQ(one.token_id, other.token < 0 ? base::Uuid{} : tokens_[index(other.token)].token.id);
      if (one.state == InvitationState::pending) {
        EXPECT_TRUE(pending.emplace(one.environment_id, one.invitee.key()).second) << "two for one invitee";
      }
      EXPECT_EQ(one.settled_at.has_value(), one.state != InvitationState::pending);
      compare_mails(one, other);
    }
    for (int person = 0; person < StatesModel::kPeople; ++person) {
      const auto who = account(kEmails[index(person)]);
      EXPECT_EQ(who.has_value(), model_.accounts.contains(person)) << kEmails[index(person)];
      if (!who) continue;
      for (int environment = 0; environment < StatesModel::kEnvironments; ++environment)
        EXPECT_EQ(roles_of(*who, environment), predicted_roles(person, environment))
            << kEmails[index(person)] << " in " << environment;
    }
  }

  /// A mail is owed for the newest generation only, and only where one was asked for.
  void compare_mails(const Invitation& one, const ModelInvitation& other) {
    int queued = 0;
    read([&](Transaction& t) {
      for (const OutboxMessage& message : t.list_messages_of(one.id)) {
        if (message.state != MessageState::queued) continue;
        EXPECT_EQ(message.generation, one.generation);
        ++queued;
      }
    });
    EXPECT_EQ(queued, other.state == InvitationState::pending && other.mailed ? 1 : 0);
  }

  void compare_links() {
    model_.now = now();
    for (std::size_t number = 0; number < ids_.size(); ++number) {
      const ModelInvitation& one = model_.invitations[number];
      for (const std::uint32_t generation : {one.generation, one.generation - 1}) {
        const auto view = view_invitation(domain::make_token(keys_, {ids_[number], generation}), client(), *context_);
        ASSERT_TRUE(view);
        EXPECT_EQ(to_string(view->link), to_string(model_.link_of(one, generation))) << number << "." << generation;
      }
    }
  }

  void run(std::uint64_t seed, int steps) {
    random_.seed(seed);
    std::deque<std::string> last;
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      last.push_back(std::to_string(i) + ": " + step());
      if (last.size() > 25) last.pop_front();
      compare();
      if (i % 20 == 0) compare_links();
    }
    compare_links();
    std::string told = "INVITED_SEED=" + std::to_string(seed) + ", the last operations:\n";
    for (const std::string& one : last) told += "  " + one + "\n";
    EXPECT_FALSE(HasFailure()) << told;
  }
};

}  // namespace invited::domain
