// Rows H25 to H30: clients that are slow, many, idle or gone. The deadlines are shorter here than the defaults, so that
// the tests are quick; that the defaults are what was promised stands in the first test.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const std::string kGet = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

int status_of_a_good_request(const TestListener& listener, const char* from = "127.0.0.9") {
  RawHttpClient client(listener.port(), from);
  client.send(kGet);
  return client.read_answer().status;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(HostileClients, MeetTheLimitsThatWerePromised) {
  const http::Limits limits;
  EXPECT_EQ(limits.body, 65'536U);
  EXPECT_EQ(limits.header_block, 16'384U);
  EXPECT_EQ(limits.header_lines, 64U);
  EXPECT_EQ(limits.uri, 2'048U);
  EXPECT_EQ(limits.connections, 16'384U);
  EXPECT_EQ(limits.connections_per_address, 256U);
  EXPECT_EQ(limits.headers, 10s);
  EXPECT_EQ(limits.body_time, 15s);
  EXPECT_EQ(limits.body_rate, 500U);
  EXPECT_EQ(limits.answer, 30s);
  EXPECT_EQ(limits.idle, 60s);
  EXPECT_EQ(limits.queue_wait, 200ms);
}

TEST(HostileClients, H25_SlowHeadsAreCutAndGoodRequestsServedMeanwhile) {
  http::ServerOptions options;
  options.limits.headers = 600ms;
  options.limits.connections_per_address = 1000;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(std::make_unique<RawHttpClient>(listener.port()));
    slow.back()->send("G");
  }
  for (int round = 0; round < 5; ++round) {
    for (auto& client : slow) client->send("E");
    EXPECT_EQ(status_of_a_good_request(listener), 200);
  }
  for (auto& client : slow) {
    EXPECT_EQ(client->read_answer().status, 408);
    EXPECT_TRUE(client->is_closed());
  }
  EXPECT_EQ(listener.handled, 5);
}

/// A proxy would take a body for the next answer.
TEST(HostileClients, H25_NoBodyFollowsTheAnswerToASlowHeadRequest) {
  http::ServerOptions options;
  options.limits.headers = 200ms;
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send("HEAD /page HTTP/1.1\r\nHost: a\r\n");
  const auto answer = client.read_answer(/*to_head=*/true);
  EXPECT_EQ(answer.status, 408);
  EXPECT_NE(answer.header("Content-Length"), "0");
  EXPECT_TRUE(client.is_closed());
}

TEST(HostileClients, H26_SlowBodiesAreCut) {
  http::ServerOptions options;
  options.limits.body_time = 200ms;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<RawHttpClient>(listener.port()));
    slow.back()->send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\nx");
  }
  EXPECT_EQ(status_of_a_good_request(listener), 200);
  for (auto& client : slow) {
    EXPECT_EQ(client->read_answer().status, 408);
    EXPECT_TRUE(client->is_closed());
  }
}

TEST(HostileClients, H27_SlowReadersAreCut) {
  http::ServerOptions options;
  options.limits.answer = 200ms;
  http::Router router;
  router.add("GET", "/large",
             [](const http::Request&) { return http::make_response(200, "text/plain", std::string(10'000'000, 'x')); });
  TestListener listener(options, std::move(router));
  std::vector<std::unique_ptr<RawHttpClient>> slow;
  for (int i = 0; i < 5; ++i) {
    slow.push_back(std::make_unique<RawHttpClient>(listener.port(), nullptr, /*receive_buffer=*/4096));
    slow.back()->send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  EXPECT_EQ(status_of_a_good_request(listener), 200);
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
}

TEST(HostileClients, H27_SlowReadersShareALimitedAmountOfMemory) {
  http::ServerOptions options;
  options.limits.buffered = 12'000'000;
  http::Router router;
  router.add("GET", "/large",
             [](const http::Request&) { return http::make_response(200, "text/plain", std::string(10'000'000, 'x')); });
  TestListener listener(options, std::move(router));
  std::vector<std::unique_ptr<RawHttpClient>> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(std::make_unique<RawHttpClient>(listener.port(), nullptr, /*receive_buffer=*/4096));
    slow.back()->send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of_a_good_request(listener), 200);
  }
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 1; }));
}

TEST(HostileClients, H28_AFloodFromOneAddressLeavesTheOthersServed) {
  TestListener listener;
  std::vector<std::unique_ptr<RawHttpClient>> flood;
  for (int i = 0; i < 1000; ++i) flood.push_back(std::make_unique<RawHttpClient>(listener.port(), "127.0.0.66"));
  EXPECT_EQ(status_of_a_good_request(listener), 200);
  EXPECT_TRUE(eventually([&] { return listener.server->connections() <= 256; }));
  const auto refused = std::ranges::count_if(flood, [](auto& client) { return !client->is_silent_for(0ms); });
  EXPECT_EQ(refused, 1000 - 256);
}

TEST(HostileClients, H29_IdleConnectionsCostNoTime) {
  http::ServerOptions options;
  options.limits.connections_per_address = 1000;
  TestListener listener(options);
  std::vector<std::unique_ptr<RawHttpClient>> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(std::make_unique<RawHttpClient>(listener.port()));
    idle.back()->send(kGet);
    ASSERT_EQ(idle.back()->read_answer().status, 200);
  }
  const auto before = std::clock();
  EXPECT_TRUE(idle.front()->is_silent_for(500ms));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 20);
  for (auto& client : idle) {
    client->send(kGet);
    ASSERT_EQ(client->read_answer().status, 200);
  }
}

TEST(HostileClients, H29_IdleConnectionsHoldNoMemoryOfTheirLastRequest) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what is freed";
#endif
  constexpr std::size_t kClients = 400;
  http::ServerOptions options;
  options.limits.connections_per_address = 1000;
  TestListener listener(options);
  const auto head =
      "POST /ws/InviteAPI/1/soap1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nX: " + std::string(7000, 'x') +
      "\r\nContent-Length: 60000\r\n\r\n";
  const std::string half(30'000, 'x');
  std::vector<std::unique_ptr<RawHttpClient>> idle;
  std::size_t before = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    idle.push_back(std::make_unique<RawHttpClient>(listener.port()));
    idle.back()->send(std::string_view(head).substr(0, 5000));
    EXPECT_TRUE(idle.back()->is_silent_for(1ms));
    idle.back()->send(head.substr(5000) + half);
    EXPECT_TRUE(idle.back()->is_silent_for(1ms));
    idle.back()->send(half);
    ASSERT_EQ(idle.back()->read_answer().status, 200);
    if (i == 10) before = resident_bytes();
  }
  EXPECT_LT(resident_bytes(), before + kClients * 5'000);
}

TEST(HostileClients, H30_ResetsInEveryPhaseLeaveNothingBehind) {
  TestListener listener;
  const std::string whole = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + kGet;
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    RawHttpClient client(listener.port());
    client.send(std::string_view(whole).substr(0, i));
    client.reset();
  }
  EXPECT_EQ(status_of_a_good_request(listener), 200);
  EXPECT_TRUE(eventually([&] { return listener.server->connections() == 0; }));
}

TEST(HostileClients, H30_AHalfClosedClientGetsItsAnswer) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(kGet + kGet);
  client.finish_sending();
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace invited::test
