"""Makes invited-soapui-project.xml from the WSDLs: an interface for each service with its WSDL in the project, a sample
request for each operation, and a test suite for each service. A test proves that the committed file is current.

usage: make_project.py [FILE]        writes FILE; without it, the file beside this script
"""

import pathlib
import re
import sys
import uuid
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

HERE = pathlib.Path(__file__).resolve().parent
PROJECT_FILE = HERE / "invited-soapui-project.xml"
WSDL_FOLDER = HERE.parents[2] / "wsdl"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
WSDL_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE_NAMESPACE = "http://www.example.com/"
FAULT_NAMESPACE = "urn:invited:faults:1"

# File of the WSDL, and what SoapUI's tree shows: two of the services have the same name.
SERVICES = (("InviteAPI", "InviteAPI 1"), ("PermissionsAPI", "PermissionsAPI 1"),
            ("ProfileService", "ProfileService 3"), ("ProfileService-1", "ProfileService 1"))

# Project properties: what a tester sets. The defaults are those of `invited demo`, whose environment's UUID and password
# are all that is missing.
PROPERTIES = (
    ("Address", "http://127.0.0.1:8080", "where the service is: http://host:port, without a slash at the end"),
    ("EnvironmentUUID", "", "as \"invited environment add\" or \"invited demo\" printed it"),
    ("EnvironmentPassword", "", "as \"invited environment add\" or \"invited demo\" printed it"),
    ("RoleUUID", "b1a9cf63-3b7c-4e0f-8a55-0f3d6e1c7d22", "a role of the environment's app: \"invited role list\""),
    ("InviterEmailAddress", "marit.de.vries@harbour-planner.example",
     "address of an account with access to the environment: \"invited access list\""),
    ("InviteeEmailAddress", "new.person@example.org", "whom to invite: the mail goes there"),
    ("OpenID", "http://127.0.0.1:8080/id?id=5d1f2a60-8c3e-4b7a-9e21-6f0c4d8b3a17",
     "OpenID of a person with access to the environment: \"invited account show\""),
)

# The property that a parameter takes its value from, where their names differ.
PROPERTY_OF = {"EnvironmentID": "EnvironmentUUID"}
NOBODY = "https://nobody.example.org/id?id=00000000-0000-4000-8000-000000000000"
OTHER_ROLE = "00000000-0000-4000-8000-000000000000"


class Call:
    """One test case: a call with some of its parameters changed, and what must come back: a fault code, or XPath
    expressions with the values that they select."""

    def __init__(self, name, changes=None, fault=None, matches=()):
        self.name, self.changes, self.fault, self.matches = name, changes or {}, fault, matches


def service_path(name):
    return f"declare namespace tns='{SERVICE_NAMESPACE}';\n//tns:{name}"


WRONG_PASSWORD = Call("A wrong password is refused", {"EnvironmentPassword": "not the password"}, "authentication_failed")
OTHER_ENVIRONMENT = {"EnvironmentUUID": OTHER_ROLE}
CALLS = {
    "SendInvite": (
        Call("Somebody is invited"),
        Call("The same call again is safe"),
        WRONG_PASSWORD,
        Call("An unknown environment is refused", OTHER_ENVIRONMENT, "authentication_failed"),
        Call("A blank parameter is refused", {"RoleUUID": ""}, "missing_parameter"),
        Call("A role of another app is refused", {"RoleUUID": OTHER_ROLE}, "unknown_role"),
        Call("An address that is none is refused", {"InviteeEmailAddress": "nobody <é漢>"}, "invalid_email_address"),
        Call("An inviter without access is refused", {"InviterEmailAddress": "stranger@example.org"},
             "inviter_without_access"),
    ),
    "GetRolesForOpenID": (
        Call("A person with access has roles", matches=(
            (service_path("GetRolesForOpenIDResponse/AppRole/UUID"), "*"),
            (service_path("GetRolesForOpenIDResponse/AppRole/DisplayName"), "*"))),
        Call("An OpenID of another form is refused, and no list that withdraws", {"OpenID": NOBODY}, "unknown_person"),
        WRONG_PASSWORD,
        Call("A blank parameter is refused", {"OpenID": ""}, "missing_parameter"),
    ),
    "GetUserProfile": (
        Call("A person with access has a profile", matches=(
            (service_path("GetUserProfileResponse/UserProfile/OpenId"), "${#Project#OpenID}"),
            (service_path("GetUserProfileResponse/UserProfile/EmailAddress"), "*@*"))),
        Call("A person whom nobody knows is refused", {"OpenID": NOBODY}, "unknown_person"),
        WRONG_PASSWORD,
        Call("A blank parameter is refused", {"OpenID": ""}, "missing_parameter"),
    ),
    "GetDisplayName": (
        Call("A person with access has a name", matches=((service_path("GetDisplayNameResponse/Result"), "*"),)),
        Call("A person whom nobody knows is refused", {"OpenID": NOBODY}, "unknown_person"),
        WRONG_PASSWORD,
        Call("A blank parameter is refused", {"OpenID": ""}, "missing_parameter"),
    ),
}


