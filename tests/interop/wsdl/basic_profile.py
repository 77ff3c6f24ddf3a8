"""The rules of the WS-I Basic Profile 1.1 that a program can check on a WSDL, and on what a service answers. One rule is
one function, named by its number, which yields what breaks it; beside it stands a change to a good document that breaks
the rule, so that a test can show that the function notices. R2028 and R2029 (valid by the schemas) are
official_schemas.py's; rules about clients, and those that allow something, cannot be broken by a service.

Two rules are not followed, for safety, and are not here: UTF-16 is not read (415), and what is no SOAP message at all is
refused with a fault and status 400 instead of 500.
"""

import dataclasses
import re
from typing import Callable

from lxml import etree

WSDL = "http://schemas.xmlsoap.org/wsdl/"
BINDING = "http://schemas.xmlsoap.org/wsdl/soap/"
XSD = "http://www.w3.org/2001/XMLSchema"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
XML = "http://www.w3.org/XML/1998/namespace"
NAMES = {"wsdl": WSDL, "soap": BINDING, "xsd": XSD, "e": ENVELOPE, "enc": ENCODING}


@dataclasses.dataclass
class Rule:
    number: str
    sentence: str
    check: Callable
    breaks: tuple  # (what to replace, by what)

    def problems(self, document):
        return [f"{self.number} ({self.sentence}): {problem}" for problem in self.check(document)]


DESCRIPTION_RULES, ANSWER_RULES = [], []


def rule(rules, number, sentence, *breaks):
    def register(check):
        rules.append(Rule(number, sentence, check, breaks))
        return check
    return register


def about_descriptions(number, sentence, *breaks):
    return rule(DESCRIPTION_RULES, number, sentence, *breaks)


def about_answers(number, sentence, *breaks):
    return rule(ANSWER_RULES, number, sentence, *breaks)


def shown(element):
    return f"line {element.sourceline}: {etree.QName(element).localname} {dict(element.attrib)}"


class Description:
    """A WSDL document."""

    def __init__(self, text):
        self.text = text
        self.root = etree.fromstring(text)
        self.target = self.root.get("targetNamespace")

    def all(self, path, start=None):
        return (self.root if start is None else start).xpath(path, namespaces=NAMES)

    def resolve(self, element, attribute):
        """(namespace, local name) of a qualified name in an attribute."""
        prefix, _, local = element.get(attribute).rpartition(":")
        return element.nsmap.get(prefix or None), local

    def find(self, kind, element, attribute):
        """The definition that an attribute names, in this document."""
        space, local = self.resolve(element, attribute)
        found = self.all(f"/wsdl:definitions/wsdl:{kind}[@name='{local}']") if space == self.target else []
        return found[0] if found else None

    def bodies(self):
        """Each soap:body with the message that it carries."""
        for binding in self.all("//wsdl:binding"):
            port_type = self.find("portType", binding, "type")
            for body in self.all(".//soap:body", binding):
                direction = etree.QName(body.getparent()).localname
                operation = body.getparent().getparent().get("name")
                for abstract in self.all(f"wsdl:operation[@name='{operation}']/wsdl:{direction}", port_type):
                    yield body, self.find("message", abstract, "message")


# --- documents -------------------------------------------------------------------------------------------------------

@about_descriptions("R4003", "encoded in UTF-8 or UTF-16", 'encoding="UTF-8"', 'encoding="ISO-8859-1"')
def _(description):
    encoding = etree.ElementTree(description.root).docinfo.encoding
    if encoding.upper() not in ("UTF-8", "UTF-16"):
        yield encoding


@about_descriptions("R4004", "XML 1.0", '<?xml version="1.0"', '<?xml version="1.1"')
def _(description):
    declared = re.match(rb"\s*<\?xml[^>]*version=[\"']([^\"']*)", description.text)
    if declared and declared[1] != b"1.0":
        yield declared[1]


@about_descriptions("R4005", "the prefix xml is not declared", "xmlns:tns=", f'xmlns:xml="{XML}" xmlns:tns=')
def _(description):
    if b"xmlns:xml=" in description.text:
        yield "xmlns:xml"


@about_descriptions("R2002", "schemas are imported by xsd:import, never by wsdl:import", "<wsdl:types>",
                    '<wsdl:import namespace="urn:x" location="types.xsd"/><wsdl:types>')
def _(description):
    for element in description.all("//wsdl:import[contains(@location, '.xsd') or contains(@location, '?xsd')]"):
        yield shown(element)


@about_descriptions("R2003", "xsd:import stands only in a schema of the types section", "<wsdl:types>",
                    '<wsdl:types><xsd:import namespace="urn:x"/>')
