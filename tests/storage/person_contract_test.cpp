// What every Store must do with what belongs to a person: the roles that apps ask for, the profile, sessions.
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using domain::Profile;
using domain::ProfileField;
using domain::Session;
using domain::Transaction;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class PersonTest : public StoreContractTest {
 protected:
  Profile profile_of(const base::Uuid& account_id) {
    return read([&](Transaction& t) { return t.find_profile(account_id); });
  }
  std::optional<Session> session(std::string_view token_hash) {
    return read([&](Transaction& t) { return t.find_session(token_hash); });
  }
  std::vector<std::string> role_names(const base::Uuid& account_id, const base::Uuid& environment_id) {
    std::vector<std::string> names;
    for (const auto& role : read([&](Transaction& t) { return t.list_roles_of(account_id, environment_id); }))
      names.push_back(role.name);
    return names;
  }
  Session session_of(const domain::Account& account, std::string token_hash, base::Timestamp expires_at) const {
    return {std::move(token_hash), account.id, 3, at(0), expires_at};
  }
};

// --- roles and environments ------------------------------------------------------------------------

TEST_P(PersonTest, RolesOfAPersonAreThoseOfThatEnvironmentByName) {
  const auto second = test::sample_role(world_.app, "Administrator");
  const auto third = test::sample_role(world_.app, "Viewer");
  const auto elsewhere = test::sample_environment(world_.app, "Test");
  const auto other = test::sample_account("other@example.com");
  write([&](Transaction& t) {
    t.insert(second);
    t.insert(third);
    t.insert(elsewhere);
    t.insert(other);
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, third.id, at(1)});
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, second.id, at(2)});
    t.insert(domain::Access{world_.inviter.id, elsewhere.id, third.id, at(3)});
  });
  EXPECT_THAT(role_names(world_.inviter.id, world_.environment.id), ElementsAre("Administrator", "Planner", "Viewer"));
  EXPECT_THAT(role_names(world_.inviter.id, elsewhere.id), ElementsAre("Viewer"));
  EXPECT_THAT(role_names(other.id, world_.environment.id), IsEmpty());
  EXPECT_THAT(role_names(base::Uuid::random(), world_.environment.id), IsEmpty());
  EXPECT_THAT(role_names(world_.inviter.id, base::Uuid::random()), IsEmpty());

  const auto roles = read([&](Transaction& t) { return t.list_roles_of(world_.inviter.id, world_.environment.id); });
  EXPECT_EQ(roles[1].id, world_.role.id);
  EXPECT_EQ(roles[1].app_id, world_.app.id);
  EXPECT_EQ(roles[1].created_at, world_.role.created_at);
}

TEST_P(PersonTest, ARoleThatTheAppDoesNotHaveIsNoRole) {
  const auto other_app = test::sample_app("Stock");
  const auto foreign = test::sample_role(other_app, "Another app's");
  write([&](Transaction& t) {
    t.insert(other_app);
    t.insert(foreign);
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, foreign.id, at(1)});
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, base::Uuid::random(), at(1)});
  });
  EXPECT_THAT(role_names(world_.inviter.id, world_.environment.id), ElementsAre("Planner"));
}

TEST_P(PersonTest, RolesOfAPersonFollowWhatWasGrantedAndTakenBackInTheSameWork) {
  const auto added = test::sample_role(world_.app, "Viewer");
  write([&](Transaction& t) {
    t.insert(added);
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, added.id, at(1)});
    EXPECT_EQ(t.list_roles_of(world_.inviter.id, world_.environment.id).size(), 2u);
    t.erase(domain::Access{world_.inviter.id, world_.environment.id, world_.role.id, {}});
    EXPECT_EQ(t.list_roles_of(world_.inviter.id, world_.environment.id).size(), 1u);
  });
  EXPECT_THAT(role_names(world_.inviter.id, world_.environment.id), ElementsAre("Viewer"));
}

TEST_P(PersonTest, TheEnvironmentsOfAPersonAreListedOnceEach) {
  const auto elsewhere = test::sample_environment(world_.app, "Test");
  const auto nowhere = test::sample_environment(world_.app, "Acceptance");
  const auto added = test::sample_role(world_.app, "Viewer");
  const auto list = [&](const base::Uuid& account_id) {
    return read([&](Transaction& t) { return t.list_environments_of(account_id); });
  };
  write([&](Transaction& t) {
    t.insert(elsewhere);
    t.insert(nowhere);
    t.insert(added);
    t.insert(domain::Access{world_.inviter.id, world_.environment.id, added.id, at(1)});
    t.insert(domain::Access{world_.inviter.id, elsewhere.id, added.id, at(1)});
  });
  EXPECT_THAT(list(world_.inviter.id), UnorderedElementsAre(world_.environment.id, elsewhere.id));
  EXPECT_THAT(list(base::Uuid::random()), IsEmpty());
}

