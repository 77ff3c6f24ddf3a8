#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "base/log.h"
#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using test::RawHttpClient;
using test::TestListener;
using testing::HasSubstr;
using testing::Not;

const std::string kGet = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(Server, AnswersRequestAfterRequestOnOneConnection) {
  TestListener listener;
  RawHttpClient client(listener.port());
  for (int i = 0; i < 100; ++i) {
    client.send(post("/echo", "body " + std::to_string(i)));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, "body " + std::to_string(i));
    ASSERT_FALSE(answer.has("Connection"));
  }
  EXPECT_EQ(listener.handled, 100);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestListener listener;
  RawHttpClient client(listener.port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += post("/echo", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.read_answer().body, std::to_string(i));
}

TEST(Server, AnswersPipelinedErrorsInOrder) {
  TestListener listener;
  RawHttpClient client(listener.port());
  std::string all;
  for (int i = 0; i < 2000; ++i) all += "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + (i % 2 == 0 ? kGet : "");
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(client.read_answer().status, 404);
    if (i % 2 == 0) {
      ASSERT_EQ(client.read_answer().status, 200);
    }
  }
  sender.join();
}

TEST(Server, ReadsARequestThatComesInPieces) {
  TestListener listener;
  const auto whole = post("/echo", "hello");
  for (std::size_t i = 1; i < whole.size(); ++i) {
    RawHttpClient client(listener.port());
    client.send(std::string_view(whole).substr(0, i));
    std::this_thread::yield();
    client.send(std::string_view(whole).substr(i));
    ASSERT_EQ(client.read_answer().body, "hello") << i;
  }
}

TEST(Server, ReadsAChunkedRequestThatComesInPieces) {
  TestListener listener;
  RawHttpClient client(listener.port());
  const std::string whole =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n";
  for (int round = 0; round < 3; ++round) {
    for (const char c : whole) client.send({&c, 1});
    ASSERT_EQ(client.read_answer().body, "hello, world");
  }
}

TEST(Server, TakesBodiesOfEverySizeUpToTheLimit) {
  TestListener listener;
  RawHttpClient client(listener.port());
  for (const std::size_t size : {0UL, 1UL, 1000UL, 16'384UL, 65'535UL, 65'536UL}) {
    client.send(post("/echo", std::string(size, 'x')));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body.size(), size);
  }
}

TEST(Server, AnswersHeadAsGetWithoutTheBody) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(kGet);
  const auto get = client.read_answer();
  client.send("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  const auto head = client.read_answer(/*to_head=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), get.header("Content-Length"));
  EXPECT_EQ(head.header("Content-Type"), get.header("Content-Type"));
  EXPECT_EQ(client.read_answer().body, get.body);
  client.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer(/*to_head=*/true).status, 405);
}

