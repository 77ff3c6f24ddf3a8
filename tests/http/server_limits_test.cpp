// What one client may take of the listener: time, connections, memory, workers. The limits are small here, so that the
// tests are quick.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <ctime>
#include <semaphore>
#include <thread>

#include "http/server.h"
#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test::eventually;
using test::RawHttpClient;
using test::TestListener;
using testing::HasSubstr;

const std::string kGet = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

std::string head(std::size_t length) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Sends `bytes` one by one until the server answers or closes; says how long that took.
Clock::duration trickle(RawHttpClient& client, std::string_view bytes, std::chrono::milliseconds pause) {
  const auto start = Clock::now();
  for (const char c : bytes) {
    if (!client.send({&c, 1}) || !client.is_silent_for(pause)) break;
  }
  return Clock::now() - start;
}

TEST(Deadlines, CutAClientThatSendsItsHeadSlowly) {
  ServerOptions options;
  options.limits.headers = 150ms;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  const auto time = trickle(client, "GET /page HTTP/1.1\r\nX: " + std::string(5000, 'x'), 5ms);
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_TRUE(client.is_closed());
  EXPECT_GE(time, 140ms);
  EXPECT_LT(time, 5s);
  EXPECT_EQ(listener.handled, 0);
}

TEST(Deadlines, CutAClientThatSendsItsBodySlowly) {
  ServerOptions options;
  options.limits.body_time = 150ms;
  options.limits.body_rate = 100'000;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send(head(5000));
  const auto time = trickle(client, std::string(5000, 'x'), 5ms);
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_TRUE(client.is_closed());
  EXPECT_GE(time, 140ms);
  EXPECT_LT(time, 5s);
  EXPECT_EQ(listener.handled, 0);
}

TEST(Deadlines, GiveABodyThatKeepsComingTheTimeItNeeds) {
  ServerOptions options;
  options.limits.body_time = 100ms;
  options.limits.body_rate = 10;  // so that a byte is worth 100 ms
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send(head(30));
  EXPECT_GE(trickle(client, std::string(29, 'x'), 10ms), 250ms);
  client.send("x");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Deadlines, CountOnlyTheBytesOfTheBodyNotTheChunksClothes) {
  ServerOptions options;
  options.limits.body_time = 150ms;
  options.limits.body_rate = 1000;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_LT(trickle(client, std::string(3000, '0'), 1ms), 3s);
  EXPECT_EQ(client.read_answer().status, 408);
}

TEST(Deadlines, CloseIdleConnectionsWithoutAWord) {
  ServerOptions options;
  options.limits.idle = 100ms;
  TestListener listener(options);
  RawHttpClient fresh(listener.port());
  RawHttpClient used(listener.port());
  used.send(kGet);
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_TRUE(used.is_closed());
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
}

TEST(Deadlines, OfARequestDoNotBeginWithTheEmptyLineBeforeIt) {
  ServerOptions options;
  options.limits.headers = 50ms;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send(kGet + "\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.is_silent_for(200ms));
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Deadlines, StartAnewWithEachRequest) {
  ServerOptions options;
  options.limits.idle = 700ms;
  options.limits.headers = 700ms;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  for (int i = 0; i < 8; ++i) {
    client.send(kGet);
    ASSERT_EQ(client.read_answer().status, 200) << i;
    std::this_thread::sleep_for(120ms);
  }
}

TEST(Deadlines, DoNotCutAHandlerThatTakesItsTime) {
  ServerOptions options;
  options.limits.headers = options.limits.body_time = options.limits.idle = options.limits.answer = 50ms;
  Router router;
  router.add("GET", "/slow", [](const Request&) {
    std::this_thread::sleep_for(300ms);
    return make_response(200, "text/plain", "done");
  });
  TestListener listener(options, std::move(router));
  RawHttpClient client(listener.port());
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "done");
  EXPECT_TRUE(client.is_closed());
}

