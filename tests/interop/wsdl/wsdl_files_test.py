"""The WSDLs as they stand in wsdl/: valid by the schemas of WSDL 1.1, of its SOAP binding and of XML Schema, and within
the rules of the WS-I Basic Profile 1.1. Every check is first shown to notice what it is for."""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import basic_profile
import end_to_end
import official_schemas
from basic_profile import Description
from official_schemas import OfficialSchemas

FILES = {path.name: path.read_bytes() for path in sorted((end_to_end.SOURCE_DIR / "wsdl").glob("*.wsdl"))}


def broken(text, changes):
    """`text` with the replacements of a rule's counterexample."""
    request = re.search(rb'<wsdl:input message="tns:(\w+)"', text)[1]
    address = re.search(rb'location="([^"]*)"', text)[1]
    changed = text
    for before, after in zip(changes[::2], changes[1::2]):
        after = after.encode().replace(b"@REQUEST@", request).replace(b"@ADDRESS@", address)
        changed = changed.replace(before.encode(), after, 1)
    return changed


class WsdlFilesTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="invited-wsdl-")
        self.addCleanup(self.scratch.cleanup)
        self.assertGreaterEqual(set(FILES), {"InviteAPI.wsdl", "PermissionsAPI.wsdl", "ProfileService.wsdl",
                                             "ProfileService-1.wsdl", "RefreshAPI.wsdl"})

    def test_they_are_valid_by_the_official_schemas_as_r2028_r2029_and_r2801_ask(self):
        schemas = OfficialSchemas(self.scratch.name)
        for name, text in FILES.items():
            with self.subTest(name):
                self.assertEqual(schemas.problems_of_wsdl(text), "")

    def test_the_official_schemas_notice_what_is_not_valid(self):
        schemas = OfficialSchemas(self.scratch.name)
        for name, changes in {
                "R2028, WSDL": ("<wsdl:message name=", "<wsdl:message id="),
                "R2028, order": ("<wsdl:input>", "<wsdl:fault name='x'/><wsdl:input>"),
                "R2029, SOAP binding": ('use="literal"', 'use="nonsense"'),
                "R2801, XML Schema": ("<xsd:sequence", '<xsd:sequence size="3"'),
                "R2801, facets": ('<xsd:maxLength value="', '<xsd:maxLength value="about '),
        }.items():
            with self.subTest(name):
                text = broken(FILES["PermissionsAPI.wsdl"], changes)
                self.assertNotEqual(text, FILES["PermissionsAPI.wsdl"])
                self.assertNotEqual(schemas.problems_of_wsdl(text), "")

    def test_they_keep_to_the_basic_profile(self):
        for name, text in FILES.items():
            for rule in basic_profile.DESCRIPTION_RULES:
                with self.subTest(f"{name} {rule.number}"):
                    self.assertEqual(rule.problems(Description(text)), [])

    def test_each_rule_notices_what_breaks_it(self):
        for rule in basic_profile.DESCRIPTION_RULES:
            for name in ("InviteAPI.wsdl", "ProfileService.wsdl"):
                with self.subTest(f"{name} {rule.number}"):
                    text = broken(FILES[name], rule.breaks)
                    self.assertNotEqual(text, FILES[name], "the counterexample changes something")
                    self.assertNotEqual(rule.problems(Description(text)), [])


if __name__ == "__main__":
    official_schemas.folder_or_skip()
    end_to_end.main()
