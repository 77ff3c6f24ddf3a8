// What the use cases write down of what they changed: exactly these events, by whom, about what and whose. One row for
// each event that a use case inserts; and for those that change nothing, where somebody might think that they do. The
// rows stand in audit_events_of_*_test.cpp, each on both databases; audit_events_test.cpp runs them.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/caller_fixture.h"
#include "domain/manage_webhooks.h"
#include "domain/reset_password.h"
#include "domain/restore.h"
#include "domain/session.h"
#include "storage/store_fixture.h"

namespace invited::domain {

class AuditEventsTest;

struct AuditEventsRow {
  const char* name;
  std::vector<std::string> (*run)(AuditEventsTest&);  ///< returns what is to be written since `from_here`
};

inline void PrintTo(const AuditEventsRow& row, std::ostream* out) { *out << row.name; }

using AuditEventsParameters = std::tuple<storage::StoreFactory, AuditEventsRow>;

class AuditEventsTest : public CallerTest, public testing::WithParamInterface<AuditEventsParameters> {
 public:
  using Test = AuditEventsTest;
  using Row = AuditEventsRow;
  using Events = std::vector<std::string>;

  static std::vector<Row> inviting_and_answering();
  static std::vector<Row> people_and_access();
  static std::vector<Row> operators();

  static auto on_both_databases(std::vector<Row> rows) {
    return testing::Combine(testing::Values(storage::kSqlite, storage::kPostgres), testing::ValuesIn(std::move(rows)));
  }
  static std::string name_of(const testing::TestParamInfo<AuditEventsParameters>& tested) {
    return std::get<storage::StoreFactory>(tested.param).name + std::get<Row>(tested.param).name;
  }

 protected:
  static constexpr const char* kAda = "ada@example.org";
  static constexpr const char* kGrace = "grace@example.org";
  static constexpr const char* kClient = "192.0.2.7";
  static constexpr const char* kHere = "Production";  ///< the environment of the fixture
  static constexpr const char* kService = "-";        ///< no environment's: of the service as a whole

  AuditEventsTest() : CallerTest(open(std::get<storage::StoreFactory>(GetParam()))) {}

  void SetUp() override {
    if (const auto reason = std::get<storage::StoreFactory>(GetParam()).why_not()) GTEST_SKIP() << *reason;
  }

  /// `environment`: by its name; who holds a token of it may read the event.
  static std::string event(std::string_view environment, std::string_view actor, std::string_view action,
                           const base::Uuid& subject) {
    return std::string(environment) + ": " + std::string(actor) + ' ' + std::string(action) + ' ' + subject.to_string();
  }
  static std::string by_account(const Account& account) { return "account:" + account.id.to_string(); }

  /// What is changed from now on counts.
  void from_here() {
    clock_.advance(std::chrono::minutes(1));
    from_ = now();
  }

  Events written() {
    Events found;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      for (const AuditEvent& written : t.list_audit_events({.limit = 1'000, .offset = 0})) {
        if (written.at < from_) continue;
        const auto environment = t.find_environment(written.environment_id);
        found.push_back(
            event(environment ? environment->name : kService, written.actor, written.action, written.subject_id));
      }
      return {};
    }));
    return found;
  }

  template <class Work>
  auto in_transaction(Work work) {
    auto done = write_returning(*store_, [&](Transaction& t) { return work(t); });
    EXPECT_TRUE(done) << done.error().message;
    return *std::move(done);
  }

  std::string by_environment() const { return "environment:" + environment_.id.to_string(); }

  /// The invitation that came last.
  Invitation sent(const char* email = kAda) {
    EXPECT_TRUE(send(email));
    return newest();
  }
  Invitation newest() { return invitations().front(); }

  Account ada(std::string_view password_hash = {}, std::string_view name = "Ada Lovelace") {
    return in_transaction([&](Transaction& t) { return add_account(kAda, name, password_hash, t, now()); });
  }
  Account ada_with_password() { return ada(hasher_.hash(base::Secret(kGoodPassword))); }
  Account grace() { return *account(kGrace); }

  std::string sign_in_as(const char* email, const std::string& previous = {}) {
    const auto signed_in = sign_in({email, base::Secret(kGoodPassword), kClient, previous}, *context_);
    EXPECT_TRUE(signed_in) << signed_in.error().message;
    return std::string(signed_in->token.reveal());
  }

  bool is_signed_in(const std::string& session) {
    const auto person = find_signed_in(session, *context_);
    EXPECT_TRUE(person) << person.error().message;
    return person->has_value();
  }

  Account accept(const Invitation& invitation) {
    const auto accepted = accept_invitation(sign_up(token_of(invitation)), *context_);
    EXPECT_TRUE(accepted) << accepted.error().message;
    return *account(kAda);
  }
  Events accepted_by(const Account& person, const Invitation& invitation) const {
    return {event(kHere, by_account(person), "invitation.accepted", invitation.id),
            event(kHere, by_account(person), "access.granted", person.id)};
  }

  Webhook a_webhook() {
    return in_transaction([&](Transaction& t) {
      return add_webhook(environment_.id, "https://planner.example.org/hook", {}, false, t, now());
    });
  }
  void set_disabled(const Webhook& webhook, bool disabled) {
    in_transaction([&](Transaction& t) { return set_webhook_disabled(webhook.id, disabled, t, now()); });
  }

  /// Queued when a backup was made that was restored since.
  OutboxMessage held_message() {
    in_transaction(
        [&](Transaction& t) -> Result<AcceptedRestore> { return accept_restored_database({"digest", 2}, t, now()); });
    return messages(MessageState::queued).front();
  }
  void release(const OutboxMessage& message) {
    in_transaction([&](Transaction& t) { return release_held_message(message.id, "operator", t, policy_, now()); });
  }

 private:
  /// Nothing where there is no such server here: SetUp says so.
  static std::shared_ptr<Store> open(const storage::StoreFactory& factory) {
    if (factory.why_not()) return nullptr;
    const std::shared_ptr<storage::StoreUnderTest> opened = factory.make();
    return {opened, &opened->store()};
  }

  base::Timestamp from_;
};

inline AuditEventsTest::Events operator+(AuditEventsTest::Events some, const AuditEventsTest::Events& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

}  // namespace invited::domain
