#include "soap/wsdl_document.h"

#include <pugixml.hpp>
#include <span>
#include <sstream>
#include <stdexcept>

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

/// The element of the schema that a message's one part names.
pugi::xml_node wrapper_of(pugi::xml_node definitions, std::string_view qualified_message) {
  const auto local = [](std::string_view name) { return std::string(name.substr(name.find(':') + 1)); };
  const auto message = definitions.find_child_by_attribute("wsdl:message", "name", local(qualified_message).c_str());
  const auto element = require(message, "wsdl:part").attribute("element").value();
  const auto schema = require(require(definitions, "wsdl:types"), "xsd:schema");
  const auto wrapper = schema.find_child_by_attribute("xsd:element", "name", local(element).c_str());
  if (!wrapper) reject(std::string("no element ") + element);
  return wrapper;
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
  const auto sequence = require(require(wrapper, "xsd:complexType"), "xsd:sequence");
  for (const auto element : sequence.children("xsd:element")) {
    const auto documentation = require(require(element, "xsd:annotation"), "xsd:documentation");
    description.parameters.push_back({element.attribute("name").value(), documentation.child_value()});
  }
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
