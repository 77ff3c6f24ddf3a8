// A real store in a temporary folder, a clock that the test moves, and a seeded app: what use cases are tested on.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "domain/answer_invitation.h"
#include "domain/context.h"
#include "domain/manage_accounts.h"
#include "domain/manage_apps.h"
#include "domain/manage_invitations.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/send_and_wait.h"
#include "support/temporary_directory.h"

namespace invited::domain {

inline constexpr const char* kGoodPassword = "lighthouse piano cargo";

class UseCaseTest : public testing::Test {
 protected:
  /// On `store`; without one, on SQLite.
  explicit UseCaseTest(std::shared_ptr<Store> store = nullptr) : store_(std::move(store)) {
    storage::SqliteOptions options;
    options.path = directory_.path() / "invited.db";
    options.watermark_bytes = 0;
    if (!store_) store_ = std::move(*storage::open_sqlite_store(options, clock_));
    authenticator_ =
        std::make_unique<EnvironmentAuthenticator>(*store_, clock_, base::Secret(std::string(32, 'p')), policy_);
    context_ = std::make_unique<Context>(Context{*store_, clock_, policy_, keys_, *authenticator_, hasher_,
                                                 wrong_links_, sign_ups_, sign_ins_, [this] { ++mail_queued_; },
                                                 [this] { ++refresh_queued_; }, "https://invite.example.org"});
    write([&](Transaction& t) -> Result<void> {
      app_ = *add_app("Harbour Planner", "https://planner.example.org/", "en", t, now());
      user_ = *add_role(app_.id, std::nullopt, "User", t, now());
      planner_ = *add_role(app_.id, std::nullopt, "Planner", t, now());
      auto added = *add_environment({app_.id, "Production", std::nullopt, {}}, authenticator_->pepper(), t, now());
      environment_ = added.environment;
      password_ = added.password;
      inviter_ = *add_account("grace@example.org", "Grace Hopper", {}, t, now());
      EXPECT_TRUE(grant_access(environment_.id, "grace@example.org", user_.id, t, now()));
      return {};
    });
  }

  base::Timestamp now() const { return clock_.now(); }

  /// Runs work and expects it to be stored.
  void write(const Store::Work& work) {
    const auto done = store_->write(work);
    ASSERT_TRUE(done) << done.error().message;
  }

  SendInvitation request(const std::string& invitee = "ada@example.org") const {
    return {environment_.id.to_string(), password_, user_.id.to_string(), invitee,
            "grace@example.org",         {},        "192.0.2.1"};
  }

  Result<SentInvitation> send(const std::string& invitee = "ada@example.org") {
    return send_invitation(request(invitee), *context_);
  }

  std::vector<Invitation> invitations() {
    std::vector<Invitation> found;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      found = t.list_invitations({std::nullopt, std::nullopt, std::nullopt, now()}, {});
      return {};
    }));
    return found;
  }

  std::vector<OutboxMessage> messages(std::optional<MessageState> state = std::nullopt) {
    std::vector<OutboxMessage> found;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      found = t.list_messages(state, {});
      return {};
    }));
    return found;
  }

  std::optional<Account> account(const std::string& email) {
    std::optional<Account> found;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      found = t.find_account_by_email(email);
      return {};
    }));
    return found;
  }

  bool has_access(const Account& person, const Role& role) {
    bool found = false;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      found = t.has_access(person.id, environment_.id, role.id);
      return {};
    }));
    return found;
  }

  std::vector<std::string> audited() {
    std::vector<std::string> actions;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      for (const AuditEvent& event : t.list_audit_events({})) actions.push_back(event.action);
      return {};
    }));
    return actions;
  }

  AuditEvent newest_event() {
    AuditEvent newest;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      newest = t.list_audit_events({.limit = 1, .offset = 0}).at(0);
      return {};
    }));
    return newest;
  }

  /// The token of an invitation's newest generation, as it stands in the mail.
  std::string token_of(const Invitation& invitation) const {
    return make_token(keys_, {invitation.id, invitation.generation});
  }

  AcceptInvitation sign_up(const std::string& token) const {
    return {token, "Ada Lovelace", base::Secret(kGoodPassword), base::Secret(kGoodPassword), "192.0.2.7"};
  }

  test::TemporaryDirectory directory_{test::TemporaryDirectory::in_memory()};
  test::ManualClock clock_;
  Policy policy_;
  TokenKeys keys_{{TokenKey{1, base::Secret(std::string(32, 'k'))}}, 1};
  PasswordHasher hasher_;
  AttemptLimiter wrong_links_{Rate{30, std::chrono::minutes(5), 30}};
  AttemptLimiter sign_ups_{Rate{10, std::chrono::minutes(1), 10}};
  AttemptLimiter sign_ins_{Rate{5, std::chrono::hours(1), 5}};
  std::shared_ptr<Store> store_;
  std::unique_ptr<EnvironmentAuthenticator> authenticator_;
  std::unique_ptr<Context> context_;
  std::atomic<int> mail_queued_ = 0;
  std::atomic<int> refresh_queued_ = 0;

  App app_;
  Role user_, planner_;
  Environment environment_;
  base::Secret password_;
  std::optional<Account> inviter_;
};

}  // namespace invited::domain
