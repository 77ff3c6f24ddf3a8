// The contract of faults, as a client sees it: the bytes are parsed again.
#include "soap/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "soap/xml_scanner.h"

namespace invited::soap {
namespace {

using domain::Error;
using domain::ErrorCode;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

/// What a client reads out of an answer.
struct Seen {
  std::string code, text, detail_code, parameter, retry_after;
};

Seen read(const SoapAnswer& answer) {
  EXPECT_EQ(find_xml_problem(answer.body), std::nullopt) << answer.body;
  pugi::xml_document document;
  document.load_string(answer.body.c_str());
  const auto text = [&](const char* path) { return std::string(document.select_node(path).node().text().get()); };
  EXPECT_EQ(document.select_nodes("//detail/* | //SOAP-ENV:Detail/*").size(), 1U) << "one element in detail";
  EXPECT_EQ(document.select_node("//f:Fault").node().attribute("xmlns:f").value(), kFaultNamespace);
  Seen seen;
  seen.code = text("//faultcode") + text("//SOAP-ENV:Code/SOAP-ENV:Value");
  seen.text = text("//faultstring") + text("//SOAP-ENV:Reason/SOAP-ENV:Text[@xml:lang='en']");
  seen.detail_code = text("//f:Fault/f:Code");
  seen.parameter = text("//f:Fault/f:Parameter");
  seen.retry_after = text("//f:Fault/f:RetryAfterSeconds");
  return seen;
}

/// What the contract says of each code: faultcode, and HTTP status in SOAP 1.1 and 1.2. A new code does not compile
/// into this test unnoticed: it has no row.
struct Row {
  ErrorCode code;
  const char* v1_1;
  int status_1_1;
  const char* v1_2;
  int status_1_2;
};
constexpr Row kContract[] = {
    {ErrorCode::malformed_request, "SOAP-ENV:Client", 400, "SOAP-ENV:Sender", 400},
    {ErrorCode::authentication_failed, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::missing_parameter, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::invalid_email_address, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::invalid_parameter, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::inviter_without_access, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::unknown_role, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::role_not_allowed, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::not_allowed, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::unknown_person, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::idempotency_mismatch, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::rate_limited, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::unavailable, "SOAP-ENV:Server", 500, "SOAP-ENV:Receiver", 500},
    {ErrorCode::outcome_unknown, "SOAP-ENV:Server", 500, "SOAP-ENV:Receiver", 500},
    {ErrorCode::precondition_failed, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::link_not_valid, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::sign_in_failed, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::already_exists, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
    {ErrorCode::not_found, "SOAP-ENV:Client", 500, "SOAP-ENV:Sender", 400},
};

TEST(Fault, SaysOfEveryErrorCodeWhatTheContractSays) {
  ASSERT_EQ(std::size(kContract), domain::kErrorCodes.size());
  for (std::size_t i = 0; i < std::size(kContract); ++i) {
    const Row& row = kContract[i];
    ASSERT_EQ(row.code, domain::kErrorCodes[i]);
    const Error error{row.code, "What happened, and what to do.", "RoleUUID", seconds(7)};
    const std::string name(domain::to_string(row.code));

    const auto answer_1_1 = to_answer(to_fault(error, SoapVersion::v1_1));
    EXPECT_EQ(answer_1_1.status, row.status_1_1) << name;
    EXPECT_EQ(answer_1_1.content_type, "text/xml; charset=utf-8");
    const auto seen_1_1 = read(answer_1_1);
    EXPECT_EQ(seen_1_1.code, row.v1_1) << name;
    EXPECT_EQ(seen_1_1.detail_code, name);

    const auto answer_1_2 = to_answer(to_fault(error, SoapVersion::v1_2));
    EXPECT_EQ(answer_1_2.status, row.status_1_2) << name;
    EXPECT_EQ(answer_1_2.content_type, "application/soap+xml; charset=utf-8");
    const auto seen_1_2 = read(answer_1_2);
    EXPECT_EQ(seen_1_2.code, row.v1_2) << name;

    for (const auto& seen : {seen_1_1, seen_1_2}) {
      EXPECT_EQ(seen.text, "What happened, and what to do.");
      EXPECT_EQ(seen.detail_code, name);
      EXPECT_EQ(seen.parameter, "RoleUUID");
      EXPECT_EQ(seen.retry_after, "7");
    }
    EXPECT_THAT(answer_1_1.headers, ElementsAre(Pair("Retry-After", "7")));
  }
}

TEST(Fault, LeavesOutWhatThereIsNot) {
  const auto answer =
      to_answer(to_fault({ErrorCode::unknown_role, "No such role.", {}, std::nullopt}, SoapVersion::v1_1));
  EXPECT_TRUE(answer.headers.empty());
  EXPECT_EQ(
      answer.body,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body><SOAP-ENV:Fault>"
      "<faultcode>SOAP-ENV:Client</faultcode><faultstring>No such role.</faultstring>"
      "<detail><f:Fault xmlns:f=\"urn:invited:faults:1\"><f:Code>unknown_role</f:Code></f:Fault></detail>"
      "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>\n");
}

TEST(Fault, WritesSoap12) {
  const auto answer = to_answer(to_fault({ErrorCode::unavailable, "Busy.", {}, std::nullopt}, SoapVersion::v1_2));
  EXPECT_EQ(
      answer.body,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\"><SOAP-ENV:Body><SOAP-ENV:Fault>"
      "<SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver</SOAP-ENV:Value></SOAP-ENV:Code>"
      "<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">Busy.</SOAP-ENV:Text></SOAP-ENV:Reason>"
      "<SOAP-ENV:Detail><f:Fault "
      "xmlns:f=\"urn:invited:faults:1\"><f:Code>unavailable</f:Code></f:Fault></SOAP-ENV:Detail>"
      "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>\n");
}

TEST(Fault, EscapesWhatever) {
  const Error error{ErrorCode::invalid_parameter, "a<b>&\"c\"]]>\r\n\x01\x7F\xFF", "<P>", std::nullopt};
  for (const auto version : {SoapVersion::v1_1, SoapVersion::v1_2}) {
    const auto seen = read(to_answer(to_fault(error, version)));
    EXPECT_EQ(seen.text, "a<b>&\"c\"]]>\r\n\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(seen.parameter, "<P>");
  }
}

TEST(Fault, HasTheTwoOtherCodesOfSoap) {
  Fault fault = to_fault({ErrorCode::malformed_request, "x", {}, std::nullopt}, SoapVersion::v1_1);
  fault.code = FaultCode::must_understand;
  EXPECT_EQ(read(to_answer(fault)).code, "SOAP-ENV:MustUnderstand");
  fault.code = FaultCode::version_mismatch;
  EXPECT_EQ(read(to_answer(fault)).code, "SOAP-ENV:VersionMismatch");
}

TEST(Fault, NeverLeavesAPersonWithoutASentence) {
  EXPECT_FALSE(
      read(to_answer(to_fault({ErrorCode::unavailable, "", {}, std::nullopt}, SoapVersion::v1_1))).text.empty());
}

}  // namespace
}  // namespace invited::soap
