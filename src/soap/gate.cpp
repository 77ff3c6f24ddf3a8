#include "soap/gate.h"

#include <array>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "base/ascii.h"
#include "base/secret.h"
#include "soap/content_type.h"
#include "soap/xml_scanner.h"
#include "soap/xml_text.h"

namespace invited::soap {
namespace {

constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kXmlnsNamespace = "http://www.w3.org/2000/xmlns/";
constexpr std::string_view kEncodingNamespace = "http://schemas.xmlsoap.org/soap/encoding/";

// pugixml's lists are walked from sibling to sibling: its iterators take longer to make than there is to look at.

/// A name with its namespace; empty: none.
struct ExpandedName {
  std::string_view space;
  std::string_view local;
  bool operator==(const ExpandedName&) const = default;
};

std::pair<std::string_view, std::string_view> split(std::string_view qualified_name) {
  const auto colon = qualified_name.find(':');
  if (colon == std::string_view::npos) return {{}, qualified_name};
  return {qualified_name.substr(0, colon), qualified_name.substr(colon + 1)};
}

bool is_declaration(std::string_view attribute) { return attribute == "xmlns" || attribute.starts_with("xmlns:"); }

/// What `prefix` (empty: the default namespace) stands for at `element`; nothing where it is not declared.
std::optional<std::string_view> find_namespace(pugi::xml_node element, std::string_view prefix) {
  if (prefix == "xml") return kXmlNamespace;
  for (auto scope = element; scope.type() == pugi::node_element; scope = scope.parent()) {
    for (auto attribute = scope.first_attribute(); attribute; attribute = attribute.next_attribute()) {
      const std::string_view name = attribute.name();
      if (prefix.empty() ? name == "xmlns" : name.starts_with("xmlns:") && name.substr(6) == prefix)
        return attribute.value();
    }
  }
  if (prefix.empty()) return std::string_view{};
  return std::nullopt;
}

/// The prefixes of element and attributes must be declared: check_names saw to it.
ExpandedName name_of(pugi::xml_node element) {
  const auto [prefix, local] = split(element.name());
  return {find_namespace(element, prefix).value_or(std::string_view{}), local};
}
ExpandedName name_of(pugi::xml_node element, pugi::xml_attribute attribute) {
  const auto [prefix, local] = split(attribute.name());
  if (prefix.empty()) return {{}, local};
  return {find_namespace(element, prefix).value_or(std::string_view{}), local};
}

/// Of 2001, and the drafts of 1999 and 2000 that old tool kits still write.
bool is_schema_namespace(std::string_view space, std::string_view which) {
  constexpr std::string_view kW3 = "http://www.w3.org/";
  if (!space.starts_with(kW3)) return false;
  space.remove_prefix(kW3.size());
  for (const std::string_view year : {"2001/", "1999/", "2000/10/"})
    if (space.starts_with(year) && space.substr(year.size()) == which) return true;
  return false;
}
bool is_schema_instance(std::string_view space) { return is_schema_namespace(space, "XMLSchema-instance"); }

std::string_view trim(std::string_view text) { return base::trim_blanks(text, base::kXmlBlanks); }

bool is_text(pugi::xml_node node) { return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata; }

bool has_text(pugi::xml_node element) {
  for (auto node = element.first_child(); node; node = node.next_sibling())
    if (node.type() == pugi::node_cdata || (is_text(node) && !trim(node.value()).empty())) return true;
  return false;
}

std::vector<pugi::xml_node> child_elements(pugi::xml_node parent) {
  std::vector<pugi::xml_node> elements;
  for (auto node = parent.first_child(); node; node = node.next_sibling())
    if (node.type() == pugi::node_element) elements.push_back(node);
  return elements;
}

pugi::xml_node skip_to_element(pugi::xml_node node) {
  while (node && node.type() != pugi::node_element) node = node.next_sibling();
  return node;
}

/// The next one in document order, none after the last in `root`. A loop over it needs no stack, recursion would.
pugi::xml_node next_element(pugi::xml_node element, pugi::xml_node root) {
  if (const auto child = skip_to_element(element.first_child())) return child;
  for (; element != root; element = element.parent())
    if (const auto sibling = skip_to_element(element.next_sibling())) return sibling;
  return {};
}

/// The contract's namespace, with or without the slash at its end.
bool is_target(std::string_view space, const ServiceDescription& service) {
  const std::string_view target = service.target_namespace;
  return space == target || (target.ends_with('/') && space == target.substr(0, target.size() - 1));
}

/// A copy of the body for the parser to work in, wiped afterwards: it holds a password.
class Scratch {
 public:
  explicit Scratch(std::string_view text) : bytes_(text) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { base::wipe(bytes_); }
  char* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

/// Reads one body. Each step returns false after it has put what is wrong into `refusal_`.
class Reader {
 public:
  Reader(SoapVersion version, const ServiceDescription& service) : service_(service) { call_.version = version; }

