// Moving a SQLite file into PostgreSQL: all of it arrives, a second run changes nothing, and what does not belong there
// is refused by table and key.
#include "storage/store_move.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "storage/migrator.h"
#include "storage/moved_table.h"
#include "storage/sqlite_connection.h"
#include "storage/statement.h"
#include "storage/store_fixture.h"

namespace invited::storage {
namespace {

using namespace std::chrono_literals;
using domain::Transaction;
using test::at;
using testing::HasSubstr;

constexpr const char* kOdd = "O'Hara \"\\\" {a,b} NULL \\N \\. \t ü 中文 \xF0\x9F\x8E\x89 %s $1 :name";

/// Everything that the domain can tell of a store, as lines in alphabetical order: rows of the same moment may be
/// listed in another order afterwards.
std::vector<std::string> dump(domain::Store& store) {
  std::ostringstream text;
  const auto time = [](const std::optional<base::Timestamp>& t) { return t ? base::to_rfc3339(*t) : std::string("-"); };
  constexpr domain::Page kAll{.limit = 100'000};
  const auto read = store.read([&](Transaction& t) -> domain::Result<void> {
    for (const auto& app : t.list_apps()) {
      text << "app " << app.id.to_string() << app.name << app.url << time(app.created_at) << '\n';
      for (const auto& role : t.list_roles(app.id)) text << "role " << role.id.to_string() << role.name << '\n';
    }
    for (const auto& environment : t.list_environments()) {
      text << "environment " << environment.id.to_string() << environment.name << environment.disabled
           << environment.openid_template << environment.refresh_url << '\n';
      for (const auto& password : environment.passwords)
        text << "password " << password.hash << time(password.valid_from) << time(password.valid_until) << '\n';
      for (const auto& entry : t.list_access(environment.id, kAll))
        text << "access " << entry.email << entry.role_name << time(entry.access.granted_at) << '\n';
    }
    for (const auto& account : t.list_accounts(kAll)) {
      text << "account " << account.id.to_string() << account.email.text() << account.name << account.password_hash
           << account.password_generation << account.disabled << '\n';
      const auto profile = t.find_profile(account.id);
      for (const auto& field : domain::kProfileFields) text << profile.get(field.field) << '|';
      text << '\n';
    }
    for (const auto& i : t.list_invitations({}, kAll))
      text << "invitation " << i.id.to_string() << i.invitee.text() << domain::to_string(i.state) << i.generation
           << time(i.created_at) << time(i.sent_at) << time(i.expires_at) << time(i.settled_at) << '\n';
    for (const auto& m : t.list_messages(std::nullopt, kAll)) {
      text << "message " << m.id.to_string() << domain::to_string(m.kind) << domain::to_string(m.state)
           << m.environment_id.to_string() << m.invitation_id.to_string() << m.account_id.to_string()
           << m.recipient.text() << m.inviter_name << m.app_name << time(m.due_at) << m.attempts << m.deaths
           << time(m.finished_at) << m.last_error << '\n';
      for (const auto& a : t.list_attempts(m.id))
        text << "attempt " << m.id.to_string() << a.number << time(a.started_at) << time(a.finished_at)
             << (a.result ? a.result->explanation + std::to_string(a.result->reply_code) : "-") << '\n';
    }
    for (const auto& c : t.list_refresh_calls(std::nullopt, kAll)) {
      text << "call " << c.id.to_string() << domain::to_string(c.state) << time(c.due_at) << c.last_error << '\n';
      for (const auto& a : t.list_call_attempts(domain::CallKind::refresh, c.id))
        text << "attempt " << c.id.to_string() << a.number << time(a.finished_at)
             << (a.result ? a.result->explanation : "-") << '\n';
    }
    for (const auto& w : t.list_all_webhooks())
      text << "webhook " << w.id.to_string() << w.url << w.events.size() << w.disabled << w.disabled_reason
           << w.secret_version << time(w.old_secret_until) << '\n';
    for (const auto& d : t.list_webhook_deliveries({}, kAll)) {
      text << "delivery " << d.id.to_string() << domain::to_string(d.state) << d.payload << time(d.due_at)
           << d.last_error << '\n';
      for (const auto& a : t.list_call_attempts(domain::CallKind::webhook, d.id))
        text << "attempt " << d.id.to_string() << a.number << time(a.finished_at) << '\n';
    }
    if (const auto hold = t.find_mail_hold()) text << "hold " << hold->tries << hold->reason.explanation << '\n';
    int place = 0;
    for (const auto& e : t.list_audit_events(kAll))
      text << "event " << place++ << ' ' << time(e.at) << e.actor << e.action << e.subject_id.to_string() << e.detail
           << '\n';
    text << "rate " << time(t.find_rate("environment:x").short_term) << '\n';
    if (const auto binding = t.find_key_binding())
      text << "keys " << binding->key_digest << binding->epoch << time(binding->restored_at) << '\n';
    for (const auto& i : t.list_incarnations())
      text << "incarnation " << i.instance << i.id.to_string() << time(i.since) << '\n';
    const auto session = t.find_session("hash of a token");
    text << "session " << (session ? session->account_id.to_string() : "-") << '\n';
    return {};
  });
  EXPECT_TRUE(read);
  std::vector<std::string> lines;
  std::istringstream stream(text.str());
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

/// What the first line is that only one of them has; empty where they are the same.
std::string difference(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  const auto [a, b] = std::ranges::mismatch(before, after);
  return (a == before.end() ? "" : "before: " + *a) + (b == after.end() ? "" : " after: " + *b);
}

class StoreMoveTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresCluster::why_not()) GTEST_SKIP() << *reason;
    database_ = std::make_unique<test::PostgresDatabase>();
  }

