#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace invited::http {
namespace {

using namespace std::string_literals;
using State = RequestReader::State;

/// What a connection does: keeps what was not taken, and gives it again with more behind it.
class Feeder {
 public:
  explicit Feeder(std::size_t max_body = 64 * 1024) : reader(limits), max_body_(max_body) {}

  void give(std::string_view bytes) {
    kept_ += bytes;
    for (;;) {
      const auto used = reader.feed(kept_);
      kept_.erase(0, used);
      if (reader.state() != State::decide) return;
      reader.read_body(max_body_);
    }
  }
  const std::string& rest() const { return kept_; }

  Limits limits;
  RequestReader reader;

 private:
  std::size_t max_body_;
  std::string kept_;
};

const std::string kHead = "POST /a?b HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n";

TEST(RequestReader, ReadsARequestWithContentLength) {
  Feeder feeder;
  feeder.give(kHead + "Content-Length: 5\r\n\r\nhelloGET");
  ASSERT_EQ(feeder.reader.state(), State::complete);
  EXPECT_EQ(feeder.reader.request().method, "POST");
  EXPECT_EQ(feeder.reader.request().headers.get("x-one"), "1");
  EXPECT_EQ(feeder.reader.request().body, "hello");
  EXPECT_EQ(feeder.reader.target(), "/a?b");
  EXPECT_TRUE(feeder.reader.keep_alive());
  EXPECT_EQ(feeder.rest(), "GET");
}

TEST(RequestReader, ReadsARequestWithoutABody) {
  for (const std::string end : {"\r\n", "Content-Length: 0\r\n\r\n"}) {
    Feeder feeder;
    feeder.give(kHead + end + "rest");
    ASSERT_EQ(feeder.reader.state(), State::complete);
    EXPECT_EQ(feeder.reader.request().body, "");
    EXPECT_EQ(feeder.rest(), "rest");
  }
}

TEST(RequestReader, KnowsAHeadAlsoWhereItIsRefusedOrNotWhole) {
  for (const std::string head : {"HEAD /a HTTP/1.1\r\nX: a\x01\r\n", "HEAD /a HTTP/9.9\r\n", "\r\nHEAD /a\r\n",
                                 "HEAD /a HTTP/1.1\r\nHos", "HEAD /a"}) {
    Feeder feeder;
    feeder.give(head);
    EXPECT_EQ(feeder.reader.request().method, "HEAD") << head;
  }
}

TEST(RequestReader, KnowsWhetherTheConnectionStays) {
  const auto keeps = [](const std::string& head) {
    Feeder feeder;
    feeder.give(head + "\r\n");
    return feeder.reader.keep_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n"));
}

const std::string kChunked = kHead + "Transfer-Encoding: chunked\r\n\r\n";

TEST(RequestReader, ReadsChunksInEverySplit) {
  const std::string whole =
      kChunked + "5\r\nhello\r\n1;name=value;q=\"a;b\"\r\n,\r\n00006\r\n world\r\n0\r\nX-One: 2\r\nHost: b\r\n\r\nGET";
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    for (std::size_t j = i; j <= whole.size(); j += 7) {
      Feeder feeder;
      feeder.give(whole.substr(0, i));
      feeder.give(whole.substr(i, j - i));
      feeder.give(whole.substr(j));
      ASSERT_EQ(feeder.reader.state(), State::complete) << i << " " << j;
      ASSERT_EQ(feeder.reader.request().body, "hello, world") << i << " " << j;
      ASSERT_EQ(feeder.rest(), "GET") << i << " " << j;
    }
  }
}

TEST(RequestReader, ReadsChunksByteByByte) {
  Feeder feeder;
  for (const char c : kChunked + "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n") feeder.give({&c, 1});
  ASSERT_EQ(feeder.reader.state(), State::complete);
  EXPECT_EQ(feeder.reader.request().body, "hello0123456789");
}

TEST(RequestReader, KeepsTrailersOutOfTheHeaders) {
  Feeder feeder;
  feeder.give(kChunked + "0\r\nX-One: 2\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n");
  ASSERT_EQ(feeder.reader.state(), State::complete);
  EXPECT_EQ(feeder.reader.request().headers.count("X-One"), 1U);
  EXPECT_EQ(feeder.reader.request().headers.count("X-Forwarded-For"), 0U);
}

TEST(RequestReader, RefusesChunksThatCanBeReadInTwoWays) {
  const std::string bodies[] = {
      "\r\n",                           // no size
      "x\r\n",                          //
      "-1\r\nh\r\n0\r\n\r\n",           //
      "+1\r\nh\r\n0\r\n\r\n",           //
      "0x1\r\nh\r\n0\r\n\r\n",          //
      " 1\r\nh\r\n0\r\n\r\n",           //
      "1 \r\nh\r\n0\r\n\r\n",           //
      "1\nh\r\n0\r\n\r\n",              // bare LF
      "1\rh\r\n0\r\n\r\n",              // bare CR
      "1\r\nh\n0\r\n\r\n",              //
      "1\r\nhX0\r\n\r\n",               // data longer than the size
      "1\r\nh0\r\n\r\n",                //
      "10000000000000000\r\nh\r\n",     // 2^64
      "FFFFFFFFFFFFFFFFF\r\nh\r\n",     //
      "1;\r\nh\r\n0\r\n\r\n",           // extension without a name
      "1;=a\r\nh\r\n0\r\n\r\n",         //
      "1;a=\"b\r\n\"\r\nh\r\n",         // line end in a quoted value
      "1;a=\"b\n\"\r\nh\r\n0\r\n\r\n",  //
      "1;a=\x01\r\nh\r\n0\r\n\r\n",     //
      "1;a=" + std::string(300, 'b') + "\r\nh\r\n",
      "0\r\nX: a\n\r\n\r\n",  // trailers
      "0\r\nX\r\n\r\n",       //
      "0\r\nContent-Length: 5\r\n\r\n",
      "0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "0\r\nX: " + std::string(20'000, 'x'),
      std::string(20'000, '0'),
  };
  for (const auto& body : bodies) {
    Feeder feeder;
    feeder.give(kChunked + body);
    EXPECT_EQ(feeder.reader.state(), State::refused) << body.substr(0, 40);
    if (feeder.reader.state() == State::refused) {
      EXPECT_EQ(feeder.reader.refusal().status, 400) << body.substr(0, 40);
    }
  }
}

TEST(RequestReader, HoldsTheBodysSizeInChunksToo) {
  const auto status = [](const std::string& body) {
    Feeder feeder(/*max_body=*/10);
    feeder.give(kChunked + body);
    return feeder.reader.state() == State::refused ? feeder.reader.refusal().status : 0;
  };
  EXPECT_EQ(status("A\r\n0123456789\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(status("B\r\n"), 413);
  EXPECT_EQ(status("5\r\n01234\r\n6\r\n"), 413);
  EXPECT_EQ(status("FFFFFFFFFFFFFFFF\r\n"), 413);
}

TEST(RequestReader, RefusesForgedFramingWhateverTheOrder) {
  const std::string lines[] = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length:\r\n",
      "Content-Length: \r\n",
      "Transfer-Encoding:\r\n",
      "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
      "Host: b\r\n",
      "Connection: close;\r\n",
  };
  for (const auto& line : lines) {
    Feeder feeder;
    feeder.give(kHead + line + "\r\nhello");
    ASSERT_EQ(feeder.reader.state(), State::refused) << line;
    EXPECT_EQ(feeder.reader.refusal().status, 400) << line;
  }
}

TEST(RequestReader, TakesNothingOfAnUnfinishedHead) {
  const auto whole = kHead + "\r\n";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Feeder feeder;
    feeder.give(std::string_view(whole).substr(0, i));
    ASSERT_EQ(feeder.reader.state(), State::head) << i;
    ASSERT_EQ(feeder.rest().size(), i);
  }
}

}  // namespace
}  // namespace invited::http