TEST(Deadlines, CutAClientThatDoesNotTakeItsAnswer) {
  ServerOptions options;
  options.limits.answer = 150ms;
  Router router;
  router.add("GET", "/large",
             [](const Request&) { return make_response(200, "text/plain", std::string(20'000'000, 'x')); });
  TestListener listener(options, std::move(router));
  RawHttpClient client(listener.port(), nullptr, /*receive_buffer=*/4096);
  const auto start = Clock::now();
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 1; }));
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
  EXPECT_GE(Clock::now() - start, 140ms);
}

TEST(Deadlines, EndTheWaitForAClientThatIgnoresItsRefusal) {
  ServerOptions options;
  options.limits.linger = 100ms;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send("garbage\r\n");
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
}

TEST(Connections, AreLimitedForEachAddress) {
  ServerOptions options;
  options.limits.connections_per_address = 3;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(kGet);
    ASSERT_EQ(clients.back()->read_answer().status, 200);
  }
  RawHttpClient one_more(listener.port());
  const auto answer = one_more.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("Retry-After"));
  EXPECT_TRUE(answer.has("X-Frame-Options"));
  EXPECT_TRUE(one_more.is_closed());
  RawHttpClient other(listener.port(), "127.0.0.2");
  other.send(kGet);
  EXPECT_EQ(other.read_answer().status, 200);

  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 3; }));
  RawHttpClient again(listener.port());
  again.send(kGet);
  EXPECT_EQ(again.read_answer().status, 200);
}

TEST(Connections, AreNotLimitedForATrustedProxy) {
  ServerOptions options;
  options.limits.connections_per_address = 1;
  options.trusted_proxies = {"127.0.0.1"};
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(kGet);
    EXPECT_EQ(clients.back()->read_answer().status, 200);
  }
}

