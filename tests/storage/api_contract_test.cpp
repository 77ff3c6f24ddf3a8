// What every Store must do for the JSON front doors: API tokens, names of roles, data of callers, people, answers to
// repeat, an environment's events. Queries of invitations have a file of their own.
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::ApiToken;
using domain::Invitation;
using domain::Transaction;
using test::address;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

class ApiStoreTest : public StoreContractTest {
 protected:
  ApiToken token(std::string hash) const {
    return {.id = base::Uuid::ordered(at(0)),
            .hash = std::move(hash),
            .name = "nightly: Größe",
            .environment_id = world_.environment.id,
            .account_id = world_.inviter.id,
            .role_ceiling = {world_.role.id, base::Uuid::random()},
            .may_see_links = true,
            .created_at = at(1),
            .expires_at = at(2),
            .revoked_at = std::nullopt,
            .last_used_at = std::nullopt};
  }
  ApiToken stored(const base::Uuid& id) {
    return read([&](Transaction& t) { return t.find_api_token(id); }).value();
  }
  std::vector<std::string> hashes(const std::optional<base::Uuid>& environment_id, domain::Page page = {}) {
    std::vector<std::string> found;
    for (const ApiToken& one : read([&](Transaction& t) { return t.list_api_tokens(environment_id, page); }))
      found.push_back(one.hash);
    return found;
  }
};

void expect_same(const ApiToken& one, const ApiToken& other) {
  EXPECT_EQ(one.id, other.id);
  EXPECT_EQ(one.hash, other.hash);
  EXPECT_EQ(one.name, other.name);
  EXPECT_EQ(one.environment_id, other.environment_id);
  EXPECT_EQ(one.account_id, other.account_id);
  EXPECT_EQ(one.role_ceiling, other.role_ceiling);
  EXPECT_EQ(one.may_see_links, other.may_see_links);
  EXPECT_EQ(one.created_at, other.created_at);
  EXPECT_EQ(one.expires_at, other.expires_at);
  EXPECT_EQ(one.revoked_at, other.revoked_at);
  EXPECT_EQ(one.last_used_at, other.last_used_at);
}

// --- API tokens ------------------------------------------------------------------------------------

TEST_P(ApiStoreTest, ATokenIsFoundByHashAndByIdAsItWasStored) {
  const auto full = token("hash-1");
  auto plain = token("hash-2");
  plain.name.clear();
  plain.role_ceiling.clear();
  plain.may_see_links = false;
  plain.expires_at.reset();
  write([&](Transaction& t) {
    t.insert(full);
    t.insert(plain);
  });
  reopen();
  for (const ApiToken& one : {full, plain}) {
    expect_same(read([&](Transaction& t) { return t.find_api_token(one.hash); }).value(), one);
    expect_same(stored(one.id), one);
  }
  EXPECT_FALSE(read([](Transaction& t) { return t.find_api_token("HASH-1"); }));
  EXPECT_FALSE(read([](Transaction& t) { return t.find_api_token(""); }));
  EXPECT_FALSE(read([](Transaction& t) { return t.find_api_token(base::Uuid::random()); }));
}