  std::unique_ptr<domain::Store> open_source() {
    SqliteOptions options;
    options.path = file_;
    options.watermark_bytes = 0;
    auto opened = open_sqlite_store(options, clock_);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }

  /// Rows of every kind, with texts of every kind.
  void fill(domain::Store& store, int invitations = 20) {
    const auto done = store.write([&](Transaction& t) -> domain::Result<void> {
      world_.app.name = kOdd;
      world_.environment.passwords.push_back({domain::PasswordKind::brought, "second", at(10), at(20)});
      world_.environment.refresh_url = "https://app.example.com/refresh";
      world_.insert_into(t);
      t.insert(test::sample_app("Second"));
      domain::Profile profile;
      profile.set(domain::kProfileFields[0].field, kOdd);
      profile.set(domain::kProfileFields[1].field, "x");
      t.set_profile(world_.inviter.id, profile);
      t.insert(domain::Session{"hash of a token", world_.inviter.id, 0, at(0), at(1000)});
      using enum domain::InvitationState;
      for (int i = 0; i < invitations; ++i) {
        auto invitation = world_.invitation("g" + std::to_string(i) + "@example.com", at(i));
        constexpr domain::InvitationState kStates[] = {pending, accepted, declined, revoked, expired};
        invitation.state = kStates[i % 5];
        if (i % 5 != 0) invitation.settled_at = at(i + 60);
        t.insert(invitation);
        auto message = world_.message(invitation);
        message.last_error = i % 3 == 0 ? std::string(kOdd) : "";
        t.insert(message);
        t.insert(domain::AuditEvent{at(i / 4), "operator", "invitation.created", invitation.id, kOdd,
                                    i % 2 == 0 ? invitation.environment_id : base::Uuid{}});
      }
      t.set_role_alias({world_.app.id, "base44", kOdd, world_.role.id});
      t.insert(domain::ApiToken{.id = base::Uuid::random(),
                                .hash = "hash",
                                .name = kOdd,
                                .environment_id = world_.environment.id,
                                .account_id = world_.inviter.id,
                                .role_ceiling = {world_.role.id},
                                .may_see_links = true,
                                .created_at = at(0),
                                .expires_at = at(9),
                                .revoked_at = std::nullopt,
                                .last_used_at = at(5)});
      auto reset = world_.message(world_.invitation("reset@example.com"));
      reset.kind = domain::MessageKind::password_reset;
      reset.environment_id = {};
      reset.invitation_id = {};
      reset.account_id = world_.inviter.id;
      t.insert(reset);
      for (const auto& lease : t.claim_due_messages(7, at(100), at(1000)))
        if (lease.message.generation % 2 == 1)
          t.finish_attempt(lease, {domain::DeliveryOutcome::deferred, 451, "data", kOdd}, at(500), at(101));
      t.claim_due_messages(3, at(100), at(1000));  // under way
      t.insert(test::sample_refresh_call(world_.environment, world_.inviter));
      const auto call = t.claim_due_call(domain::CallKind::refresh, {at(100), at(1000)});
      t.finish_call_attempt(domain::CallKind::refresh, *call, {domain::CallOutcome::deferred, 503, kOdd}, at(500),
                            at(102));
      auto webhook = test::sample_webhook(world_.environment, {domain::EventType::access_granted});
      webhook.disabled_reason = kOdd;
      webhook.old_secret_until = at(77);
      t.insert(webhook);
      t.insert(test::sample_delivery(webhook));
      t.insert(test::sample_delivery(webhook));
      const auto told = t.claim_due_call(domain::CallKind::webhook, {at(100), at(1000)});
      t.finish_call_attempt(domain::CallKind::webhook, *told, {domain::CallOutcome::deferred, 503, kOdd}, at(500),
                            at(102));
      t.watch_expiry(at(55));
      t.set_mail_hold(domain::MailHold{at(0), at(60), 3, {domain::DeliveryOutcome::held, 0, "connect", kOdd}});
      t.set_rate("environment:x", {at(5), at(6)});
      t.set_key_binding({"digest of the keys", 3, at(7)});
      t.set_incarnation({"a state folder", base::Uuid::random(), at(8)});
      t.insert(domain::IdempotencyRecord{world_.environment.id, kOdd, "digest", at(3)});
      return {};
    });
    ASSERT_TRUE(done) << done.error().message;
  }

