// Queries of invitations, on every Store, against a plain reading of what they mean.
#include <algorithm>
#include <random>
#include <variant>

#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::Comparison;
using domain::Invitation;
using domain::InvitationCondition;
using domain::InvitationField;
using domain::InvitationQuery;
using domain::InvitationState;
using domain::Transaction;
using test::at;
using Kind = InvitationCondition::Kind;

constexpr Comparison kOrders[] = {Comparison::equal, Comparison::less, Comparison::less_or_equal, Comparison::greater,
                                  Comparison::greater_or_equal};
constexpr InvitationState kStates[] = {InvitationState::pending, InvitationState::accepted, InvitationState::declined,
                                       InvitationState::revoked, InvitationState::expired};

/// SQL's LIKE with '\' before what stands for itself.
bool is_like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  const std::string_view rest = pattern.substr(1);
  if (pattern.front() == '%') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip)
      if (is_like(text.substr(skip), rest)) return true;
    return false;
  }
  if (text.empty()) return false;
  if (pattern.front() == '_') return is_like(text.substr(1), rest);
  if (pattern.front() != '\\') return text.front() == pattern.front() && is_like(text.substr(1), rest);
  return !rest.empty() && text.front() == rest.front() && is_like(text.substr(1), rest.substr(1));
}

template <class T>
bool compare(const T& left, Comparison comparison, const T& right) {
  switch (comparison) {
    case Comparison::equal:
      return left == right;
    case Comparison::less:
      return left < right;
    case Comparison::less_or_equal:
      return left <= right;
    case Comparison::greater:
      return left > right;
    case Comparison::greater_or_equal:
      return left >= right;
    case Comparison::like:
      if constexpr (std::is_same_v<T, std::string>) return is_like(left, right);
      break;
  }
  return false;
}

base::Timestamp time_of(const Invitation& invitation, InvitationField field) {
  if (field == InvitationField::created_at) return invitation.created_at;
  return field == InvitationField::updated_at ? invitation.updated_at : invitation.expires_at;
}

bool holds(const InvitationCondition& condition, const Invitation& invitation, base::Timestamp now) {
  const auto part = [&](const InvitationCondition& inner) { return holds(inner, invitation, now); };
  switch (condition.kind) {
    case Kind::all:
      return std::ranges::all_of(condition.parts, part);
    case Kind::any:
      return std::ranges::any_of(condition.parts, part);
    case Kind::none:
      return std::ranges::none_of(condition.parts, part);
    case Kind::compare:
      break;
  }
  switch (condition.field) {
    case InvitationField::id:
      return compare(invitation.id, condition.comparison, std::get<base::Uuid>(condition.value));
    case InvitationField::email:
      return compare(invitation.invitee.key(), condition.comparison, std::get<std::string>(condition.value));
    case InvitationField::state:
      return invitation.state_at(now) == std::get<InvitationState>(condition.value);
    default:
      return compare(time_of(invitation, condition.field), condition.comparison,
                     std::get<base::Timestamp>(condition.value));
  }
}

class InvitationQueryTest : public StoreContractTest {
 protected:
  /// Invitations in every state, a minute between one and the next; nothing is told of another environment's.
  void SetUp() override {
    StoreContractTest::SetUp();
    if (IsSkipped()) return;
    const auto elsewhere = test::sample_environment(world_.app, "Elsewhere");
    write([&](Transaction& t) {
      t.insert(elsewhere);
      int number = 0;
      for (const char* email : {"ada@example.com", "a_b@example.com", "axb@example.com", "bob@example.net",
                                "Zoe@Example.com", "ada@example.com", "a-b@example.com", "bob@example.net"}) {
        const auto made = at(60 * number);
        Invitation one = world_.invitation(email, made);
        one.state = number == 5   ? InvitationState::accepted
                    : number == 7 ? InvitationState::pending
                                  : kStates[number % 5];
        one.expires_at = made + (number % 2 == 0 ? 1h : 2h);
        one.updated_at = made + std::chrono::minutes(number * 7 % 5);
        if (one.state != InvitationState::pending) one.settled_at = one.updated_at;
        t.insert(one);
        stored_.push_back(one);
        one.id = base::Uuid::ordered(made);
        one.environment_id = elsewhere.id;
        t.insert(one);
        ++number;
      }
    });
  }