// Environments are remembered for a batch: a change must not leave the old one there.
TEST_P(PersonTest, AnEnvironmentsChangeIsSeenInTheWorkThatMadeIt) {
  write([&](Transaction& t) {
    auto environment = t.find_environment(world_.environment.id).value();
    EXPECT_EQ(environment.openid_template, domain::kDefaultOpenIdTemplate);
    EXPECT_EQ(environment.refresh_url, "");
    EXPECT_EQ(environment.refresh_namespace, domain::kRefreshNamespace);
    environment.refresh_url = "https://orders.example.com/refresh";
    t.update(environment);
    EXPECT_EQ(t.find_environment(world_.environment.id)->refresh_url, "https://orders.example.com/refresh");
    auto account = t.find_account_by_email("inviter@example.com").value();
    account.password_generation += 1;
    t.update(account);
    EXPECT_EQ(t.find_account_by_email("inviter@example.com")->password_generation, 1u);
  });
}

// --- profile ---------------------------------------------------------------------------------------

TEST_P(PersonTest, AProfileIsEmptyUntilItIsSet) {
  EXPECT_EQ(profile_of(world_.inviter.id), Profile());
  EXPECT_EQ(profile_of(base::Uuid::random()), Profile());
}

TEST_P(PersonTest, EveryFieldOfAProfileIsFoundAsItWasSet) {
  Profile profile;
  for (const auto& description : domain::kProfileFields)
    profile.set(description.field, std::string(description.name) + " <é漢> '\"");
  write([&](Transaction& t) {
    t.set_profile(world_.inviter.id, profile);
    EXPECT_EQ(t.find_profile(world_.inviter.id), profile);
  });
  EXPECT_EQ(profile_of(world_.inviter.id), profile);
  reopen();
  EXPECT_EQ(profile_of(world_.inviter.id), profile);
}

TEST_P(PersonTest, SettingAProfileReplacesAllOfItAndNobodyElses) {
  const auto other = test::sample_account("other@example.com");
  Profile before;
  before.set(ProfileField::phone, "+31 10 123");
  before.set(ProfileField::country, "NL");
  Profile after;
  after.set(ProfileField::country, "BE");
  write([&](Transaction& t) {
    t.insert(other);
    t.set_profile(world_.inviter.id, before);
    t.set_profile(other.id, before);
    t.set_profile(world_.inviter.id, after);
  });
  EXPECT_EQ(profile_of(world_.inviter.id), after);
  EXPECT_EQ(profile_of(world_.inviter.id).get(ProfileField::phone), "");
  EXPECT_EQ(profile_of(other.id), before);
  write([&](Transaction& t) { t.set_profile(world_.inviter.id, {}); });
  EXPECT_EQ(profile_of(world_.inviter.id), Profile());
}

TEST_P(PersonTest, AProfileWithoutAnAccountIsRefused) {
  Profile profile;
  profile.set(ProfileField::country, "NL");
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    t.set_profile(base::Uuid::random(), profile);
    return {};
  }));
}

// --- sessions --------------------------------------------------------------------------------------

TEST_P(PersonTest, ASessionIsFoundByItsHashAsItWasStored) {
  const Session stored = session_of(world_.inviter, "hash", at(500));
  write([&](Transaction& t) { t.insert(stored); });
  const auto found = session("hash");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->token_hash, "hash");
  EXPECT_EQ(found->account_id, world_.inviter.id);
  EXPECT_EQ(found->password_generation, 3u);
  EXPECT_EQ(found->created_at, at(0));
  EXPECT_EQ(found->expires_at, at(500));
  EXPECT_FALSE(session("Hash"));
  EXPECT_FALSE(session(""));
  reopen();
  EXPECT_TRUE(session("hash")) << "a restart signs nobody out";
}

TEST_P(PersonTest, AHashStandsForOneSession) {
  write([&](Transaction& t) { t.insert(session_of(world_.inviter, "hash", at(500))); });
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(session_of(world_.inviter, "hash", at(900)));
    return {};
  }));
  EXPECT_EQ(session("hash")->expires_at, at(500));
}

TEST_P(PersonTest, ASessionIsErasedOnce) {
  write([&](Transaction& t) {
    t.insert(session_of(world_.inviter, "first", at(500)));
    t.insert(session_of(world_.inviter, "second", at(500)));
    EXPECT_TRUE(t.erase_session("first"));
    EXPECT_FALSE(t.erase_session("first"));
    EXPECT_FALSE(t.erase_session("unknown"));
  });
  EXPECT_FALSE(session("first"));
  EXPECT_TRUE(session("second"));
}