  std::expected<AcceptedCall, Fault> read(std::string_view body) {
    if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
    if (const auto problem = find_xml_problem(body)) {
      forbid(*problem);
      return std::unexpected(std::move(refusal_));
    }
    Scratch scratch(body);
    pugi::xml_document document;
    constexpr unsigned kOptions = pugi::parse_cdata | pugi::parse_comments | pugi::parse_escapes | pugi::parse_eol |
                                  pugi::parse_wconv_attribute | pugi::parse_ws_pcdata;
    const bool parsed = document.load_buffer_inplace(scratch.data(), scratch.size(), kOptions, pugi::encoding_utf8) ||
                        forbid("is not well-formed XML");
    if (!parsed || !envelope(document.document_element())) return std::unexpected(std::move(refusal_));
    return std::move(call_);
  }

 private:
  /// Malformed or forbidden: status 400.
  bool forbid(std::string_view problem, std::string parameter = {}) {
    refusal_ = to_fault({domain::ErrorCode::malformed_request,
                         "The request " + std::string(problem) + ": mend the program that sends it.",
                         std::move(parameter), std::nullopt},
                        call_.version);
    return false;
  }
  /// Well-formed SOAP, but not the contract's: the status of any fault in that version.
  bool fault(FaultCode code, std::string message, std::string parameter = {}) {
    refusal_.code = code;
    refusal_.version = call_.version;
    refusal_.status = call_.version == SoapVersion::v1_2 && code == FaultCode::sender ? 400 : 500;
    refusal_.error = {domain::ErrorCode::malformed_request, std::move(message), std::move(parameter), std::nullopt};
    return false;
  }

  /// What the scanner leaves to us: every prefix declared, no attribute twice under two prefixes.
  bool check_names_of(pugi::xml_node element) {
    constexpr std::string_view kUndeclared = "uses a namespace prefix that is not declared";
    if (const auto [prefix, local] = split(element.name()); prefix == "xmlns" || !find_namespace(element, prefix))
      return forbid(kUndeclared);
    std::array<ExpandedName, XmlLimits::kAttributes> seen;
    std::size_t count = 0;
    for (auto attribute = element.first_attribute(); attribute; attribute = attribute.next_attribute()) {
      const auto [prefix, local] = split(attribute.name());
      if (is_declaration(attribute.name())) {
        if (!check_declaration(prefix.empty() ? std::string_view{} : local, attribute.value()))
          return forbid("declares a namespace in a way that XML does not allow");
        continue;
      }
      const auto space = prefix.empty() ? std::string_view{} : find_namespace(element, prefix);
      if (!space) return forbid(kUndeclared);
      const ExpandedName name{*space, local};
      for (std::size_t i = 0; i < count; ++i)
        if (seen[i] == name) return forbid("has an attribute twice on an element");
      seen[count++] = name;
    }
    return true;
  }

  /// Of an element that is ours to read: in a header these names may mean anything.
  bool check_encoding_of(pugi::xml_node element) {
    for (auto attribute = element.first_attribute(); attribute; attribute = attribute.next_attribute()) {
      const auto [prefix, local] = split(attribute.name());
      if (is_declaration(attribute.name())) continue;
      if (local == "encodingStyle")
        return forbid("has an encodingStyle, and this service is document/literal (/ws-doc/ names the switches)");
      if (local == "href" || local == "id" || local == "arrayType")
        return forbid("uses SOAP encoding (href, id, arrayType), but this service is document/literal");
    }
    return true;
  }

  bool check_names(pugi::xml_node root) {
    for (auto element = root; element; element = next_element(element, root))
      if (!check_names_of(element)) return false;
    return true;
  }

  static bool check_declaration(std::string_view prefix, std::string_view space) {
    if (prefix == "xmlns" || space == kXmlnsNamespace) return false;
    if ((prefix == "xml") != (space == kXmlNamespace)) return false;
    return prefix.empty() || !space.empty();
  }