  InvitationQuery query(InvitationCondition condition = {}) const {
    return {.environment_id = world_.environment.id, .now = now_, .condition = std::move(condition)};
  }

  /// The places in `stored_` of what the store finds.
  std::vector<std::size_t> found(const InvitationQuery& query, domain::Page page = {}) {
    std::vector<std::size_t> places;
    for (const Invitation& one : read([&](Transaction& t) { return t.query_invitations(query, page); }))
      places.push_back(static_cast<std::size_t>(std::ranges::find(stored_, one.id, &Invitation::id) - stored_.begin()));
    return places;
  }

  std::vector<std::size_t> expected(const InvitationQuery& query) const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < stored_.size(); ++i)
      if (holds(query.condition, stored_[i], query.now)) places.push_back(i);
    const auto precedes = [&](std::size_t left, std::size_t right) {
      const Invitation& a = stored_[left];
      const Invitation& b = stored_[right];
      switch (query.order) {
        case InvitationField::id:
          return std::pair(a.id, left) < std::pair(b.id, right);
        case InvitationField::email:
          return std::pair(a.invitee.key(), left) < std::pair(b.invitee.key(), right);
        default:
          return std::pair(time_of(a, query.order), left) < std::pair(time_of(b, query.order), right);
      }
    };
    std::ranges::sort(places, precedes);
    if (query.descending) std::ranges::reverse(places);
    if (query.after) {
      const auto at = std::ranges::find_if(places, [&](std::size_t i) { return stored_[i].id == *query.after; });
      places.erase(places.begin(), at == places.end() ? at : at + 1);
    }
    return places;
  }

  void check(const InvitationCondition& condition, const std::string& what) {
    const auto asked = query(condition);
    const auto right = expected(asked);
    EXPECT_EQ(found(asked), right) << what;
    EXPECT_EQ(read([&](Transaction& t) { return t.count_invitations(asked); }), right.size()) << what;
  }

  const base::Timestamp now_ = at(3600 + 150);  // some of the pending ones are over
  std::vector<Invitation> stored_;
};

TEST_P(InvitationQueryTest, WithoutAConditionThereAreAllOfTheEnvironmentNewestFirst) {
  EXPECT_EQ(found(query()), (std::vector<std::size_t>{7, 6, 5, 4, 3, 2, 1, 0}));
  const auto nowhere = read(
      [&](Transaction& t) { return t.query_invitations({.environment_id = base::Uuid::random(), .now = now_}, {}); });
  EXPECT_TRUE(nowhere.empty());
}

TEST_P(InvitationQueryTest, EveryFieldIsComparedInEveryWay) {
  for (const Invitation& one : stored_) {
    for (const Comparison comparison : kOrders) {
      const std::string what = one.invitee.key() + " " + std::to_string(static_cast<int>(comparison));
      const auto check_one = [&](InvitationField field, InvitationCondition::Value value) {
        check(InvitationCondition::compare(field, comparison, std::move(value)), what);
      };
      check_one(InvitationField::id, one.id);
      check_one(InvitationField::email, one.invitee.key());
      check_one(InvitationField::created_at, one.created_at);
      check_one(InvitationField::updated_at, one.updated_at);
      check_one(InvitationField::updated_at, one.updated_at + 1ms);
      check_one(InvitationField::expires_at, one.expires_at);
    }
  }
  check(InvitationCondition::compare(InvitationField::id, Comparison::equal, base::Uuid::random()), "unknown id");
  check(InvitationCondition::compare(InvitationField::email, Comparison::equal, std::string("' OR 1 = 1 --")), "quote");
}