TEST(Connections, AreLimitedAltogether) {
  ServerOptions options;
  options.limits.connections = 2;
  TestListener listener(options);
  RawHttpClient first(listener.port());
  RawHttpClient second(listener.port(), "127.0.0.2");
  for (auto* client : {&first, &second}) {
    client->send(kGet);
    EXPECT_EQ(client->read_answer().status, 200);
  }
  RawHttpClient third(listener.port(), "127.0.0.3");
  EXPECT_EQ(third.read_answer().status, 503);
  EXPECT_TRUE(third.is_closed());
  first.send(kGet);
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST(Memory, OfUnfinishedRequestsIsLimitedForAllClientsTogether) {
  ServerOptions options;
  options.limits.buffered = 150'000;
  TestListener listener(options);
  RawHttpClient first(listener.port());
  RawHttpClient second(listener.port());
  RawHttpClient third(listener.port());
  for (auto* client : {&first, &second}) {
    client->send(head(60'000) + std::string(59'999, 'x'));
    EXPECT_TRUE(client->is_silent_for(30ms));
  }
  third.send(head(60'000) + std::string(59'999, 'x'));
  const auto refused = third.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After"));
  EXPECT_TRUE(third.is_closed());
  for (auto* client : {&first, &second}) {
    client->send("x");
    EXPECT_EQ(client->read_answer().status, 200);
    // The answer may be here before what its request held is given back; once the next one is answered, it is.
    client->send(head(1) + "x");
    EXPECT_EQ(client->read_answer().status, 200);
  }
  RawHttpClient fourth(listener.port());
  fourth.send(head(60'000) + "x");
  EXPECT_TRUE(fourth.is_silent_for(30ms));
  fourth.send(std::string(59'999, 'x'));
  EXPECT_EQ(fourth.read_answer().status, 200);
}

TEST(Memory, ThatIsOnlyAnnouncedIsNotCounted) {
  ServerOptions options;
  options.limits.buffered = 150'000;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send(head(60'000) + "x");
    EXPECT_TRUE(clients.back()->is_silent_for(30ms)) << i;
  }
}

// An empty line behind a body, as old clients send it, kept what the body took charged for as long as the connection
// was open: a few hundred such clients shut everybody else out.
TEST(Memory, OfARequestWithAnEmptyLineBehindItIsGivenBack) {
  ServerOptions options;
  options.limits.buffered = 150'000;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 6; ++i) {
    RawHttpClient& client = *clients.emplace_back(std::make_unique<RawHttpClient>(listener.port()));
    client.send(head(60'000) + std::string(59'990, 'x'));
    EXPECT_TRUE(client.is_silent_for(30ms)) << i;
    client.send(std::string(10, 'x') + "\r\n");
    EXPECT_EQ(client.read_answer().status, 200) << i;
    client.send(head(1) + "x\r\n");  // once this is answered, what the one before held is given back
    EXPECT_EQ(client.read_answer().status, 200) << i;
  }
}

/// A handler that waits until the test lets it go.
struct Gate {
  std::counting_semaphore<1000> entered{0};
  std::counting_semaphore<1000> open{0};

  Router router() {
    Router router;
    router.add("GET", "/wait", [this](const Request&) {
      entered.release();
      open.acquire();
      return make_response(200, "text/plain", "done");
    });
    RouteOptions hashing;
    hashing.hashes_passwords = true;
    router.add(
        "GET", "/hash",
        [this](const Request&) {
          entered.release();
          open.acquire();
          return make_response(200, "text/plain", "hashed");
        },
        hashing);
    RouteOptions probe;
    probe.runs_at_once = true;
    router.add("GET", "/probe", [](const Request&) { return make_response(200, "text/plain", "alive"); }, probe);
    return router;
  }
};

const std::string kWait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kSoap =
    "POST /ws/InviteAPI/1/soap1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n\r\nx";

TEST(Overload, IsRefusedAtOnceWhereTheQueueIsFull) {
  Gate gate;
  ServerOptions options;
  options.workers = 1;
  options.queue_length = 1;
  options.limits.queue_wait = 10s;
  TestListener listener(options, gate.router());
  RawHttpClient running(listener.port());
  running.send(kWait);
  gate.entered.acquire();
  RawHttpClient queued(listener.port());
  queued.send(kWait);
  EXPECT_TRUE(queued.is_silent_for(50ms));
  for (int i = 0; i < 3; ++i) {
    RawHttpClient refused(listener.port());
    refused.send(kSoap);
    const auto answer = refused.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(answer.header("Content-Type"), "text/xml; charset=utf-8");
    EXPECT_THAT(answer.body, HasSubstr("<faultcode>"));
    EXPECT_TRUE(refused.is_silent_for(20ms)) << "the framing is not in doubt, so the connection stays";
  }
  EXPECT_EQ(listener.handled, 0);
  gate.open.release(2);
  EXPECT_EQ(running.read_answer().body, "done");
  EXPECT_EQ(queued.read_answer().body, "done");
}

TEST(Overload, IsRefusedAfterTheLongestWaitThoughEveryWorkerIsBusy) {
  Gate gate;
  ServerOptions options;
  options.workers = 1;
  options.limits.queue_wait = 100ms;
  TestListener listener(options, gate.router());
  RawHttpClient running(listener.port());
  running.send(kWait);
  gate.entered.acquire();
  RawHttpClient waiting(listener.port());
  const auto start = Clock::now();
  waiting.send(kSoap);
  const auto answer = waiting.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("Retry-After"));
  EXPECT_GE(Clock::now() - start, 90ms);
  gate.open.release();
  EXPECT_EQ(running.read_answer().body, "done");
  waiting.send(kSoap);
  EXPECT_EQ(waiting.read_answer().status, 200);
}

TEST(Overload, DoesNotKeepAProbeFromItsAnswer) {
  Gate gate;
  ServerOptions options;
  options.workers = 1;
  options.queue_length = 1;
  options.limits.queue_wait = 10s;
  TestListener listener(options, gate.router());
  RawHttpClient running(listener.port());
  running.send(kWait);
  gate.entered.acquire();
  RawHttpClient queued(listener.port());
  queued.send(kWait);
  EXPECT_TRUE(queued.is_silent_for(50ms));
  RawHttpClient probing(listener.port());
  constexpr int kProbes = 1000;  // sent ahead: they must not nest
  std::string probes;
  for (int i = 0; i < kProbes; ++i) probes += "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n";
  probing.send(probes);
  for (int i = 0; i < kProbes; ++i) ASSERT_EQ(probing.read_answer().body, "alive");
  gate.open.release(2);
  EXPECT_EQ(running.read_answer().body, "done");
  EXPECT_EQ(queued.read_answer().body, "done");
}

