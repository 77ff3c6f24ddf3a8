// The files that retention leaves: whole lines, readable by their owner only, whatever happened before.
#include "history_export.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/descriptor.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited {
namespace {

using domain::History;
using Json = nlohmann::json;
using test::at;
using testing::HasSubstr;

std::string content(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<Json> lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Json> found;
  for (std::string line; std::getline(file, line);) found.push_back(Json::parse(line));
  return found;
}

domain::HistorySlice slice_of(std::string detail) {
  domain::HistorySlice slice;
  slice.events.push_back({at(0), "operator", "app.added", base::Uuid::random(), std::move(detail)});
  return slice;
}

class HistoryExportTest : public testing::Test {
 protected:
  test::TemporaryDirectory folder_;
  std::filesystem::path exports_ = folder_.path() / "exports";
  HistoryExport export_{exports_};
  std::filesystem::path file_ = exports_ / "audit_events-2026-11-20.jsonl";
};

TEST_F(HistoryExportTest, OneFileForAHistoryAndADayIsAppendedTo) {
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("first"), at(0)));
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("sec\"ond\n"), at(60)));
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("third"), at(24 * 3600)));
  const auto found = lines(file_);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["at"], "2026-11-20T08:30:00.000Z");
  EXPECT_EQ(found[0]["action"], "app.added");
  EXPECT_EQ(found[1]["detail"], "sec\"ond\n");
  EXPECT_EQ(lines(exports_ / "audit_events-2026-11-21.jsonl").size(), 1u);
}

TEST_F(HistoryExportTest, NobodyElseMayRead) {
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("x"), at(0)));
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(exports_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(HistoryExportTest, HalfALineThatACrashLeftIsCutOff) {
  for (const std::size_t length : {5, 4'096, 10'000}) {
    std::filesystem::remove_all(exports_);
    ASSERT_TRUE(export_.append(History::audit_events, slice_of("whole"), at(0)));
    const auto whole = content(file_);
    std::ofstream(file_, std::ios::app) << "{\"at\":" << std::string(length, '1');
    ASSERT_TRUE(export_.append(History::audit_events, slice_of("next"), at(0)));
    EXPECT_TRUE(content(file_).starts_with(whole));
    const auto found = lines(file_);
    ASSERT_EQ(found.size(), 2u) << length;
    EXPECT_EQ(found[1]["detail"], "next");
  }
}

TEST_F(HistoryExportTest, HalfALineAndNothingElseIsCutOffToo) {
  std::filesystem::create_directory(exports_);
  std::ofstream(file_) << std::string(5'000, 'x');
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("next"), at(0)));
  EXPECT_EQ(lines(file_).size(), 1u);
}

TEST_F(HistoryExportTest, AnInvitationIsOneLineWithItsMailsAndTheirAttempts) {
  const test::SampleWorld world;
  const auto invitation = world.invitation("ada@example.org", at(0));
  domain::HistorySlice slice;
  domain::Attempt attempt{.message_id = {}, .number = 1, .started_at = at(1), .finished_at = at(2), .result = {}};
  attempt.result = domain::DeliveryResult{domain::DeliveryOutcome::sent, 250, "data", "OK"};
  slice.invitations.push_back({invitation, {{world.message(invitation), {attempt}}}});
  ASSERT_TRUE(export_.append(History::invitations, slice, at(3600 * 24 * 8)));
  const auto found = lines(exports_ / "invitations-2026-11-28.jsonl");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["invitation_uuid"], invitation.id.to_string());
  EXPECT_EQ(found[0]["state"], "expired") << "as of the export, not as stored";
  EXPECT_EQ(found[0]["invitee_email"], "ada@example.org");
  EXPECT_EQ(found[0]["settled_at"], nullptr);
  ASSERT_EQ(found[0]["mails"].size(), 1u);
  EXPECT_EQ(found[0]["mails"][0]["recipient_email"], "ada@example.org");
  ASSERT_EQ(found[0]["mails"][0]["attempts"].size(), 1u);
  EXPECT_EQ(found[0]["mails"][0]["attempts"][0]["reply_code"], 250);
}

TEST_F(HistoryExportTest, ACallIsOneLineWithItsAttempts) {
  const test::SampleWorld world;
  auto call = test::sample_refresh_call(world.environment, world.inviter);
  call.state = domain::CallState::done;
  domain::HistorySlice slice;
  slice.calls.push_back({call, {{call.id, 1, at(1), at(2), domain::CallResult{domain::CallOutcome::done, 200, ""}}}});
  ASSERT_TRUE(export_.append(History::refresh_calls, slice, at(0)));
  const auto found = lines(exports_ / "refresh_calls-2026-11-20.jsonl");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["refresh_uuid"], call.id.to_string());
  EXPECT_EQ(found[0]["attempts"][0]["http_status"], 200);
}

TEST_F(HistoryExportTest, SoIsADeliveryToAWebhook) {
  const test::SampleWorld world;
  const auto delivery = test::sample_delivery(test::sample_webhook(world.environment));
  domain::HistorySlice slice;
  slice.deliveries.push_back(
      {delivery, {{delivery.id, 1, at(1), at(2), domain::CallResult{domain::CallOutcome::done, 204, ""}}}});
  ASSERT_TRUE(export_.append(History::webhook_deliveries, slice, at(0)));
  const auto found = lines(exports_ / "webhook_deliveries-2026-11-20.jsonl");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["delivery_uuid"], delivery.id.to_string());
  EXPECT_EQ(found[0]["event"], "invitation.created");
  EXPECT_EQ(found[0]["attempts"][0]["http_status"], 204);
}

TEST_F(HistoryExportTest, AFullDiskIsSaidWithTheSettingAndLeavesWholeLines) {
  std::filesystem::create_directory(exports_);
  std::filesystem::create_symlink("/dev/full", file_);
  const auto refused = export_.append(History::audit_events, slice_of("x"), at(0));
  ASSERT_FALSE(refused) << "a symbolic link is never followed";
  EXPECT_EQ(refused.error().code, domain::ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("retention.export_dir"));
  EXPECT_THAT(refused.error().message, HasSubstr(file_.string()));
}

TEST_F(HistoryExportTest, AFileThatSomebodyElseKeepsLockedHangsNobody) {
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("first"), at(0)));
  const base::Descriptor other(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  auto refused =
      std::async(std::launch::async, [&] { return export_.append(History::audit_events, slice_of("second"), at(1)); });
  EXPECT_EQ(refused.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  ::flock(other.get(), LOCK_UN);  // so that the test ends in any case
  const auto result = refused.get();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("another process has locked " + file_.string()));
  ASSERT_TRUE(export_.append(History::audit_events, slice_of("second"), at(2)));
  EXPECT_EQ(lines(file_).size(), 2u);
}

TEST_F(HistoryExportTest, AFolderThatCannotBeMadeIsSaid) {
  HistoryExport unable("/proc/exports");
  const auto refused = unable.append(History::audit_events, slice_of("x"), at(0));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("retention.export_dir: cannot make the folder /proc/exports"));
}

}  // namespace
}  // namespace invited