  bool envelope(pugi::xml_node root) {
    if (!check_names(root) || !check_encoding_of(root)) return false;
    const auto name = name_of(root);
    if (name.local != "Envelope") return forbid("is not a SOAP Envelope");
    if (name.space == envelope_namespace(SoapVersion::v1_1)) {
      call_.version = SoapVersion::v1_1;
    } else if (name.space == envelope_namespace(SoapVersion::v1_2)) {
      call_.version = SoapVersion::v1_2;
    } else {
      call_.version = SoapVersion::v1_1;
      return fault(FaultCode::version_mismatch,
                   "The request is of a SOAP version that this service does not speak: send SOAP 1.1 or 1.2.");
    }
    auto children = child_elements(root);
    if (has_text(root)) return forbid("has text in its Envelope");
    if (!children.empty() && name_of(children.front()) == ExpandedName{name.space, "Header"}) {
      if (!header(children.front())) return false;
      children.erase(children.begin());
    }
    if (children.size() != 1 || name_of(children.front()) != ExpandedName{name.space, "Body"})
      return forbid("does not have one Body in its Envelope, after one Header at most");
    return body(children.front());
  }

  /// Headers are none of ours: passed over, unless one must be understood by the one who reads.
  bool header(pugi::xml_node element) {
    if (has_text(element)) return forbid("has text in its Header");
    for (const auto block : child_elements(element)) {
      bool must_understand = false;
      bool for_us = true;
      for (auto attribute = block.first_attribute(); attribute; attribute = attribute.next_attribute()) {
        if (is_declaration(attribute.name())) continue;
        const auto name = name_of(block, attribute);
        if (name.space != envelope_namespace(call_.version)) continue;
        const auto value = trim(attribute.value());
        if (name.local == "mustUnderstand") must_understand = value != "0" && value != "false";
        if (name.local == "actor" || name.local == "role") for_us = is_our_role(value);
      }
      if (must_understand && for_us) {
        return fault(FaultCode::must_understand,
                     "The request has the header " + std::string(name_of(block).local) +
                         " and says that it must be understood, which this service does not: leave it out; the "
                         "environment's password goes into the call itself.");
      }
    }
    return true;
  }

  static bool is_our_role(std::string_view role) {
    return role.empty() || role == "http://schemas.xmlsoap.org/soap/actor/next" ||
           role == "http://www.w3.org/2003/05/soap-envelope/role/next" ||
           role == "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver";
  }

  bool body(pugi::xml_node element) {
    for (auto inner = element; inner; inner = next_element(inner, element))
      if (!check_encoding_of(inner)) return false;
    const auto children = child_elements(element);
    if (has_text(element) || children.size() != 1) return forbid("does not have one operation in its Body");
    const auto wrapper = children.front();
    const auto name = name_of(wrapper);
    call_.operation = is_target(name.space, service_) ? service_.find_operation(name.local) : nullptr;
    if (call_.operation == nullptr) {
      return fault(FaultCode::sender, "The request calls an operation that " + service_.name +
                                          " does not have: compare its name and namespace with the WSDL.");
    }
    if (!only_known_attributes(wrapper)) return false;
    if (has_text(wrapper)) return forbid("has text between its parameters");
    return parameters(wrapper);
  }

  bool parameters(pugi::xml_node wrapper) {
    const auto& expected = call_.operation->parameters;
    call_.values.assign(expected.size(), {});
    std::vector<bool> seen(expected.size(), false);
    for (const auto child : child_elements(wrapper)) {
      const auto name = name_of(child);
      std::size_t i = 0;
      while (i < expected.size() && !expected[i].is_called(name.local)) ++i;
      if (i == expected.size() || !(name.space.empty() || is_target(name.space, service_))) {
        return fault(FaultCode::sender,
                     "The request has the parameter " + std::string(name.local) + ", and " + call_.operation->name +
                         " has none of that name and namespace: compare them with the WSDL.",
                     std::string(name.local));
      }
      const auto& parameter = expected[i].name;
      if (seen[i]) return repeated(expected[i]);
      seen[i] = true;
      if (!value(child, parameter, call_.values[i])) return false;
    }
    write_envelope();
    return true;
  }

  bool repeated(const ParameterDescription& parameter) {
    const auto also = parameter.alias.empty() ? std::string() : " (" + parameter.alias + " is the same parameter)";
    return fault(FaultCode::sender,
                 "The request has " + parameter.name + " more than once" + also + ": send each once.", parameter.name);
  }

