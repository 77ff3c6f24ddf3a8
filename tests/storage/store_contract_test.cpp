// What every Store must do, whatever database stands behind it: apps, accounts, invitations, records, and what a unit
// of work is. The outbox, calls to apps, and what belongs to a person have files of their own.
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::InvitationState;
using domain::Transaction;
using test::address;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

class StoreTest : public StoreContractTest {};

TEST_P(StoreTest, AnAppIsFoundAsItWasStored) {
  const auto found = read([&](Transaction& t) { return t.find_app(world_.app.id); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, world_.app.name);
  EXPECT_EQ(found->url, world_.app.url);
  EXPECT_EQ(found->language, world_.app.language);
  EXPECT_EQ(found->created_at, world_.app.created_at);
  EXPECT_FALSE(read([](Transaction& t) { return t.find_app(base::Uuid::random()); }));
}

TEST_P(StoreTest, AppsAreListedNewestFirst) {
  const auto second = test::sample_app("Stock");
  write([&](Transaction& t) { t.insert(second); });
  const auto apps = read([](Transaction& t) { return t.list_apps(); });
  ASSERT_EQ(apps.size(), 2u);
  EXPECT_EQ(apps[0].id, second.id);
  EXPECT_EQ(apps[1].id, world_.app.id);
}

TEST_P(StoreTest, ARoleMeansSomethingOnlyWithItsApp) {
  const auto other = test::sample_app("Stock");
  domain::Role same = world_.role;
  same.app_id = other.id;
  same.name = "Same GUID, other app";
  write([&](Transaction& t) {
    t.insert(other);
    t.insert(same);
  });
  EXPECT_EQ(read([&](Transaction& t) { return t.find_role(world_.app.id, world_.role.id); })->name, "Planner");
  EXPECT_EQ(read([&](Transaction& t) { return t.find_role(other.id, world_.role.id); })->name, "Same GUID, other app");
  EXPECT_EQ(read([&](Transaction& t) { return t.list_roles(other.id); }).size(), 1u);
}

TEST_P(StoreTest, ARoleCanBeRenamed) {
  domain::Role renamed = world_.role;
  renamed.name = "Chief planner";
  write([&](Transaction& t) { t.update(renamed); });
  EXPECT_EQ(read([&](Transaction& t) { return t.find_role(world_.app.id, world_.role.id); })->name, "Chief planner");
}

TEST_P(StoreTest, AnEnvironmentIsChangedAsAWholeAndKeepsOneOrTwoPasswords) {
  auto environment = world_.environment;
  environment.name = "Acceptance";
  environment.disabled = true;
  environment.openid_template = "{email}";
  environment.refresh_url = "https://orders.example.com/ws/refresh";
  environment.refresh_namespace = std::string(domain::kOldRefreshNamespace);
  environment.passwords = {{domain::PasswordKind::issued, "old", at(0), at(3600)},
                           {domain::PasswordKind::brought, "new", at(10), std::nullopt}};
  write([&](Transaction& t) { t.update(environment); });
  auto found = read([&](Transaction& t) { return t.find_environment(environment.id); }).value();
  EXPECT_EQ(found.app_id, world_.app.id);
  EXPECT_EQ(found.name, "Acceptance");
  EXPECT_TRUE(found.disabled);
  EXPECT_EQ(found.openid_template, "{email}");
  EXPECT_EQ(found.refresh_url, "https://orders.example.com/ws/refresh");
  EXPECT_EQ(found.refresh_namespace, domain::kOldRefreshNamespace);
  ASSERT_EQ(found.passwords.size(), 2u);
  EXPECT_EQ(found.passwords[0].kind, domain::PasswordKind::issued);
  EXPECT_EQ(found.passwords[0].hash, "old");
  EXPECT_EQ(found.passwords[0].valid_until, at(3600));
  EXPECT_EQ(found.passwords[1].kind, domain::PasswordKind::brought);
  EXPECT_EQ(found.passwords[1].valid_from, at(10));
  EXPECT_FALSE(found.passwords[1].valid_until);

  environment.passwords.erase(environment.passwords.begin());
  write([&](Transaction& t) { t.update(environment); });
  found = read([&](Transaction& t) { return t.find_environment(environment.id); }).value();
  ASSERT_EQ(found.passwords.size(), 1u);
  EXPECT_EQ(found.passwords[0].hash, "new");
  EXPECT_EQ(read([](Transaction& t) { return t.list_environments(); }).size(), 1u);
}

TEST_P(StoreTest, AnAccountIsFoundByIdAndByTheKeyOfItsAddress) {
  const auto account = test::sample_account("Ada.Lovelace@Example.COM", "Ada");
  write([&](Transaction& t) { t.insert(account); });
  const auto by_key = read([](Transaction& t) { return t.find_account_by_email("ada.lovelace@example.com"); }).value();
  EXPECT_EQ(by_key.id, account.id);
  EXPECT_EQ(by_key.email.text(), "Ada.Lovelace@example.com");
  const auto by_id = read([&](Transaction& t) { return t.find_account(account.id); }).value();
  EXPECT_EQ(by_id.name, "Ada");
  EXPECT_EQ(by_id.password_hash, account.password_hash);
  EXPECT_FALSE(read([](Transaction& t) { return t.find_account_by_email("Ada.Lovelace@Example.COM"); }));
}

TEST_P(StoreTest, LetterCaseNeverMakesASecondAccount) {
  const auto refused = store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(test::sample_account("INVITER@example.com", "Somebody else"));
    return {};
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, domain::ErrorCode::unavailable);
  EXPECT_EQ(read([](Transaction& t) { return t.list_accounts({}); }).size(), 1u);
}