TEST(Server, SpeaksHttp10) {
  TestListener listener;
  RawHttpClient once(listener.port());
  once.send("GET /page HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.read_answer().header("Connection"), "close");
  EXPECT_TRUE(once.is_closed());
  RawHttpClient kept(listener.port());
  for (int i = 0; i < 3; ++i) {
    kept.send("GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.read_answer().header("Connection"), "keep-alive");
  }
}

TEST(Server, ClosesWhenTheClientOrTheHandlerAsksForIt) {
  Router router;
  router.add("GET", "/close", [](const Request&) {
    auto response = make_response(200, "text/plain", "bye");
    response.close = true;
    return response;
  });
  TestListener listener({}, std::move(router));
  for (const std::string request :
       {"GET /close HTTP/1.1\r\nHost: a\r\n\r\n", "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    RawHttpClient client(listener.port());
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
  }
}

TEST(Server, AnswersAClientThatHasFinishedSending) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(post("/echo", "hello"));
  client.finish_sending();
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, TellsAClientThatStopsAmidARequest) {
  TestListener listener;
  for (const std::string part : {"GET /pa", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"}) {
    RawHttpClient client(listener.port());
    client.send(part);
    client.finish_sending();
    EXPECT_EQ(client.read_answer().status, 400);
    EXPECT_TRUE(client.is_closed());
  }
  EXPECT_EQ(listener.handled, 0);
}

TEST(Server, SendsContinueToAClientThatWaitsForIt) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("hello");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(Server, SendsNoContinueWhereTheBodyIsAlreadyThere) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(post("/echo", "hello", "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Server, SendsNoContinueInHttp10) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(client.is_silent_for(50ms));
  client.send("hello");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(Server, SendsLargeAnswersToTheLastByte) {
  Router router;
  router.add("GET", "/large",
             [](const Request&) { return make_response(200, "text/plain", std::string(20'000'000, 'x')); });
  TestListener listener({}, std::move(router));
  RawHttpClient client(listener.port(), nullptr, /*receive_buffer=*/4096);
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  EXPECT_EQ(client.read_answer().body.size(), 20'000'000U);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Server, GivesTheHandlerThePathsParametersDecoded) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("GET /i/A%62c?x=%62 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "Abc");
}

TEST(Server, PutsTheSecurityHeadersOnItsOwnErrorsToo) {
  TestListener listener;
  for (const std::string request : {"garbage\r\n\r\n", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
                                    "PUT /page HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/3.0\r\n\r\n"}) {
    RawHttpClient client(listener.port());
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_GE(answer.status, 400);
    for (const char* name : {"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
                             "Cache-Control", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Date"}) {
      EXPECT_TRUE(answer.has(name)) << request << name;
    }
    EXPECT_FALSE(answer.has("Server"));
  }
}

TEST(Server, MakesErrorsOnASoapPathFaults) {
  TestListener listener;
  const std::string soap = "/ws/InviteAPI/1/soap1";
  struct {
    std::string request;
    int status;
  } const cases[] = {
      {"GET " + soap + " HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"OPTIONS " + soap + " HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"POST " + soap + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 415},
      {"POST " + soap + " HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 65537\r\n\r\n", 413},
      {"POST " + soap + " HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"POST " + soap + " HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
      {"POST " + soap + " HTTP/1.1\r\n\r\n", 400},
      {"POST " + soap + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431},
  };
  for (const auto& c : cases) {
    RawHttpClient client(listener.port());
    client.send(c.request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, c.status) << c.request.substr(0, 80);
    EXPECT_EQ(answer.header("Content-Type"), "text/xml; charset=utf-8") << c.request.substr(0, 80);
    EXPECT_THAT(answer.body, HasSubstr("<faultcode>Client</faultcode>")) << c.request.substr(0, 80);
    EXPECT_EQ(answer.has("Allow"), c.status == 405);
  }
  EXPECT_EQ(listener.handled, 0);
}

TEST(Server, AnswersAHandlerThatThrowsWithAGenericErrorAndGoesOn) {
  Router router;
  router.add("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("secret detail"); });
  router.add("GET", "/throws-int", [](const Request&) -> Response { throw 42; });
  TestListener listener({}, std::move(router));
  RawHttpClient client(listener.port());
  testing::internal::CaptureStderr();
  for (const std::string path : {"/throws", "/throws-int"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 500);
    EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
  }
  client.send(kGet);
  EXPECT_EQ(client.read_answer().status, 200);
  listener.server->stop();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("http.handler_failed route=/throws what=\"secret detail\""));
}

TEST(Server, LogsTheRoutesPatternAndNeverThePathOrTheQuery) {
  TestListener listener;
  RawHttpClient client(listener.port());
  testing::internal::CaptureStderr();
  base::log::set_level(base::log::Level::debug);
  client.send("GET /i/SECRETTOKEN?SECRETQUERY HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_answer();
  client.send("GET /SECRETPATH HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_answer();
  client.send("GET /SECRETBAD HTTP/1.1\r\n\r\n");
  client.read_answer();
  base::log::set_level(base::log::Level::info);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("http.request method=GET route=\"/i/{token}\" status=200 ms="));
  EXPECT_THAT(log, HasSubstr("http.request method=GET route=- status=404 ms="));
  EXPECT_THAT(log, Not(HasSubstr("SECRET")));
}

TEST(Server, BelievesForwardedAddressesOnlyFromTrustedProxies) {
  const std::string request =
      "GET /page HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9, 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n";
  TestListener open;
  RawHttpClient stranger(open.port());
  stranger.send(request);
  const auto untrusted = stranger.read_answer();
  EXPECT_EQ(untrusted.body, "page of 127.0.0.1");
  EXPECT_FALSE(untrusted.has("Strict-Transport-Security"));
  ServerOptions options;
  options.trusted_proxies = {"127.0.0.0/8"};
  TestListener behind(options);
  RawHttpClient proxy(behind.port());
  proxy.send(request);
  const auto trusted = proxy.read_answer();
  EXPECT_EQ(trusted.body, "page of 203.0.113.5");
  EXPECT_TRUE(trusted.has("Strict-Transport-Security"));
}

/// nginx sends no X-Forwarded-For by itself, and nothing else shows that all people share one address's limits.
TEST(Server, WarnsOnceOfATrustedProxyThatDoesNotSayWhoCalls) {
  const auto logged = [](const std::vector<std::string>& trusted, const std::string& headers) {
    ServerOptions options;
    options.trusted_proxies = trusted;
    testing::internal::CaptureStderr();
    {
      TestListener listener(options);
      for (int i = 0; i < 3; ++i) {
        RawHttpClient client(listener.port());
        client.send("GET /page HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
        EXPECT_EQ(client.read_answer().status, 200);
      }
    }
    return testing::internal::GetCapturedStderr();
  };
  const std::string browser = "Accept: text/html,application/xhtml+xml;q=0.9\r\n";
  const auto silent = logged({"127.0.0.1"}, browser);
  const auto first = silent.find("http.forwarded_for_missing proxy=127.0.0.1");
  ASSERT_NE(first, std::string::npos) << silent;
  EXPECT_EQ(silent.find("http.forwarded_for_missing", first + 1), std::string::npos) << silent;
  EXPECT_THAT(silent, HasSubstr("proxy_set_header X-Forwarded-For"));
  // Programs of the proxy's own machine are who they seem to be.
  EXPECT_THAT(logged({"127.0.0.1"}, "Accept: */*\r\n"), Not(HasSubstr("forwarded_for_missing")));
  EXPECT_THAT(logged({"127.0.0.1"}, browser + "X-Forwarded-For: 192.0.2.7\r\n"),
              Not(HasSubstr("forwarded_for_missing")));
  EXPECT_THAT(logged({}, browser), Not(HasSubstr("forwarded_for_missing")));
}

TEST(Server, AProxyBetweenTakesNothingFromAPublicUrlWithTls) {
  ServerOptions options;
  options.trusted_proxies = {"127.0.0.0/8"};
  options.is_behind_tls = true;
  TestListener listener(options);
  RawHttpClient inner(listener.port());
  inner.send("GET /page HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n");
  EXPECT_TRUE(inner.read_answer().has("Strict-Transport-Security"));
}

TEST(Server, BehindAProxyThatEndsTlsEveryRequestIsSecureThoughTheProxyIsNotTrusted) {
  for (const bool is_behind_tls : {true, false}) {
    Router router;
    router.add("GET", "/secure",
               [](const Request& request) { return make_response(200, "text/plain", request.secure ? "yes" : "no"); });
    ServerOptions options;
    options.is_behind_tls = is_behind_tls;
    TestListener listener(options, std::move(router));
    RawHttpClient client(listener.port());
    client.send("GET /secure HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, is_behind_tls ? "yes" : "no");
  }
}

TEST(Server, RunsHandlersSideBySide) {
  std::latch together(4);
  Router router;
  router.add("GET", "/together", [&](const Request&) {
    together.arrive_and_wait();
    return make_response(200, "text/plain", "");
  });
  TestListener listener({}, std::move(router));
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(listener.port()));
    clients.back()->send("GET /together HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  for (auto& client : clients) EXPECT_EQ(client->read_answer().status, 200);
}

TEST(Server, WorksWithSeveralIoThreads) {
  ServerOptions options;
  options.io_threads = 3;
  TestListener listener(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      RawHttpClient client(listener.port());
      for (int i = 0; i < 200; ++i) {
        const auto body = std::to_string(t) + "-" + std::to_string(i);
        client.send(post("/echo", body));
        ASSERT_EQ(client.read_answer().body, body);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(listener.handled, 1200);
}

TEST(Server, LetsRunningRequestsEndWhenItDrains) {
  std::binary_semaphore inside(0);
  std::binary_semaphore go(0);
  Router router;
  router.add("GET", "/slow", [&](const Request&) {
    inside.release();
    go.acquire();
    return make_response(200, "text/plain", "done");
  });
  TestListener listener({}, std::move(router));
  RawHttpClient idle(listener.port());
  idle.send(kGet);
  EXPECT_EQ(idle.read_answer().status, 200);
  RawHttpClient running(listener.port());
  running.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  inside.acquire();
  bool drained = false;
  std::thread drainer([&] { drained = listener.server->drain(10s); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THROW(
      {
        // The acceptor is closed in its own time; a client that slips in is not served for long.
        for (int i = 0; i < 1000; ++i) {
          RawHttpClient late(listener.port());
          EXPECT_TRUE(late.is_closed());
        }
      },
      std::runtime_error);
  go.release();
  const auto answer = running.read_answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(running.is_closed());
  running.close();
  drainer.join();
  EXPECT_TRUE(drained);
  EXPECT_EQ(listener.server->connections(), 0U);
}

TEST(Server, GivesUpDrainingAfterTheTimeout) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("GET /pa");
  while (listener.server->connections() == 0) std::this_thread::yield();
  RawHttpClient probe(listener.port());
  probe.send(kGet);
  EXPECT_EQ(probe.read_answer().status, 200);  // by now the loop has read what the first one sent
  EXPECT_FALSE(listener.server->drain(150ms));
}

TEST(Server, StopsWithConnectionsInEveryState) {
  TestListener listener;
  RawHttpClient idle(listener.port());
  RawHttpClient half(listener.port());
  RawHttpClient lingering(listener.port());
  half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  lingering.send("garbage\r\n");
  EXPECT_EQ(lingering.read_answer().status, 400);
  listener.server->stop();
  listener.server->stop();
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(half.is_closed());
}

TEST(Server, SaysWhyItCannotStart) {
  TestListener first;
  struct {
    ServerOptions options;
    const char* text;
  } cases[5];
  cases[0].options.port = first.port();
  cases[0].text = "Cannot listen on 127.0.0.1 port";
  cases[1].options.address = "localhost";
  cases[1].text = "\"localhost\" is not an IP address.";
  cases[2].options.trusted_proxies = {"10.0.0.0/99"};
  cases[2].text = "\"10.0.0.0/99\" is not an address or a network.";
  cases[3].options.tls = TlsFiles{"/nowhere/chain.pem", "/nowhere/key.pem"};
  cases[3].text = "/nowhere/chain.pem";
  cases[4].options.address = "192.0.2.1";
  cases[4].text = "Cannot listen on 192.0.2.1";
  for (auto& c : cases) {
    Server server(c.options, Router());
    const auto started = server.start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr(c.text));
  }
}

}  // namespace
}  // namespace invited::http