TEST_P(InvitationQueryTest, AStateIsThatOfNow) {
  for (const InvitationState state : kStates) {
    const auto condition = InvitationCondition::compare(InvitationField::state, Comparison::equal, state);
    check(condition, std::string(to_string(state)));
    for (const base::Timestamp now : {at(0), at(3600 - 1), at(3600), at(5 * 60 + 7200), at(100'000)}) {
      auto asked = query(condition);
      asked.now = now;
      EXPECT_EQ(found(asked), expected(asked)) << to_string(state) << " " << base::to_rfc3339(now);
    }
  }
}

TEST_P(InvitationQueryTest, PatternsHaveWildcardsAndWaysToWriteThem) {
  for (const char* pattern :
       {"%", "", "_", "ada%", "%@example.com", "%b@%", "a_b%", "a\\_b%", "a\\__%", "%\\%%", "\\a%", "ada@example.com",
        "%\\", "ada\\", "\\\\", "%\\\\%", "%net", "a%a%", "______________%"})
    check(InvitationCondition::compare(InvitationField::email, Comparison::like, std::string(pattern)), pattern);
}

TEST_P(InvitationQueryTest, ConditionsAreNested) {
  check(InvitationCondition::of(Kind::all, {}), "all of nothing");
  check(InvitationCondition::of(Kind::any, {}), "any of nothing");
  check(InvitationCondition::of(Kind::none, {}), "none of nothing");
  std::mt19937 random(20261121);  // NOLINT: the same each time
  const auto pick = [&](std::size_t count) { return random() % count; };
  const std::function<InvitationCondition(int)> make = [&](int depth) {
    const Invitation& one = stored_[pick(stored_.size())];
    if (depth == 0 || pick(3) == 0) switch (pick(4)) {
        case 0:
          return InvitationCondition::compare(InvitationField::state, Comparison::equal, kStates[pick(5)]);
        case 1:
          return InvitationCondition::compare(InvitationField::email, Comparison::like, std::string("%b%"));
        case 2:
          return InvitationCondition::compare(InvitationField::email, kOrders[pick(5)], one.invitee.key());
        default:
          return InvitationCondition::compare(InvitationField::updated_at, kOrders[pick(5)], one.updated_at);
      }
    std::vector<InvitationCondition> parts;
    for (std::size_t i = pick(4); i > 0; --i) parts.push_back(make(depth - 1));
    const Kind kinds[] = {Kind::all, Kind::any, Kind::none};
    return InvitationCondition::of(kinds[pick(3)], std::move(parts));
  };
  for (int i = 0; i < 100; ++i) check(make(4), "condition " + std::to_string(i));
}

TEST_P(InvitationQueryTest, EveryOrderIsKeptAndTiesAreInTheOrderOfTheirMaking) {
  for (const InvitationField order : {InvitationField::id, InvitationField::email, InvitationField::created_at,
                                      InvitationField::updated_at, InvitationField::expires_at})
    for (const bool descending : {true, false}) {
      auto asked = query();
      asked.order = order;
      asked.descending = descending;
      EXPECT_EQ(found(asked), expected(asked)) << static_cast<int>(order) << descending;
    }
}

TEST_P(InvitationQueryTest, PagesMakeUpTheWhole) {
  auto asked = query();
  asked.order = InvitationField::expires_at;
  const auto all = expected(asked);
  std::vector<std::size_t> together;
  for (std::uint32_t offset = 0; offset <= 9; offset += 3)
    for (const std::size_t place : found(asked, {.limit = 3, .offset = offset})) together.push_back(place);
  EXPECT_EQ(together, all);
}

TEST_P(InvitationQueryTest, BehindACursorComesWhatComesBehindIt) {
  const auto pending =
      InvitationCondition::compare(InvitationField::state, Comparison::equal, InvitationState::expired);
  for (const bool descending : {true, false})
    for (const Invitation& one : stored_)
      for (const InvitationCondition& condition : {InvitationCondition{}, pending}) {
        auto asked = query();
        asked.descending = descending;
        asked.after = one.id;
        auto right = expected(asked);
        asked.condition = condition;
        std::erase_if(right, [&](std::size_t i) { return !holds(condition, stored_[i], now_); });
        EXPECT_EQ(found(asked), right) << one.invitee.key() << descending;
        EXPECT_EQ(read([&](Transaction& t) { return t.count_invitations(asked); }), right.size());
      }
  auto asked = query();
  asked.after = base::Uuid::random();
  EXPECT_TRUE(found(asked).empty()) << "behind what is not there is nothing";
}

INSTANTIATE_TEST_SUITE_P(Databases, InvitationQueryTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