TEST_P(StoreTest, AnAccountsNamePasswordAndDisabledMarkCanChange) {
  auto account = world_.inviter;
  account.name = "Renamed";
  account.password_hash = "other";
  account.password_generation = 7;
  account.disabled = true;
  write([&](Transaction& t) { t.update(account); });
  const auto found = read([&](Transaction& t) { return t.find_account(account.id); }).value();
  EXPECT_EQ(found.name, "Renamed");
  EXPECT_EQ(found.password_hash, "other");
  EXPECT_EQ(found.password_generation, 7u);
  EXPECT_EQ(read([](Transaction& t) { return t.find_account_by_email("inviter@example.com"); })->password_generation,
            7u);
  EXPECT_TRUE(found.disabled);
}

TEST_P(StoreTest, ListingsAreCutIntoPages) {
  write([](Transaction& t) {
    for (int i = 0; i < 5; ++i) t.insert(test::sample_account("p" + std::to_string(i) + "@example.com"));
  });
  const auto names = [&](domain::Page page) {
    std::vector<std::string> keys;
    for (const auto& account : read([&](Transaction& t) { return t.list_accounts(page); }))
      keys.push_back(account.email.key());
    return keys;
  };
  EXPECT_THAT(names({2, 0}), ElementsAre("p4@example.com", "p3@example.com"));
  EXPECT_THAT(names({2, 3}), ElementsAre("p1@example.com", "p0@example.com"));
  EXPECT_THAT(names({2, 6}), IsEmpty());
}

TEST_P(StoreTest, AccessIsGrantedOnceAndTakenBackOnce) {
  const domain::Access access{world_.inviter.id, world_.environment.id, world_.role.id, at(50)};
  write([&](Transaction& t) { t.insert(access); });
  const auto entries = read([&](Transaction& t) { return t.list_access(world_.environment.id, {}); });
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].access.granted_at, at(0)) << "granting again changes nothing";
  EXPECT_EQ(entries[0].email, "inviter@example.com");
  EXPECT_EQ(entries[0].name, "Ina Viter");
  EXPECT_EQ(entries[0].role_name, "Planner");

  write([&](Transaction& t) {
    EXPECT_TRUE(t.erase(access));
    EXPECT_FALSE(t.erase(access));
  });
  EXPECT_FALSE(read([&](Transaction& t) { return t.has_any_access(access.account_id, access.environment_id); }));
}

TEST_P(StoreTest, AccessIsToARoleInAnEnvironment) {
  const auto other = test::sample_environment(world_.app, "Test");
  write([&](Transaction& t) { t.insert(other); });
  read([&](Transaction& t) {
    EXPECT_TRUE(t.has_any_access(world_.inviter.id, world_.environment.id));
    EXPECT_TRUE(t.has_access(world_.inviter.id, world_.environment.id, world_.role.id));
    EXPECT_FALSE(t.has_access(world_.inviter.id, world_.environment.id, base::Uuid::random()));
    EXPECT_FALSE(t.has_any_access(world_.inviter.id, other.id));
    EXPECT_FALSE(t.has_any_access(base::Uuid::random(), world_.environment.id));
    return 0;
  });
}

