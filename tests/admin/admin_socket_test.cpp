#include "admin/admin_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"

namespace invited::admin {
namespace {

using namespace std::chrono_literals;

std::string shout(const std::string& request) { return "answer to " + request; }

/// A connection that a test drives by hand.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& state_dir)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (state_dir / kSocketName).string();
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawClient() { ::close(socket_); }
  void send(const std::string& text) const { EXPECT_GE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), 0); }
  void end_sending() const { ::shutdown(socket_, SHUT_WR); }
  /// All until the server closes.
  std::string read_all() const {
    std::string all;
    char buffer[1024];
    for (ssize_t size; (size = ::recv(socket_, buffer, sizeof(buffer), 0)) > 0;)
      all.append(buffer, static_cast<std::size_t>(size));
    return all;
  }

 private:
  int socket_;
};

TEST(AdminSocket, AnswersOneLineWithOneLine) {
  const test::TemporaryDirectory directory;
  const auto server = AdminSocketServer::start(directory.path(), shout, {});
  ASSERT_TRUE(server) << server.error().message;
  const auto reply = call_service(directory.path(), R"({"a":1})", 5s);
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply, R"(answer to {"a":1})");
}

TEST(AdminSocket, IsForItsOwnerOnlyAndGoesWithTheServer) {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / kSocketName;
  {
    const auto server = AdminSocketServer::start(directory.path(), shout, {});
    ASSERT_TRUE(server);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(AdminSocket, AServiceThatDoesNotAnswerIsNotSaidToHaveEnded) {
  const test::TemporaryDirectory directory;
  std::atomic<bool> asked_for_long{false};
  const auto server = AdminSocketServer::start(directory.path(),
                                               [&](const std::string&) {
                                                 asked_for_long.wait(false);
                                                 return std::string("late");
                                               },
                                               {});
  ASSERT_TRUE(server);
  const auto reply = call_service(directory.path(), "x", 50ms);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, domain::ErrorCode::outcome_unknown);
  EXPECT_NE(reply.error().message.find("did not answer within 1 s"), std::string::npos) << reply.error().message;
  EXPECT_EQ(reply.error().message.find("ended"), std::string::npos) << reply.error().message;
  asked_for_long = true;
  asked_for_long.notify_all();
}

TEST(AdminSocket, NobodyListeningIsNoError) {
  const test::TemporaryDirectory directory;
  for (const auto& folder : {directory.path(), directory.path() / "none"}) {
    const auto reply = call_service(folder, "{}", 5s);
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->has_value());
  }
}

TEST(AdminSocket, TakesThePlaceOfASocketThatADeadServerLeftBehind) {
  const test::TemporaryDirectory directory;
  {
    const int left_behind = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory / kSocketName).copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(left_behind, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::close(left_behind);
  }
  const auto nobody = call_service(directory.path(), "{}", 5s);
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->has_value());
  const auto server = AdminSocketServer::start(directory.path(), shout, {});
  ASSERT_TRUE(server);
  EXPECT_EQ(**call_service(directory.path(), "x", 5s), "answer to x");
}

TEST(AdminSocket, WorksInAFolderWhosePathIsLongerThanASocketsMayBe) {
  const test::TemporaryDirectory directory;
  const auto deep = directory.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(deep);
  const auto server = AdminSocketServer::start(deep, shout, {});
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(**call_service(deep, "x", 5s), "answer to x");
}

TEST(AdminSocket, CarriesLargeRequestsAndAnswers) {
  const test::TemporaryDirectory directory;
  const auto server =
      AdminSocketServer::start(directory.path(), [](const std::string& request) { return request; }, {});
  ASSERT_TRUE(server);
  const std::string large(4 * 1024 * 1024, 'x');
  const auto reply = call_service(directory.path(), large, 20s);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_TRUE(**reply == large);
}

TEST(AdminSocket, ServesManyOneAfterTheOther) {
  const test::TemporaryDirectory directory;
  const auto server = AdminSocketServer::start(directory.path(), shout, {});
  ASSERT_TRUE(server);
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i)
      clients.emplace_back([&, i] {
        const auto reply = call_service(directory.path(), std::to_string(i), 20s);
        if (reply && *reply == "answer to " + std::to_string(i)) ++answered;
      });
  }
  EXPECT_EQ(answered, 8);
}

TEST(AdminSocket, AClientThatSaysNothingOrLeavesHoldsUpTheOthersForADeadlineOnly) {
  const test::TemporaryDirectory directory;
  const auto server =
      AdminSocketServer::start(directory.path(), shout, {.receive_deadline = 50ms, .send_deadline = 50ms});
  ASSERT_TRUE(server);
  const RawClient silent(directory.path());
  const RawClient half(directory.path());
  half.send("{\"command\":");
  const RawClient gone(directory.path());
  gone.send("cut off");
  gone.end_sending();
  EXPECT_EQ(**call_service(directory.path(), "x", 5s), "answer to x");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(half.read_all(), "");
  EXPECT_EQ(gone.read_all(), "");
}

TEST(AdminSocket, StopsAtOnceWhileAClientSaysNothing) {
  const test::TemporaryDirectory directory;
  auto server = AdminSocketServer::start(directory.path(), shout, {.receive_deadline = 60s, .send_deadline = 60s});
  ASSERT_TRUE(server);
  const RawClient silent(directory.path());
  const auto begin = std::chrono::steady_clock::now();
  server->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(AdminSocket, ASecretInTheRequestIsAnsweredOnlyToTheSameUser) {
  // Another user cannot even connect: the socket's mode keeps it out. Where tests run as root, prove it with one.
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const test::TemporaryDirectory directory;
  const auto server = AdminSocketServer::start(directory.path(), shout, {});
  ASSERT_TRUE(server);
  // Even with the doors open, the peer's user is checked.
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((directory.path() / kSocketName).c_str(), 0666), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65'534, 65'534, 65'534) != 0) ::_exit(2);
    const auto reply = call_service(directory.path(), "x", 5s);
    ::_exit(reply ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: it was answered";
}

}  // namespace
}  // namespace invited::admin