TEST_P(ApiStoreTest, TokensAreListedNewestFirstForOneEnvironmentOrAll) {
  const auto elsewhere = test::sample_environment(world_.app, "Elsewhere");
  auto other = token("c");
  other.environment_id = elsewhere.id;
  write([&](Transaction& t) {
    t.insert(elsewhere);
    t.insert(token("a"));
    t.insert(token("b"));
    t.insert(other);
    t.insert(token("d"));
  });
  EXPECT_THAT(hashes(std::nullopt), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(hashes(std::nullopt, {.limit = 2, .offset = 1}), ElementsAre("c", "b"));
  EXPECT_THAT(hashes(world_.environment.id), ElementsAre("d", "b", "a"));
  EXPECT_THAT(hashes(world_.environment.id, {.limit = 1, .offset = 2}), ElementsAre("a"));
  EXPECT_THAT(hashes(elsewhere.id), ElementsAre("c"));
  EXPECT_THAT(hashes(base::Uuid::random()), IsEmpty());
}

TEST_P(ApiStoreTest, ATokenIsRevokedOnceAndItsUseIsNoted) {
  const auto one = token("a");
  const auto other = token("b");
  write([&](Transaction& t) {
    t.insert(one);
    t.insert(other);
    t.note_use_of_api_token(one.id, at(5));
    t.note_use_of_api_token(base::Uuid::random(), at(5));
    EXPECT_TRUE(t.revoke_api_token(one.id, at(6)));
    EXPECT_FALSE(t.revoke_api_token(one.id, at(7)));
    EXPECT_FALSE(t.revoke_api_token(base::Uuid::random(), at(7)));
  });
  EXPECT_EQ(stored(one.id).revoked_at, at(6));
  EXPECT_EQ(stored(one.id).last_used_at, at(5));
  EXPECT_FALSE(stored(other.id).revoked_at);
  EXPECT_FALSE(stored(other.id).last_used_at);
}

// --- apps and roles --------------------------------------------------------------------------------

TEST_P(ApiStoreTest, AnAppIsChanged) {
  auto app = world_.app;
  app.name = "Renamed";
  app.url = "https://renamed.example.com/";
  app.language = base::Language::de;
  app.grants = domain::GrantRule::manageable;
  app.redirect_urls = {"https://a.example.com/x", "http://127.0.0.1:3000"};
  const auto second = test::sample_app("Stock");
  const auto found = [&](const base::Uuid& id) { return read([&](Transaction& t) { return t.find_app(id); }).value(); };
  EXPECT_EQ(found(app.id).grants, domain::GrantRule::any);
  EXPECT_THAT(found(app.id).redirect_urls, IsEmpty());
  write([&](Transaction& t) {
    t.insert(second);
    t.update(app);
  });
  EXPECT_EQ(found(app.id).name, "Renamed");
  EXPECT_EQ(found(app.id).url, "https://renamed.example.com/");
  EXPECT_EQ(found(app.id).language, base::Language::de);
  EXPECT_EQ(found(app.id).grants, domain::GrantRule::manageable);
  EXPECT_EQ(found(app.id).redirect_urls, app.redirect_urls);
  EXPECT_EQ(found(app.id).created_at, world_.app.created_at);
  EXPECT_EQ(found(second.id).name, "Stock");
  app.redirect_urls.clear();
  write([&](Transaction& t) { t.update(app); });
  EXPECT_THAT(found(app.id).redirect_urls, IsEmpty());
}

TEST_P(ApiStoreTest, ARoleKeepsWhomItManagesWhereverItIsRead) {
  auto some = test::sample_role(world_.app, "Some");
  some.manageable = {world_.role.id, base::Uuid::random()};
  auto all = test::sample_role(world_.app, "All");
  all.manages_all = true;
  write([&](Transaction& t) {
    for (const auto& role : {some, all}) {
      t.insert(role);
      t.insert(domain::Access{world_.inviter.id, world_.environment.id, role.id, at(0)});
    }
  });
  const auto check = [&](const std::vector<domain::Role>& roles) {
    ASSERT_EQ(roles.size(), 3u);
    for (const domain::Role& role : roles) {
      EXPECT_EQ(role.manages_all, role.id == all.id) << role.name;
      EXPECT_EQ(role.manageable, role.id == some.id ? some.manageable : std::vector<base::Uuid>{}) << role.name;
    }
  };
  check(read([&](Transaction& t) { return t.list_roles(world_.app.id); }));
  check(read([&](Transaction& t) { return t.list_roles_of(world_.inviter.id, world_.environment.id); }));
  std::swap(some.manageable, all.manageable);
  std::swap(some.manages_all, all.manages_all);
  write([&](Transaction& t) {
    t.update(some);
    t.update(all);
  });
  EXPECT_TRUE(read([&](Transaction& t) { return t.find_role(world_.app.id, some.id); })->manages_all);
  EXPECT_EQ(read([&](Transaction& t) { return t.find_role(world_.app.id, all.id); })->manageable, all.manageable);
}

TEST_P(ApiStoreTest, RoleAliasesBelongToAnAppAndAreListedByDialectAndName) {
  const auto other_app = test::sample_app("Stock");
  const auto other_role = test::sample_role(world_.app, "Other");
  const auto names = [&](const base::Uuid& app_id) {
    std::vector<std::string> found;
    for (const auto& alias : read([&](Transaction& t) { return t.list_role_aliases(app_id); })) {
      EXPECT_EQ(alias.app_id, app_id);
      found.push_back(alias.dialect + ":" + alias.name + (alias.role_id == world_.role.id ? "" : "!"));
    }
    return found;
  };
  write([&](Transaction& t) {
    t.insert(other_app);
    t.insert(other_role);
    for (const auto& [dialect, name] : {std::pair("medusa", "b"), {"medusa", "a"}, {"base44", "z"}, {"medusa", "B"}})
      t.set_role_alias({world_.app.id, dialect, name, world_.role.id});
    t.set_role_alias({other_app.id, "medusa", "a", world_.role.id});
  });
  EXPECT_THAT(names(world_.app.id), ElementsAre("base44:z", "medusa:B", "medusa:a", "medusa:b"));
  write([&](Transaction& t) {
    t.set_role_alias({world_.app.id, "medusa", "a", other_role.id});
    EXPECT_TRUE(t.erase_role_alias(world_.app.id, "medusa", "b"));
    EXPECT_FALSE(t.erase_role_alias(world_.app.id, "medusa", "b"));
    EXPECT_FALSE(t.erase_role_alias(world_.app.id, "gorules", "a"));
  });
  EXPECT_THAT(names(world_.app.id), ElementsAre("base44:z", "medusa:B", "medusa:a!"));
  EXPECT_THAT(names(other_app.id), ElementsAre("medusa:a"));
}

// --- invitations and mails -------------------------------------------------------------------------

TEST_P(ApiStoreTest, AnInvitationKeepsWhatItsCallerBroughtAlong) {
  const auto other_inviter = test::sample_account("other@example.com", "Other");
  write([&](Transaction& t) { t.insert(other_inviter); });
  Invitation one = world_.invitation();
  one.updated_at = at(1);
  one.more_role_ids = {base::Uuid::random(), base::Uuid::random()};
  one.metadata = R"({"team":"Größe","quote":"'"})";
  one.redirect_url = "https://orders.example.com/welcome";
  one.lifetime = 2h;
  one.token_id = base::Uuid::random();
  const auto check = [&] {
    const auto found = read([&](Transaction& t) { return t.find_invitation(one.id); }).value();
    EXPECT_EQ(found.updated_at, one.updated_at);
    EXPECT_EQ(found.more_role_ids, one.more_role_ids);
    EXPECT_EQ(found.metadata, one.metadata);
    EXPECT_EQ(found.redirect_url, one.redirect_url);
    EXPECT_EQ(found.lifetime, one.lifetime);
    EXPECT_EQ(found.token_id, one.token_id);
    EXPECT_EQ(read([&](Transaction& t) {
                return t.find_pending_invitation(world_.environment.id, one.invitee.key());
              })->more_role_ids,
              one.more_role_ids);
  };
  write([&](Transaction& t) { t.insert(one); });
  check();
  one.updated_at = at(2);
  one.more_role_ids = {base::Uuid::random()};
  one.metadata.clear();
  one.redirect_url.clear();
  one.lifetime = 0s;
  one.token_id = {};
  write([&](Transaction& t) { t.update(one); });
  check();
  one.more_role_ids.clear();
  one.token_id = base::Uuid::random();
  one.inviter_id = other_inviter.id;
  write([&](Transaction& t) {
    t.update(one);
    // Within the work that changed it, too.
    EXPECT_EQ(t.find_invitation(one.id)->inviter_id, one.inviter_id);
    EXPECT_EQ(t.find_pending_invitation(world_.environment.id, one.invitee.key())->token_id, one.token_id);
  });
  check();
}

TEST_P(ApiStoreTest, TheMailsOfAnInvitationAreListedOldestFirst) {
  const auto [one, first] = invite("ada@example.com", at(0));
  const auto [other, foreign] = invite("bob@example.com", at(0));
  auto again = world_.message(one);
  again.generation = 2;
  write([&](Transaction& t) {
    t.cancel_messages(one.id, at(1));
    t.insert(again);
    // What this work has written is there already.
    EXPECT_EQ(t.list_messages_of(one.id).size(), 2u);
  });
  const auto found = read([&](Transaction& t) { return t.list_messages_of(one.id); });
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, first.id);
  EXPECT_EQ(found[0].state, domain::MessageState::cancelled);
  EXPECT_EQ(found[1].id, again.id);
  EXPECT_EQ(found[1].generation, 2u);
  EXPECT_EQ(read([&](Transaction& t) { return t.list_messages_of(other.id); }).front().id, foreign.id);
  EXPECT_THAT(read([](Transaction& t) { return t.list_messages_of(base::Uuid::random()); }), IsEmpty());
}

