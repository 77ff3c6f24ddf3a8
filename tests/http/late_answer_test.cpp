// Handlers that put their answer off: it comes from another thread, once, or the server answers for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "http/server.h"
#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::http {
namespace {

using test::RawHttpClient;
using test::TestListener;
using testing::HasSubstr;
using testing::Not;

const std::string kGet = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kLate = "GET /late HTTP/1.1\r\nHost: a\r\n\r\n";

/// Keeps what /late was called with, to be answered by the test.
class Kept {
 public:
  Router router() {
    Router router;
    router.add_late("GET", "/late", [this](const Request& request, Respond respond) {
      const std::lock_guard lock(mutex_);
      kept_.emplace_back(&request, std::move(respond));
    });
    return router;
  }

  struct Call {
    const Request* request;
    Respond respond;
  };

  /// Throws where they do not come.
  std::vector<Call> take(std::size_t count) {
    const bool has_come = test::eventually([&] {
      const std::lock_guard lock(mutex_);
      return kept_.size() == count;
    });
    const std::lock_guard lock(mutex_);
    if (!has_come) throw std::runtime_error("only so many calls came: " + std::to_string(kept_.size()));
    return std::exchange(kept_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Call> kept_;
};

Response page(std::string body) { return make_response(200, "text/plain", std::move(body)); }

TEST(LateAnswer, ComesFromAnotherThreadAndTheConnectionGoesOn) {
  Kept kept;
  TestListener listener({}, kept.router());
  RawHttpClient client(listener.port());
  for (int i = 0; i < 20; ++i) {
    client.send(kLate + kGet);  // the second is read when the first has been answered
    auto calls = kept.take(1);
    std::thread([&] { calls[0].respond(page("late, " + calls[0].request->path)); }).join();
    EXPECT_EQ(client.read_answer().body, "late, /late");
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

TEST(LateAnswer, HoldsNoWorker) {
  Kept kept;
  ServerOptions options;
  options.workers = 2;
  TestListener listener(options, kept.router());
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(kLate);
  }
  auto calls = kept.take(10);
  RawHttpClient other(listener.port());
  other.send(kGet);
  EXPECT_EQ(other.read_answer().status, 200);
  for (auto& call : calls) call.respond(page("late"));
  for (auto& client : clients) EXPECT_EQ(client->read_answer().body, "late");
}

TEST(LateAnswer, MayComeBeforeTheHandlerReturns) {
  Router router;
  router.add_late("GET", "/at-once", [](const Request&, Respond respond) { respond(page("at once")); });
  TestListener listener({}, std::move(router));
  RawHttpClient client(listener.port());
  for (int i = 0; i < 20; ++i) {
    client.send("GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "at once");
  }
}

TEST(LateAnswer, ThatNeverComesIsAnErrorInTheDialectOfThePath) {
  RouteOptions soap;
  soap.error_renderer = test::soap_fault;
  Router router;
  router.add_late("GET", "/drops", [](const Request&, const Respond&) {}, soap);
  router.add_late(
      "GET", "/throws", [](const Request&, const Respond&) { throw std::runtime_error("secret detail"); }, soap);
  TestListener listener({}, std::move(router));
  RawHttpClient client(listener.port());
  testing::internal::CaptureStderr();
  for (const std::string path : {"/drops", "/throws"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_THAT(answer.body, HasSubstr("<faultcode>")) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("secret"))) << path;
  }
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
  listener.server->stop();
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("http.not_answered route=/drops"));
  EXPECT_THAT(log, HasSubstr("http.handler_failed route=/throws what=\"secret detail\""));
}

TEST(LateAnswer, IsWaitedForWhenTheServerDrainsAndWhenItStops) {
  Kept kept;
  TestListener listener({}, kept.router());
  RawHttpClient client(listener.port());
  client.send(kLate);
  auto calls = kept.take(1);
  EXPECT_FALSE(listener.server->drain(std::chrono::milliseconds(100)));
  auto stopped = std::async(std::launch::async, [&] { listener.server->stop(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  calls[0].respond(page("late"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.body, "late");
  EXPECT_EQ(answer.header("Connection"), "close");
  stopped.get();
}

TEST(LateAnswer, MayFindItsClientGone) {
  Kept kept;
  TestListener listener({}, kept.router());
  {
    RawHttpClient client(listener.port());
    client.send(kLate);
  }
  auto calls = kept.take(1);
  calls[0].respond(page(std::string(1 << 20, 'x')));
  EXPECT_TRUE(test::eventually([&] { return listener.server->connections() == 0; }));
}

}  // namespace
}  // namespace invited::http
