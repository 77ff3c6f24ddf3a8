#include "soap/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <sstream>
#include <stdexcept>

#include "soap/documentation_samples.h"
#include "soap/fault.h"
#include "soap/gate.h"
#include "soap/services.h"
#include "soap/wsdl_document.h"
#include "support/soap_envelopes.h"

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
class EachWsdl : public testing::TestWithParam<Service> {
 protected:
  void SetUp() override { ASSERT_TRUE(document_.load_string(std::string(find_wsdl(GetParam().wsdl)).c_str())); }
  std::size_t count(const std::string& path) const { return document_.select_nodes(path.c_str()).size(); }
  std::string value(const std::string& path) const { return document_.select_node(path.c_str()).attribute().value(); }

  pugi::xml_document document_;
};

TEST_P(EachWsdl, HasTheFormThatImportersTake) {
  const auto description = describe(GetParam());
  const auto& name = description.name;
  const auto& operation = description.operations.at(0).name;
  const auto parameters = description.operations[0].parameters.size();
  EXPECT_EQ(count("//wsdl:service"), 1U);
  EXPECT_EQ(count("//wsdl:port"), 1U);
  EXPECT_EQ(count("//wsdl:portType"), 1U);
  EXPECT_EQ(count("//wsdl:binding"), 1U);
  EXPECT_EQ(count("//xsd:schema"), 1U);
  EXPECT_EQ(count("//wsdl:import | //xsd:import | //xsd:include"), 0U);
  EXPECT_EQ(count("//wsdl:fault | //soap:fault | //soap:header"), 0U);
  EXPECT_EQ(count("//xsd:any | //xsd:choice | //xsd:union | //xsd:list | //xsd:all | //xsd:attribute"), 0U);
  EXPECT_EQ(count("//@mixed | //@form | //@ref | //@substitutionGroup"), 0U);
  EXPECT_EQ(count("//wsdl:part[@name='parameters']"), 2U);
  EXPECT_EQ(count("//wsdl:part"), 2U);
  // Parameters: strings, required, not nillable.
  const std::string parameter = "//xsd:element[@name='" + operation + "']/xsd:complexType/xsd:sequence/xsd:element";
  EXPECT_EQ(count(parameter), parameters);
  EXPECT_EQ(count(parameter + "[@type='xsd:string'][not(@nillable)][not(@minOccurs)][not(@maxOccurs)]"), parameters);
  // Only sequences of elements with named types; the wrappers alone have types without a name.
  EXPECT_EQ(count("//xsd:schema/xsd:element"), 2U);
  EXPECT_EQ(count("//xsd:element//xsd:element[not(@type)] | //xsd:complexType[@name]//xsd:element[not(@type)]"), 0U);
  EXPECT_EQ(count("//xsd:complexType"), count("//xsd:complexType/xsd:sequence"));
  EXPECT_EQ(count("//xsd:complexType[not(@name)]"), 2U);
  EXPECT_EQ(count("//xsd:simpleType"), count("//xsd:simpleType[@name]/xsd:restriction[@base='xsd:string']"));
  EXPECT_EQ(count("//xsd:restriction/*"), count("//xsd:restriction/xsd:maxLength"));
  EXPECT_EQ(count("//xsd:sequence//xsd:element"), count("//xsd:sequence//xsd:element/xsd:annotation"));
  EXPECT_EQ(value("//xsd:schema/@elementFormDefault"), "unqualified");
  EXPECT_EQ(value("//xsd:schema/@targetNamespace"), "http://www.example.com/");
  EXPECT_EQ(value("//wsdl:portType/@name"), name + "PortType");
  EXPECT_EQ(value("//wsdl:binding/@name"), name + "Soap");
  EXPECT_EQ(value("//wsdl:service/@name"), name);
  EXPECT_EQ(value("//wsdl:port/@name"), name + "Port");
  EXPECT_EQ(value("//wsdl:portType/wsdl:operation/wsdl:input/@message"), "tns:" + operation + "Request");
  EXPECT_EQ(value("//wsdl:portType/wsdl:operation/wsdl:output/@message"), "tns:" + operation + "Response");
  EXPECT_EQ(value("//soap:binding/@style"), "document");
  EXPECT_EQ(value("//soap:binding/@transport"), "http://schemas.xmlsoap.org/soap/http");
  EXPECT_EQ(count("//soap:body[@use='literal']"), 2U);
  EXPECT_EQ(value("//soap:address/@location"), "https://invited.invalid" + std::string(GetParam().path));
}

INSTANTIATE_TEST_SUITE_P(Services, EachWsdl, testing::ValuesIn(services().begin(), services().end()),
                         [](const auto& service) {
                           std::string name(service.param.wsdl);
                           std::erase(name, '-');
                           return name;
                         });