// Two passwords are hashed at once. A flood of sign-ins from many addresses (an IPv6 /48 is 65,536 of them for the
// limits) waited for its turn in all of the workers, and of forty SendInvites one was served.
TEST(Overload, ByPasswordsLeavesWorkersToTheOthers) {
  Gate gate;
  ServerOptions options;
  options.workers = 5;
  TestListener listener(options, gate.router());
  const std::string hash = "GET /hash HTTP/1.1\r\nHost: a\r\n\r\n";
  RawHttpClient first(listener.port());
  RawHttpClient second(listener.port());
  for (auto* client : {&first, &second}) {
    client->send(hash);
    gate.entered.acquire();
  }
  RawHttpClient other(listener.port());
  for (int i = 0; i < 3; ++i) {
    other.send(hash);
    const auto refused = other.read_answer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
    other.send(kGet);
    EXPECT_EQ(other.read_answer().status, 200);
  }
  gate.open.release(2);
  for (auto* client : {&first, &second}) EXPECT_EQ(client->read_answer().body, "hashed");
  // What was answered, and what was refused, has given back its share.
  gate.open.release(4);
  for (int i = 0; i < 4; ++i) {
    other.send(hash);
    EXPECT_EQ(other.read_answer().body, "hashed");
  }
}

TEST(Descriptors, ThatRunOutPauseAcceptingWithoutABusyLoop) {
  TestListener listener;
  RawHttpClient first(listener.port());
  first.send(kGet);
  EXPECT_EQ(first.read_answer().status, 200);

  RawHttpClient waiting(RawHttpClient::Unconnected{});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(waiting.descriptor()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  waiting.connect(listener.port());
  waiting.send(kGet);
  const auto cpu_before = std::clock();
  EXPECT_TRUE(waiting.is_silent_for(400ms));
  EXPECT_LT(std::clock() - cpu_before, CLOCKS_PER_SEC / 10);
  first.send(kGet);
  EXPECT_EQ(first.read_answer().status, 200);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(waiting.read_answer().status, 200);
}

// A mail that gave back the last descriptor and took it again was a line in the log each time.
TEST(Descriptors, ThatComeAndGoAreToldOfOnce) {
  TestListener listener;
  RawHttpClient one(RawHttpClient::Unconnected{});
  RawHttpClient two(RawHttpClient::Unconnected{});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  testing::internal::CaptureStderr();
  tight.rlim_cur = static_cast<rlim_t>(two.descriptor()) + 2;  // one of which the capture has taken
  for (RawHttpClient* client : {&one, &two}) {
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    client->connect(listener.port());
    client->send(kGet);
    EXPECT_TRUE(client->is_silent_for(300ms));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(client->read_answer().status, 200);
    ++tight.rlim_cur;  // what has been accepted keeps its descriptor
  }
  listener.server->stop();
  const auto log = testing::internal::GetCapturedStderr();
  const auto first = log.find("http.accept_paused");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("http.accept_paused", first + 1), std::string::npos) << log;
}

TEST(Resets, LeaveNothingBehindInAnyPhase) {
  Gate gate;
  Router router = gate.router();
  router.add("GET", "/large",
             [](const Request&) { return make_response(200, "text/plain", std::string(20'000'000, 'x')); });
  TestListener listener({}, std::move(router));
  const std::string beginnings[] = {"",
                                    "GET /pa",
                                    "GET /page HTTP/1.1\r\nHost: a\r\n",
                                    head(100) + "x",
                                    "garbage\r\n",
                                    "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
                                    kGet + kGet + kGet};
  for (const auto& sent : beginnings) {
    RawHttpClient client(listener.port());
    client.send(sent);
    client.reset();
  }
  RawHttpClient in_handler(listener.port());
  in_handler.send(kWait);
  gate.entered.acquire();
  in_handler.reset();
  gate.open.release();
  {
    RawHttpClient good(listener.port());
    good.send(kGet);
    EXPECT_EQ(good.read_answer().status, 200);
  }
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
}

}  // namespace
}  // namespace invited::http