// --- people ----------------------------------------------------------------------------------------

TEST_P(ApiStoreTest, PeopleAreThoseWithAccessFoundByPartsOfAddressOrName) {
  const auto elsewhere = test::sample_environment(world_.app, "Elsewhere");
  const auto second_role = test::sample_role(world_.app, "Second");
  write([&](Transaction& t) {
    t.insert(elsewhere);
    t.insert(second_role);
    for (const auto& [email, name] : {std::pair("ada_l@example.com", "Ada 100% Lovelace"),
                                      {"adaxl@example.com", "ÉLAN Élodie"},
                                      {"nobody@example.com", "Ada Without Access"},
                                      {"far@example.com", "Ada Far"}}) {
      const auto account = test::sample_account(email, name);
      t.insert(account);
      if (std::string_view(email).starts_with("ada")) {
        t.insert(domain::Access{account.id, world_.environment.id, world_.role.id, at(0)});
        t.insert(domain::Access{account.id, world_.environment.id, second_role.id, at(0)});
      }
      if (std::string_view(email).starts_with("far"))
        t.insert(domain::Access{account.id, elsewhere.id, world_.role.id, at(0)});
    }
  });
  const auto found = [&](std::string_view search, domain::Page page = {}) {
    std::string emails;
    const auto people = read([&](Transaction& t) { return t.list_people(world_.environment.id, search, page); });
    for (const auto& person : people) emails += person.email.key().substr(0, person.email.key().find('@')) + " ";
    if (page.limit == 100) {
      EXPECT_EQ(read([&](Transaction& t) { return t.count_people(world_.environment.id, search); }), people.size())
          << search;
    }
    return emails;
  };
  const struct {
    const char* search;
    const char* found;
  } kRows[] = {{"", "inviter ada_l adaxl "},
               {"ADA", "ada_l adaxl "},
               {"lovelace", "ada_l "},
               {"a_l", "ada_l "},
               {"100%", "ada_l "},
               {"%", "ada_l "},
               {"\\", ""},
               {"\\%", ""},
               {"@EXAMPLE.com", "inviter ada_l adaxl "},
               {"Élodie", "adaxl "},
               {"ÉLAN", "adaxl "},
               {"Éo", ""},
               {"Without", ""},
               {"' OR 1 = 1 --", ""}};
  for (const auto& row : kRows) EXPECT_EQ(found(row.search), row.found) << row.search;
  EXPECT_EQ(found("", {.limit = 1, .offset = 1}), "ada_l ");
  EXPECT_EQ(found("", {.limit = 5, .offset = 2}), "adaxl ");
  EXPECT_EQ(read([](Transaction& t) { return t.count_people(base::Uuid::random(), ""); }), 0u);
}

