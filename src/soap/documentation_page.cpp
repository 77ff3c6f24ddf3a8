#include "soap/documentation_page.h"

#include <utility>

#include "soap/documentation_samples.h"
#include "soap/fault.h"
#include "soap/xml_text.h"

namespace invited::soap {
namespace {

/// Joins its arguments. Text from elsewhere goes through escape_xml first.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string joined;
  (joined.append(std::string_view(parts)), ...);
  return joined;
}

/// A block to copy. Scrollable, so it can be reached by keyboard and has a name.
std::string sample(std::string_view label, std::string_view text) {
  return join("<pre tabindex=\"0\" role=\"region\" aria-label=\"", escape_xml(label), "\"><code>", escape_xml(text),
              "</code></pre>\n");
}

std::string table(std::string_view caption, std::initializer_list<std::string_view> headings, std::string_view rows) {
  std::string html = join("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"", escape_xml(caption),
                          "\"><table>\n<caption>", escape_xml(caption), "</caption>\n<thead><tr>");
  for (const auto heading : headings) html += join("<th scope=\"col\">", escape_xml(heading), "</th>");
  return html + join("</tr></thead>\n<tbody>\n", rows, "</tbody></table></div>\n");
}

std::string sample_call(const DocumentedService& service, const OperationDescription& operation) {
  return join("curl --header 'Content-Type: text/xml; charset=utf-8' \\\n     --header 'SOAPAction: \"",
              operation.soap_action, "\"' \\\n     --data-binary @request.xml \\\n     ", service.url, "\n");
}

std::string parameter_row(const ParameterDescription& parameter) {
  const auto also = parameter.alias.empty()
                        ? std::string()
                        : join(" Understood under the name ", escape_xml(parameter.alias), " as well.");
  return join("<tr><th scope=\"row\">", escape_xml(parameter.name),
              "</th><td>String</td><td data-label=\"Required\">Yes</td><td>", escape_xml(parameter.documentation), also,
              "</td></tr>\n");
}

/// "String, up to 200 characters, can be nil".
std::string type_of(const MemberDescription& member) {
  std::string type = member.members.empty() ? "String" : "Object";
  if (member.max_length > 0) type += join(", up to ", std::to_string(member.max_length), " characters");
  if (member.nillable) type += ", can be nil";
  if (member.repeated) type += ", any number";
  if (member.optional && !member.repeated) type += ", can be absent";
  return type;
}

/// A table of the members, and one for each member that is an object; `owner` is what holds them.
std::string member_tables(std::string_view owner, std::span<const MemberDescription> members) {
  std::string rows;
  std::string inner;
  for (const auto& member : members) {
    rows += join("<tr><th scope=\"row\">", escape_xml(member.name), "</th><td>", type_of(member), "</td><td>",
                 escape_xml(member.documentation), "</td></tr>\n");
    if (!member.members.empty()) inner += member_tables(member.name, member.members);
  }
  return table(join("Members of ", owner), {"Name", "Type", "Description"}, rows) + inner;
}

std::string fault_list(std::span<const domain::ErrorCode> faults) {
  std::string list = join("<code>", domain::to_string(domain::ErrorCode::malformed_request), "</code>");
  for (const auto code : faults) list += join(", <code>", domain::to_string(code), "</code>");
  return join("<h4>Faults</h4>\n<p>", list, ". What they mean stands <a href=\"#faults\">at the end</a>.</p>\n");
}

/// The part of the page about a service; several versions of one are different services.
std::string id_of(const ServiceDescription& service) { return escape_xml(join(service.name, "-", service.version)); }
std::string title_of(const ServiceDescription& service) {
  return escape_xml(join(service.name, ", version ", service.version));
}

std::string operation_section(const DocumentedService& service, const OperationDescription& operation) {
  std::string rows;
  for (const auto& parameter : operation.parameters) rows += parameter_row(parameter);
  return join("<h3 id=\"", id_of(service.description), "-", escape_xml(operation.name), "\">",
              escape_xml(operation.name), "</h3>\n<p>", escape_xml(operation.documentation), "</p>\n",
              table(join("Parameters of ", operation.name), {"Name", "Type", "Required", "Description"}, rows),
              "<h4>Request</h4>\n",
              sample(join("Sample request of ", operation.name), sample_request(service.description, operation)),
              "<p>Saved as <code>request.xml</code> with your own values in it, it is sent like this:</p>\n",
              sample(join("Sample command that calls ", operation.name), sample_call(service, operation)),
              "<h4>Response</h4>\n",
              operation.answer.empty() ? std::string() : member_tables(operation.name + "Response", operation.answer),
              sample(join("Sample response of ", operation.name),
                     join("HTTP/1.1 200 OK\nContent-Type: ", media_type(SoapVersion::v1_1), "\n\n",
                          sample_answer(service.description, operation))),
              fault_list(service.faults));
}

std::string service_section(const DocumentedService& service) {
  const std::string url = escape_xml(service.url);
  std::string html =
      join("<article class=\"card\">\n<h2 id=\"", id_of(service.description), "\">", title_of(service.description),
           "</h2>\n<p>", escape_xml(service.description.documentation), "</p>\n<dl>\n<dt>Address</dt><dd><code>", url,
           "</code></dd>\n<dt>WSDL</dt><dd><a href=\"", url, "?wsdl\">", url, "?wsdl</a></dd>\n</dl>\n");
  for (const auto& operation : service.description.operations) html += operation_section(service, operation);
  return html + "</article>\n";
}

std::string faults_section() {
  std::string rows;
  for (const auto code : domain::kErrorCodes) {
    const auto description = describe(code);
    if (description.meaning.empty()) continue;
    rows += join("<tr><th scope=\"row\">", domain::to_string(code), "</th><td data-label=\"SOAP 1.1 faultcode\">",
                 description.code == FaultCode::receiver ? "Server" : "Client", "</td><td>",
                 escape_xml(description.meaning), "</td><td data-label=\"What to do\">", escape_xml(description.remedy),
                 "</td></tr>\n");
  }
  return join(
      "<article class=\"card\">\n<h2 id=\"faults\">Faults</h2>\n"
      "<p>A call that does not succeed is answered with a SOAP fault: in SOAP 1.1 with HTTP status 500 (400 where the "
      "body is not a SOAP message), in SOAP 1.2 with 400 or 500. <code>faultstring</code> is a sentence for people. "
      "<code>detail</code> holds one element in the namespace <code>",
      kFaultNamespace,
      "</code> with a code that stays the same, for programs; where it applies, also the name of the parameter and "
      "the seconds to wait.</p>\n",
      table("Fault codes", {"Code", "SOAP 1.1 faultcode", "What happened", "What to do"}, rows),
      sample("Sample fault", sample_fault()), "</article>\n");
}

std::string advice_section() {
  return "<article class=\"card\">\n<h2 id=\"calling\">Calling it</h2>\n<ul>\n"
         "<li>SOAP 1.1 and 1.2 are both answered in kind. SOAPAction is ignored; SOAP headers are passed over, unless "
         "one says "
         "that it must be understood. WS-Security is not used: the password goes into the call.</li>\n"
         "<li>Parameters may come in any order, with or without the namespace, in CDATA or not, each of them once. "
         "UUIDs may have "
         "braces, blanks around, and letters of either case.</li>\n"
         "<li>The services are document/literal. Clients that were not made from the WSDL may send an "
         "<code>encodingStyle</code> unless told otherwise, which is refused: PHP needs <code>'use' =&gt; "
         "SOAP_LITERAL</code>; Perl's SOAP::Lite needs <code>-&gt;autotype(0)</code> and "
         "<code>-&gt;serializer-&gt;encodingStyle('')</code>, with the WSDL as well.</li>\n"
         "<li>Calling again after a lost answer is safe. A header <code>Idempotency-Key</code> makes a repeated call "
         "the same "
         "call for a day, even after others came between.</li>\n"
         "<li>A request may have 64 KiB, 16 levels, 128 elements, and 1,024 bytes in each parameter; a document type "
         "declaration, a processing instruction, or SOAP encoding is refused.</li>\n"
         "<li>The OpenID is as whom the app knows a person: each environment has a template for it (<code>invited "
         "environment set --openid-template</code>). It is compared exactly; <code>invited account show</code> prints "
         "a person's.</li>\n"
         "<li>An app that offers a RefreshAPI (its <code>RefreshUserPermissions</code> takes an <code>OpenId</code> "
         "and answers with nothing) is called when somebody's roles change, once an operator has set its address "
         "(<code>invited environment set --refresh-url</code>). While that call is open, it asks for the roles.</li>\n"
         "<li>A Mendix app with the AppCloudServices module needs no change of its model: set the constants "
         "<code>AppCloudServices.InviteAPI_Location</code>, <code>PermissionsAPI_Location</code> and "
         "<code>ProfileServiceLocation</code> (the addresses above; of the ProfileService, the version that the module "
         "calls), <code>EnvironmentUUID</code> and <code>EnvironmentPassword</code>; in a container, the variables "
         "<code>MX_AppCloudServices_InviteAPI_Location</code> and so on. "
         "From Mendix 9 on, import the WSDL as a consumed web service, set its location constant, map the parameters, "
         "and "
         "give the call an error handler that shows <code>$latestSoapFault</code>.</li>\n"
         "</ul>\n</article>\n";
}

std::string path_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? std::string_view::npos : url.find('/', scheme + 3);
  return path == std::string_view::npos ? std::string{} : std::string(url.substr(path));
}

}  // namespace

std::string documentation_page(std::span<const DocumentedService> services, std::string_view base_url) {
  std::string contents;
  std::string sections;
  for (const auto& service : services) {
    contents +=
        join("<li><a href=\"#", id_of(service.description), "\">", title_of(service.description), "</a></li>\n");
    sections += service_section(service);
  }
  return join(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Web services: documentation</title>\n"
      "<link rel=\"stylesheet\" href=\"",
      escape_xml(path_of(base_url)),
      "/assets/invited.css\">\n</head>\n<body>\n<main class=\"page page-wide\">\n<header class=\"card\">\n"
      "<h1>Web services</h1>\n<p>The SOAP services that this server offers to apps: how to call them, and what their "
      "faults mean.</p>\n<nav aria-label=\"Contents\"><ul>\n",
      contents,
      "<li><a href=\"#calling\">Calling it</a></li>\n<li><a href=\"#faults\">Faults</a></li>\n</ul></nav>\n</header>\n",
      sections, advice_section(), faults_section(), "</main>\n</body>\n</html>\n");
}

}  // namespace invited::soap
