// Rows H01 to H24 of the list of bad inputs: malformed, oversized and forbidden requests, each a row of the table with
// what must happen: the status, whether the connection ends, that no handler ran, and that the next client is served.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::test {
namespace {

using namespace std::string_literals;

const std::string kSoapPath = "/ws/InviteAPI/1/soap1";

/// A POST to the SOAP path, good but for what the row adds.
std::string soap(const std::string& lines, const std::string& body) {
  return "POST " + kSoapPath + " HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n" + lines + "\r\n" + body;
}
std::string soap_of_type(const std::string& type) {
  return "POST " + kSoapPath + " HTTP/1.1\r\nHost: a\r\n" + (type.empty() ? "" : "Content-Type: " + type + "\r\n") +
         "Content-Length: 5\r\n\r\nhello";
}
std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string with_method(const std::string& method) { return method + " " + kSoapPath + " HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string repeat(const std::string& text, int times) {
  std::string all;
  all.reserve(text.size() * static_cast<std::size_t>(times));
  while (times-- > 0) all += text;
  return all;
}

enum class Then { closes, stays };

struct Row {
  std::string name;  ///< begins with the row's id
  std::string request;
  int status;
  Then then = Then::closes;
};

std::vector<Row> rows() {
  return {
      {"H01_LengthAndThenChunked", soap("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"H01_ChunkedAndThenLength", soap("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {"H01_LengthAndGzipCoding", soap("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n", "hello"), 400},
      {"H02_TwoDifferentLengths", soap("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), 400},
      {"H02_TwoEqualLengths", soap("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H02_ListedLength", soap("Content-Length: 5, 5\r\n", "hello"), 400},
      {"H02_ListedLengthWithoutBlank", soap("Content-Length: 5,5\r\n", "hello"), 400},
      {"H03_NegativeLength", soap("Content-Length: -1\r\n", "hello"), 400},
      {"H03_SignedLength", soap("Content-Length: +5\r\n", "hello"), 400},
      {"H03_LengthWithLetters", soap("Content-Length: 5abc\r\n", "hello"), 400},
      {"H03_HexadecimalLength", soap("Content-Length: 0x10\r\n", "hello"), 400},
      {"H03_LengthOf2To64", soap("Content-Length: 18446744073709551616\r\n", "hello"), 400},
      {"H03_LengthOf2To64And5", soap("Content-Length: 18446744073709551621\r\n", "hello"), 400},
      {"H03_LengthOf40Digits", soap("Content-Length: " + std::string(40, '9') + "\r\n", "hello"), 400},
      {"H03_EmptyLength", soap("Content-Length:\r\n", "hello"), 400},
      {"H03_BlankLength", soap("Content-Length:  \r\n", "hello"), 400},
      {"H06_ChunkedInHttp10",
       "POST " + kSoapPath + " HTTP/1.0\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"H06_OtherCodingInHttp10",
       "POST " + kSoapPath + " HTTP/1.0\r\nContent-Type: text/xml\r\nTransfer-Encoding: identity\r\n\r\n", 400},
      {"H07_UnknownCoding", soap("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
      {"H07_CodingBeforeChunked", soap("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
      {"H07_ChunkSizeIsNoNumber", soap("Transfer-Encoding: chunked\r\n", "xyz\r\n"), 400},
      {"H07_ChunkSizeOverflows", soap("Transfer-Encoding: chunked\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
       400},
      {"H07_ChunkEndsWithBareLf", soap("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"), 400},
      {"H07_ChunkLongerThanItsSize", soap("Transfer-Encoding: chunked\r\n", "4\r\nhello\r\n0\r\n\r\n"), 400},
      {"H10_FoldedHeader", soap("X: a\r\n b\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_FoldedByTab", soap("X: a\r\n\tContent-Length: 9\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_BareLf", soap("X: a\nY: b\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_OnlyBareLf", "POST " + kSoapPath + " HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", 400},
      {"H10_BareCr", soap("X: a\rY: b\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_NulInAValue", soap("X: a\0b\r\nContent-Length: 5\r\n"s, "hello"), 400},
      {"H10_NulInAName", soap("X\0: a\r\nContent-Length: 5\r\n"s, "hello"), 400},
      {"H10_NoColon", soap("X\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_BlankBeforeTheColon", soap("Content-Length : 5\r\n", "hello"), 400},
      {"H10_EmptyName", soap(": a\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H10_BlankBeforeTheFirstHeader", "POST " + kSoapPath + " HTTP/1.1\r\n Host: a\r\nContent-Length: 5\r\n\r\nhello",
       400},
      {"H11_NoHost", "POST " + kSoapPath + " HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello",
       400},
      {"H11_TwoHosts", soap("Host: b\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H11_TwoEqualHosts", soap("Host: a\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H11_HostWithAPath", "GET /page HTTP/1.1\r\nHost: a/../b\r\n\r\n", 400},
      {"H12_OtherRequestLine", "FOO 200 bar\r\n\r\n", 400},
      {"H12_StatusLine", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", 400},
      {"H12_Http09", "GET /page\r\n", 400},
      {"H12_Http09Named", "GET /page HTTP/0.9\r\n\r\n", 505},
      {"H12_Http99", "GET /page HTTP/9.9\r\nHost: a\r\n\r\n", 505},
      {"H12_Http99OnTheSoapPath", "POST " + kSoapPath + " HTTP/9.9\r\nHost: a\r\n\r\n", 505},
      {"H12_Http12", "GET /page HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"H12_Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"s, 505},
      {"H12_LowerCaseVersion", "GET /page http/1.1\r\nHost: a\r\n\r\n", 400},
      {"H13_RawXml", "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
       400},
      {"H13_RawMime", "MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n--x\r\n", 400},
      {"H13_RawGzip", "\x1f\x8b\x08\0\0\0\0\0\0\3"s, 400},
      {"H13_RawDime", "\x0c\x20\0\0\0\0\0\x29"s, 400},
      {"H13_TlsClientHello", "\x16\x03\x01\0\xa5\1\0\0\xa1\x03\x03"s, 400},
      {"H14_LineOf9000", soap("X: " + std::string(9000, 'x') + "\r\nContent-Length: 5\r\n", "hello"), 431},
      {"H14_UriOf3000", get("/" + std::string(3000, 'x')), 414},
      {"H14_UriOf100000", get("/" + std::string(100'000, 'x')), 414},
      {"H14_BlockOf17Kib", soap(repeat("X: " + std::string(1000, 'x') + "\r\n", 17), ""), 431},
      {"H14_65Lines", "POST " + kSoapPath + " HTTP/1.1\r\nHost: a\r\n" + repeat("X: a\r\n", 64) + "\r\n", 431},
      {"H14_100000Lines", soap(repeat("X: a\r\n", 100'000), ""), 431},
      {"H15_Get", with_method("GET"), 405, Then::stays},
      {"H15_Options", with_method("OPTIONS"), 405, Then::stays},
      {"H15_Put", with_method("PUT"), 405, Then::stays},
      {"H15_Delete", with_method("DELETE"), 405, Then::stays},
      {"H15_Patch", with_method("PATCH"), 405, Then::stays},
      {"H15_Trace", with_method("TRACE"), 405, Then::stays},
      {"H15_Connect", with_method("CONNECT"), 405},
      {"H15_Propfind", with_method("PROPFIND"), 405, Then::stays},
      {"H15_LowerCasePost", with_method("post"), 405, Then::stays},
      {"H15_PutWithABody", "PUT " + kSoapPath + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 405},
      {"H17_NoContentType", soap_of_type(""), 415},
      {"H17_PlainText", soap_of_type("text/plain"), 415},
      {"H17_Form", soap_of_type("application/x-www-form-urlencoded"), 415},
      {"H17_Multipart", soap_of_type("multipart/form-data; boundary=x"), 415},
      {"H17_Json", soap_of_type("application/json"), 415},
      {"H17_Utf16", soap_of_type("text/xml; charset=utf-16"), 415},
      {"H17_TwoContentTypes", soap("Content-Type: text/xml\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H18_Gzip", soap("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"), 415},
      {"H18_GzipBomb", soap("Content-Encoding: gzip\r\nContent-Length: 292000\r\n", std::string(292'000, '\x1f')), 415},
      {"H18_Brotli", soap("Content-Encoding: br\r\nContent-Length: 5\r\n", "hello"), 415},
      {"H18_Deflate", soap("Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n", ""), 415},
      {"H18_IdentityAndGzip", soap("Content-Encoding: identity, gzip\r\nContent-Length: 5\r\n", "hello"), 415},
      {"H19_MtomOf5Mb",
       "POST " + kSoapPath +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/related; "
           "type=\"application/xop+xml\"; boundary=b\r\nContent-Length: 5000000\r\n\r\n" +
           std::string(5'000'000, 'x'),
       415},
      {"H19_20000Parts",
       "POST " + kSoapPath +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/related; "
           "boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n",
       415},
      {"H19_NoBoundary", soap_of_type("multipart/related"), 415},
      {"H20_ExpectWithTooLargeALength", soap("Expect: 100-continue\r\nContent-Length: 65537\r\n", ""), 413},
      {"H20_ExpectWithAHugeLength", soap("Expect: 100-continue\r\nContent-Length: 18446744073709551615\r\n", ""), 413},
      {"H20_UnknownExpectation", soap("Expect: 200-maybe\r\nContent-Length: 5\r\n", "hello"), 417},
      {"H20_BodyOf64KibAndOne", soap("Content-Length: 65537\r\n", std::string(65'537, 'x')), 413},
      {"H20_BodyOf10Mb", soap("Content-Length: 10000000\r\n", std::string(10'000'000, 'x')), 413},
      {"H20_ChunksOver64Kib",
       soap("Transfer-Encoding: chunked\r\n", repeat("1000\r\n" + std::string(4096, 'x') + "\r\n", 17) + "0\r\n\r\n"),
       413},
      {"H20_ChunkOf2To63", soap("Transfer-Encoding: chunked\r\n", "8000000000000000\r\n"), 413},
      {"H21_ContinueLinesFirst", repeat("HTTP/1.1 100 Continue\r\n\r\n", 100'000) + get("/page"), 400},
      {"H22_GetWithABody", "GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"H23_ParentFolder", get("/../../etc"), 404, Then::stays},
      {"H23_EncodedParentFolder", get("/%2e%2e/%2e%2e/etc"), 404, Then::stays},
      {"H23_EncodedDot", get("/%2e/page"), 404, Then::stays},
      {"H23_TwoSlashes", get("//page"), 404, Then::stays},
      {"H23_TwoSlashesWithin", get("/ws//InviteAPI/1/soap1"), 404, Then::stays},
      {"H23_Parameter", get("/page;x"), 404, Then::stays},
      {"H23_EncodedNul", get("/page%00"), 404, Then::stays},
      {"H23_EncodedSlash", get("/i%2Fabc"), 404, Then::stays},
      {"H23_EncodedBackslash", get("/i/..%5Cpage"), 404, Then::stays},
      {"H23_MixedCase", get("/Page"), 404, Then::stays},
      {"H23_EncodedTwice", get("/%2570age"), 404, Then::stays},
      {"H23_TrailingSlash", get("/page/"), 404, Then::stays},
      {"H23_RelativeTarget", get("page"), 404, Then::stays},
      {"H23_BrokenEscape", get("/page%2"), 404, Then::stays},
  };
}

void expect_next_request_is_answered(const TestListener& listener) {
  RawHttpClient good(listener.port());
  good.send(get("/page"));
  EXPECT_EQ(good.read_answer().status, 200);
}

class HostileRequest : public testing::TestWithParam<Row> {};

TEST_P(HostileRequest, IsRefused) {
  const auto& row = GetParam();
  TestListener listener;
  RawHttpClient client(listener.port());
  std::thread sender([&] { client.send(row.request); });
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, row.status);
  EXPECT_TRUE(answer.has("X-Content-Type-Options"));
  EXPECT_EQ(answer.has("Allow"), row.status == 405);
  sender.join();
  if (row.then == Then::closes) {
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
  } else {
    client.send(get("/nothing"));
    EXPECT_EQ(client.read_answer().status, 404);
  }
  EXPECT_EQ(listener.handled, 0) << "a handler ran";
  if (row.request.find(kSoapPath + " HTTP/") != std::string::npos) {
    EXPECT_NE(answer.body.find("<faultcode>Client"), std::string::npos) << "not a SOAP fault: " << answer.body;
  }
  expect_next_request_is_answered(listener);
}

INSTANTIATE_TEST_SUITE_P(H, HostileRequest, testing::ValuesIn(rows()),
                         [](const auto& tested) { return tested.param.name; });

TEST(HostileBody, H04_LongerThanItsLengthIsTheNextRequest) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /page HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_EQ(client.read_answer().body, "page of 127.0.0.1");
}

TEST(HostileBody, H04_LongerThanItsLengthIsRefusedWhereTheRestIsNoRequest) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello, world\r\n");
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(listener.handled, 1);
}

TEST(HostileBody, H04_ShorterThanItsLengthIsWaitedForInVain) {
  http::ServerOptions options;
  options.limits.body_time = std::chrono::milliseconds(100);
  TestListener listener(options);
  RawHttpClient client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(listener.handled, 0);
  expect_next_request_is_answered(listener);
}

TEST(HostileBody, H08_InChunksOfOneByteIsReadAtBoundedCost) {
  TestListener listener;
  RawHttpClient client(listener.port());
  const auto body = repeat("1\r\nx\r\n", 65'536) + "0\r\n\r\n";
  const auto before = std::clock();
  std::thread sender(
      [&] { client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body); });
  const auto answer = client.read_answer();
  sender.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), 65'536U);
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC) << "client, server and sanitizers together";
}

TEST(HostileBody, H20_ThatIsTooLargeGetsNoContinue) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(soap("Expect: 100-continue\r\nContent-Length: 65537\r\n", ""));
  EXPECT_EQ(client.read_answer().status, 413);  // the first answer there is
  EXPECT_TRUE(client.is_closed());
}

TEST(HostileHead, H15_OfAHeadIsAnsweredWhereAPageExistsOnly) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer(/*to_head=*/true).status, 200);
  client.send(with_method("HEAD"));
  const auto answer = client.read_answer(/*to_head=*/true);
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.header("Allow"), "POST");
}

}  // namespace
}  // namespace invited::test
