#include "http/request_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace invited::http {
namespace {

using namespace std::string_literals;
using State = HeadScanner::State;

const Limits kLimits;

struct Verdict {
  State state;
  int status;  ///< 0 unless refused
  std::size_t size;
  bool operator==(const Verdict&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Verdict& v) {
  return out << "{" << static_cast<int>(v.state) << " " << v.status << " " << v.size << "}";
}

Verdict verdict_of(const HeadScanner& scanner, State state) {
  return {state, state == State::refused ? scanner.refusal().status : 0, state == State::complete ? scanner.size() : 0};
}

Verdict scan_at_once(std::string_view bytes, const Limits& limits = {}) {
  HeadScanner scanner(limits);
  const auto state = scanner.scan(bytes);
  return verdict_of(scanner, state);
}

Verdict scan_byte_by_byte(std::string_view bytes, const Limits& limits = {}) {
  HeadScanner scanner(limits);
  auto state = State::need_more;
  for (std::size_t i = 1; i <= bytes.size() && state == State::need_more; ++i) state = scanner.scan(bytes.substr(0, i));
  return verdict_of(scanner, state);
}

int status_of(std::string_view bytes, const Limits& limits = {}) { return scan_at_once(bytes, limits).status; }

TEST(HeadScanner, FindsTheEndOfAGoodHead) {
  const std::string heads[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /ws?x=1 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab:\tb\t\r\n\r\n",
      "POST / HTTP/1.1\r\nMy-Header.!#$%&'*+^_`|~09: \tv;\x60\x85\x93\xA0\r\n\r\n",
      "M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /site/i.php?action=login%20++~!@$%^&*()_+:<>?,./;'[]{}`~\\\"|&p=i#f HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const auto& head : heads) {
    const Verdict expected{State::complete, 0, head.size()};
    EXPECT_EQ(scan_at_once(head), expected) << head;
    EXPECT_EQ(scan_byte_by_byte(head), expected) << head;
    EXPECT_EQ(scan_at_once(head + "body\n\0\r"s), expected) << head;
  }
}

TEST(HeadScanner, TellsTheTarget) {
  const std::string head = "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
  HeadScanner scanner(kLimits);
  ASSERT_EQ(scanner.scan(head), State::complete);
  EXPECT_EQ(scanner.target(head), "/a?b");
  EXPECT_EQ(scanner.prefix(), 2U);
}

TEST(HeadScanner, TellsTheTargetOfARefusedRequestLineToo) {
  for (const std::string head :
       {"POST /ws HTTP/1.1\n", "POST /ws HTTP/9.9\r\n", "POST /ws HTTP/1.1 x\r\n", "GET /ws\r\n"}) {
    HeadScanner scanner(kLimits);
    ASSERT_EQ(scanner.scan(head), State::refused);
    EXPECT_EQ(scanner.target(head), "/ws") << head;
  }
}

TEST(HeadScanner, RefusesWhatIsNotARequestLineAsSoonAsItShows) {
  const std::string lines[] = {
      "<?xml version=\"1.0\"?>",        // raw XML
      "MIME-Version: 1.0\r\n",          // raw MIME
      "\x1f\x8b\x08\x00"s,              // gzip
      "\x0c\x10\x00\x00"s,              // DIME
      "\x16\x03\x01\x02\x00\x01\x00"s,  // TLS ClientHello
      "\x80\x2e\x01\x00\x02"s,          // SSL 2 ClientHello
      "SSH-2.0-OpenSSH_9\r\n",
      "GET /\r\n",  // HTTP/0.9
      "GET\r\n",
      "\r\n\r\n",
      "\n",
      " GET / HTTP/1.1\r\n",
      "GET  / HTTP/1.1\r\n",
      "GET /  HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      "GET / HTTP/1.1 HTTP/1.1\r\n",
      "GET /a b HTTP/1.1\r\n",
      "GET\t/ HTTP/1.1\r\n",
      "GET /\tHTTP/1.1\r\n",
      "GET /\x01 HTTP/1.1\r\n",
      "GET /\0 HTTP/1.1\r\n"s,
      "GET /\r HTTP/1.1\r\n",
      "GET /\x7f HTTP/1.1\r\n",
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\r\r\n",
      "GET / http/1.1\r\n",
      "GET / HTTP/1.10\r\n",
      "GET / HTTP/1\r\n",
      "GET / HTTP/ 1.1\r\n",
      "GET / HTTPS/1.1\r\n",
      "GET / HTTP/1,1\r\n",
      "FOO 200 bar\r\n",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 100 Continue\r\n",
      "bad_method\x01 / HTTP/1.1\r\n",
      "G(T / HTTP/1.1\r\n",
      "\xC3\x89 / HTTP/1.1\r\n",
      std::string(33, 'A'),
  };
  for (const auto& line : lines) {
    EXPECT_EQ(status_of(line), 400) << line;
    EXPECT_EQ(scan_byte_by_byte(line), scan_at_once(line)) << line;
  }
}

TEST(HeadScanner, RefusesOtherVersionsOfHttp) {
  for (const char* version : {"0.9", "1.2", "1.9", "2.0", "3.0", "9.9"}) {
    EXPECT_EQ(status_of("GET / HTTP/"s + version + "\r\n"), 505) << version;
  }
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(HeadScanner, RefusesHeaderLinesThatCanBeReadInTwoWays) {
  const std::string lines[] = {
      "X: a\n",       // bare LF
      "X: a\rb\r\n",  // bare CR
      "X: a\r\r\n",
      "X: a\0b\r\n"s,
      "\0X: a\r\n"s,
      "X\0: a\r\n"s,
      "X: a\x01\r\n",
      "X: a\x7f\r\n",
      "X: a\r\n b\r\n",  // folded
      "X: a\r\n\tb\r\n",
      " X: a\r\n",  // blank before the first header
      "\tX: a\r\n",
      "X\r\n",  // no colon
      ": a\r\n",
      ":X: a\r\n",
      "X : a\r\n",
      "X\t: a\r\n",
      "X Y: a\r\n",
      "X(: a\r\n",
      "X\xA0: a\r\n",
      "Tran\xC5\xBF"
      "fer-Encoding: chunked\r\n",
      "\rX: a\r\n",
      "\x0b"
      "X: a\r\n",
  };
  for (const auto& line : lines) {
    const auto head = "POST / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n";
    EXPECT_EQ(status_of(head), 400) << line;
    EXPECT_EQ(scan_byte_by_byte(head), scan_at_once(head)) << line;
  }
}

TEST(HeadScanner, HoldsTheSizes) {
  const Limits limits;
  const auto head = [](const std::string& lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"; };
  const auto line = [](std::size_t size) { return "X: " + std::string(size - 3, 'x') + "\r\n"; };
  const auto repeat = [](const std::string& text, int n) {
    std::string all;
    while (n-- > 0) all += text;
    return all;
  };
  const auto uri = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  struct {
    std::string name;
    std::string bytes;
    int status;
  } const cases[] = {
      {"URI of the greatest length", uri(limits.uri), 0},
      {"URI one longer", uri(limits.uri + 1), 414},
      {"URI of 3,000", uri(3000), 414},
      {"URI without an end", "GET /" + std::string(20'000, 'x'), 414},
      {"line of the greatest length", head(line(limits.header_line)), 0},
      {"line one longer", head(line(limits.header_line + 1)), 431},
      {"line of 9,000", head(line(9000)), 431},
      {"line without an end", "GET / HTTP/1.1\r\nX: " + std::string(9000, 'x'), 431},
      {"64 lines", head(repeat("X: a\r\n", 63)), 0},
      {"65 lines", head(repeat("X: a\r\n", 64)), 431},
      {"100,000 lines", head(repeat("X: a\r\n", 100'000)), 431},
      {"17 KiB together", head(repeat(line(1700), 10)), 431},
      {"16 KiB together without an end", "GET / HTTP/1.1\r\n" + repeat(line(8000), 2) + "X: " + std::string(500, 'x'),
       431},
  };
  for (const auto& c : cases) EXPECT_EQ(status_of(c.bytes), c.status) << c.name;
}

TEST(HeadScanner, CountsTheWholeBlockToTheByte) {
  Limits limits;
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  limits.header_block = head.size();
  EXPECT_EQ(status_of(head, limits), 0);
  limits.header_block = head.size() - 1;
  EXPECT_EQ(status_of(head, limits), 431);
}

/// The status for a request with these fields, 0 if they are fine.
int status_of_fields(const std::vector<std::pair<std::string, std::string>>& fields, std::string_view method = "POST",
                     int version = 11) {
  FieldPolicy policy;
  for (const auto& [name, value] : fields) {
    if (const auto refusal = policy.add(name, value)) return refusal->status;
  }
  const auto refusal = policy.finish(method, version);
  return refusal ? refusal->status : 0;
}

TEST(FieldPolicy, AcceptsPlainFraming) {
  EXPECT_EQ(status_of_fields({{"Host", "a"}}), 0);
  EXPECT_EQ(status_of_fields({{"host", "a:8080"}, {"content-length", "5"}}), 0);
  EXPECT_EQ(status_of_fields({{"HOST", "[::1]:80"}, {"TRANSFER-ENCODING", "Chunked"}}), 0);
  EXPECT_EQ(status_of_fields({{"Host", "a"}, {"Content-Length", "0"}}, "GET"), 0);
  EXPECT_EQ(status_of_fields({}, "POST", 10), 0);
  EXPECT_EQ(status_of_fields({{"Content-Length", "5"}}, "POST", 10), 0);
  EXPECT_EQ(status_of_fields({{"Host", "a"}, {"X-Content-Length-Hint", "x"}, {"TE", "trailers"}}), 0);
}

TEST(FieldPolicy, RefusesFramingThatIsInDoubt) {
  const std::vector<std::pair<std::string, std::string>> cases[] = {
      {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
      {{"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
      {{"Content-Length", "5"}, {"Content-Length", "6"}},
      {{"Content-Length", "5"}, {"Content-Length", "5"}},
      {{"Content-Length", "5"}, {"content-length", "5"}},
      {{"Content-Length", "5, 5"}},
      {{"Content-Length", "5,5"}},
      {{"Content-Length", "-1"}},
      {{"Content-Length", "+5"}},
      {{"Content-Length", "5abc"}},
      {{"Content-Length", "0x10"}},
      {{"Content-Length", "5 5"}},
      {{"Content-Length", "1000.0"}},
      {{"Content-Length", "$5"}},
      {{"Content-Length", "1e3"}},
      {{"Content-Length", "18446744073709551616"}},
      {{"Content-Length", "99999999999999999999999"}},
      {{"Content-Length", ""}},
      {{"Content-Length", "5\xA0"}},
      {{"Transfer-Encoding", "identity"}},
      {{"Transfer-Encoding", "gzip"}},
      {{"Transfer-Encoding", "gzip, chunked"}},
      {{"Transfer-Encoding", "chunked, gzip"}},
      {{"Transfer-Encoding", "chunked, chunked"}},
      {{"Transfer-Encoding", "chunked,"}},
      {{"Transfer-Encoding", ",chunked"}},
      {{"Transfer-Encoding", "xchunked"}},
      {{"Transfer-Encoding", "chunk"}},
      {{"Transfer-Encoding", "chunked;q=1"}},
      {{"Transfer-Encoding", "\"chunked\""}},
      {{"Transfer-Encoding", "chunked\xA0"}},
      {{"Transfer-Encoding", ""}},
      {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
      {{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}},
      {{"Transfer_Encoding", "chunked"}},
      {{"Transfer---Encoding", "chunked"}},
      {{"TransferEncoding", "chunked"}},
      {{"Content_Length", "5"}},
      {{"Content.Length", "5"}},
      {{"Content-Length-", "5"}},
      {{"Host", "b"}},  // the second
      {{"Content-Type", "text/xml"}, {"Content-Type", "text/plain"}},
  };
  for (auto fields : cases) {
    fields.insert(fields.begin(), {"Host", "a"});
    EXPECT_EQ(status_of_fields(fields), 400) << fields.back().first << ": " << fields.back().second;
  }
}

TEST(FieldPolicy, WantsOneHostWithHttp11) {
  EXPECT_EQ(status_of_fields({}), 400);
  for (const char* host : {"", "a/b", "a b", "u@a", "a?x", "a#x", "a\\b", "<a>", "a,b c", "a\xC3\xA9"}) {
    EXPECT_EQ(status_of_fields({{"Host", host}}), 400) << host;
    EXPECT_EQ(status_of_fields({{"Host", host}}, "GET", 10), 400) << host;
  }
}

TEST(FieldPolicy, RefusesATransferEncodingInHttp10) {
  EXPECT_EQ(status_of_fields({{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, "POST", 10), 400);
}

TEST(FieldPolicy, RefusesABodyOfGetAndHead) {
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(status_of_fields({{"Host", "a"}, {"Content-Length", "1"}}, method), 400);
    EXPECT_EQ(status_of_fields({{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, method), 400);
  }
}

TEST(FieldPolicy, ChecksTheBodysKindAndSizeBeforeItIsRead) {
  Route route{.method = "POST", .pattern = "/ws", .handler = {}, .options = {}};
  route.options.max_body = 1000;
  route.options.content_types = {"text/xml", "application/soap+xml"};
  const auto status = [&](const std::vector<std::pair<std::string, std::string>>& fields) {
    FieldPolicy policy;
    for (const auto& [name, value] : fields) {
      if (const auto refusal = policy.add(name, value)) return refusal->status;
    }
    const auto refusal = policy.check_route(route, Limits());
    return refusal ? refusal->status : 0;
  };
  struct {
    std::vector<std::pair<std::string, std::string>> fields;
    int status;
  } const cases[] = {
      {{{"Content-Type", "text/xml"}}, 0},
      {{{"Content-Type", "TEXT/XML; charset=UTF-8"}}, 0},
      {{{"Content-Type", "text/xml;charset=\"utf-8\""}}, 0},
      {{{"Content-Type", "text/xml ; Charset=us-ascii"}}, 0},
      {{{"Content-Type", "application/soap+xml; charset=utf-8; action=\"x;charset=z\""}}, 0},
      {{}, 415},
      {{{"Content-Type", ""}}, 415},
      {{{"Content-Type", "text/plain"}}, 415},
      {{{"Content-Type", "text/xmlx"}}, 415},
      {{{"Content-Type", "text/xml, text/plain"}}, 415},
      {{{"Content-Type", "application/x-www-form-urlencoded"}}, 415},
      {{{"Content-Type", "multipart/related; type=\"text/xml\""}}, 415},
      {{{"Content-Type", "application/json"}}, 415},
      {{{"Content-Type", "text/xml; charset=utf-16"}}, 415},
      {{{"Content-Type", "text/xml; charset=utf-8; charset=utf-7"}}, 415},
      {{{"Content-Type", "text/xml; charset = iso-8859-1"}}, 415},
      {{{"Content-Type", "text/xml; charset="}}, 415},
      {{{"Content-Type", "text/xml"}, {"Content-Encoding", "identity"}}, 0},
      {{{"Content-Type", "text/xml"}, {"Content-Encoding", "gzip"}}, 415},
      {{{"Content-Type", "text/xml"}, {"Content-Encoding", "br"}}, 415},
      {{{"Content-Type", "text/xml"}, {"Content-Encoding", "identity, gzip"}}, 415},
      {{{"Content-Type", "text/xml"}, {"Content-Encoding", "identity"}, {"Content-Encoding", "deflate"}}, 415},
      {{{"Content-Type", "text/xml"}, {"Content-Length", "1000"}}, 0},
      {{{"Content-Type", "text/xml"}, {"Content-Length", "1001"}}, 413},
      {{{"Content-Type", "text/xml"}, {"Content-Length", "1001"}, {"Expect", "100-continue"}}, 413},
      {{{"Content-Type", "text/xml"}, {"Expect", "100-Continue"}}, 0},
      {{{"Content-Type", "text/xml"}, {"Expect", "200-ok"}}, 417},
      {{{"Content-Type", "text/xml"}, {"Expect", "100-continue"}, {"Expect", "x"}}, 417},
      {{{"Content-Type", "text/plain"}, {"Content-Length", "100000"}}, 415},
  };
  for (const auto& c : cases) {
    std::string shown;
    for (const auto& [name, value] : c.fields) shown += name + ": " + value + " | ";
    EXPECT_EQ(status(c.fields), c.status) << shown;
  }
}

}  // namespace
}  // namespace invited::http
