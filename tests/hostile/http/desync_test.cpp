// Row H24: requests at which two HTTP programs in a row might part ways, after the classes of AWS's desync guardian:
// severe and ambiguous ones are refused and the connection ends, compliant ones are accepted, but for those that are
// named at the end with the reason why not. The guardian's cases have no Host; ours have one, as nothing is answered
// without. "Smuggled" stands for a second request in the body of the first: it must never be carried out where the
// first was refused.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/raw_http_client.h"
#include "support/test_listener.h"

namespace invited::test {
namespace {

using namespace std::string_literals;

struct Case {
  std::string name;
  std::string method;
  std::string target;
  std::string version;
  std::string lines;  ///< beside Host
};

std::string request_of(const Case& c, const std::string& body) {
  return c.method + " " + c.target + " " + c.version + "\r\nHost: localhost\r\n" + c.lines + "\r\n" + body;
}

const std::string kSmuggled = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";

Case post(std::string name, std::string lines) {
  return {std::move(name), "POST", "/echo", "HTTP/1.1", std::move(lines)};
}

std::vector<Case> severe() {
  return {
      post("TwoLengths", "Content-Length: 1000\r\nContent-Length: 100\r\n"),
      post("ListedLength", "Content-Length: 1000,1000\r\n"),
      post("LengthWithBlank", "Content-Length: 1000 1000\r\n"),
      post("LengthWithDot", "Content-Length: 1000.1000\r\n"),
      post("LengthOverflow", "Content-Length: 18446744073709551616\r\n"),
      post("LengthWithControl", "Content-Length: 1000\x11\r\n"),
      post("LengthAfterControl",
           "Content-Length: \x01"
           "1000\r\n"),
      post("LengthWithNbsp", "Content-Length: 1000\xa0\r\n"),
      post("LengthWithDollar", "Content-Length: $9000\r\n"),
      post("UnknownCoding", "Transfer-Encoding: xchunked\r\n"),
      post("ShortCoding", "Transfer-Encoding: chunk\r\n"),
      post("CodingWithControl", "Transfer-Encoding: chunked\x11\r\n"),
      post("CodingAfterControl",
           "Transfer-Encoding: \x01"
           "chunked\r\n"),
      post("CodingWithDelete", "Transfer-Encoding: chunked\x7f\r\n"),
      post("CodingWithNbsp", "Transfer-Encoding: chunked\xa0\r\n"),
      post("CodingAfterNbsp",
           "Transfer-Encoding: \xa0"
           "chunked\r\n"),
      post("CodingAfterVerticalTab",
           "Transfer-Encoding: \x0b"
           "chunked\r\n"),
      post("TwoChunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      post("ListedChunked", "Transfer-Encoding: chunked,chunked\r\n"),
      post("ChunkedThenIdentity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
      post("FoldedWithLineFeeds", "Content-Length: 5\r\nX: a\r\n b\n Transfer-Encoding: chunked\r\n"),
      post("LineFeedInValue", "Content-Length: 5\r\nX: a\n Transfer-Encoding: chunked\r\n"),
      post("ReturnInValue", "Content-Length: 5\r\nX: a\rTransfer-Encoding: chunked\r\n"),
      post("ReturnInName", "X\r: 1000\r\n"),
      post("ReturnBeforeName", "\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
      post("LineFeedInName", "X\n: 1000\r\nContent-Length: 5\r\n"),
      post("NulInName", "X\0: 1000\r\n"s),
      post("NulBeforeName", "\0X: a\r\nContent-Length: 5\r\n"s),
      post("NulInValue", "X: a\0content-length: 1000\r\nContent-Length: 5\r\n"s),
      post("NulBeforeValue", "X: \0a\r\nContent-Length: 5\r\n"s),
      post("NulAfterValue", "X: a\0\r\nContent-Length: 5\r\n"s),
      post("BlankAfterNameAndLength", "Content-Length : 100\r\nContent-Length: 5\r\n"),
      post("BlankBeforeNameAndLength", " Content-Length: 100\r\nContent-Length: 5\r\n"),
      post("BlankAfterNameAndChunked", "Transfer-Encoding : chunked\r\nTransfer-Encoding: chunked\r\n"),
      post("TwoChunkedAndLength", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
      post("ListedChunkedAndLength", "Transfer-Encoding: chunked,chunked\r\nContent-Length: 4\r\n"),
      post("ShortCodingAndLength", "Transfer-Encoding: chunk\r\nContent-Length: 4\r\n"),
      post("UnknownCodingAndLength", "Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n"),
      post("ChunkedThenUnknownCodingAndLength",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\nContent-Length: 6\r\n"),
      post("NulBeforeCodingsName", "Content-Length: 6\r\n\0Transfer-Encoding: chunked\r\n"s),
      post("CodingAfterNulAndLength", "Transfer-Encoding: \0chunked\r\nContent-Length: 6\r\n"s),
      post("NulInValueAndChunkedAndLength", "X: a\0b\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"s),
      post("ReturnBeforeCodingsName", "\rTransfer-Encoding: chunked\r\n"),
      post("ReturnBeforeLengthsName", "\rContent-Length: 1000\r\nContent-Length: 100\r\n"),
      post("ControlInValueAndInLength", "X: a\x12\r\nContent-Length: 1000\x11\r\n"),
      post("ControlInValueAndInCoding", "X: a\x11\r\nTransfer-Encoding: chunked\x7f\r\n"),
      post("TabsAfterNamesAndNulInValue", "X\t: \x11 a\0b\r\nTransfer-Encoding\t: chunked\r\n"s),
      post("BadCodingAndLength", "X: \x11 a\r\nTransfer-Encoding: chunked\x80\r\nContent-Length: $9000\r\n"),
      {"TabInTargetAndBadCodingAndLength", "POST", "/echo\t/x", "HTTP/1.1",
       "Transfer-Encoding: chunked\x80\r\nContent-Length: $9000\r\n"},
      {"ControlInMethod", "bad_method\x01", "/echo", "HTTP/1.1", ""},
      {"TwoVersions", "GET", "/page", "HTTP/1.1 HTTP/1.1", ""},
      {"ReturnInTarget", "GET", "/page\rHTTP/1.1", "HTTP/1.1", ""},
      {"LineFeedInTarget", "GET", "/page\nHTTP/1.1", "HTTP/1.1", ""},
      {"RequestInTarget", "GET", "/page\tHTTP/1.1\r\nHost:localhost\r\n\r\nGET\t/page\t", "HTTP/1.1", ""},
      {"NulInTarget", "GET", "/page\0x"s, "HTTP/1.1", ""},
      {"NulBeforeTarget", "GET", "\0/page"s, "HTTP/1.1", ""},
  };
}

std::vector<Case> ambiguous() {
  return {
      post("BlankAfterCodingsName", "Transfer-Encoding : chunked\r\n"),
      post("TabAfterCodingsName", "Transfer-Encoding\t: chunked\r\n"),
      post("TabAfterCodingsNameAndLength", "Transfer-Encoding\t: chunked\r\nContent-Length: 4\r\n"),
      post("BlankInCodingsName", "Transfer- Encoding: chunked\r\n"),
      post("LetterAfterCodingsName", "Transfer-Encoding x: chunked\r\n"),
      post("ControlBeforeCodingsName", "\x01Transfer-Encoding: chunked\r\n"),
      post("LettersAfterCodingsNameInLowerCase", "transfer-encoding XY: chunked\r\n"),
      post("ControlsBeforeCodingsName", "\x01\x01Transfer-Encoding: chunked\r\n"),
      post("ControlAfterCodingsName", "Transfer-Encoding\x01: chunked\r\n"),
      post("BlankAndControlAfterCodingsName", "Transfer-Encoding \x01: chunked\r\n"),
      post("ControlBeforeLengthsName",
           "\x01"
           "Content-Length: 1\r\n"),
      post("ControlsBeforeLengthsName",
           "\x01\x01"
           "Content-Length: 1\r\n"),
      post("ControlAfterLengthsName", "Content-Length\x01: 1000\r\n"),
      post("HighByteAfterCodingsName", "Transfer-Encoding\x88: chunked\r\n"),
      post("NbspBeforeLengthsName",
           "\xa0"
           "Content-Length: 100\r\n"),
      post("Utf8BlankBeforeCodingsName", "\xe2\x80\x83Transfer-Encoding: chunked\r\n"),
      post("Utf8BlankAfterLengthsName", "Content-Length\xe2\x80\x83: 100\r\n"),
      post("LongSInCodingsName",
           "Tran\xc5\xbf"
           "fer-Encoding: chunked\r\n"),
      post("DotlessIInCodingsName", "Transfer-Encod\xc4\xb1ng: chunked\r\n"),
      post("Utf8DashInCodingsName",
           "Transfer\xe2\x80\x95"
           "Encoding: chunked\r\n"),
      post("UnderscoreInCodingsName", "Transfer_Encoding: chunked\r\n"),
      post("UnderscoreInLengthsName", "Content_Length: 1000\r\n"),
      post("ManyDashesInCodingsName", "Transfer---Encoding: chunked\r\n"),
      post("ManyUnderscoresInCodingsName", "Transfer___Encoding: chunked\r\n"),
      post("EqualLengths", "Content-Length: 5\r\nContent-Length: 5\r\n"),
      post("ChunkedAndLength", "Transfer-Encoding: chunked\r\nContent-Length: 100\r\n"),
      post("LengthAndChunked", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
      post("GzipAndLength", "Transfer-Encoding: gzip\r\nContent-Length: 100\r\n"),
      post("ChunkedInOtherCaseAndLength", "TrAnSfEr-EnCoDiNg: ChUnKeD\r\nContent-Length: 4\r\n"),
      post("ManyCodingsAndLength",
           "Transfer-Encoding: gzip\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"
           "Content-Length: 4\r\n"),
      post("CodingWithParameterAndLength", "Transfer-Encoding: \t\tchunked;custom_param;\t\t\r\nContent-Length: 4\r\n"),
      post("BlankAfterNameOfCoding", "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n"),
      post("BlankBeforeNameOfCodingAndLength", " Transfer-Encoding: chunked\r\n Content-Length: 5\r\n"),
      post("BlankAfterNameOfCodingAndLength", "Transfer-Encoding : chunked\r\nContent-Length : 5\r\n"),
      post("BlankBeforeNameOfCoding", " Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
      post("EmptyName", ": chunked\r\nContent-Length: 5\r\n"),
      post("NameBeginsWithColon", ":Some:Transfer-Encoding:: chunked\r\nContent-Length: 5\r\n"),
      post("NameOfBlanks", "   \t\t  : chunked\r\nContent-Length: 5\r\n"),
      post("LineOfBlanks", "   \r\nContent-Length: 5\r\n"),
      {"GetWithLength", "GET", "/page", "HTTP/1.1", "Content-Length: 44\r\n"},
      {"GetWithChunks", "GET", "/page", "HTTP/1.1", "Transfer-Encoding: chunked\r\n"},
      {"HeadWithLength", "HEAD", "/page", "HTTP/1.1", "Content-Length: 44\r\n"},
      {"HeadWithChunks", "HEAD", "/page", "HTTP/1.1", "Transfer-Encoding: chunked\r\n"},
      {"GetWithControlAndChunks", "GET", "/page", "HTTP/1.1", "X: a\x01\r\nTransfer-Encoding: chunked\r\n"},
      {"GetWithTabInTargetAndLength", "GET", "/page\t/x", "HTTP/1.1", "X: a\x01\r\nContent-Length: 44\r\n"},
      {"HeadWithControlAndLength", "HEAD", "/page", "HTTP/1.1", "X: a\x01\r\nContent-Length: 44\r\n"},
      {"ChunksInHttp10", "POST", "/echo", "HTTP/1.0", "Transfer-Encoding: chunked\r\n"},
      {"ChunksInHttp09", "POST", "/echo", "HTTP/0.9", "Transfer-Encoding: chunked\r\n"},
      {"LengthInHttp09", "POST", "/echo", "HTTP/0.9", "Content-Length: 5\r\n"},
      {"ChunksWithoutVersion", "POST", "/echo", "", "Transfer-Encoding: chunked\r\n"},
      {"LengthWithoutVersion", "POST", "/echo", "", "Content-Length: 5\r\n"},
      {"TabInTarget", "GET", "/page\tHTTP/1.1", "HTTP/1.1", ""},
      {"ControlInTarget", "GET", "/page\x01HTTP/1.1", "HTTP/1.1", ""},
  };
}

class DesyncRequest : public testing::TestWithParam<Case> {};

TEST_P(DesyncRequest, H24_IsRefusedAndNothingIsSmuggled) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(request_of(GetParam(), "0\r\n\r\n" + kSmuggled));
  const auto answer = client.read_answer(/*to_head=*/GetParam().method == "HEAD");
  EXPECT_TRUE(answer.status == 400 || answer.status == 505) << answer.status;
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(listener.handled, 0);
  RawHttpClient good(listener.port());
  good.send(kSmuggled);
  EXPECT_EQ(good.read_answer().status, 200);
}

INSTANTIATE_TEST_SUITE_P(Severe, DesyncRequest, testing::ValuesIn(severe()),
                         [](const auto& tested) { return tested.param.name; });
INSTANTIATE_TEST_SUITE_P(Ambiguous, DesyncRequest, testing::ValuesIn(ambiguous()),
                         [](const auto& tested) { return tested.param.name; });

struct Compliant {
  std::string name;
  std::string request;
  int status = 200;
};

std::vector<Compliant> compliant() {
  const std::string browser =
      "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:68.0) Gecko/20100101 Firefox/68.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
      "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n";
  std::string many;
  for (int i = 1; i <= 29; ++i) many += "Header-Name-" + std::to_string(i) + ": Header-Value-Some-Ok-String\r\n";
  const auto of = [](const Case& c, const std::string& body) { return request_of(c, body); };
  return {
      {"NoOtherHeaders", of({"", "GET", "/page", "HTTP/1.1", ""}, "")},
      {"Chunked", of(post("", "Transfer-Encoding: chunked\r\n"), "5\r\nhello\r\n0\r\n\r\n")},
      {"ChunkedInOtherCase", of(post("", "transfer-encoding: CHUNKED\r\n"), "5\r\nhello\r\n0\r\n\r\n")},
      {"Length", of(post("", "Content-Length: 5\r\n"), "hello")},
      {"LengthInBlanks", of(post("", "Content-Length:   5  \r\n"), "hello")},
      {"LengthWithoutBlank", of(post("", "Content-Length:5\r\n"), "hello")},
      {"LengthWithZeros", of(post("", "Content-Length: 0005\r\n"), "hello")},
      {"PutWithLength", of({"", "PUT", "/echo", "HTTP/1.1", "Content-Length: 5\r\n"}, "hello")},
      {"PutWithChunks",
       of({"", "PUT", "/echo", "HTTP/1.1", "Transfer-Encoding: chunked\r\n"}, "5\r\nhello\r\n0\r\n\r\n")},
      {"NoBody", of(post("", ""), "")},
      {"GetWithLengthOfZero", of({"", "GET", "/page", "HTTP/1.1", "Content-Length: 0\r\n"}, "")},
      {"Http10", "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"},
      {"ObsoleteTextInAValue",
       of(post("", "My-Custom-Header: \t\t\tCustom-Value;\x60\x85\x93\xA0\r\nContent-Length: 5\r\n"), "hello")},
      {"EveryTokenCharacterInAName",
       of(post("", "My-Custom-Header.!#$%&'*+^_`|~0123456789: a\r\nContent-Length: 5\r\n"), "hello")},
      {"UnderscoreInAName", of(post("", "My_Custom_Header: a\r\nContent-Length: 5\r\n"), "hello")},
      {"CodingNamedInAValue", of(post("", "X-Test: Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "hello")},
      {"Browser",
       of(post("", browser + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n"), "hello")},
      {"VeryManyHeaders", of(post("", browser + many + "Content-Length: 5\r\n"), "hello")},
      {"AbsoluteTarget", of({"", "GET", "http://localhost/page", "HTTP/1.1", ""}, "")},
      {"OddQuery", of({"", "GET", "/page?a=b&b=c&%dd=%ee~!@$^&*()_+:<>?,./;'[]{}`|", "HTTP/1.1", ""}, "")},
      {"EmptyLineFirst", "\r\n" + kSmuggled},
      {"UserPortAndFragmentInTheTarget",
       of({"", "POST",
           "/user:pass@www.example.org:8080/site/i.php?a=login%20++~!@#$%^&*()_+:<>?,./;'[]{}`~\\\"|&p=i#form",
           "HTTP/1.1", ""},
          ""),
       404},
      {"ControlsEncodedInThePath", of({"", "GET", "/path-%09-%0D-%0A-uri", "HTTP/1.1", ""}, ""), 404},
      {"BlankEncodedInThePath", of({"", "GET", "/path-%20-uri", "HTTP/1.1", ""}, ""), 404},
      {"InternationalPath", of({"", "GET", "/\xd1\x81\xd1\x82\xd1\x80", "HTTP/1.1", ""}, ""), 404},
  };
}

class CompliantRequest : public testing::TestWithParam<Compliant> {};

TEST_P(CompliantRequest, H24_IsAcceptedAndTheConnectionGoesOn) {
  http::Router router;
  router.add("PUT", "/echo", [](const http::Request& request) {
    return http::make_response(200, "application/octet-stream", request.body);
  });
  TestListener listener({}, std::move(router));
  RawHttpClient client(listener.port());
  client.send(GetParam().request);
  EXPECT_EQ(client.read_answer().status, GetParam().status);
  client.send(kSmuggled);
  EXPECT_EQ(client.read_answer().status, 200);
}

INSTANTIATE_TEST_SUITE_P(H24, CompliantRequest, testing::ValuesIn(compliant()),
                         [](const auto& tested) { return tested.param.name; });

/// Compliant, says the guardian, and refused here all the same: what such a request asks for is not to be had, and to
/// guess where its body ends instead would be the mistake.
struct RefusedCase {
  std::string name;
  std::string request;
  int status;
  std::string reason;
};

std::vector<RefusedCase> refused_though_compliant() {
  const std::string only_chunked = "The only transfer coding spoken here is chunked.";
  const auto coded = [&](std::string name, const std::string& lines) {
    return RefusedCase{std::move(name), request_of(post("", lines), "5\r\nhello\r\n0\r\n\r\n"), 400, only_chunked};
  };
  const std::string five =
      "Transfer-Encoding: gzip\r\nTransfer-Encoding: deflate\r\nTransfer-Encoding: identity\r\n"
      "Transfer-Encoding: compress\r\nTransfer-Encoding: chunked\r\n";
  return {
      coded("DifferentCodings", five),
      coded("DifferentCodingsCombined", "Transfer-Encoding: gzip , deflate , \tidentity\t, compress\t, chunked\r\n"),
      coded("DifferentCodingsWithParameters",
            "Transfer-Encoding:    gzip   ;   \r\nTransfer-Encoding: deflate\t\t;\t\t\r\n"
            "Transfer-Encoding: \t\tchunked;custom_param;\t\t\r\n"),
      coded("ChunkedWithAParameter", "Transfer-Encoding:  \t\t\t\tchunked;custom_param;\t\t\t\t\r\n"),
      coded("GzipThenChunked", "Transfer-Encoding: gzip, chunked\r\n"),
      coded("DeflateIdentityThenChunked", "Transfer-Encoding: deflate, identity, chunked\r\n"),
      {"EmptyTarget", request_of({"", "GET", "", "HTTP/1.1", ""}, ""), 400,
       "The first line is not an HTTP/1.1 request line."},
      {"LargeSize", request_of(post("", "Content-Length: 4000000\r\nX-Test: Transfer-Encoding: chunked\r\n"), ""), 413,
       "The body is too large."},
  };
}

class RefusedThoughCompliant : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedThoughCompliant, H24_WithTheReasonAndNothingIsSmuggled) {
  TestListener listener;
  RawHttpClient client(listener.port());
  client.send(GetParam().request + kSmuggled);
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.body, GetParam().reason + "\n");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(listener.handled, 0);
}

INSTANTIATE_TEST_SUITE_P(H24, RefusedThoughCompliant, testing::ValuesIn(refused_though_compliant()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace invited::test