  domain::Result<std::vector<MovedRows>> move() { return move_store({.sqlite_path = file_, .postgres_url = url()}); }
  const std::string& url() const { return database_->url(); }
  domain::Result<PostgresStore> open_target() {
    PostgresOptions options;
    options.url = url();
    return open_postgres_store(options);
  }
  std::string refusal() {
    const auto moved = move();
    return moved ? "moved" : moved.error().message;
  }
  std::string count(const std::string& table) {
    return test::postgres_query(url(), "SELECT count(*) FROM " + table)[0][0].value();
  }
  std::vector<std::string> dump_target() {
    auto opened = open_target();
    if (!opened) throw std::runtime_error(opened.error().message);
    return dump(*opened->store);
  }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  std::string file_ = folder_ / "invited.db";
  test::ManualClock clock_;
  test::SampleWorld world_;
  std::unique_ptr<test::PostgresDatabase> database_;
};

TEST_F(StoreMoveTest, EverythingArrivesAndASecondRunChangesNothing) {
  std::vector<std::string> before;
  {
    const auto source = open_source();
    fill(*source);
    before = dump(*source);
  }
  const auto first = move();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(difference(before, dump_target()), "");
  EXPECT_EQ(first->size(), MovedTable::all().size());
  for (const auto& table : *first) EXPECT_GT(table.rows, 0u) << table.table << ": nothing was tried with it";

  const auto second = move();
  ASSERT_TRUE(second) << second.error().message;
  for (std::size_t i = 0; i < first->size(); ++i) EXPECT_EQ((*second)[i].digest, (*first)[i].digest);
  EXPECT_EQ(difference(before, dump_target()), "");
  EXPECT_EQ(difference(before, dump(*open_source())), "") << "the file stays as it was";
}

TEST_F(StoreMoveTest, AnEmptyStoreMovesToo) {
  open_source();
  const auto moved = move();
  ASSERT_TRUE(moved) << moved.error().message;
  for (const auto& table : *moved) EXPECT_EQ(table.rows, 0u);
}

TEST_F(StoreMoveTest, WhatIsAddedAfterwardsComesBehind) {
  fill(*open_source());
  ASSERT_TRUE(move());
  auto opened = open_target();
  ASSERT_TRUE(opened);
  const auto newest = test::sample_app("Newest");
  ASSERT_TRUE(opened->store->write([&](Transaction& t) -> domain::Result<void> {
    t.insert(newest);
    return {};
  }));
  ASSERT_TRUE(opened->store->read([&](Transaction& t) -> domain::Result<void> {
    EXPECT_EQ(t.list_apps().front().id, newest.id);
    return {};
  }));
}

TEST_F(StoreMoveTest, ARunThatWasBrokenOffIsGoneOnWith) {
  std::vector<std::string> before;
  {
    const auto source = open_source();
    fill(*source, 2'500);
    before = dump(*source);
  }
  struct BrokenOff {};
  // Breaks off at ever later places; each run finds what the one before has left.
  for (int place = 0; place < 30; place += 3) {
    int seen = 0;
    const auto stop = [&](std::string_view, std::string_view, std::uint64_t, std::uint64_t) {
      if (++seen > place) throw BrokenOff();
    };
    EXPECT_THROW(static_cast<void>(move_store({.sqlite_path = file_, .postgres_url = url(), .progress = stop})),
                 BrokenOff);
  }
  const auto moved = move();
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(difference(before, dump_target()), "");
}

TEST_F(StoreMoveTest, ARowThatWasChangedIsToldByTableAndKey) {
  fill(*open_source());
  ASSERT_TRUE(move());
  const auto id = test::postgres_query(
      url(), "UPDATE invitation SET state = 'revoked' WHERE invitee = 'g5@example.com' RETURNING id")[0][0];
  EXPECT_THAT(refusal(), HasSubstr("invitation has a row that differs in state: id = " + *id));
}

TEST_F(StoreMoveTest, AChangedAuditEventIsTold) {
  fill(*open_source());
  ASSERT_TRUE(move());
  const auto id = test::postgres_query(url(),
                                       "UPDATE audit_event SET detail = 'nothing happened' WHERE id = (SELECT id FROM"
                                       " audit_event ORDER BY id LIMIT 1) RETURNING id")[0][0];
  EXPECT_THAT(refusal(), HasSubstr("audit_event has a row that differs in detail: id = " + *id));
}

TEST_F(StoreMoveTest, ADatabaseThatHoldsSomethingElseIsLeftAlone) {
  fill(*open_source());
  {
    auto opened = open_target();
    ASSERT_TRUE(opened);
    test::SampleWorld other;
    other.inviter = test::sample_account("somebody.else@example.com");
    ASSERT_TRUE(opened->store->write([&](Transaction& t) -> domain::Result<void> {
      other.insert_into(t);
      t.insert(domain::AuditEvent{at(0), "operator", "app.added", other.app.id, ""});
      return {};
    }));
  }
  EXPECT_THAT(refusal(), HasSubstr("app has a row in PostgreSQL that is not in the SQLite file: id = "));
  EXPECT_EQ(count("invitation"), "0");
  EXPECT_EQ(count("app"), "1");
  test::postgres_query(url(),
                       "DELETE FROM access; DELETE FROM environment; DELETE FROM role; DELETE FROM app;"
                       " DELETE FROM account");
  EXPECT_THAT(refusal(), HasSubstr("audit_event has a row in PostgreSQL that is not in the SQLite file: id = "));
}

TEST_F(StoreMoveTest, ARowThatVanishedIsBroughtAgain) {
  std::vector<std::string> before;
  {
    const auto source = open_source();
    fill(*source);
    before = dump(*source);
  }
  ASSERT_TRUE(move());
  test::postgres_query(url(), "DELETE FROM attempt; DELETE FROM invitation WHERE invitee LIKE 'g1%'");
  ASSERT_TRUE(move());
  EXPECT_EQ(difference(before, dump_target()), "");
}

TEST_F(StoreMoveTest, AFileInUseIsLeftAlone) {
  const auto source = open_source();
  EXPECT_THAT(refusal(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(StoreMoveTest, AFileInUseIsLeftAloneByWhateverNameItIsCalled) {
  const auto source = open_source();
  const test::TemporaryDirectory elsewhere{test::TemporaryDirectory::in_memory()};
  std::filesystem::create_symlink(file_, elsewhere / "link.db");
  file_ = elsewhere / "link.db";
  EXPECT_THAT(refusal(), HasSubstr(std::to_string(::getpid())));
  EXPECT_THROW(open_source(), std::runtime_error);
}

TEST_F(StoreMoveTest, AServerInUseIsLeftAlone) {
  fill(*open_source());
  const auto opened = open_target();
  ASSERT_TRUE(opened);
  EXPECT_THAT(refusal(), HasSubstr("stop every instance"));
  EXPECT_EQ(count("app"), "0");
}

TEST_F(StoreMoveTest, AMissingFileIsNotMade) {
  EXPECT_THAT(refusal(), HasSubstr("There is no SQLite file " + file_));
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(StoreMoveTest, AnOlderSchemaIsToldWhatToDo) {
  {
    SqliteConnection connection(file_, SqliteConnection::Role::writer);
    const auto all = embedded_migrations("sqlite");
    ASSERT_TRUE(migrate(connection, std::span(all).first(1), at(0)));
  }
  EXPECT_THAT(refusal(), HasSubstr("has schema version 1, and this program needs"));
}

TEST_F(StoreMoveTest, ANewerSchemaAndAnUnknownTableAreRefused) {
  open_source();
  {
    SqliteConnection connection(file_, SqliteConnection::Role::writer);
    Statement(connection, "CREATE TABLE notes (id TEXT)").run();
  }
  EXPECT_THAT(refusal(), HasSubstr("does not know: notes"));
  {
    SqliteConnection connection(file_, SqliteConnection::Role::writer);
    Statement(connection, "DROP TABLE notes").run();
    Statement(connection, "ALTER TABLE app ADD COLUMN colour TEXT").run();
  }
  EXPECT_THAT(refusal(), HasSubstr("app has the column colour in SQLite only"));
  {
    SqliteConnection connection(file_, SqliteConnection::Role::writer);
    Statement(connection, "INSERT INTO schema_version (version, name, applied_at) VALUES (99, 'x', 0)").run();
  }
  EXPECT_THAT(refusal(), HasSubstr("has schema version 99"));
}

TEST_F(StoreMoveTest, ATextThatPostgresCannotHoldIsToldByItsKey) {
  open_source();
  {
    SqliteConnection connection(file_, SqliteConnection::Role::writer);
    Statement(connection, "INSERT INTO rate (subject, short_term, long_term) VALUES ('a' || char(0) || 'b', 1, 2)")
        .run();
  }
  EXPECT_THAT(refusal(), HasSubstr("rate has a row that PostgreSQL cannot hold, a NUL character in subject"));
}

TEST_F(StoreMoveTest, EveryTableIsMoved) {
  open_source();
  SqliteConnection connection(file_, SqliteConnection::Role::reader);
  Number tables = 0;
  Statement(connection, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", {},
            {&tables})
      .find();
  EXPECT_EQ(static_cast<std::size_t>(tables), MovedTable::all().size() + 2) << "schema_version and writer_probe stay";
}

}  // namespace
}  // namespace invited::storage