TEST_P(StoreTest, AnInvitationIsFoundAsItWasStoredAndAsItWasChanged) {
  auto invitation = world_.invitation("Guest@Example.com");
  write([&](Transaction& t) { t.insert(invitation); });
  auto found = read([&](Transaction& t) { return t.find_invitation(invitation.id); }).value();
  EXPECT_EQ(found.environment_id, world_.environment.id);
  EXPECT_EQ(found.role_id, world_.role.id);
  EXPECT_EQ(found.inviter_id, world_.inviter.id);
  EXPECT_EQ(found.invitee.text(), "Guest@example.com");
  EXPECT_EQ(found.generation, 1u);
  EXPECT_EQ(found.expires_at, invitation.expires_at);
  EXPECT_FALSE(found.settled_at);

  invitation.state = InvitationState::accepted;
  invitation.generation = 3;
  invitation.role_id = base::Uuid::random();
  invitation.sent_at = at(10);
  invitation.expires_at = at(20);
  invitation.settled_at = at(30);
  write([&](Transaction& t) { t.update(invitation); });
  found = read([&](Transaction& t) { return t.find_invitation(invitation.id); }).value();
  EXPECT_EQ(found.state, InvitationState::accepted);
  EXPECT_EQ(found.generation, 3u);
  EXPECT_EQ(found.role_id, invitation.role_id);
  EXPECT_EQ(found.sent_at, at(10));
  EXPECT_EQ(found.expires_at, at(20));
  EXPECT_EQ(found.settled_at, at(30));
  EXPECT_EQ(found.created_at, at(0));
}

TEST_P(StoreTest, ThereIsAtMostOnePendingInvitationForAnEnvironmentAndInvitee) {
  auto first = world_.invitation("guest@example.com");
  write([&](Transaction& t) { t.insert(first); });
  const auto second = world_.invitation("GUEST@example.com");
  EXPECT_FALSE(store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(second);
    return {};
  }));
  // Another environment, another address of the same mailbox: no matter.
  const auto elsewhere = test::sample_environment(world_.app, "Test");
  auto third = world_.invitation("guest@example.com");
  third.environment_id = elsewhere.id;
  write([&](Transaction& t) {
    t.insert(elsewhere);
    t.insert(third);
    t.insert(world_.invitation("guest+tag@example.com"));
  });
  // Settled ones do not count, however many.
  for (int i = 0; i < 2; ++i) {
    first.state = InvitationState::declined;
    write([&](Transaction& t) { t.update(first); });
    first = world_.invitation("guest@example.com");
    write([&](Transaction& t) { t.insert(first); });
  }
  const auto pending =
      read([&](Transaction& t) { return t.find_pending_invitation(world_.environment.id, "guest@example.com"); });
  EXPECT_EQ(pending->id, first.id);
  EXPECT_FALSE(read([&](Transaction& t) { return t.find_pending_invitation(world_.environment.id, "x@example.com"); }));
  EXPECT_FALSE(read([&](Transaction& t) { return t.find_pending_invitation(world_.environment.id, "no address"); }));
}

TEST_P(StoreTest, InvitationsAreListedByEnvironmentInviteeAndStateAsOfNow) {
  const auto elsewhere = test::sample_environment(world_.app, "Test");
  auto open = world_.invitation("open@example.com");
  auto over = world_.invitation("over@example.com");
  over.expires_at = at(100);
  auto marked = world_.invitation("marked@example.com");
  marked.state = InvitationState::expired;
  auto done = world_.invitation("done@example.com");
  done.state = InvitationState::accepted;
  auto other = world_.invitation("open@example.com");
  other.environment_id = elsewhere.id;
  write([&](Transaction& t) {
    t.insert(elsewhere);
    for (const auto& invitation : {open, over, marked, done, other}) t.insert(invitation);
  });

  using Environment = std::optional<base::Uuid>;
  using Key = std::optional<std::string>;
  using State = std::optional<InvitationState>;
  const auto list = [&](Environment environment, Key invitee, State state, base::Timestamp now) {
    const domain::InvitationFilter filter{environment, invitee, state, now};
    std::vector<base::Uuid> ids;
    for (const auto& invitation : read([&](Transaction& t) { return t.list_invitations(filter, {}); }))
      ids.push_back(invitation.id);
    return ids;
  };
  const Environment here = world_.environment.id;
  EXPECT_THAT(list({}, {}, {}, at(0)), ElementsAre(other.id, done.id, marked.id, over.id, open.id));
  EXPECT_THAT(list(here, {}, {}, at(0)), ElementsAre(done.id, marked.id, over.id, open.id));
  EXPECT_THAT(list({}, "open@example.com", {}, at(0)), ElementsAre(other.id, open.id));
  EXPECT_THAT(list(here, "open@example.com", {}, at(0)), ElementsAre(open.id));
  EXPECT_THAT(list(here, {}, InvitationState::pending, at(99)), ElementsAre(over.id, open.id));
  // In one state those come first that were sent last, which their expiry tells.
  EXPECT_THAT(list({}, {}, InvitationState::pending, at(99)), ElementsAre(other.id, open.id, over.id));
  EXPECT_THAT(list(here, {}, InvitationState::pending, at(100)), ElementsAre(open.id));
  EXPECT_THAT(list({}, {}, InvitationState::expired, at(99)), ElementsAre(marked.id));
  EXPECT_THAT(list({}, {}, InvitationState::expired, at(100)), ElementsAre(marked.id, over.id));
  EXPECT_THAT(list(here, {}, InvitationState::expired, at(100)), ElementsAre(marked.id, over.id));
  EXPECT_THAT(list(elsewhere.id, {}, InvitationState::expired, at(100)), IsEmpty());
  EXPECT_THAT(list({}, {}, InvitationState::accepted, at(100)), ElementsAre(done.id));
  const auto page = [&](domain::Page wanted) {
    const domain::InvitationFilter filter{{}, {}, InvitationState::expired, at(100)};
    return read([&](Transaction& t) { return t.list_invitations(filter, wanted); });
  };
  EXPECT_EQ(page({1, 0}).at(0).id, marked.id);
  EXPECT_EQ(page({1, 1}).at(0).id, over.id);
  EXPECT_THAT(page({1, 2}), IsEmpty());
  EXPECT_THAT(list({}, "not an address", {}, at(0)), IsEmpty());
}

