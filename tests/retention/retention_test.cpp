// Retention on a real store: what goes, what stays, and that nothing goes that is not on disk elsewhere first.
#include "retention.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited {
namespace {

using namespace std::chrono_literals;
using domain::Transaction;
using test::at;
using testing::HasSubstr;

constexpr auto kDay = 24h;

class RetentionTest : public testing::Test {
 protected:
  void SetUp() override {
    storage::SqliteOptions options;
    options.path = folder_ / "invited.db";
    options.watermark_bytes = 0;
    auto opened = storage::open_sqlite_store(options, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    write([&](Transaction& t) { world_.insert_into(t); });
    settings_.export_dir = folder_.path() / "exports";
  }

  void write(const std::function<void(Transaction&)>& work) {
    ASSERT_TRUE(store_->write([&](Transaction& t) -> domain::Result<void> {
      work(t);
      return {};
    }));
  }
  template <class Query>
  auto read(Query query) {
    using Found = std::invoke_result_t<Query, Transaction&>;
    return domain::read_returning(*store_, [&](Transaction& t) -> domain::Result<Found> { return query(t); }).value();
  }

  /// `count` invitations that were declined at once, their mails sent.
  void invite(int count, const std::string& name, base::Timestamp now) {
    write([&](Transaction& t) {
      for (int i = 0; i < count; ++i) {
        auto invitation = world_.invitation(name + std::to_string(i) + "@example.com", now);
        invitation.state = domain::InvitationState::declined;
        invitation.settled_at = now;
        auto message = world_.message(invitation);
        message.state = domain::MessageState::sent;
        message.finished_at = now;
        t.insert(invitation);
        t.insert(message);
        t.insert(domain::AuditEvent{now, "operator", "invitation.created", invitation.id, ""});
      }
    });
  }
  std::size_t invitations() {
    return read([](Transaction& t) { return t.list_invitations({}, {10'000}); }).size();
  }
  std::size_t events() {
    return read([](Transaction& t) { return t.list_audit_events({10'000}); }).size();
  }

  /// Steps until a pass is over (or failed). How many steps.
  int pass(Retention& retention) {
    for (int steps = 1;; ++steps)
      if (retention.step() >= 1min) return steps;
  }
  std::set<std::string> exported(std::string_view history, std::string_view key) {
    std::set<std::string> found;
    if (!std::filesystem::exists(settings_.export_dir)) return found;
    for (const auto& file : std::filesystem::directory_iterator(settings_.export_dir)) {
      if (!file.path().filename().string().starts_with(history)) continue;
      std::ifstream stream(file.path());
      for (std::string line; std::getline(stream, line);)
        found.insert(nlohmann::json::parse(line)[std::string(key)].get<std::string>());
    }
    return found;
  }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  test::ManualClock clock_{at(0)};
  test::SampleWorld world_;
  std::unique_ptr<domain::Store> store_;
  Config::Retention settings_;
};

TEST_F(RetentionTest, ByDefaultEverythingIsKeptForEver) {
  invite(5, "g", at(0));
  clock_.advance(10'000 * kDay);
  Retention retention(*store_, clock_, settings_);
  EXPECT_EQ(pass(retention), 1);
  EXPECT_EQ(invitations(), 5u);
  EXPECT_EQ(events(), 5u);
  EXPECT_FALSE(std::filesystem::exists(settings_.export_dir));
}

TEST_F(RetentionTest, WhatIsOlderThanConfiguredIsExportedAndGoesInSmallSteps) {
  settings_.invitations = 30 * kDay;
  invite(95, "old", at(0));
  clock_.advance(20 * kDay);
  invite(10, "young", clock_.now());
  clock_.advance(11 * kDay);
  Retention retention(*store_, clock_, settings_, {.step = 10});
  EXPECT_GE(pass(retention), 10);
  EXPECT_EQ(invitations(), 10u);
  EXPECT_EQ(events(), 105u) << "they have an age of their own";
  EXPECT_EQ(exported("invitations-", "invitee_email").size(), 95u);
}

TEST_F(RetentionTest, WhatLiesBehindManyThatStayIsFoundInFewSteps) {
  settings_.invitations = 30 * kDay;
  const auto pending = [&](int count, const std::string& name, base::Timestamp now) {
    write([&](Transaction& t) {
      for (int i = 0; i < count; ++i) {
        const auto invitation = world_.invitation(name + std::to_string(i) + "@example.com", now);
        t.insert(invitation);
        t.insert(world_.message(invitation));  // queued: it stays
      }
    });
  };
  pending(500, "stays", at(0));
  invite(25, "goes", at(1));
  pending(500, "stays-too", at(2));
  clock_.advance(60 * kDay);
  Retention retention(*store_, clock_, settings_, {.step = 10});
  const int steps = pass(retention);
  EXPECT_EQ(invitations(), 1'000u);
  EXPECT_EQ(exported("invitations-", "invitee_email").size(), 25u);
  EXPECT_LT(steps, 30) << "ten at a time would take a hundred";
}

TEST_F(RetentionTest, ThePassesGoOn) {
  settings_.audit_events = 30 * kDay;
  Retention retention(*store_, clock_, settings_, {.patience = 0ms});
  invite(3, "first", clock_.now());
  clock_.advance(15 * kDay);
  invite(4, "second", clock_.now());
  clock_.advance(16 * kDay);
  pass(retention);
  EXPECT_EQ(events(), 4u);
  clock_.advance(15 * kDay);
  pass(retention);
  EXPECT_EQ(events(), 0u);
  EXPECT_EQ(invitations(), 7u);
  EXPECT_EQ(exported("audit_events-", "subject_uuid").size(), 7u);
}

TEST_F(RetentionTest, AClockThatIsFarAheadMakesNoHistoryOfWhatIsPending) {
  settings_.invitations = 30 * kDay;
  const auto pending = world_.invitation("pending@example.com", at(0));
  write([&](Transaction& t) {
    t.insert(pending);
    t.set_incarnation({"this instance", base::Uuid::random(), clock_.now()});
  });
  clock_.advance(60 * kDay);  // a machine that starts with a wrong clock
  testing::internal::CaptureStderr();
  Retention retention(*store_, clock_, settings_);
  for (int i = 0; i < 3; ++i) pass(retention);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("retention.waits"));
  EXPECT_EQ(log.find("retention.waits"), log.rfind("retention.waits")) << "said once";
  EXPECT_EQ(invitations(), 1u);

  clock_.advance(-60 * kDay);  // it is set right
  pass(retention);
  EXPECT_EQ(invitations(), 1u);
  clock_.advance(60 * kDay);  // it jumps while the service runs
  pass(retention);
  EXPECT_EQ(invitations(), 1u);

  Retention after_an_hour(*store_, clock_, settings_, {.patience = 0ms});
  pass(after_an_hour);
  EXPECT_EQ(invitations(), 0u) << "it was right: the service had been stopped for so long";
}

TEST_F(RetentionTest, WithoutAFolderItIsDeletedWithoutAnExport) {
  settings_.audit_events = 30 * kDay;
  settings_.export_dir.clear();
  invite(3, "g", at(0));
  clock_.advance(31 * kDay);
  Retention retention(*store_, clock_, settings_);
  pass(retention);
  EXPECT_EQ(events(), 0u);
}

TEST_F(RetentionTest, NothingGoesThatCannotBeExportedAndTheLogSaysWhy) {
  settings_.audit_events = 30 * kDay;
  std::ofstream(settings_.export_dir) << "not a folder";
  invite(3, "g", at(0));
  clock_.advance(31 * kDay);
  Retention retention(*store_, clock_, settings_, {.after_failure = 77s});
  testing::internal::CaptureStderr();
  const auto rest = retention.step();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(rest, 77s);
  EXPECT_THAT(log, HasSubstr("retention.failed"));
  EXPECT_THAT(log, HasSubstr("retention.export_dir"));
  EXPECT_EQ(events(), 3u);

  std::filesystem::remove(settings_.export_dir);
  pass(retention);
  EXPECT_EQ(events(), 0u) << "once it was mended it goes on";
  EXPECT_EQ(exported("audit_events-", "subject_uuid").size(), 3u);
}

TEST_F(RetentionTest, EachPassLogsWhatWent) {
  settings_ = {30 * kDay, 30 * kDay, 30 * kDay, {}};
  invite(7, "g", at(0));
  clock_.advance(31 * kDay);
  Retention retention(*store_, clock_, settings_);
  testing::internal::CaptureStderr();
  pass(retention);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(
      log,
      HasSubstr("retention.done invitations=7 mails=0 attempts=0 refresh_calls=0 webhook_deliveries=0 audit_events=7"));
}

TEST_F(RetentionTest, AStepThatKeptTheWriterIsFollowedByALongerRest) {
  settings_.invitations = 30 * kDay;
  invite(20, "g", at(0));
  clock_.advance(31 * kDay);
  Retention retention(*store_, clock_, settings_, {.step = 10});
  const auto after_deleting = retention.step();
  EXPECT_GE(after_deleting, 50ms);
  EXPECT_LE(after_deleting, 2s);
}

}  // namespace
}  // namespace invited
