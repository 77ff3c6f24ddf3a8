#include "soap/wsdl_document.h"

#include <pugixml.hpp>
#include <span>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/embedded_file.h"

namespace invited::soap::wsdls {
std::span<const base::EmbeddedFile> files();
}

namespace invited::soap {
namespace {

[[noreturn]] void reject(const std::string& why) { throw std::logic_error("WSDL: " + why); }

pugi::xml_document load(std::string_view text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_declaration))
    reject("not well-formed");
  return document;
}

pugi::xml_node require(pugi::xml_node parent, const char* name) {
  const auto child = parent.child(name);
  if (!child) reject(std::string("no ") + name + " in " + parent.name());
  return child;
}

std::string local(std::string_view qualified_name) {
  return std::string(qualified_name.substr(qualified_name.find(':') + 1));
}

/// The element of the schema that a message's one part names.
pugi::xml_node wrapper_of(pugi::xml_node definitions, std::string_view qualified_message) {
  const auto message = definitions.find_child_by_attribute("wsdl:message", "name", local(qualified_message).c_str());
  const auto element = require(message, "wsdl:part").attribute("element").value();
  const auto schema = require(require(definitions, "wsdl:types"), "xsd:schema");
  const auto wrapper = schema.find_child_by_attribute("xsd:element", "name", local(element).c_str());
  if (!wrapper) reject(std::string("no element ") + element);
  return wrapper;
}

std::string documentation_of(pugi::xml_node element) {
  return require(require(element, "xsd:annotation"), "xsd:documentation").child_value();
}

constexpr int kDepth = 8;  // more than any type of ours; ends on one that holds itself

std::vector<MemberDescription> describe_sequence(pugi::xml_node schema, pugi::xml_node sequence, int depth);

/// What an element of an answer may hold, by the named type that it has.
void describe_type(pugi::xml_node schema, const std::string& type, MemberDescription& member, int depth) {
  if (type == "xsd:string") return;
  if (const auto simple = schema.find_child_by_attribute("xsd:simpleType", "name", local(type).c_str())) {
    member.max_length = require(require(simple, "xsd:restriction"), "xsd:maxLength").attribute("value").as_uint();
    return;
  }
  const auto complex = schema.find_child_by_attribute("xsd:complexType", "name", local(type).c_str());
  if (!complex || depth == kDepth) reject("no type " + type);
  member.members = describe_sequence(schema, require(complex, "xsd:sequence"), depth + 1);
}

std::vector<MemberDescription> describe_sequence(pugi::xml_node schema, pugi::xml_node sequence, int depth) {
  std::vector<MemberDescription> members;
  for (const auto element : sequence.children("xsd:element")) {
    MemberDescription member{element.attribute("name").value(), documentation_of(element)};
    member.nillable = element.attribute("nillable").as_bool();
    member.optional = std::string_view(element.attribute("minOccurs").value()) == "0";
    member.repeated = !element.attribute("maxOccurs").empty();
    describe_type(schema, element.attribute("type").value(), member, depth);
    members.push_back(std::move(member));
  }
  return members;
}

pugi::xml_node sequence_of(pugi::xml_node wrapper) {
  return require(require(wrapper, "xsd:complexType"), "xsd:sequence");
}

OperationDescription describe_operation(pugi::xml_node definitions, pugi::xml_node operation) {
  OperationDescription description;
  description.name = operation.attribute("name").value();
  description.documentation = require(operation, "wsdl:documentation").child_value();
  const auto bound =
      require(definitions, "wsdl:binding").find_child_by_attribute("wsdl:operation", "name", description.name.c_str());
  description.soap_action = require(bound, "soap:operation").attribute("soapAction").value();
  const auto wrapper = wrapper_of(definitions, require(operation, "wsdl:input").attribute("message").value());
  if (wrapper.attribute("name").value() != description.name) reject("wrapper is not named as its operation");
  for (const auto element : sequence_of(wrapper).children("xsd:element"))
    description.parameters.push_back({element.attribute("name").value(), documentation_of(element)});
  const auto answer = wrapper_of(definitions, require(operation, "wsdl:output").attribute("message").value());
  description.answer = describe_sequence(answer.parent(), sequence_of(answer), 0);
  return description;
}

}  // namespace

ServiceDescription describe_wsdl(std::string_view text) {
  const auto document = load(text);
  const auto definitions = require(document, "wsdl:definitions");
  const auto service = require(definitions, "wsdl:service");
  ServiceDescription description;
  description.name = service.attribute("name").value();
  description.target_namespace = definitions.attribute("targetNamespace").value();
  description.documentation = require(service, "wsdl:documentation").child_value();
  for (const auto operation : require(definitions, "wsdl:portType").children("wsdl:operation"))
    description.operations.push_back(describe_operation(definitions, operation));
  if (description.operations.empty()) reject("no operation");
  return description;
}

std::string wsdl_with_address(std::string_view text, std::string_view url) {
  auto document = load(text);
  const auto port = require(require(require(document, "wsdl:definitions"), "wsdl:service"), "wsdl:port");
  auto location = require(port, "soap:address").attribute("location");
  if (!location.set_value(std::string(url).c_str())) reject("no location in soap:address");
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return std::move(out).str();
}

std::string_view find_wsdl(std::string_view name) {
  for (const auto& file : wsdls::files())
    if (file.name == std::string(name) + ".wsdl") return file.content;
  reject("none embedded for " + std::string(name));
}

}  // namespace invited::soap