TEST_P(StoreTest, RatesAreRememberedBySubject) {
  EXPECT_EQ(read([](Transaction& t) { return t.find_rate("inviter:1"); }).short_term, base::Timestamp{});
  write([](Transaction& t) { t.set_rate("inviter:1", {at(1), at(2)}); });
  write([](Transaction& t) { t.set_rate("inviter:1", {at(3), at(4)}); });
  const auto rate = read([](Transaction& t) { return t.find_rate("inviter:1"); });
  EXPECT_EQ(rate.short_term, at(3));
  EXPECT_EQ(rate.long_term, at(4));
}

TEST_P(StoreTest, AnIdempotencyKeyBelongsToItsEnvironmentAndCanBeUsedAnew) {
  const auto here = world_.environment.id;
  write([&](Transaction& t) { t.insert(domain::IdempotencyRecord{here, "key", "digest", at(0)}); });
  EXPECT_EQ(read([&](Transaction& t) { return t.find_idempotency(here, "key"); })->request_digest, "digest");
  EXPECT_FALSE(read([&](Transaction& t) { return t.find_idempotency(base::Uuid::random(), "key"); }));
  write([&](Transaction& t) { t.insert(domain::IdempotencyRecord{here, "key", "other", at(100)}); });
  const auto anew = read([&](Transaction& t) { return t.find_idempotency(here, "key"); }).value();
  EXPECT_EQ(anew.request_digest, "other");
  EXPECT_EQ(anew.created_at, at(100));
}

// Rates are written once for a batch: a work that is undone must not leave its own behind, nor take another's along.
TEST_P(StoreTest, ARateIsUndoneWithItsWorkAndStaysWithAnother) {
  ASSERT_TRUE(store().write([](Transaction& t) -> domain::Result<void> {
    t.set_rate("kept", {at(1), at(2)});
    return {};
  }));
  EXPECT_FALSE(store().write([](Transaction& t) -> domain::Result<void> {
    t.set_rate("kept", {at(3), at(4)});
    t.set_rate("kept", {at(5), at(6)});
    t.set_rate("new", {at(7), at(8)});
    return domain::refuse(domain::ErrorCode::rate_limited, "too many");
  }));
  reopen();
  ASSERT_TRUE(store().write([](Transaction& t) -> domain::Result<void> {
    EXPECT_EQ(t.find_rate("kept").short_term, at(1));
    EXPECT_EQ(t.find_rate("kept").long_term, at(2));
    EXPECT_EQ(t.find_rate("new").short_term, base::Timestamp{});
    return {};
  }));
}

TEST_P(StoreTest, PruningTakesWhatIsOlderAndNothingElse) {
  const auto here = world_.environment.id;
  write([&](Transaction& t) {
    t.set_rate("old", {at(1), at(2)});
    t.set_rate("half", {at(1), at(200)});
    t.insert(domain::IdempotencyRecord{here, "old", "d", at(1)});
    t.insert(domain::IdempotencyRecord{here, "new", "d", at(100)});
    t.prune(at(100));
  });
  EXPECT_EQ(read([](Transaction& t) { return t.find_rate("old"); }).long_term, base::Timestamp{});
  EXPECT_EQ(read([](Transaction& t) { return t.find_rate("half"); }).long_term, at(200));
  EXPECT_FALSE(read([&](Transaction& t) { return t.find_idempotency(here, "old"); }));
  EXPECT_TRUE(read([&](Transaction& t) { return t.find_idempotency(here, "new"); }));
}