def _(description):
    for element in description.all("//xsd:import[not(parent::xsd:schema[parent::wsdl:types])]"):
        yield shown(element)


@about_descriptions("R2007", "an import says where from", "<wsdl:types>",
                    '<wsdl:import namespace="urn:x" location=""/><wsdl:types>')
def _(description):
    for element in description.all("//wsdl:import[not(string(@location))]"):
        yield shown(element)


@about_descriptions("R2803", "an import's namespace is no relative URI", "<wsdl:types>",
                    '<wsdl:import namespace="x" location="x.wsdl"/><wsdl:types>')
def _(description):
    for element in description.all("//wsdl:import"):
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", element.get("namespace", "")):
            yield shown(element)


@about_descriptions("R2022", "imports come before all but documentation", "</wsdl:types>",
                    '</wsdl:types><wsdl:import namespace="urn:x" location="x.wsdl"/>')
def _(description):
    for element in description.all("/wsdl:definitions/wsdl:import[preceding-sibling::wsdl:*"
                                   "[not(self::wsdl:import or self::wsdl:documentation)]]"):
        yield shown(element)


@about_descriptions("R2023", "types come before all but documentation and imports", "<wsdl:types>",
                    '<wsdl:message name="early"/><wsdl:types>')
def _(description):
    for element in description.all("/wsdl:definitions/wsdl:types[preceding-sibling::wsdl:*"
                                   "[not(self::wsdl:import or self::wsdl:documentation)]]"):
        yield shown(element)


@about_descriptions("R2026", "no extension is required", '<soap:binding style', '<soap:binding wsdl:required="true" style')
def _(description):
    for element in description.all("//*[@wsdl:required='true' or @wsdl:required='1']"):
        yield shown(element)


# --- types -----------------------------------------------------------------------------------------------------------

@about_descriptions("R2101", "references between definitions stay in namespaces that are defined or imported here",
                    'binding="tns:', 'binding="wsdl:')
def _(description):
    known = {description.target, *description.all("//wsdl:import/@namespace")}
    for path, attribute in (("//wsdl:portType//*[@message]", "message"), ("//wsdl:binding", "type"),
                            ("//wsdl:port", "binding")):
        for element in description.all(path):
            if description.resolve(element, attribute)[0] not in known:
                yield shown(element)


@about_descriptions("R2102", "references to schema components stay in the schema's namespace or one that it imports",
                    'base="xsd:string"', 'base="soap:string"', 'type="xsd:string"', 'type="soap:string"')
def _(description):
    for schema in description.all("//xsd:schema"):
        known = {schema.get("targetNamespace"), XSD, *description.all("xsd:import/@namespace", schema)}
        for attribute in ("type", "ref", "base", "itemType"):
            for element in description.all(f".//*[@{attribute}]", schema):
                if description.resolve(element, attribute)[0] not in known:
                    yield shown(element)


@about_descriptions("R2105", "every schema has a target namespace", "<xsd:schema targetNamespace=", "<xsd:schema id=")
def _(description):
    for schema in description.all("//wsdl:types/xsd:schema[not(string(@targetNamespace))]"
                                  "[*[not(self::xsd:import or self::xsd:annotation)]]"):
        yield shown(schema)


@about_descriptions("R2110", "nothing derives from SOAP's array", "</xsd:schema>",
                    f'<xsd:complexType name="A"><xsd:complexContent><xsd:restriction xmlns:enc="{ENCODING}" '
                    'base="enc:Array"/></xsd:complexContent></xsd:complexType></xsd:schema>')
def _(description):
    for element in description.all("//xsd:*[@base]"):
        if description.resolve(element, "base") == (ENCODING, "Array"):
            yield shown(element)


@about_descriptions("R2111", "no wsdl:arrayType", "<xsd:sequence", '<xsd:sequence wsdl:arrayType="x[]"')
def _(description):
    for element in description.all("//*[@wsdl:arrayType]"):
        yield shown(element)


@about_descriptions("R2112", "no ArrayOf… as a name", '<xsd:element name="', '<xsd:element name="ArrayOf')
def _(description):
    for element in description.all("//xsd:*[starts-with(@name, 'ArrayOf')]"):
        yield shown(element)


# --- messages and port types -----------------------------------------------------------------------------------------

@about_descriptions("R2201", "a document-literal body names one part at most", 'use="literal"',
                    'use="literal" parts="a b"')
def _(description):
    for body, _message in description.bodies():
        if len(body.get("parts", "").split()) > 1:
            yield shown(body)