TEST_P(ApiStoreTest, ListsOfPeopleGoOnBehindTheLastOneWhateverWasWithdrawnMeanwhile) {
  std::vector<domain::Account> people;
  for (int i = 0; i < 7; ++i) people.push_back(test::sample_account("p" + std::to_string(i) + "@example.com"));
  auto second_role = world_.role;
  second_role.id = base::Uuid::random();
  write([&](Transaction& t) {
    t.insert(second_role);
    for (const auto& person : people) {
      t.insert(person);
      // Several of one moment, and several roles of one person.
      for (const auto& role : {world_.role.id, second_role.id})
        t.insert(domain::Access{person.id, world_.environment.id, role, at((&person - people.data()) / 3)});
    }
  });
  const base::Uuid& here = world_.environment.id;
  const auto all_access = read([&](Transaction& t) { return t.list_access(here, {}); });
  const auto all_people = read([&](Transaction& t) { return t.list_people(here, "", {}); });
  ASSERT_EQ(all_access.size(), 15u);
  ASSERT_EQ(all_people.size(), 8u);

  std::vector<domain::Access> seen;
  for (auto part = read([&](Transaction& t) { return t.list_access(here, {2, 0}); }); !part.empty();) {
    for (const auto& entry : part) {
      seen.push_back(entry.access);
      write([&](Transaction& t) { EXPECT_TRUE(t.erase(entry.access)); });
    }
    part = read([&](Transaction& t) { return t.list_access_behind(seen.back(), 2); });
  }
  ASSERT_EQ(seen.size(), all_access.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].account_id, all_access[i].access.account_id) << i;
    EXPECT_EQ(seen[i].role_id, all_access[i].access.role_id) << i;
  }

  write([&](Transaction& t) {
    for (const auto& access : seen) t.insert(access);
  });
  std::vector<base::Uuid> met;
  for (auto part = read([&](Transaction& t) { return t.list_people(here, "", {3, 0}); }); !part.empty();) {
    for (const auto& person : part) met.push_back(person.id);
    write([&](Transaction& t) {
      for (const auto& access : seen)
        if (access.account_id == met.back()) t.erase(access);
    });
    part = read([&](Transaction& t) { return t.list_people_behind(here, "", met.back(), 3); });
  }
  ASSERT_EQ(met.size(), all_people.size());
  for (std::size_t i = 0; i < met.size(); ++i) EXPECT_EQ(met[i], all_people[i].id) << i;
  const auto found = read([&](Transaction& t) { return t.list_people_behind(here, "p5@", people[0].id, 9); });
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, people[5].id);
}

