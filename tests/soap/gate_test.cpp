#include "soap/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "soap/wsdl_document.h"
#include "support/soap_envelopes.h"

namespace invited::soap {
namespace {

using test::element;
using test::envelope;
using test::InviteValues;
using test::kSoap11;
using test::kSoap12;
using test::kSoapXml;
using test::kTextXml;
using test::repeat;
using test::request;
using test::send_invite;
using test::with;

const ServiceDescription& invite_api() {
  static const ServiceDescription kService = describe_wsdl(find_wsdl("InviteAPI"));
  return kService;
}

std::expected<AcceptedCall, Fault> pass(std::string_view xml, std::string_view content_type = kTextXml) {
  return pass_gate(content_type, xml, invite_api());
}

/// The values in the contract's order, or what was refused.
std::vector<std::string> values_of(std::string_view xml) {
  auto call = pass(xml);
  if (!call) return {"refused", call.error().error.message};
  EXPECT_EQ(call->operation->name, "SendInvite");
  return call->values;
}

std::vector<std::string> good_values() {
  std::vector<std::string> values;
  for (auto& [name, value] : InviteValues{}.children()) values.push_back(value);
  return values;
}

/// "status faultcode", or "accepted".
std::string outcome(std::string_view xml, std::string_view content_type = kTextXml) {
  const auto call = pass(xml, content_type);
  if (call) return "accepted";
  EXPECT_EQ(call.error().error.code, domain::ErrorCode::malformed_request);
  EXPECT_FALSE(call.error().error.message.empty());
  constexpr const char* kCodes[] = {"Client", "Server", "MustUnderstand", "VersionMismatch"};
  return std::to_string(call.error().status) + " " + kCodes[static_cast<int>(call.error().code)];
}

TEST(Gate, GivesTheValuesInTheContractsOrder) {
  const auto call = pass(request());
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->version, SoapVersion::v1_1);
  EXPECT_EQ(call->values, good_values());
  EXPECT_EQ(call->value("RoleUUID"), InviteValues{}.role_uuid);
  EXPECT_EQ(call->value("Nonsense"), "");
}

TEST(Gate, WritesACanonicalEnvelope) {
  InviteValues values;
  values.environment_password = "<![CDATA[a<&>\"']]>&#13;&#10;&#9;";
  const auto call = pass(request(values));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(
      call->envelope,
      "<E:Envelope xmlns:E=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"http://www.example.com/\"><E:Body>"
      "<t:SendInvite><EnvironmentUUID>0e4f0b7a-7a3b-4a52-9f0e-7c1f1a5d2b11</EnvironmentUUID>"
      "<EnvironmentPassword>a&lt;&amp;&gt;&quot;'&#xD;\n\t</EnvironmentPassword>"
      "<RoleUUID>8d1a6a5e-54c5-4a0e-9f64-9d3c1f5b0a77</RoleUUID>"
      "<InviteeEmailAddress>invitee@example.org</InviteeEmailAddress>"
      "<InviterEmailAddress>inviter@example.org</InviterEmailAddress></t:SendInvite></E:Body></E:Envelope>");
}

TEST(Gate, TakesAnyFormThatMeansTheSame) {
  const std::string children = test::children_xml({});
  std::string qualified;
  std::string reversed;
  for (const auto& [name, value] : InviteValues{}.children()) {
    qualified += element("t:" + name, value);
    reversed = element(name, value) + reversed;
  }
  const std::string xsi = "http://www.w3.org/2001/XMLSchema-instance";
  const std::string xsd = "http://www.w3.org/2001/XMLSchema";
  const struct {
    const char* what;
    std::string xml;
  } cases[] = {
      {"byte order mark and declaration", "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\n" + request()},
      {"qualified children", envelope(send_invite(qualified))},
      {"default namespace", envelope("<SendInvite xmlns=\"http://www.example.com/\">" + children + "</SendInvite>")},
      {"namespace without slash", with("http://www.example.com/", "http://www.example.com")},
      {"children qualified without slash",
       envelope("<SendInvite xmlns=\"http://www.example.com\">" + children + "</SendInvite>")},
      {"wrapper with, children without slash", with("<RoleUUID>", "<RoleUUID xmlns=\"http://www.example.com\">")},
      {"default namespace for the envelope",
       "<Envelope xmlns=\"" + std::string(kSoap11) +
           "\"><Body><x:SendInvite xmlns:x=\"http://www.example.com/\" xmlns=\"\">" + children +
           "</x:SendInvite></Body></Envelope>"},
      {"prefix bound again to the same",
       with("<RoleUUID>", "<t:RoleUUID xmlns:t=\"http://www.example.com/\">", with("</RoleUUID>", "</t:RoleUUID>"))},
      {"prefix that meant something else outside",
       "<t:Envelope xmlns:t=\"" + std::string(kSoap11) + "\"><t:Body>" + send_invite() + "</t:Body></t:Envelope>"},
      {"any order", envelope(send_invite(reversed))},
      {"comments between elements", with("<RoleUUID>", "<!--Optional:--><RoleUUID>")},
      {"blanks between elements", with("<RoleUUID>", "\r\n\t <RoleUUID>")},
      {"empty header", envelope(send_invite(), "<s:Header/>")},
      {"header with a comment", envelope(send_invite(), "<s:Header><!-- none --></s:Header>")},
      {"foreign headers",
       envelope(send_invite(), "<s:Header><a:b xmlns:a=\"urn:a\"><a:c>1</a:c></a:b><d/></s:Header>")},
      {"a header with attributes that mean references in SOAP encoding",
       envelope(send_invite(), "<s:Header><a:b xmlns:a=\"urn:a\" id=\"1\"><a:c href=\"#1\"/></a:b></s:Header>")},
      {"header that need not be understood",
       envelope(send_invite(), "<s:Header><a:b xmlns:a=\"urn:a\" s:mustUnderstand=\"0\"/></s:Header>")},
      {"header that somebody else must understand",
       envelope(send_invite(),
                "<s:Header><a:b xmlns:a=\"urn:a\" s:mustUnderstand=\"1\" s:actor=\"urn:proxy\"/></s:Header>")},
      {"xsi:type",
       with("<RoleUUID>", "<RoleUUID xmlns:i=\"" + xsi + "\" xmlns:d=\"" + xsd + "\" i:type=\"d:string\">")},
      {"xsi:type of 1999", with("<RoleUUID>",
                                "<RoleUUID xmlns:i=\"http://www.w3.org/1999/XMLSchema-instance\" xmlns:d=\""
                                "http://www.w3.org/1999/XMLSchema\" i:type=\"d:string\">")},
      {"xsi:type of SOAP encoding",
       with("<RoleUUID>", "<RoleUUID xmlns:i=\"" + xsi +
                              "\" xmlns:c=\"http://schemas.xmlsoap.org/soap/encoding/\" i:type=\"c:string\">")},
      {"xsi:nil false", with("<RoleUUID>", "<RoleUUID xmlns:i=\"" + xsi + "\" i:nil=\"false\">")},
      {"xsi:nil 0", with("<RoleUUID>", "<RoleUUID xmlns:i=\"" + xsi + "\" i:nil=\"0\">")},
      {"header of SOAP 1.2 that need not be understood",
       envelope(send_invite(), "<s:Header><a:b xmlns:a=\"urn:a\" a:c=\"d\" s:mustUnderstand=\"false\"/></s:Header>",
                kSoap12)},
      {"header of SOAP 1.2 for none",
       envelope(send_invite(),
                "<s:Header><a:b xmlns:a=\"urn:a\" s:mustUnderstand=\"1\" "
                "s:role=\"http://www.w3.org/2003/05/soap-envelope/role/none\"/></s:Header>",
                kSoap12)},
      {"xml:lang", with("<RoleUUID>", "<RoleUUID xml:lang=\"en\">")},
      {"a schema location", with("<t:SendInvite", "<t:SendInvite xmlns:i=\"" + xsi + "\" i:schemaLocation=\"a b\"")},
      {"attributes on Envelope and Body", with("<s:Body>", "<s:Body xmlns:u=\"urn:u\" u:Id=\"body\">")},
      {"CDATA", with("invitee@example.org", "<![CDATA[invitee@example.org]]>")},
      {"CDATA in part", with("invitee@example.org", "invitee<![CDATA[@]]>example.org")},
      {"references", with("invitee@example.org", "invitee&#64;example&#x2E;org")},
      {"any content type that is XML", request()},
  };
  for (const auto& [what, xml] : cases) EXPECT_EQ(values_of(xml), good_values()) << what;
}

TEST(Gate, PassesValuesUnchanged) {
  const struct {
    std::string written;
    std::string value;
  } cases[] = {
      {" \t a b \t ", " \t a b \t "},
      {"   ", "   "},
      {"", ""},
      {"a\nb", "a\nb"},
      {"a\r\nb", "a\nb"},  // XML 1.0 section 2.11
      {"a&#13;&#10;b", "a\r\nb"},
      {"<![CDATA[a]]>  <![CDATA[b]]>", "a  b"},
      {"<![CDATA[&amp;<x/>]]>", "&amp;<x/>"},
      {"&lt;&amp;&gt;&quot;&apos;", "<&>\"'"},
      {"\xC3\xA9\xE5\x98\x8D\xF0\x9F\x98\x80\xC2\x85\xE2\x80\xA8",
       "\xC3\xA9\xE5\x98\x8D\xF0\x9F\x98\x80\xC2\x85\xE2\x80\xA8"},
      {repeat("x", 1024), repeat("x", 1024)},
      {repeat("&#xD;", 1024), repeat("\r", 1024)},
  };
  for (const auto& [written, value] : cases) {
    const auto call = pass(with("a password", written));
    ASSERT_TRUE(call.has_value()) << written << ": " << call.error().error.message;
    EXPECT_EQ(call->value("EnvironmentPassword"), value) << written;
  }
}

TEST(Gate, TakesAbsentAndNilParametersAsEmpty) {
  const std::string nil = "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"";
  const std::string role = element("RoleUUID", InviteValues{}.role_uuid);
  const std::string absent_or_nil[] = {
      "",
      "<RoleUUID/>",
      nil + "true\"/>",
      nil + " 1 \"></RoleUUID>",
      "<RoleUUID xmlns:i=\"http://www.w3.org/1999/XMLSchema-instance\" i:null=\"1\"/>",
  };
  for (const auto& by : absent_or_nil) {
    const auto call = pass(with(role, by));
    ASSERT_TRUE(call.has_value()) << by;
    EXPECT_EQ(call->value("RoleUUID"), "") << by;
    EXPECT_THAT(call->envelope, testing::HasSubstr("<RoleUUID></RoleUUID>")) << by;
  }
  EXPECT_EQ(values_of(envelope(send_invite(""))), std::vector<std::string>(5));
}

TEST(Gate, AnswersInTheVersionOfTheEnvelope) {
  EXPECT_EQ(pass(envelope(send_invite(), "", kSoap12), kSoapXml)->version, SoapVersion::v1_2);
  EXPECT_EQ(pass(envelope(send_invite(), "", kSoap12), kTextXml)->version, SoapVersion::v1_2);
  EXPECT_EQ(pass(envelope(send_invite(), "", kSoap11), kSoapXml)->version, SoapVersion::v1_1);
  EXPECT_EQ(pass(envelope("", "", kSoap12), kTextXml).error().version, SoapVersion::v1_2);
  EXPECT_EQ(pass("not XML", kSoapXml).error().version, SoapVersion::v1_2) << "nothing but the media type tells";
  EXPECT_EQ(pass("not XML", kTextXml).error().version, SoapVersion::v1_1);
}

TEST(Gate, RefusesWhatIsNotOneOperationInOneBody) {
  const std::string open = "<s:Envelope xmlns:s=\"" + std::string(kSoap11) + "\">";
  const std::string body = "<s:Body>" + send_invite() + "</s:Body>";
  const struct {
    const char* what;
    std::string xml;
  } cases[] = {
      {"no Envelope", send_invite()},
      {"no Body", open + "</s:Envelope>"},
      {"an empty Body", envelope("")},
      {"text in the Body", envelope("hello")},
      {"two operations", envelope(send_invite() + send_invite())},
      {"two Bodies", open + body + body + "</s:Envelope>"},
      {"two Headers", open + "<s:Header/><s:Header/>" + body + "</s:Envelope>"},
      {"Header after Body", open + body + "<s:Header/></s:Envelope>"},
      {"something after Body", open + body + "<x/></s:Envelope>"},
      {"something before Body", open + "<x/>" + body + "</s:Envelope>"},
      {"Body without namespace", open + "<Body>" + send_invite() + "</Body></s:Envelope>"},
      {"Body of the other version",
       open + "<b:Body xmlns:b=\"" + std::string(kSoap12) + "\">" + send_invite() + "</b:Body></s:Envelope>"},
      {"text in the Envelope", open + "hello</s:Envelope>"},
      {"text in the Header", envelope(send_invite(), "<s:Header>hello</s:Header>")},
      {"text instead of parameters", envelope(send_invite("hello"))},
      {"an Envelope in an Envelope", request() + request()},
      {"a prefix that is not declared", with("<t:SendInvite xmlns:t=\"http://www.example.com/\">", "<t:SendInvite>")},
      {"a prefix that is declared later", envelope(send_invite("<p:RoleUUID/><RoleUUID xmlns:p=\"urn:p\"/>"))},
      {"an attribute's prefix that is not declared", with("<RoleUUID>", "<RoleUUID p:a=\"\">")},
      {"a prefix taken back", with("<RoleUUID>", "<RoleUUID xmlns:t=\"\">")},
      {"the prefix xmlns declared", with("<RoleUUID>", "<RoleUUID xmlns:xmlns=\"urn:x\">")},
      {"the prefix xml bound anew", with("<RoleUUID>", "<RoleUUID xmlns:xml=\"urn:x\">")},
      {"another prefix for xml", with("<RoleUUID>", "<RoleUUID xmlns:x=\"http://www.w3.org/XML/1998/namespace\">")},
      {"a prefix for xmlns", with("<RoleUUID>", "<RoleUUID xmlns:x=\"http://www.w3.org/2000/xmlns/\">")},
      {"xmlns as element prefix", envelope(send_invite("<xmlns:RoleUUID/>"))},
      {"one attribute under two prefixes",
       with("<RoleUUID>", "<RoleUUID xmlns:a=\"urn:x\" xmlns:b=\"urn:x\" a:c=\"1\" b:c=\"2\">")},
      {"an attribute on a parameter", with("<RoleUUID>", "<RoleUUID ref=\"x\">")},
      {"an attribute on the operation", with("<t:SendInvite ", "<t:SendInvite x=\"y\" ")},
      {"href", with("<RoleUUID>", "<RoleUUID href=\"#a\">")},
      {"id", with("<s:Body>", "<s:Body id=\"a\">")},
      {"arrayType", with("<RoleUUID>", "<RoleUUID xmlns:c=\"urn:c\" c:arrayType=\"x[2]\">")},
      {"encodingStyle", with("<s:Body>", "<s:Body s:encodingStyle=\"\">")},
      {"xsi:type of a number", with("<RoleUUID>",
                                    "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "
                                    "xmlns:d=\"http://www.w3.org/2001/XMLSchema\" i:type=\"d:int\">")},
      {"xsi:type of an unknown prefix",
       with("<RoleUUID>", "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:type=\"d:string\">")},
      {"xsi:type of another string", with("<RoleUUID>",
                                          "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "
                                          "xmlns:d=\"urn:d\" i:type=\"d:string\">")},
      {"nil with a value",
       with("<RoleUUID>", "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"1\">")},
      {"nil of maybe",
       with("<RoleUUID>", "<RoleUUID xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"maybe\">")},
      {"an element in a value", envelope(send_invite("<RoleUUID><b/></RoleUUID>"))},
      {"a comment as a value", envelope(send_invite("<RoleUUID><!-- x --></RoleUUID>"))},
  };
  for (const auto& [what, xml] : cases) EXPECT_EQ(outcome(xml), "400 Client") << what;
}

TEST(Gate, AnswersAFaultToSoapThatIsNotTheContracts) {
  const auto header = [](std::string_view attributes, std::string_view space = kSoap11) {
    return envelope(send_invite(),
                    "<s:Header><w:Security xmlns:w=\"urn:w\" " + std::string(attributes) + "/></s:Header>", space);
  };
  const std::string operation = "<t:SendInvite xmlns:t=\"http://www.example.com/\">";
  const auto in_namespace = [&](std::string_view space) {
    return with(operation, "<t:SendInvite xmlns:t=\"" + std::string(space) + "\">");
  };
  const struct {
    const char* what;
    std::string xml;
    const char* expected;
  } cases[] = {
      {"unknown operation", envelope("<t:SendInvites xmlns:t=\"http://www.example.com/\"/>"), "500 Client"},
      {"operation in another case", envelope("<t:sendInvite xmlns:t=\"http://www.example.com/\"/>"), "500 Client"},
      {"the response", envelope("<t:SendInviteResponse xmlns:t=\"http://www.example.com/\"/>"), "500 Client"},
      {"no namespace", envelope("<SendInvite>" + test::children_xml({}) + "</SendInvite>"), "500 Client"},
      {"another namespace", in_namespace("http://www.example.org/"), "500 Client"},
      {"another case of the namespace", in_namespace("http://www.Example.com/"), "500 Client"},
      {"two slashes", in_namespace("http://www.example.com//"), "500 Client"},
      {"https", in_namespace("https://www.example.com/"), "500 Client"},
      {"a blank in the namespace", in_namespace(" http://www.example.com/"), "500 Client"},
      {"prefix bound to something else in the middle",
       with("<RoleUUID>", "<t:RoleUUID xmlns:t=\"urn:evil\">", with("</RoleUUID>", "</t:RoleUUID>")), "500 Client"},
      {"unknown parameter", with("<RoleUUID>", "<Role/><RoleUUID>"), "500 Client"},
      {"parameter in another case", with("<RoleUUID>", "<roleUUID/><RoleUUID>"), "500 Client"},
      {"parameter of another namespace", with("<RoleUUID>", "<RoleUUID xmlns=\"urn:x\">"), "500 Client"},
      {"parameter twice", with("<RoleUUID>", "<RoleUUID/><RoleUUID>"), "500 Client"},
      {"parameter twice, qualified once", with("<RoleUUID>", "<t:RoleUUID/><RoleUUID>"), "500 Client"},
      {"header to be understood", header("s:mustUnderstand=\"1\""), "500 MustUnderstand"},
      {"header to be understood by the next",
       header("s:mustUnderstand=\"1\" s:actor=\"http://schemas.xmlsoap.org/soap/actor/next\""), "500 MustUnderstand"},
      {"header to be understood in SOAP 1.2", header("s:mustUnderstand=\"true\"", kSoap12), "500 MustUnderstand"},
      {"header to be understood as ultimate receiver",
       header("s:mustUnderstand=\"1\" s:role=\"http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver\"",
              kSoap12),
       "500 MustUnderstand"},
      {"header to be understood by the next in SOAP 1.2",
       header("s:mustUnderstand=\"1\" s:role=\"http://www.w3.org/2003/05/soap-envelope/role/next\"", kSoap12),
       "500 MustUnderstand"},
      {"mustUnderstand of something odd", header("s:mustUnderstand=\"yes\""), "500 MustUnderstand"},
      {"another SOAP version", envelope(send_invite(), "", "http://www.w3.org/2001/12/soap-envelope"),
       "500 VersionMismatch"},
      {"unknown operation in SOAP 1.2", envelope("<x/>", "", kSoap12), "400 Client"},
  };
  for (const auto& [what, xml, expected] : cases) EXPECT_EQ(outcome(xml), expected) << what;
}

TEST(Gate, NamesTheParameterThatIsWrong) {
  EXPECT_EQ(pass(with("<RoleUUID>", "<RoleUUID/><RoleUUID>")).error().error.parameter, "RoleUUID");
  const auto unknown = pass(with("<RoleUUID>", "<Role/><RoleUUID>")).error().error;
  EXPECT_EQ(unknown.parameter, "Role");
  EXPECT_THAT(unknown.message, testing::HasSubstr("the parameter Role,")) << "many clients show the sentence alone";
  EXPECT_EQ(pass(envelope(send_invite("<RoleUUID><b/></RoleUUID>"))).error().error.parameter, "RoleUUID");
}

// The app's user typed it: as a fault that every client shows, with 500; HTTP's 400 hides it from some of them.
TEST(Gate, AnswersAFaultThatNamesTheParameterThatIsTooLong) {
  const std::string too_long[] = {repeat("x", 1025), repeat(" ", 1025), repeat("&#xD;", 1025),
                                  repeat("x", 1000) + "<![CDATA[" + repeat("y", 25) + "]]>"};
  for (const auto& value : too_long) {
    const auto xml = with("invitee@example.org", value);
    EXPECT_EQ(outcome(xml), "500 Client") << value;
    EXPECT_EQ(pass(xml).error().error.parameter, "InviteeEmailAddress") << value;
    EXPECT_EQ(pass(xml).error().error.message,
              "The parameter InviteeEmailAddress is longer than 1024 bytes: shorten it.")
        << value;
  }
  EXPECT_EQ(outcome(with("invitee@example.org", repeat("x", 1025), envelope(send_invite(), "", kSoap12))),
            "400 Client");
}

// As WebLogic's WorkContext and security headers have them: what nobody here reads may be as long as the body allows.
TEST(Gate, PassesOverHeadersWithLongValues) {
  const auto header = [](std::string_view attributes) {
    return envelope(send_invite(), "<s:Header><w:WorkContext xmlns:w=\"urn:w\"" + std::string(attributes) + ">" +
                                       repeat("rO0ABXc", 1000) + "</w:WorkContext></s:Header>");
  };
  EXPECT_EQ(values_of(header("")), good_values());
  EXPECT_EQ(outcome(header(" s:mustUnderstand=\"1\"")), "500 MustUnderstand") << "says which header, not its length";
}

// PHP without a WSDL and SOAP::Lite send it, and have a switch that the page names.
TEST(Gate, SaysWhereTheSwitchForEncodingStyleIsNamed) {
  const auto refused = pass(with("<s:Body>", "<s:Body s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().error.message, testing::HasSubstr("encodingStyle"));
  EXPECT_THAT(refused.error().error.message, testing::HasSubstr("/ws-doc/"));
}

TEST(Gate, RefusesOtherMediaTypesAndTooLargeBodies) {
  EXPECT_EQ(outcome(request(), "application/json"), "415 Client");
  EXPECT_EQ(outcome(request(), ""), "415 Client");
  EXPECT_EQ(outcome(request(), "text/xml; charset=utf-16"), "415 Client");
  EXPECT_EQ(outcome(request() + repeat(" ", kBodyLimit - request().size())), "accepted");
  EXPECT_EQ(outcome(request() + repeat(" ", kBodyLimit + 1 - request().size())), "413 Client");
}

// After pugixml's own tests: whatever the connection cuts off, nothing half-read gets through.
TEST(Gate, RefusesEveryPrefixOfAGoodRequest) {
  const std::string xml = "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?><!-- c -->" +
                          with("invitee@example.org", "<![CDATA[invitee@]]>ex&#97;mple&amp;\xC3\xA9.org",
                               envelope(send_invite(), "<s:Header><a:b xmlns:a=\"urn:a\"/></s:Header>"));
  ASSERT_EQ(outcome(xml), "accepted");
  for (std::size_t size = 0; size < xml.size(); ++size)
    ASSERT_EQ(outcome(std::string_view(xml).substr(0, size)), "400 Client") << "at byte " << size;
}

// Whatever one byte is changed to: refused, or accepted with a canonical envelope that the gate accepts again.
TEST(Gate, SurvivesEveryChangeOfAByte) {
  const std::string xml = with("invitee@example.org", "<![CDATA[invitee@]]>ex&#97;mple.org");
  const std::string bytes = std::string("\0\x01 \t\n!\"#&'-/0:;<=>?[]ax\x7F\x80\xC3\xED\xF0\xFF", 29);
  for (std::size_t at = 0; at < xml.size(); ++at) {
    for (const char byte : bytes) {
      std::string changed = xml;
      changed[at] = byte;
      const auto call = pass(changed);
      if (!call) continue;
      const auto again = pass(call->envelope);
      ASSERT_TRUE(again.has_value()) << changed;
      ASSERT_EQ(again->values, call->values) << changed;
      ASSERT_EQ(again->envelope, call->envelope) << changed;
    }
  }
}

}  // namespace
}  // namespace invited::soap