@about_descriptions("R2204", "a document-literal body carries parts that are elements", "element=", "type=")
def _(description):
    for body, message in description.bodies():
        for part in description.all("wsdl:part[not(@element)]", message):
            yield f"{shown(body)} carries {shown(part)}"


@about_descriptions("R2205", "headers and faults carry parts that are elements", "</wsdl:output>\n    </wsdl:operation>\n"
                    "  </wsdl:binding>", '<soap:header message="tns:none" part="x" use="literal"/></wsdl:output>\n'
                    "    </wsdl:operation>\n  </wsdl:binding>")
def _(description):
    for element in description.all("//soap:header | //soap:headerfault"):
        message = description.find("message", element, "message")
        named = [] if message is None else description.all(f"wsdl:part[@name='{element.get('part')}'][@element]", message)
        if not named:
            yield shown(element)


@about_descriptions("R2206", "a part's element is one that the schema declares at its top", 'element="tns:',
                    'element="tns:no')
def _(description):
    for part in description.all("//wsdl:part[@element]"):
        space, local = description.resolve(part, "element")
        if not description.all(f"//xsd:schema[@targetNamespace='{space}']/xsd:element[@name='{local}']"):
            yield shown(part)


@about_descriptions("R2209", "every part of a message is bound", 'use="literal"', 'use="literal" parts=""')
def _(description):
    for body, message in description.bodies():
        parts = description.all("wsdl:part/@name", message)
        bound = parts if body.get("parts") is None else body.get("parts").split()
        if set(parts) - set(bound):
            yield shown(body)


@about_descriptions("R2210", "a body that names no parts belongs to a message with one part at most",
                    '<wsdl:part ', '<wsdl:part name="second" element="tns:x"/><wsdl:part ')
def _(description):
    for body, message in description.bodies():
        if body.get("parts") is None and len(description.all("wsdl:part", message)) > 1:
            yield shown(body)


@about_descriptions("R2303", "operations are called by the client: input comes first", "<wsdl:input message=",
                    "<wsdl:output message=")
def _(description):
    for operation in description.all("//wsdl:portType/wsdl:operation"):
        kinds = [etree.QName(child).localname for child in description.all("wsdl:input | wsdl:output", operation)]
        if kinds[:1] != ["input"]:
            yield shown(operation)


@about_descriptions("R2304", "operations of a port type have names of their own", "</wsdl:portType>",
                    '<wsdl:operation name="Twice"/><wsdl:operation name="Twice"/></wsdl:portType>')
def _(description):
    for port_type in description.all("//wsdl:portType"):
        names = description.all("wsdl:operation/@name", port_type)
        yield from (name for name in set(names) if names.count(name) > 1)


@about_descriptions("R2306", "a part is an element or has a type, not both", "<wsdl:part ",
                    '<wsdl:part type="xsd:string" ')
def _(description):
    for part in description.all("//wsdl:part[@type and @element]"):
        yield shown(part)


# --- bindings --------------------------------------------------------------------------------------------------------

@about_descriptions("R2401", "every binding is a SOAP binding", "<soap:binding ", "<soap:body ")
def _(description):
    for binding in description.all("//wsdl:binding[not(soap:binding)]"):
        yield shown(binding)


@about_descriptions("R2701", "the SOAP binding says its transport", f'transport="{HTTP_TRANSPORT}"', "")
def _(description):
    for element in description.all("//soap:binding[not(@transport)]"):
        yield shown(element)


@about_descriptions("R2702", "the transport is HTTP", f'transport="{HTTP_TRANSPORT}"', 'transport="urn:mail"')
def _(description):
    for element in description.all(f"//soap:binding[@transport != '{HTTP_TRANSPORT}']"):
        yield shown(element)


@about_descriptions("R2705", "a binding has one style for all", '" style="document"', '" style="rpc"')
def _(description):
    for binding in description.all("//wsdl:binding"):
        default = (description.all("soap:binding/@style", binding) or ["document"])[0]
        styles = {operation.get("style", default) for operation in description.all(".//soap:operation", binding)}
        if len(styles | {default}) > 1:
            yield shown(binding)


@about_descriptions("R2706", "the use is literal", 'use="literal"', 'use="encoded"')
def _(description):
    for element in description.all("//soap:body | //soap:fault | //soap:header | //soap:headerfault"):
        if element.get("use", "literal") != "literal":
            yield shown(element)


@about_descriptions("R2710", "operations differ on the wire", "</wsdl:binding>",
                    '<wsdl:operation name="Same"><wsdl:input><soap:body use="literal"/></wsdl:input></wsdl:operation>'
                    "</wsdl:binding>", "</wsdl:portType>",
                    '<wsdl:operation name="Same"><wsdl:input message="tns:@REQUEST@"/></wsdl:operation></wsdl:portType>')