// --- records ---------------------------------------------------------------------------------------

TEST_P(ApiStoreTest, AnAnswerIsKeptWithItsKeyAndReplacedWithIt) {
  const auto here = world_.environment.id;
  const std::string answer = R"({"email":"ada@example.com","name":"Größe"})";
  const auto found = [&] { return read([&](Transaction& t) { return t.find_idempotency(here, "key"); }).value(); };
  write([&](Transaction& t) { t.insert(domain::IdempotencyRecord{here, "key", "digest", at(0), 201, answer}); });
  EXPECT_EQ(found().status, 201);
  EXPECT_EQ(found().answer, answer);
  write([&](Transaction& t) { t.insert(domain::IdempotencyRecord{here, "key", "other", at(9)}); });
  EXPECT_EQ(found().status, 0);
  EXPECT_EQ(found().answer, "");
}

TEST_P(ApiStoreTest, AnEnvironmentsEventsAreItsOwnNewestFirst) {
  const auto here = world_.environment.id;
  const auto there = base::Uuid::random();
  write([&](Transaction& t) {
    int number = 0;
    for (const base::Uuid& environment_id : {here, there, base::Uuid{}, here, here})
      t.insert(domain::AuditEvent{at(number), "operator", "event." + std::to_string(number++), base::Uuid::random(), "",
                                  environment_id});
  });
  const auto actions = [&](const base::Uuid& environment_id, domain::Page page = {}) {
    std::vector<std::string> found;
    for (const auto& event : read([&](Transaction& t) { return t.list_audit_events_of(environment_id, page); })) {
      EXPECT_EQ(event.environment_id, environment_id);
      found.push_back(event.action);
    }
    return found;
  };
  EXPECT_THAT(actions(here), ElementsAre("event.4", "event.3", "event.0"));
  EXPECT_THAT(actions(here, {.limit = 1, .offset = 1}), ElementsAre("event.3"));
  EXPECT_THAT(actions(there), ElementsAre("event.1"));
  EXPECT_EQ(read([](Transaction& t) { return t.list_audit_events({}); }).size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Databases, ApiStoreTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
