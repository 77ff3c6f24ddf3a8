#include "soap/documentation_samples.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "soap/fault.h"
#include "soap/xml_text.h"

namespace invited::soap {
namespace {

/// What stands in the samples, by the names of parameters and members; some names mean two things.
std::optional<std::string_view> sample_value(std::string_view name) {
  constexpr std::string_view kEnvironment = "6f1c2f0e-8f5b-4c0f-9d6e-2f4f7c0b9a11";
  constexpr std::string_view kRole = "b1a9cf63-3b7c-4e0f-8a55-0f3d6e1c7d22";
  constexpr std::string_view kOpenId = "https://invite.example.org/id?id=0192f8a3-6d1e-7c44-9b1a-5e2d7f3a8c90";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kSamples{{
      {"EnvironmentUUID", kEnvironment},
      {"EnvironmentID", kEnvironment},
      {"EnvironmentPassword", "the environment's password"},
      {"RoleUUID", kRole},
      {"InviteeEmailAddress", "new.person@example.org"},
      {"InviterEmailAddress", "colleague@example.org"},
      {"OpenID", kOpenId},
      {"UUID", kRole},
      {"AppRole/DisplayName", "Planner"},
      {"OpenId", kOpenId},
      {"DisplayName", "Ada Lovelace"},
      {"Result", "Ada Lovelace"},
      {"EmailAddress", "ada@example.org"},
      {"JobTitle", "Analyst"},
      {"Department", "Research & Development"},
      {"Location", "London"},
      {"Country", "United Kingdom"},
      {"Website", "https://example.org/ada"},
      {"Phone", "+44 20 7946 0000"},
      {"CompanyId", "4711"},
      {"Company", "Analytical Engines"},
      {"CompanyName", "Analytical Engines"},
  }};
  for (const auto& [sample, value] : kSamples)
    if (sample == name) return value;
  return std::nullopt;
}

void append_member(std::string& xml, const MemberDescription& member, std::string_view parent,
                   const std::string& indent) {
  if (!member.members.empty()) {
    xml.append(indent).append("<").append(member.name).append(">\n");
    for (const auto& inner : member.members) append_member(xml, inner, member.name, indent + "  ");
    xml.append(indent).append("</").append(member.name).append(">\n");
    return;
  }
  auto value = sample_value(std::string(parent) + "/" + member.name);
  if (!value) value = sample_value(member.name);
  xml.append(indent).append("<").append(member.name);
  if (!value && member.nillable) {
    xml.append(" xsi:nil=\"true\"/>\n");
  } else {
    xml.append(">").append(escape_xml(value.value_or("…"))).append("</").append(member.name).append(">\n");
  }
}

std::string members_of(const OperationDescription& operation) {
  std::string xml;
  for (const auto& member : operation.answer) append_member(xml, member, operation.name, "      ");
  return xml;
}

}  // namespace

std::string sample_request(const ServiceDescription& service, const OperationDescription& operation) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"";
  xml.append(envelope_namespace(SoapVersion::v1_1)).append("\"\n               xmlns:tns=\"");
  xml.append(escape_xml(service.target_namespace)).append("\">\n  <soap:Body>\n    <tns:");
  xml.append(operation.name).append(">\n");
  for (const auto& [name, documentation, alias] : operation.parameters) {
    const auto value = escape_xml(sample_value(name).value_or("…"));
    xml.append("      <").append(name).append(">").append(value).append("</").append(name).append(">\n");
  }
  return xml.append("    </tns:").append(operation.name).append(">\n  </soap:Body>\n</soap:Envelope>\n");
}

std::string sample_answer(const ServiceDescription& service, const OperationDescription& operation) {
  const std::string members = members_of(operation);
  std::string xml = "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"";
  xml.append(envelope_namespace(SoapVersion::v1_1)).append("\"");
  if (members.find(" xsi:nil=") != std::string::npos)
    xml.append("\n                   xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
  xml.append(">\n  <SOAP-ENV:Body>\n    <tns:").append(operation.name).append("Response xmlns:tns=\"");
  xml.append(escape_xml(service.target_namespace)).append("\"");
  if (members.empty()) {
    xml.append("/>\n");
  } else {
    xml.append(">\n").append(members).append("    </tns:").append(operation.name).append("Response>\n");
  }
  return xml.append("  </SOAP-ENV:Body>\n</SOAP-ENV:Envelope>\n");
}

std::string sample_fault() {
  return indent_xml(to_answer(to_fault({domain::ErrorCode::invalid_email_address,
                                        "The invitee's e-mail address cannot be used: write it as "
                                        "name@example.org, without blanks.",
                                        "InviteeEmailAddress", std::nullopt},
                                       SoapVersion::v1_1))
                        .body);
}

}  // namespace invited::soap