class Operation:
    def __init__(self, definitions, element):
        self.name = element.get("name")
        self.documentation = element.findtext(f"{WSDL}documentation")
        bound = definitions.find(f"{WSDL}binding/{WSDL}operation[@name='{self.name}']")
        self.action = bound.find(f"{WSDL_SOAP}operation").get("soapAction")
        wrapper = definitions.find(f".//{XSD}schema/{XSD}element[@name='{self.name}']")
        self.parameters = [child.get("name") for child in wrapper.find(f"{XSD}complexType/{XSD}sequence")]

    def request(self, changes):
        lines = [f'<soapenv:Envelope xmlns:soapenv="{SOAP_11}" xmlns:tns="{SERVICE_NAMESPACE}">', "   <soapenv:Header/>",
                 "   <soapenv:Body>", f"      <tns:{self.name}>"]
        for name in self.parameters:
            prop = PROPERTY_OF.get(name, name)
            value = escape(changes[prop]) if prop in changes else f"${{#Project#{prop}}}"
            lines.append(f"         <{name}>{value}</{name}>")
        return "\n".join([*lines, f"      </tns:{self.name}>", "   </soapenv:Body>", "</soapenv:Envelope>"])


class ServiceDescription:
    def __init__(self, file_name, title):
        self.title = title
        self.wsdl = (WSDL_FOLDER / f"{file_name}.wsdl").read_text(encoding="utf-8")
        definitions = etree.fromstring(self.wsdl.encode())
        self.documentation = definitions.findtext(f"{WSDL}service/{WSDL}documentation")
        self.binding = definitions.find(f"{WSDL}binding").get("name")
        self.location = definitions.find(f".//{WSDL_SOAP}address").get("location")
        self.path = re.sub("^https?://[^/]*", "", self.location)
        self.operations = [Operation(definitions, element)
                           for element in definitions.findall(f"{WSDL}portType/{WSDL}operation")]


class Writer:
    """Elements of the project's namespace, indented. Ids are made of the place where an element stands, so that the
    same input gives the same file."""

    def __init__(self):
        self.lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        self._open = []

    def start(self, name, /, **attributes):
        self.lines.append("  " * len(self._open) + f"<con:{name}{self._attributes(attributes)}>")
        self._open.append(name)

    def end(self):
        name = self._open.pop()
        self.lines.append("  " * len(self._open) + f"</con:{name}>")

    def leaf(self, name, /, text="", prefix="con:", **attributes):
        tag = f"{prefix}{name}"
        content = f">{escape(text)}</{tag}>" if text else "/>"
        self.lines.append("  " * len(self._open) + f"<{tag}{self._attributes(attributes)}{content}")

    def cdata(self, name, text):
        assert "]]>" not in text
        self.lines.append("  " * len(self._open) + f"<con:{name}><![CDATA[{text}]]></con:{name}>")

    @staticmethod
    def _attributes(attributes):
        return "".join(f" {name.replace('__', ':').replace('_dash_', '-')}={quoteattr(value)}"
                       for name, value in attributes.items())


def identity(*names):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("invited-soapui-project", *names))))


def write_request_settings(writer):
    writer.start("settings")
    # Values with & or < in them: the properties' text is escaped when it is put into the request.
    writer.leaf("setting", "true", id="com.eviware.soapui.settings.CommonSettings@entitizeProperties")
    writer.end()


def write_request_tail(writer):
    writer.start("credentials")
    writer.leaf("authType", "Global HTTP Settings")
    writer.end()


def write_interface(writer, service):
    writer.start("interface", xsi__type="con:WsdlInterface", id=identity(service.title), name=service.title, type="wsdl",
                 definition=f"${{#Project#Address}}{service.path}?wsdl",
                 bindingName=f"{{{SERVICE_NAMESPACE}}}{service.binding}", soapVersion="1_1", wsaVersion="NONE",
                 anonymous="optional")
    writer.leaf("description", service.documentation)
    writer.leaf("settings")
    writer.start("definitionCache", type="TEXT", rootPart=f"{service.location}?wsdl")
    writer.start("part")
    writer.leaf("url", f"{service.location}?wsdl")
    writer.cdata("content", service.wsdl)
    writer.leaf("type", "http://schemas.xmlsoap.org/wsdl/")
    writer.end()
    writer.end()
    writer.start("endpoints")
    writer.leaf("endpoint", f"${{#Project#Address}}{service.path}")
    writer.end()
    for operation in service.operations:
        writer.start("operation", id=identity(service.title, operation.name), name=operation.name,
                     bindingOperationName=operation.name, action=operation.action, style="Document",
                     type="Request-Response", inputName="", isOneWay="false", sendsAttachments="false",
                     receivesAttachments="false", anonymous="optional")
        writer.leaf("description", operation.documentation)
        writer.leaf("settings")
        writer.start("call", id=identity(service.title, operation.name, "call"), name="Sample")
        write_request_settings(writer)
        writer.leaf("encoding", "UTF-8")
        writer.leaf("endpoint", f"${{#Project#Address}}{service.path}")
        writer.cdata("request", operation.request({}))
        write_request_tail(writer)
        writer.end()
        writer.end()
    writer.end()


