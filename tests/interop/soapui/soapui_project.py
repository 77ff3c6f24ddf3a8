"""Reads a SoapUI project and does what SoapUI does with it, as far as invited's project needs that: puts properties
into requests, sends them, judges answers by the assertions. For machines without SoapUI, which the package
registries that the tests use do not have; the meaning of each assertion is SoapUI's (impl/wsdl/teststeps/assertions in its sources)."""

import fnmatch
import re
import subprocess
import tempfile
from xml.sax.saxutils import escape

from lxml import etree

CON = "{http://eviware.com/soapui/config}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
SOAP_11 = "{http://schemas.xmlsoap.org/soap/envelope/}"
ENTITIZE = "com.eviware.soapui.settings.CommonSettings@entitizeProperties"


class AssertionFailed(AssertionError):
    pass


def require(condition, message):
    if not condition:
        raise AssertionFailed(message)


class Request:
    """A request of the project: a sample of an interface, or a test step."""

    def __init__(self, project, interface, operation, element):
        self.project, self.interface, self.operation = project, interface, operation
        self.endpoint = project.expand(element.findtext(f"{CON}endpoint"))
        setting = element.find(f"{CON}settings/{CON}setting[@id='{ENTITIZE}']")
        entitize = setting is not None and setting.text == "true"
        self.body = project.expand(element.findtext(f"{CON}request"), escape if entitize else str).encode("utf-8")
        self.action = operation.get("action")
        self.assertions = element.findall(f"{CON}assertion")

    def validate(self, payload):
        """By xmllint, with the schema in the WSDL that the project holds."""
        schema = self.project.wsdl_of(self.interface).find(f".//{XSD}schema")
        with tempfile.NamedTemporaryFile(suffix=".xsd") as schema_file, tempfile.NamedTemporaryFile() as document:
            for file, element in ((schema_file, schema), (document, payload)):
                file.write(etree.tostring(element))
                file.flush()
            result = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema_file.name, document.name],
                                    capture_output=True, text=True, check=False)
        require(result.returncode == 0, result.stderr)

    def check(self, status, body):
        """Judges an answer; the message of what is raised says which assertion failed."""
        for assertion in self.assertions:
            configuration = assertion.find(f"{CON}configuration")
            try:
                CHECKS[assertion.get("type")](self, status, body, configuration)
            except AssertionFailed as failure:
                raise AssertionFailed(f"[{assertion.get('name')}] {failure}: {status} {body.decode()}") from None


def soap_body(content):
    envelope = etree.fromstring(content)
    require(envelope.tag == f"{SOAP_11}Envelope", "the answer is no SOAP 1.1 Envelope")
    payload = envelope.find(f"{SOAP_11}Body")
    require(payload is not None, "the answer has no Body")
    return payload


def fault_of(content):
    return soap_body(content).find(f"{SOAP_11}Fault")


def check_soap_response(_request, _status, content, _configuration):
    soap_body(content)


def check_is_fault(_request, _status, content, _configuration):
    require(fault_of(content) is not None, "the answer is no fault")


def check_is_no_fault(_request, _status, content, _configuration):
    require(fault_of(content) is None, "the answer is a fault")


def check_status(_request, status, _content, configuration):
    codes = [code.strip() for code in configuration.findtext("codes").split(",")]
    require(str(status) in codes, f"the status is not one of {codes}")


def check_schema(request, _status, content, _configuration):
    payload = soap_body(content)[0]
    require(payload.tag.endswith(f"}}{request.operation.get('name')}Response"), f"the answer is a {payload.tag}")
    request.validate(payload)


def check_xpath(request, _status, content, configuration):
    """Passes when any of the selected elements has the content; "*" is a wildcard where wildcards are allowed."""
    path = request.project.expand(configuration.findtext("path"))
    expected = request.project.expand(configuration.findtext("content"))
    namespaces = dict(re.findall(r"declare namespace (\w+)='([^']*)';", path))
    expression = re.sub(r"declare namespace [^;]*;\s*", "", path)
    selected = etree.fromstring(content).xpath(expression, namespaces=namespaces)
    values = [element.text or "" for element in selected] if isinstance(selected, list) else [f"{selected:g}"]
    require(values, f"{expression} selects nothing")
    if configuration.findtext("allowWildcards") == "true":
        pattern = re.sub(r"[\[?]", lambda match: f"[{match.group()}]", expected)
        require(any(fnmatch.fnmatchcase(value, pattern) for value in values), f"{values} is not like {expected!r}")
    else:
        require(expected in values, f"{expected!r} is not in {values}")


# SoapUI's names of the first two say the opposite of what they check.
CHECKS = {"SOAP Fault Assertion": check_is_no_fault, "Not SOAP Fault Assertion": check_is_fault,
          "SOAP Response": check_soap_response, "Valid HTTP Status Codes": check_status,
          "Schema Compliance": check_schema, "XPath Match": check_xpath}


class Project:
    def __init__(self, path, properties):
        self.root = etree.parse(str(path)).getroot()
        self.properties = {element.findtext(f"{CON}name"): element.findtext(f"{CON}value") or ""
                           for element in self.root.findall(f"{CON}properties/{CON}property")}
        unknown = set(properties) - set(self.properties)
        assert not unknown, f"the project has no {unknown}"
        self.properties.update(properties)
        self.interfaces = {element.get("name"): element for element in self.root.findall(f"{CON}interface")}

    def expand(self, text, convert=str):
        return re.sub(r"\$\{#Project#(\w+)\}", lambda match: convert(self.properties[match.group(1)]), text)

    def wsdl_of(self, interface):
        return etree.fromstring(interface.findtext(f"{CON}definitionCache/{CON}part/{CON}content").encode())

    def samples(self):
        for interface in self.interfaces.values():
            for operation in interface.findall(f"{CON}operation"):
                for call in operation.findall(f"{CON}call"):
                    yield f"{interface.get('name')}: {operation.get('name')}", Request(self, interface, operation, call)

    def steps(self):
        for suite in self.root.findall(f"{CON}testSuite"):
            for case in suite.findall(f"{CON}testCase"):
                for step in case.findall(f"{CON}testStep"):
                    config = step.find(f"{CON}config")
                    interface = self.interfaces[config.findtext(f"{CON}interface")]
                    name = config.findtext(f"{CON}operation")
                    operation = interface.find(f"{CON}operation[@name='{name}']")
                    yield (f"{suite.get('name')}: {case.get('name')}",
                           Request(self, interface, operation, config.find(f"{CON}request")))
