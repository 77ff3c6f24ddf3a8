"""Is a WSDL, or a message, valid by the schemas that their authors published? xmllint decides. The schemas (WSDL 1.1 and
its SOAP binding of 2003-02-11, SOAP 1.1's envelope, XML Schema's own) are not ours to keep: they come with the Debian
package python3-xmlschema. Nothing is fetched from the network."""

import importlib.util
import pathlib
import shutil
import subprocess

from lxml import etree

import end_to_end

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
XSD = "http://www.w3.org/2001/XMLSchema"
SCHEMAS = {"http://schemas.xmlsoap.org/wsdl/": "WSDL/wsdl.xsd",
           "http://schemas.xmlsoap.org/wsdl/soap/": "WSDL/wsdl-soap.xsd",
           SOAP_11: "WSDL/soap-envelope.xsd",
           XSD: "XSD_1.0/XMLSchema.xsd"}
# What the schemas refer to by address.
LOCATIONS = {"http://www.w3.org/2001/xml.xsd": "XML/xml_minimal.xsd"}


def folder_or_skip():
    if shutil.which("xmllint") is None:
        end_to_end.skip("xmllint is not installed (Debian package libxml2-utils)")
    package = importlib.util.find_spec("xmlschema")
    folder = pathlib.Path(package.origin).parent / "schemas" if package else pathlib.Path("/nonexistent")
    missing = [path for path in (*SCHEMAS.values(), *LOCATIONS.values()) if not (folder / path).is_file()]
    if missing:
        end_to_end.skip(f"the official schemas are not installed (Debian package python3-xmlschema): no {missing}")
    return folder


class OfficialSchemas:
    def __init__(self, scratch):
        self._scratch = pathlib.Path(scratch)
        self._folder = folder_or_skip()
        self._count = 0
        self._catalog = self._write("catalog.xml", '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">'
                                    + "".join(f'<system systemId="{at}" uri="{(self._folder / file).as_uri()}"/>'
                                              f'<uri name="{at}" uri="{(self._folder / file).as_uri()}"/>'
                                              for at, file in LOCATIONS.items()) + "</catalog>")
        self._wsdl_schema = self._importing("wsdl.xsd", {space: self._folder / file for space, file in SCHEMAS.items()
                                                         if space != SOAP_11})

    def _write(self, name, content):
        path = self._scratch / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def _importing(self, name, locations):
        imports = "".join(f'<xs:import namespace="{space}" schemaLocation="{path.as_uri()}"/>'
                          for space, path in locations.items())
        return self._write(name, f'<xs:schema xmlns:xs="{XSD}">{imports}</xs:schema>')

    def _problems(self, schema, document):
        self._count += 1
        path = self._write(f"document{self._count}.xml", document)
        result = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema), str(path)],
                                capture_output=True, text=True, timeout=60, check=False,
                                env={"PATH": "/usr/bin:/bin", "XML_CATALOG_FILES": str(self._catalog)})
        if result.returncode not in (0, 3):  # 3: not valid
            raise AssertionError(f"xmllint could not tell: {result.stderr}")
        return "" if result.returncode == 0 else result.stderr

    def problems_of_wsdl(self, text):
        """What is wrong with a WSDL with a schema in it, by all of these schemas; empty: nothing."""
        return self._problems(self._wsdl_schema, text)

    def _inline_schema(self, wsdl):
        schema = etree.fromstring(wsdl).find(f".//{{{XSD}}}schema")
        self._count += 1
        return schema.get("targetNamespace"), self._write(f"inline{self._count}.xsd", etree.tostring(schema))

    def problems_of_payload(self, wsdl, element):
        """What is wrong with what stands in a Body, by the schema in the WSDL."""
        return self._problems(self._inline_schema(wsdl)[1], etree.tostring(element, with_tail=False))

    def problems_of_envelope(self, wsdl, text):
        """What is wrong with a SOAP 1.1 message, by the schemas of SOAP and of the WSDL."""
        target, inline = self._inline_schema(wsdl)
        schema = self._importing(f"{inline.stem}-envelope.xsd",
                                 {SOAP_11: self._folder / SCHEMAS[SOAP_11], target: inline})
        return self._problems(schema, text)