def write_assertion(writer, where, kind, name, configuration=()):
    writer.start("assertion", type=kind, name=name, id=identity(*where, name))
    if configuration:
        writer.start("configuration")
        for key, value in configuration:
            writer.leaf(key, value, prefix="")
        writer.end()
    else:
        writer.leaf("configuration")
    writer.end()


def write_match(writer, where, name, path, content):
    """The fourth setting is spelt as SoapUI spells it."""
    write_assertion(writer, where, "XPath Match", name,
                    (("path", path), ("content", content), ("allowWildcards", "true" if "*" in content else "false"),
                     ("ignoreNamspaceDifferences", "false"), ("ignoreComments", "true")))


def write_assertions(writer, where, call):
    """The types are SoapUI's: "SOAP Fault Assertion" is the one that it shows as "Not SOAP Fault", and the other way
    round."""
    write_assertion(writer, where, "SOAP Response", "SOAP Response")
    if call.fault:
        write_assertion(writer, where, "Not SOAP Fault Assertion", "SOAP Fault")
        write_match(writer, where, "Fault code", f"declare namespace f='{FAULT_NAMESPACE}';\n//detail/f:Fault/f:Code",
                    call.fault)
        return
    write_assertion(writer, where, "Valid HTTP Status Codes", "Status 200", (("codes", "200"),))
    write_assertion(writer, where, "SOAP Fault Assertion", "Not SOAP Fault")
    write_assertion(writer, where, "Schema Compliance", "Schema Compliance", (("definition", ""),))
    for number, (path, content) in enumerate(call.matches, 1):
        write_match(writer, where, f"XPath Match {number}", path, content)


def write_suite(writer, service):
    writer.start("testSuite", id=identity("suite", service.title), name=service.title)
    writer.leaf("settings")
    writer.leaf("runType", "SEQUENTIAL")
    for operation in service.operations:
        for call in CALLS[operation.name]:
            where = ("case", service.title, operation.name, call.name)
            writer.start("testCase", id=identity(*where), name=f"{operation.name}: {call.name}", failOnError="true",
                         failTestCaseOnErrors="true", keepSession="false", maxResults="0", searchProperties="true")
            writer.leaf("settings")
            writer.start("testStep", type="request", name=operation.name, id=identity(*where, "step"))
            writer.leaf("settings")
            writer.start("config", xsi__type="con:RequestStep")
            writer.leaf("interface", service.title)
            writer.leaf("operation", operation.name)
            writer.start("request", name=operation.name, id=identity(*where, "request"))
            write_request_settings(writer)
            writer.leaf("encoding", "UTF-8")
            writer.leaf("endpoint", f"${{#Project#Address}}{service.path}")
            writer.cdata("request", operation.request(call.changes))
            write_assertions(writer, where, call)
            write_request_tail(writer)
            for _ in range(4):
                writer.end()
    writer.leaf("properties")
    writer.end()


def make_project():
    services = [ServiceDescription(*service) for service in SERVICES]
    writer = Writer()
    writer.start("soapui-project", xmlns__con="http://eviware.com/soapui/config",
                 xmlns__xsi="http://www.w3.org/2001/XMLSchema-instance", id=identity(), name="invited",
                 resourceRoot="", soapui_dash_version="5.7.0", abortOnError="false", runType="SEQUENTIAL")
    writer.leaf("description", "The SOAP services of invited: set the project's properties, then run the test suites. "
                "Made by tests/interop/soapui/make_project.py; edit that.")
    writer.leaf("settings")
    for service in services:
        write_interface(writer, service)
    for service in services:
        write_suite(writer, service)
    writer.start("properties")
    for name, value, meaning in PROPERTIES:
        writer.start("property")
        writer.leaf("name", name)
        writer.leaf("value", value)
        writer.leaf("description", meaning)
        writer.end()
    writer.end()
    writer.end()
    return "\n".join(writer.lines) + "\n"


if __name__ == "__main__":
    (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT_FILE).write_text(make_project(), encoding="utf-8")