  /// Namespace declarations, xml:…, and xsi:… are everywhere; anything else would be asking for something.
  bool only_known_attributes(pugi::xml_node element) {
    for (auto attribute = element.first_attribute(); attribute; attribute = attribute.next_attribute()) {
      if (is_declaration(attribute.name())) continue;
      const auto name = name_of(element, attribute);
      if (name.space != kXmlNamespace && !is_schema_instance(name.space))
        return forbid("has an attribute that the contract does not know on a parameter or operation");
    }
    return true;
  }

  bool value(pugi::xml_node element, const std::string& parameter, std::string& value) {
    if (!only_known_attributes(element)) return false;
    bool nil = false;
    for (auto attribute = element.first_attribute(); attribute; attribute = attribute.next_attribute()) {
      const auto name = name_of(element, attribute);
      if (is_declaration(attribute.name()) || !is_schema_instance(name.space)) continue;
      const auto text = trim(attribute.value());
      if (name.local == "type" && !is_string_type(element, text))
        return forbid("declares a parameter to be of another type than string", parameter);
      if (name.local == "nil" || name.local == "null") {
        if (text != "true" && text != "1" && text != "false" && text != "0")
          return forbid("has an xsi:nil that is neither true nor false", parameter);
        nil = text == "true" || text == "1";
      }
    }
    for (auto node = element.first_child(); node; node = node.next_sibling()) {
      if (!is_text(node)) return forbid("contains markup inside a value", parameter);
      value += node.value();
    }
    if (value.size() > XmlLimits::kValueBytes) return too_long(parameter);
    return !nil || value.empty() || forbid("has a value that says it is nil", parameter);
  }

  /// Mostly what a person typed, or pasted, into a form of the app: it is theirs to mend, so they must be told.
  bool too_long(const std::string& parameter) {
    return fault(FaultCode::sender,
                 "The parameter " + parameter + " is longer than " + std::to_string(XmlLimits::kValueBytes) +
                     " bytes: shorten it.",
                 parameter);
  }

  static bool is_string_type(pugi::xml_node element, std::string_view type) {
    const auto [prefix, local] = split(type);
    const auto space = find_namespace(element, prefix);
    return space && local == "string" && (is_schema_namespace(*space, "XMLSchema") || *space == kEncodingNamespace);
  }

  void write_envelope() {
    std::string& xml = call_.envelope;
    const auto& operation = *call_.operation;
    // Reserved in full, so that no copy of the password stays behind in memory that was outgrown.
    std::size_t size = 512 + 2 * operation.name.size() + service_.target_namespace.size();
    for (std::size_t i = 0; i < call_.values.size(); ++i)
      size += 2 * operation.parameters[i].name.size() + 8 + 6 * call_.values[i].size();
    xml.reserve(size);
    xml.append("<E:Envelope xmlns:E=\"").append(envelope_namespace(call_.version)).append("\" xmlns:t=\"");
    xml.append(escape_xml(service_.target_namespace)).append("\"><E:Body><t:").append(operation.name).append(">");
    for (std::size_t i = 0; i < call_.values.size(); ++i) {
      const auto& name = operation.parameters[i].name;
      std::string escaped = escape_xml(call_.values[i]);
      xml.append("<").append(name).append(">").append(escaped).append("</").append(name).append(">");
      base::wipe(escaped);
    }
    xml.append("</t:").append(operation.name).append("></E:Body></E:Envelope>");
  }

  const ServiceDescription& service_;
  AcceptedCall call_;
  Fault refusal_;
};

Fault refuse(int status, std::string message, SoapVersion version) {
  auto fault = to_fault({domain::ErrorCode::malformed_request, std::move(message), {}, std::nullopt}, version);
  fault.status = status;
  return fault;
}

}  // namespace

std::string_view AcceptedCall::value(std::string_view parameter) const {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (operation->parameters[i].name == parameter) return values[i];
  return {};
}

std::expected<AcceptedCall, Fault> pass_gate(std::string_view content_type, std::string_view body,
                                             const ServiceDescription& service) {
  const auto finding = check_content_type(content_type);
  if (body.size() > kBodyLimit)
    return std::unexpected(
        refuse(413, "The request is larger than 64 KiB: a call needs less than 4.", finding.version));
  if (finding.problem)
    return std::unexpected(refuse(
        415, "The request " + std::string(*finding.problem) + ": send text/xml; charset=utf-8.", finding.version));
  return Reader(finding.version, service).read(body);
}

}  // namespace invited::soap