TEST(Wsdl, IsServedWithTheConfiguredAddress) {
  for (const std::string_view url :
       {"https://invite.example.org", "https://invite.example.org/", "https://example.org/a&b"}) {
    const Documents documents(url);
    for (const Service& service : services()) {
      const auto answer = documents.get(service.path, "wsdl", true);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, 200);
      EXPECT_EQ(answer->content_type, "text/xml; charset=utf-8");
      EXPECT_THAT(answer->body, Not(HasSubstr("invited.invalid")));
      EXPECT_THAT(answer->body, Not(HasSubstr("<!--"))) << "notes for us are not for importers";
      pugi::xml_document document;
      ASSERT_TRUE(document.load_string(answer->body.c_str()));
      const auto base = url.substr(0, url.find_last_not_of('/') + 1);
      EXPECT_EQ(document.select_node("//soap:address/@location").attribute().value(),
                std::string(base) + std::string(service.path));
      EXPECT_EQ(describe_wsdl(answer->body).operations.size(), 1U);
    }
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
  const auto profile_with = [&](std::string_view what, std::string_view by) {
    return test::with(what, by, std::string(find_wsdl("ProfileService")));
  };
  EXPECT_THROW(describe_wsdl(profile_with("type=\"tns:Company\"", "type=\"tns:Nonsense\"")), std::logic_error);
  EXPECT_THROW(describe_wsdl(profile_with("type=\"tns:Company\"", "type=\"tns:UserProfile\"")), std::logic_error)
      << "a type that holds itself";
  Service with_alias = services().front();
  constexpr std::array kAlias{ParameterAlias{"Nonsense", "Other"}};
  with_alias.aliases = kAlias;
  EXPECT_THROW(describe(with_alias), std::logic_error);
}

TEST(Wsdl, SaysWhatAnswersHold) {
  EXPECT_TRUE(describe_wsdl(find_wsdl("InviteAPI")).operations[0].answer.empty());

  const auto roles = describe_wsdl(find_wsdl("PermissionsAPI")).operations[0].answer;
  ASSERT_EQ(roles.size(), 1U);
  EXPECT_EQ(roles[0].name, "AppRole");
  EXPECT_TRUE(roles[0].optional && roles[0].repeated);
  ASSERT_EQ(roles[0].members.size(), 2U);
  for (const auto& member : roles[0].members) EXPECT_EQ(member.max_length, 200U);

  const auto profile = describe_wsdl(find_wsdl("ProfileService")).operations[0].answer;
  ASSERT_EQ(profile.size(), 1U);
  const auto& members = profile[0].members;
  ASSERT_EQ(members.size(), 18U);
  for (const auto& member : members) EXPECT_NE(member.nillable, member.name == "UserProfile_Company") << member.name;
  EXPECT_TRUE(members.back().optional);
  EXPECT_EQ(members.back().members.at(0).members.at(1).name, "CompanyName");

  const auto name = describe_wsdl(find_wsdl("ProfileService-1")).operations[0].answer;
  ASSERT_EQ(name.size(), 1U);
  EXPECT_EQ(name[0].name, "Result");
  EXPECT_EQ(name[0].max_length, 0U);
  EXPECT_FALSE(name[0].nillable || name[0].optional || name[0].repeated);
}

TEST(Documents, AnswerOnlyWhatIsThere) {
  const Documents documents("https://invite.example.org");
  const auto status = [&](std::string_view path, std::string_view query, bool has_query = true) {
    const auto answer = documents.get(path, query, has_query);
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status(kPath, "wsdl"), 200);
  EXPECT_EQ(status(kPath, "WSDL"), 200);
  EXPECT_EQ(status(kPath, "wsdl="), 200);
  EXPECT_EQ(status(kPath, "wsdl=="), 404);
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
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("&lt;faultcode&gt;"));
  for (const Service& entry : services()) {
    const auto service = describe(entry);
    const auto& operation = service.operations.at(0);
    EXPECT_THAT(page, HasSubstr("https://example.org/base" + std::string(entry.path) + "?wsdl"));
    EXPECT_THAT(page, HasSubstr(service.name + ", version " + service.version + "</h2>"));
    EXPECT_THAT(page, HasSubstr("&lt;tns:" + operation.name + "&gt;"));
    EXPECT_THAT(page, HasSubstr("&lt;tns:" + operation.name + "Response "));
    for (const auto& parameter : operation.parameters)
      EXPECT_THAT(page, HasSubstr("<th scope=\"row\">" + parameter.name + "</th>"));
    for (const auto code : entry.faults)
      EXPECT_FALSE(describe(code).meaning.empty()) << "a fault that a caller can meet is explained";
  }
  EXPECT_THAT(page, HasSubstr("name EnvironmentUUID as well"));
  EXPECT_THAT(page, HasSubstr("SOAP_LITERAL")) << "what the fault for an encodingStyle points to";
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">CompanyName</th><td>String, up to "
                              "100 characters, can be nil</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">AppRole</th><td>Object, any number</td>"));
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

TEST(DocumentationPage, HasSampleRequestsThatPassTheGate) {
  for (const Service& entry : services()) {
    const auto service = describe(entry);
    const auto call = pass_gate("text/xml", sample_request(service, service.operations[0]), service);
    ASSERT_TRUE(call) << call.error().error.message;
    for (const auto& value : call->values) {
      EXPECT_FALSE(value.empty());
      EXPECT_NE(value, "…") << "a sample is missing in " << entry.wsdl;
    }
  }
}

TEST(DocumentationPage, HasSamplesThatFitOnAPage) {
  std::vector<std::string> samples{sample_fault()};
  for (const Service& entry : services()) {
    const auto service = describe(entry);
    samples.push_back(sample_request(service, service.operations[0]));
    samples.push_back(sample_answer(service, service.operations[0]));
  }
  for (const auto& sample : samples) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(sample.c_str())) << sample;
    EXPECT_GT(std::ranges::count(sample, '\n'), 4) << sample;
    std::istringstream lines(sample);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 125U) << line;
  }
}

}  // namespace
}  // namespace invited::soap
