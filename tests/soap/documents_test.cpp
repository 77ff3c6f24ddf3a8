#include "soap/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <stdexcept>

#include "soap/documentation_samples.h"
#include "soap/fault.h"
#include "soap/gate.h"
#include "soap/services.h"
#include "soap/wsdl_document.h"

namespace invited::soap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr std::string_view kPath = "/ws/InviteAPI/1/soap1";

TEST(Services, AreTheContracts) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Service& service : services()) {
    const auto description = describe(service);
    EXPECT_EQ(description.target_namespace, "http://www.example.com/");
    EXPECT_EQ(service.path, "/ws/" + description.name + "/" + description.version + "/soap1");
    std::string operation = description.operations.at(0).name + "(";
    for (const auto& parameter : description.operations[0].parameters) operation += " " + parameter.name;
    found.emplace_back(service.path, operation + " )");
    EXPECT_EQ(description.operations.size(), 1U);
    EXPECT_EQ(description.operations[0].soap_action, "http://www.example.com/" + description.operations[0].name);
  }
  EXPECT_THAT(
      found,
      ElementsAre(Pair("/ws/InviteAPI/1/soap1",
                       "SendInvite( EnvironmentUUID EnvironmentPassword RoleUUID InviteeEmailAddress "
                       "InviterEmailAddress )"),
                  Pair("/ws/PermissionsAPI/1/soap1", "GetRolesForOpenID( OpenID EnvironmentID EnvironmentPassword )"),
                  Pair("/ws/ProfileService/3/soap1", "GetUserProfile( OpenID EnvironmentUUID EnvironmentPassword )"),
                  Pair("/ws/ProfileService/1/soap1", "GetDisplayName( OpenID EnvironmentPassword EnvironmentUUID )")));
}

TEST(Wsdl, SaysWhatTheContractSays) {
  const auto service = describe_wsdl(find_wsdl("InviteAPI"));
  EXPECT_EQ(service.name, "InviteAPI");
  EXPECT_EQ(service.target_namespace, "http://www.example.com/");
  EXPECT_FALSE(service.documentation.empty());
  ASSERT_EQ(service.operations.size(), 1U);
  const auto& operation = service.operations[0];
  EXPECT_EQ(operation.name, "SendInvite");
  EXPECT_EQ(operation.soap_action, "http://www.example.com/SendInvite");
  EXPECT_FALSE(operation.documentation.empty());
  std::vector<std::string> names;
  for (const auto& parameter : operation.parameters) {
    names.push_back(parameter.name);
    EXPECT_FALSE(parameter.documentation.empty()) << parameter.name;
  }
  EXPECT_THAT(names, ElementsAre("EnvironmentUUID", "EnvironmentPassword", "RoleUUID", "InviteeEmailAddress",
                                 "InviterEmailAddress"));
}

// What importers in the field need (soap-contract): each of these was tripped over by one of them.
TEST(Wsdl, HasTheFormThatImportersTake) {
  pugi::xml_document document;
  const std::string text(find_wsdl("InviteAPI"));
  ASSERT_TRUE(document.load_string(text.c_str()));
  const auto count = [&](const char* path) { return document.select_nodes(path).size(); };
  const auto value = [&](const char* path) { return std::string(document.select_node(path).attribute().value()); };
  EXPECT_EQ(count("//wsdl:service"), 1U);
  EXPECT_EQ(count("//wsdl:port"), 1U);
  EXPECT_EQ(count("//wsdl:portType"), 1U);
  EXPECT_EQ(count("//wsdl:binding"), 1U);
  EXPECT_EQ(count("//xsd:schema"), 1U);
  EXPECT_EQ(count("//wsdl:import | //xsd:import | //xsd:include"), 0U);
  EXPECT_EQ(count("//wsdl:fault | //soap:fault | //soap:header"), 0U);
  EXPECT_EQ(count("//xsd:any | //xsd:choice | //xsd:union | //xsd:list | //xsd:all | //xsd:attribute"), 0U);
  EXPECT_EQ(count("//@mixed | //@nillable | //@minOccurs | //@maxOccurs"), 0U);
  EXPECT_EQ(count("//wsdl:part[@name='parameters']"), 2U);
  EXPECT_EQ(count("//wsdl:part"), 2U);
  EXPECT_EQ(count("//xsd:sequence//xsd:element[@type='xsd:string']"), 5U);
  EXPECT_EQ(count("//xsd:sequence//xsd:element"), 5U);
  EXPECT_EQ(value("//xsd:schema/@elementFormDefault"), "unqualified");
  EXPECT_EQ(value("//xsd:schema/@targetNamespace"), "http://www.example.com/");
  EXPECT_EQ(value("//wsdl:portType/@name"), "InviteAPIPortType");
  EXPECT_EQ(value("//wsdl:binding/@name"), "InviteAPISoap");
  EXPECT_EQ(value("//wsdl:service/@name"), "InviteAPI");
  EXPECT_EQ(value("//wsdl:port/@name"), "InviteAPIPort");
  EXPECT_EQ(value("//wsdl:portType/wsdl:operation/wsdl:input/@message"), "tns:SendInviteRequest");
  EXPECT_EQ(value("//wsdl:portType/wsdl:operation/wsdl:output/@message"), "tns:SendInviteResponse");
  EXPECT_EQ(value("//soap:binding/@style"), "document");
  EXPECT_EQ(value("//soap:binding/@transport"), "http://schemas.xmlsoap.org/soap/http");
  EXPECT_EQ(count("//soap:body[@use='literal']"), 2U);
}

