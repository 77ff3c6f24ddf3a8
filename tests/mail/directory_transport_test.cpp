#include "mail/directory_transport.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "mail/sample_message.h"
#include "support/temporary_directory.h"

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using testing::ElementsAre;
using testing::HasSubstr;

const Envelope kEnvelope{"from@example.com", "guest@example.com", "0193-abc",
                         test::at(0) + std::chrono::milliseconds(7)};

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(DirectoryTransport, writes_each_mail_as_a_file_named_by_its_time_and_message_id) {
  const test::TemporaryDirectory folder;
  DirectoryTransport transport(folder.path());
  EXPECT_EQ(transport.deliver(kEnvelope, "Subject: x\r\n\r\nHello\r\n").outcome, DeliveryOutcome::sent);
  ASSERT_THAT(names_in(folder.path()), ElementsAre("20261120T083000.007Z-0193-abc.eml"));
  EXPECT_EQ(content_of(folder.path() / "20261120T083000.007Z-0193-abc.eml"), "Subject: x\r\n\r\nHello\r\n");
}

TEST(DirectoryTransport, lets_a_second_copy_replace_the_first) {
  const test::TemporaryDirectory folder;
  DirectoryTransport transport(folder.path());
  transport.deliver(kEnvelope, "one");
  transport.deliver(kEnvelope, "two");
  ASSERT_EQ(names_in(folder.path()).size(), 1U);
  EXPECT_EQ(content_of(folder.path() / names_in(folder.path())[0]), "two");
}

TEST(DirectoryTransport, makes_the_folder_for_its_owner_only) {
  const test::TemporaryDirectory folder;
  const auto deep = folder.path() / "state" / "mail";
  DirectoryTransport transport(deep);
  EXPECT_EQ(transport.deliver(kEnvelope, "x").outcome, DeliveryOutcome::sent);
  EXPECT_EQ(std::filesystem::status(deep).permissions(), std::filesystem::perms::owner_all);
}

TEST(DirectoryTransport, holds_the_queue_where_it_cannot_write) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder.path() / "file") << "x";
  DirectoryTransport transport(folder.path() / "file" / "mail");
  const auto result = transport.deliver(kEnvelope, "x");
  EXPECT_EQ(result.outcome, DeliveryOutcome::held);
  EXPECT_EQ(result.stage, "directory");
  EXPECT_THAT(result.explanation, HasSubstr("file"));
}

TEST(DirectoryTransport, makes_no_path_of_a_message_id) {
  EXPECT_EQ(eml_file_name({"", "", "../../etc/passwd", test::at(0)}), "20261120T083000.000Z-.._.._etc_passwd.eml");
}

TEST(DirectoryTransport, takes_nothing_after_an_interruption) {
  const test::TemporaryDirectory folder;
  DirectoryTransport transport(folder.path());
  transport.interrupt();
  EXPECT_EQ(transport.deliver(kEnvelope, "x").stage, kInterrupted);
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(CheckRelay, tries_the_folder_and_leaves_nothing_in_it) {
  const test::TemporaryDirectory folder;
  Settings settings;
  settings.transport = TransportKind::directory;
  settings.directory = folder.path() / "mail";
  const auto checked = check_relay(settings);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_THAT(*checked, HasSubstr(".eml"));
  EXPECT_TRUE(names_in(settings.directory).empty());

  settings.directory = "/proc/nowhere";
  const auto refused = check_relay(settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("mail.directory"));
}

}  // namespace
}  // namespace invited::mail