TEST_P(StoreTest, AuditEventsAreListedNewestFirst) {
  const auto subject = base::Uuid::random();
  write([&](Transaction& t) {
    t.insert(domain::AuditEvent{at(1), "operator", "app.added", subject, ""});
    t.insert(domain::AuditEvent{at(2), "invitee", "invitation.accepted", subject, "role=planner"});
  });
  const auto events = read([](Transaction& t) { return t.list_audit_events({}); });
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].action, "invitation.accepted");
  EXPECT_EQ(events[0].actor, "invitee");
  EXPECT_EQ(events[0].detail, "role=planner");
  EXPECT_EQ(events[0].at, at(2));
  EXPECT_EQ(events[1].subject_id, subject);
}

// --- what a unit of work is --------------------------------------------------------------------------

TEST_P(StoreTest, WorkThatReturnsAnErrorLeavesNothingBehind) {
  const auto refused = store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(world_.invitation("guest@example.com"));
    return domain::refuse(domain::ErrorCode::rate_limited, "later", "Parameter", 7s);
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, domain::ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().parameter, "Parameter");
  EXPECT_EQ(refused.error().retry_after, 7s);
  EXPECT_THAT(read([](Transaction& t) { return t.list_invitations({}, {}); }), IsEmpty());
}

TEST_P(StoreTest, WorkThatThrowsLeavesNothingBehindAndTheStoreGoesOn) {
  const auto failed = store().write([&](Transaction& t) -> domain::Result<void> {
    t.insert(world_.invitation("guest@example.com"));
    throw std::logic_error("a mistake of ours");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, domain::ErrorCode::unavailable);
  EXPECT_TRUE(store().is_ready());
  invite("guest@example.com", at(0));
}

TEST_P(StoreTest, WorkSeesItsOwnWrites) {
  write([&](Transaction& t) {
    const auto invitation = world_.invitation("guest@example.com");
    t.insert(invitation);
    EXPECT_TRUE(t.find_pending_invitation(world_.environment.id, "guest@example.com"));
  });
}

TEST_P(StoreTest, AReadThatWritesIsRefused) {
  const auto refused = store().read([&](Transaction& t) -> domain::Result<void> {
    t.insert(world_.invitation("guest@example.com"));
    return {};
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, domain::ErrorCode::unavailable);
  EXPECT_THAT(read([](Transaction& t) { return t.list_invitations({}, {}); }), IsEmpty());
}

TEST_P(StoreTest, AReadSeesOneMomentWhateverIsWrittenMeanwhile) {
  read([&](Transaction& t) {
    EXPECT_THAT(t.list_invitations({}, {}), IsEmpty());
    invite("guest@example.com", at(0));  // another transaction, durable before the next line
    EXPECT_THAT(t.list_invitations({}, {}), IsEmpty());
    return 0;
  });
  EXPECT_EQ(read([](Transaction& t) { return t.list_invitations({}, {}); }).size(), 1u);
}

TEST_P(StoreTest, WhatWasStoredIsThereAfterReopening) {
  const auto [invitation, mail] = invite("guest@example.com", at(0));
  reopen();
  EXPECT_TRUE(read([&](Transaction& t) { return t.find_invitation(invitation.id); }));
  EXPECT_EQ(message(mail.id).recipient.key(), "guest@example.com");
}

TEST_P(StoreTest, WriteReturningGivesTheValueOrTheError) {
  const auto number = domain::write_returning(store(), [](Transaction&) -> domain::Result<int> { return 42; });
  EXPECT_EQ(number, 42);
  const auto error = domain::write_returning(store(), [](Transaction&) -> domain::Result<int> {
    return domain::refuse(domain::ErrorCode::not_found, "nothing there");
  });
  EXPECT_EQ(error.error().code, domain::ErrorCode::not_found);
}

TEST_P(StoreTest, DrainingRefusesNewWorkAndFinishesWhatIsOwed) {
  store().drain();
  EXPECT_FALSE(store().is_ready());
  const auto nothing = [](Transaction&) -> domain::Result<void> { return {}; };
  const auto refused = store().write(nothing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, domain::ErrorCode::unavailable);
  EXPECT_TRUE(store().write(nothing, domain::Urgency::owed));
  EXPECT_TRUE(store().read(nothing));
}

INSTANTIATE_TEST_SUITE_P(Databases, StoreTest, testing::Values(kSqlite, kPostgres), name_of);

}  // namespace
}  // namespace invited::storage