TEST(Wsdl, IsServedWithTheConfiguredAddress) {
  for (const auto* url : {"https://invite.example.org", "https://invite.example.org/", "https://example.org/a&b"}) {
    const auto answer = Documents(url).get(kPath, "wsdl", true);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->content_type, "text/xml; charset=utf-8");
    EXPECT_THAT(answer->body, Not(HasSubstr("invited.invalid")));
    EXPECT_THAT(answer->body, Not(HasSubstr("<!--"))) << "notes for us are not for importers";
    pugi::xml_document document;
    ASSERT_TRUE(document.load_string(answer->body.c_str()));
    std::string_view base = url;
    if (base.ends_with('/')) base.remove_suffix(1);
    EXPECT_EQ(document.select_node("//soap:address/@location").attribute().value(),
              std::string(base) + "/ws/InviteAPI/1/soap1");
    EXPECT_EQ(describe_wsdl(answer->body).operations.size(), 1U);
  }
}

TEST(Wsdl, ThatIsNotOfOurFormIsAMistakeOfOurs) {
  const std::string good(find_wsdl("InviteAPI"));
  const auto without = [&](std::string_view what) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), "x" + std::string(what.substr(1)));
  };
  EXPECT_THROW(find_wsdl("Nonsense"), std::logic_error);
  EXPECT_THROW(describe_wsdl("<a>"), std::logic_error);
  EXPECT_THROW(describe_wsdl("<a/>"), std::logic_error);
  EXPECT_THROW(describe_wsdl(without("element name=\"SendInvite\"")), std::logic_error);
  EXPECT_THROW(wsdl_with_address("<a/>", "x"), std::logic_error);
}

TEST(Documents, AnswerOnlyWhatIsThere) {
  const Documents documents("https://invite.example.org");
  const auto status = [&](std::string_view path, std::string_view query, bool has_query = true) {
    const auto answer = documents.get(path, query, has_query);
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status(kPath, "wsdl"), 200);
  EXPECT_EQ(status(kPath, "WSDL"), 200);
  EXPECT_EQ(status(kPath, ""), 404);
  EXPECT_EQ(status(kPath, "wsdl=1"), 404);
  EXPECT_EQ(status(kPath, "xsd=1"), 404);
  EXPECT_EQ(status(kPath, "", false), 405);
  EXPECT_THAT(documents.get(kPath, "", false)->headers, ElementsAre(Pair("Allow", "POST")));
  EXPECT_EQ(status("/ws-doc/", "", false), 200);
  EXPECT_EQ(status("/ws-doc/", "x"), 200);
  EXPECT_EQ(status("/ws/InviteAPI/1/soap2", "wsdl"), 0);
  EXPECT_EQ(status("/ws/InviteAPI/1/soap1/", "wsdl"), 0);
  EXPECT_EQ(status("/", "wsdl"), 0);
}

TEST(DocumentationPage, ShowsServicesParametersSamplesAndFaults) {
  const auto answer = Documents("https://example.org/base/").get("/ws-doc/", "", false);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->content_type, "text/html; charset=utf-8");
  const auto& page = answer->body;
  EXPECT_THAT(page, HasSubstr("<html lang=\"en\">"));
  EXPECT_THAT(page, HasSubstr("href=\"/base/assets/invited.css\""));
  EXPECT_THAT(page, HasSubstr("https://example.org/base/ws/InviteAPI/1/soap1?wsdl"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("&lt;tns:SendInvite&gt;"));
  EXPECT_THAT(page, HasSubstr("&lt;faultcode&gt;"));
  const auto service = describe_wsdl(find_wsdl("InviteAPI"));
  for (const auto& parameter : service.operations[0].parameters)
    EXPECT_THAT(page, HasSubstr("<th scope=\"row\">" + parameter.name + "</th>"));
  for (const auto code : domain::kErrorCodes) {
    const auto row = "<th scope=\"row\">" + std::string(domain::to_string(code)) + "</th>";
    if (describe(code).meaning.empty()) {
      EXPECT_THAT(page, Not(HasSubstr(row)));
    } else {
      EXPECT_THAT(page, HasSubstr(row));
      EXPECT_FALSE(describe(code).remedy.empty()) << domain::to_string(code);
    }
  }
}

TEST(DocumentationPage, IsWellFormed) {
  std::string page = Documents("https://example.org").get("/ws-doc/", "", false)->body;
  // HTML's void elements closed, the rest must parse as XML.
  for (const auto* open : {"<meta ", "<link "})
    for (auto at = page.find(open); at != std::string::npos; at = page.find(open, at + 1))
      page.insert(page.find('>', at), "/");
  pugi::xml_document document;
  const auto parsed = document.load_string(page.c_str(), pugi::parse_default | pugi::parse_doctype);
  EXPECT_TRUE(parsed) << parsed.description() << " at " << page.substr(static_cast<std::size_t>(parsed.offset), 80);
  for (const auto& heading : document.select_nodes("//h2")) EXPECT_STRNE(heading.node().attribute("id").value(), "");
  for (const auto& link : document.select_nodes("//a[starts-with(@href,'#')]")) {
    const std::string id = link.node().attribute("href").value() + 1;
    EXPECT_EQ(document.select_nodes(("//*[@id='" + id + "']").c_str()).size(), 1U) << id;
  }
}

TEST(DocumentationPage, HasASampleRequestThatPassesTheGate) {
  const auto service = describe_wsdl(find_wsdl("InviteAPI"));
  const auto call = pass_gate("text/xml", sample_request(service, service.operations[0]), service);
  ASSERT_TRUE(call) << call.error().error.message;
  for (const auto& value : call->values) EXPECT_FALSE(value.empty());
}

}  // namespace
}  // namespace invited::soap