def _(description):
    for binding in description.all("//wsdl:binding"):
        port_type = description.find("portType", binding, "type")
        elements = [description.resolve(part, "element")
                    for abstract in description.all("wsdl:operation/wsdl:input", port_type)
                    for part in description.all("wsdl:part[@element]", description.find("message", abstract, "message"))]
        if len(elements) != len(set(elements)):
            yield shown(binding)


@about_descriptions("R2711", "ports have addresses of their own", "</wsdl:service>",
                    '<wsdl:port name="Second" binding="tns:none"><soap:address location="@ADDRESS@"/></wsdl:port>'
                    "</wsdl:service>")
def _(description):
    addresses = description.all("//soap:address/@location")
    yield from (address for address in set(addresses) if addresses.count(address) > 1)


@about_descriptions("R2716", "document-literal bindings name no namespace", 'use="literal"',
                    'use="literal" namespace="urn:x"')
def _(description):
    for element in description.all("//soap:body | //soap:fault | //soap:header | //soap:headerfault"):
        if element.get("namespace") is not None:
            yield shown(element)


@about_descriptions("R2717", "rpc-literal bindings name one", 'style="document"', 'style="rpc"')
def _(description):
    for binding in description.all("//wsdl:binding[soap:binding/@style = 'rpc']"):
        for body in description.all(".//soap:body[not(@namespace)]", binding):
            yield shown(body)


@about_descriptions("R2718", "a binding has the operations of its port type", "</wsdl:portType>",
                    '<wsdl:operation name="More"><wsdl:input message="tns:@REQUEST@"/></wsdl:operation></wsdl:portType>')
def _(description):
    for binding in description.all("//wsdl:binding"):
        port_type = description.find("portType", binding, "type")
        if sorted(description.all("wsdl:operation/@name", binding)) != sorted(
                description.all("wsdl:operation/@name", port_type)):
            yield shown(binding)


@about_descriptions("R2720", "headers name their part", "</wsdl:output>\n    </wsdl:operation>\n  </wsdl:binding>",
                    '<soap:header message="tns:x" use="literal"/></wsdl:output>\n    </wsdl:operation>\n'
                    "  </wsdl:binding>")
def _(description):
    for element in description.all("//soap:header[not(@part)] | //soap:headerfault[not(@part)]"):
        yield shown(element)


@about_descriptions("R2721", "bound faults have a name", "</wsdl:output>\n    </wsdl:operation>\n  </wsdl:binding>",
                    '</wsdl:output><wsdl:fault name="x"><soap:fault use="literal"/></wsdl:fault>\n'
                    "    </wsdl:operation>\n  </wsdl:binding>")
def _(description):
    for element in description.all("//soap:fault[not(@name)]"):
        yield shown(element)


@about_descriptions("R2754", "bound faults have the name of the fault around them",
                    "</wsdl:output>\n    </wsdl:operation>\n  </wsdl:binding>",
                    '</wsdl:output><wsdl:fault name="x"><soap:fault name="y" use="literal"/></wsdl:fault>\n'
                    "    </wsdl:operation>\n  </wsdl:binding>")
def _(description):
    for element in description.all("//wsdl:fault/soap:fault[@name != ../@name]"):
        yield shown(element)


# --- answers ---------------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Answer:
    """An answer to a call in SOAP 1.1, to be judged with the WSDL of the service."""
    status: int
    content_type: str
    text: bytes
    description: Description
    operation: str

    def __post_init__(self):
        self.root = etree.fromstring(self.text)

    def all(self, path):
        return self.root.xpath(path, namespaces=NAMES)

    def is_fault(self):
        return bool(self.all("/e:Envelope/e:Body/e:Fault"))


@about_answers("R9981", "one child of the Body at most", "</SOAP-ENV:Body>", "<x/></SOAP-ENV:Body>")
def _(answer):
    if len(answer.all("/e:Envelope/e:Body/*")) > 1:
        yield answer.text


@about_answers("R1014", "what stands in the Body has a namespace", "<SOAP-ENV:Body>", "<SOAP-ENV:Body><x/>")
def _(answer):
    yield from map(shown, answer.all("/e:Envelope/e:Body/*[not(namespace-uri())]"))


@about_answers("R1008", "no document type declaration", "<SOAP-ENV:Envelope",
               "<!DOCTYPE SOAP-ENV:Envelope>\n<SOAP-ENV:Envelope")
def _(answer):
    if b"<!DOCTYPE" in answer.text:
        yield answer.text