TEST_P(PersonTest, AllSessionsOfAnAccountAreErasedAndNobodyElses) {
  const auto other = test::sample_account("other@example.com");
  write([&](Transaction& t) {
    t.insert(other);
    t.insert(session_of(world_.inviter, "first", at(500)));
    t.insert(session_of(world_.inviter, "second", at(500)));
    t.insert(session_of(other, "theirs", at(500)));
    t.erase_sessions(world_.inviter.id);
    t.erase_sessions(base::Uuid::random());
  });
  EXPECT_FALSE(session("first"));
  EXPECT_FALSE(session("second"));
  EXPECT_TRUE(session("theirs"));
}

TEST_P(PersonTest, ErasingIsUndoneWithItsWork) {
  write([&](Transaction& t) { t.insert(session_of(world_.inviter, "hash", at(500))); });
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    t.erase_sessions(world_.inviter.id);
    EXPECT_FALSE(t.find_session("hash"));
    return domain::refuse(domain::ErrorCode::rate_limited, "too many");
  }));
  EXPECT_TRUE(session("hash"));
}

TEST_P(PersonTest, PruningTakesSessionsThatWereOverByThen) {
  write([&](Transaction& t) {
    t.insert(session_of(world_.inviter, "over", at(99)));
    t.insert(session_of(world_.inviter, "just over", at(100)));
    t.insert(session_of(world_.inviter, "runs", at(101)));
    t.prune(at(100));
  });
  EXPECT_FALSE(session("over"));
  EXPECT_FALSE(session("just over"));
  EXPECT_TRUE(session("runs"));
}

TEST_P(PersonTest, PruningManySessionsTakesSeveralSteps) {
  constexpr int kMany = 2'500;
  write([&](Transaction& t) {
    for (int i = 0; i < kMany; ++i) t.insert(session_of(world_.inviter, "over" + std::to_string(i), at(i % 10)));
    t.insert(session_of(world_.inviter, "runs", at(1000)));
  });
  const auto left = [&] {
    return read([&](Transaction& t) {
      int found = 0;
      for (int i = 0; i < kMany; ++i) found += t.find_session("over" + std::to_string(i)) ? 1 : 0;
      return found;
    });
  };
  write([](Transaction& t) { t.prune(at(100)); });
  EXPECT_GT(left(), 0) << "one call is bounded";
  EXPECT_LT(left(), kMany);
  for (int step = 0; step < 10; ++step) write([](Transaction& t) { t.prune(at(100)); });
  EXPECT_EQ(left(), 0);
  EXPECT_TRUE(session("runs"));
}

TEST_P(PersonTest, AllSessionsEndAtOnce) {
  write([&](Transaction& t) {
    t.insert(session_of(world_.inviter, "one", at(100)));
    t.insert(session_of(world_.inviter, "two", at(100)));
    t.erase_all_sessions();
  });
  EXPECT_FALSE(session("one"));
  EXPECT_FALSE(session("two"));
}

// --- where the database belongs ------------------------------------------------------------------------

TEST_P(PersonTest, TheKeyBindingIsOneRow) {
  const auto find = [&] { return read([](Transaction& t) { return t.find_key_binding(); }); };
  EXPECT_FALSE(find());
  write([](Transaction& t) { t.set_key_binding({"digest", 1, std::nullopt}); });
  EXPECT_FALSE(find()->restored_at);
  write([](Transaction& t) { t.set_key_binding({"other", 4'000'000'000, at(7)}); });
  reopen();
  EXPECT_EQ(find()->key_digest, "other");
  EXPECT_EQ(find()->epoch, 4'000'000'000);
  EXPECT_EQ(find()->restored_at, at(7));
}

TEST_P(PersonTest, EachInstanceHasOneIncarnation) {
  const auto first = base::Uuid::random();
  const auto second = base::Uuid::random();
  write([&](Transaction& t) {
    t.set_incarnation({"a", first, at(1)});
    t.set_incarnation({"b", first, at(1)});
    t.set_incarnation({"a", second, at(2)});
  });
  const auto found = read([](Transaction& t) { return t.list_incarnations(); });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].instance, "a");
  EXPECT_EQ(found[0].id, second);
  EXPECT_EQ(found[0].since, at(2));
  EXPECT_EQ(found[1].id, first);
  write([](Transaction& t) { t.erase_incarnations(); });
  EXPECT_TRUE(read([](Transaction& t) { return t.list_incarnations(); }).empty());
}

INSTANTIATE_TEST_SUITE_P(Databases, PersonTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