@about_answers("R1009", "no processing instructions", "<SOAP-ENV:Body>", "<SOAP-ENV:Body><?x y?>")
def _(answer):
    yield from map(str, answer.all("//processing-instruction()"))


@about_answers("R1033", "the prefix xml is not declared", "<SOAP-ENV:Body", f'<SOAP-ENV:Body xmlns:xml="{XML}"')
def _(answer):
    if b"xmlns:xml=" in answer.text:
        yield answer.text


@about_answers("R1011", "nothing after the Body", "</SOAP-ENV:Body>", "</SOAP-ENV:Body><x/>")
def _(answer):
    yield from map(shown, answer.all("/e:Envelope/e:Body/following-sibling::*"))


@about_answers("R1005", "no encodingStyle on SOAP's elements", "<SOAP-ENV:Body",
               '<SOAP-ENV:Body SOAP-ENV:encodingStyle="urn:x"')
def _(answer):
    yield from map(shown, answer.all("//e:*[@e:encodingStyle]"))


@about_answers("R1006", "no encodingStyle on what stands in the Body", ' xmlns:tns=',
               ' SOAP-ENV:encodingStyle="urn:x" xmlns:tns=')
def _(answer):
    yield from map(shown, answer.all("/e:Envelope/e:Body/*[@e:encodingStyle]"))


@about_answers("R1032", "Envelope, Header and Body have no attributes of SOAP's", "<SOAP-ENV:Body",
               '<SOAP-ENV:Body SOAP-ENV:actor="urn:x"')
def _(answer):
    yield from map(shown, answer.all("//*[self::e:Envelope or self::e:Header or self::e:Body][@e:*]"))


@about_answers("R2113", "no arrayType", ' xmlns:tns=',
               f' xmlns:enc="{ENCODING}" enc:arrayType="x[1]" xmlns:tns=')
def _(answer):
    yield from map(shown, answer.all("//*[@enc:arrayType]"))


@about_answers("R2712", "the Body holds the element that the WSDL's message names", "Response", "Answer")
def _(answer):
    if answer.is_fault():
        return
    description = answer.description
    output, = description.all(f"//wsdl:portType/wsdl:operation[@name='{answer.operation}']/wsdl:output")
    part, = description.all("wsdl:part", description.find("message", output, "message"))
    found = [(etree.QName(element).namespace, etree.QName(element).localname)
             for element in answer.all("/e:Envelope/e:Body/*")]
    if found != [description.resolve(part, "element")]:
        yield found


@about_answers("R1000", "a fault has no other children than SOAP's", "<detail>", "<reason>x</reason><detail>")
def _(answer):
    yield from map(shown, answer.all("//e:Fault/*[not(self::faultcode or self::faultstring or self::faultactor "
                                     "or self::detail)]"))


@about_answers("R1001", "a fault's children have no namespace", "<detail>", '<x:reason xmlns:x="urn:x"/><detail>')
def _(answer):
    yield from map(shown, answer.all("//e:Fault/*[namespace-uri()]"))


@about_answers("R1004", "the fault's code is one of SOAP 1.1's", "<faultcode>SOAP-ENV:", "<faultcode>SOAP-ENV:No")
def _(answer):
    for code in answer.all("//e:Fault/faultcode"):
        prefix, _, local = code.text.rpartition(":")
        if code.nsmap.get(prefix) != ENVELOPE or local.split(".")[0] not in ("VersionMismatch", "MustUnderstand",
                                                                             "Client", "Server"):
            yield code.text


@about_answers("R1031", "the fault's code has no dots", "</faultcode>", ".Wrong</faultcode>")
def _(answer):
    yield from (code.text for code in answer.all("//e:Fault/faultcode") if "." in code.text)


@about_answers("R1012", "in UTF-8 or UTF-16", 'encoding="UTF-8"', 'encoding="ISO-8859-1"')
def _(answer):
    encoding = etree.ElementTree(answer.root).docinfo.encoding or "UTF-8"
    if encoding.upper() not in ("UTF-8", "UTF-16"):
        yield encoding


@about_answers("R1018", "the media type says in which", {"content_type": "text/xml; charset=iso-8859-1"})
def _(answer):
    if answer.content_type.lower() != "text/xml; charset=utf-8":
        yield answer.content_type


@about_answers("R1111", "an answer that is no fault has status 200", {"status": 202})
def _(answer):
    if not answer.is_fault() and answer.status != 200:
        yield answer.status


@about_answers("R1126", "a fault has status 500", {"status": 200})
def _(answer):
    if answer.is_fault() and answer.status != 500:
        yield answer.status
