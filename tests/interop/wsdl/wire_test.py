"""What the service serves and says, by the word of others: each WSDL as it comes over HTTP, the sample messages of the
page for people, and calls made from these samples with their answers, good ones and faults, in both SOAP versions. All
of it is validated by the official schemas and the WSDL's own (xmllint), and held against the WS-I Basic Profile 1.1."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from lxml import etree, html

import basic_profile
import end_to_end
import official_schemas
import soap_client
from basic_profile import Answer, Description
from invited_service import NO_RATES, Service
from official_schemas import OfficialSchemas

OPERATIONS = {"SendInvite": "/ws/InviteAPI/1/soap1", "GetRolesForOpenID": "/ws/PermissionsAPI/1/soap1",
              "GetUserProfile": "/ws/ProfileService/3/soap1", "GetDisplayName": "/ws/ProfileService/1/soap1"}
SOAP_11, SOAP_12 = soap_client.SOAP_11, soap_client.SOAP_12
NAMES = {"s": SOAP_11, "f": soap_client.FAULT_NAMESPACE}
PROFILE = {"job-title": "漢" * 200, "department": "R&D <é>", "company": "C&A", "company-id": "4711",
           "location": "Rotterdam", "country": "NL", "phone": "+31 10 1234567", "website": "https://example.org/?a&b",
           "linkedin": "ada", "twitter": "@ada", "skype": "ada", "avatar-url": "https://example.org/a.png",
           "avatar-thumbnail-url": "https://example.org/t.png", "bio": "First line\nsecond & <last>"}


class WireTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="invited-wire-")
        cls.addClassCleanup(scratch.cleanup)
        cls.schemas = OfficialSchemas(scratch.name)
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.base = cls.service.base_url
        cls.wsdls = {operation: cls.service.request("GET", f"{path}?wsdl").body
                     for operation, path in OPERATIONS.items()}
        cls.page = html.fromstring(cls.service.request("GET", "/ws-doc/").body)
        # Of one person everything is known, of the other nothing but the name.
        cls.full = cls.add_person("ada@example.org", "Ada &<é漢")
        cls.service.cli("account", "set", "--email", "ada@example.org",
                        *(word for name, value in PROFILE.items() for word in (f"--{name}", value)))
        cls.bare = cls.add_person("bare@example.org", "Bare")

    @classmethod
    def add_person(cls, email, name):
        """An account with two roles in the environment; returns its OpenID."""
        made = cls.service.cli("account", "add", "--email", email, "--name", name)
        for role in (cls.service.role_uuid, cls.service.other_role_uuid):
            cls.service.cli("access", "grant", "--environment", cls.service.environment_uuid, "--email", email,
                            "--role", role)
        return f"{cls.base}/id?id={made['account_uuid']}"

    def sample(self, label):
        block, = self.page.xpath("//pre[@aria-label=$label]", label=label)
        return block.text_content()

    def envelope(self, operation, soap=SOAP_11, **changes):
        """The sample request with values that are good here, or those given."""
        values = {"EnvironmentUUID": self.service.environment_uuid, "EnvironmentID": self.service.environment_uuid,
                  "EnvironmentPassword": self.service.environment_password, "RoleUUID": self.service.role_uuid,
                  "InviteeEmailAddress": "guest@example.org", "InviterEmailAddress": self.service.inviter_email,
                  "OpenID": self.full, **changes}
        root = etree.fromstring(self.sample(f"Sample request of {operation}").encode())
        for parameter in root.xpath("/s:Envelope/s:Body/*/*", namespaces=NAMES):
            parameter.text = values[parameter.tag]
        text = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
        return text.replace(SOAP_11.encode(), soap.encode())

    def post(self, operation, body, soap=SOAP_11, headers=None):
        headers = {"Content-Type": soap_client.soap_headers(soap)["Content-Type"],
                   "SOAPAction": f'"http://www.example.com/{operation}"', **(headers or {})}
        return self.service.request("POST", OPERATIONS[operation], body, headers)

    def good_calls(self):
        for operation in OPERATIONS:
            yield operation, {}
        for operation in ("GetRolesForOpenID", "GetUserProfile", "GetDisplayName"):
            yield operation, {"OpenID": self.bare}

    def refused_calls(self):
        for operation in OPERATIONS:
            yield operation, {"EnvironmentPassword": "wrong"}, "authentication_failed"
        yield "SendInvite", {"InviteeEmailAddress": "a&<é漢"}, "invalid_email_address"
        for operation in ("GetRolesForOpenID", "GetUserProfile", "GetDisplayName"):
            yield operation, {"OpenID": " "}, "missing_parameter"
            yield operation, {"OpenID": "nobody"}, "unknown_person"

    def answer(self, operation, response):
        return Answer(response.status, response.headers["Content-Type"], response.body,
                      Description(self.wsdls[operation]), operation)

    def check_payload(self, operation, message, soap):
        element, = etree.fromstring(message).xpath("/s:Envelope/s:Body/*", namespaces={"s": soap})
        self.assertEqual(self.schemas.problems_of_payload(self.wsdls[operation], element), "", message)

    def check_message(self, operation, message):
        self.assertEqual(self.schemas.problems_of_envelope(self.wsdls[operation], message), "", message)

    def check_profile(self, operation, response):
        answer = self.answer(operation, response)
        for rule in basic_profile.ANSWER_RULES:
            self.assertEqual(rule.problems(answer), [])

    # --- what is served ---------------------------------------------------------------------------------------------

    def test_the_served_wsdls_are_valid_and_keep_to_the_basic_profile(self):
        for operation, path in OPERATIONS.items():
            with self.subTest(operation):
                text = self.wsdls[operation]
                self.assertEqual(self.schemas.problems_of_wsdl(text), "")
                description = Description(text)
                self.assertEqual(description.all("//soap:address/@location"), [self.base + path])
                self.assertEqual(description.all("//wsdl:portType/wsdl:operation/@name"), [operation])
                for rule in basic_profile.DESCRIPTION_RULES:
                    self.assertEqual(rule.problems(description), [])

    def test_the_samples_on_the_page_are_valid(self):
        for operation in OPERATIONS:
            with self.subTest(operation):
                request = self.sample(f"Sample request of {operation}").encode()
                self.check_message(operation, request)
                self.check_payload(operation, request, SOAP_11)
                head, _, answer = self.sample(f"Sample response of {operation}").partition("\n\n")
                self.assertTrue(head.startswith("HTTP/1.1 200 OK"))
                self.check_message(operation, answer.encode())
                self.check_payload(operation, answer.encode(), SOAP_11)
        self.check_message("SendInvite", self.sample("Sample fault").encode())

    # --- what is said -----------------------------------------------------------------------------------------------

    def test_requests_and_answers_are_valid_and_keep_to_the_basic_profile(self):
        for operation, changes in self.good_calls():
            with self.subTest(f"{operation} {changes}"):
                request = self.envelope(operation, **changes)
                self.check_message(operation, request)
                self.check_payload(operation, request, SOAP_11)
                response = self.post(operation, request)
                self.assertEqual(response.status, 200, response.body)
                self.check_message(operation, response.body)
                self.check_payload(operation, response.body, SOAP_11)
                self.check_profile(operation, response)

    def test_soap_1_2_carries_the_same(self):
        for operation, changes in self.good_calls():
            with self.subTest(f"{operation} {changes}"):
                response = self.post(operation, self.envelope(operation, SOAP_12, **changes), SOAP_12)
                self.assertEqual(response.status, 200, response.body)
                self.check_payload(operation, response.body, SOAP_12)

    def test_faults_are_valid_and_keep_to_the_basic_profile(self):
        for operation, changes, code in self.refused_calls():
            with self.subTest(f"{operation} {changes}"):
                response = self.post(operation, self.envelope(operation, **changes))
                self.assertEqual(response.status, 500)
                self.assertEqual(etree.fromstring(response.body).xpath("string(//f:Code)", namespaces=NAMES), code)
                self.check_message(operation, response.body)
                self.check_profile(operation, response)

    def test_answers_that_do_not_fit_the_schemas_would_be_noticed(self):
        response = self.post("GetUserProfile", self.envelope("GetUserProfile"))
        for before, after in (("<Phone>", "<Phone>+31 10 1234567 and more"), ("<OpenId>", "<OpenID>x</OpenID><OpenId>"),
                              ("<CompanyName>", "<CompanyName x='y'>")):
            spoiled = response.body.replace(before.encode(), after.encode())
            self.assertNotEqual(spoiled, response.body)
            self.assertNotEqual(self.schemas.problems_of_envelope(self.wsdls["GetUserProfile"], spoiled), "")

    def test_each_rule_about_answers_notices_what_breaks_it(self):
        answers = [self.post("GetDisplayName", self.envelope("GetDisplayName", **changes))
                   for changes in ({}, {"EnvironmentPassword": "wrong"})]
        for rule in basic_profile.ANSWER_RULES:
            with self.subTest(rule.number):
                found = []
                for response in answers:
                    answer = self.answer("GetDisplayName", response)
                    self.assertEqual(rule.problems(answer), [])
                    if isinstance(rule.breaks[0], dict):
                        for name, value in rule.breaks[0].items():
                            setattr(answer, name, value)
                    else:
                        before, after = rule.breaks
                        answer.text = answer.text.replace(before.encode(), after.encode())
                        answer.root = etree.fromstring(answer.text)
                    found += rule.problems(answer)
                self.assertNotEqual(found, [])

    # --- rules of the Basic Profile about what a receiver does --------------------------------------------------------

    def check_good(self, operation, body, **headers):
        response = self.post(operation, body, headers=headers)
        self.assertEqual(response.status, 200, response.body)

    def fault_code(self, operation, body, **headers):
        response = self.post(operation, body, headers=headers)
        return response.status, etree.fromstring(response.body).xpath("string(//faultcode)").rpartition(":")[2]

    def test_r1127_soapaction_decides_nothing(self):
        for operation in OPERATIONS:
            for action in ('""', '"http://www.example.com/Other"', "unquoted", "''"):
                with self.subTest(f"{operation} {action}"):
                    self.check_good(operation, self.envelope(operation), SOAPAction=action)

    def test_r4001_a_byte_order_mark_is_accepted(self):
        for operation in OPERATIONS:
            self.check_good(operation, b"\xef\xbb\xbf" + self.envelope(operation))

    def test_r1017_types_in_the_message_are_neither_needed_nor_refused(self):
        for operation in OPERATIONS:
            body = self.envelope(operation).replace(
                b"<EnvironmentPassword>", b'<EnvironmentPassword xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                b'xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:string">')
            self.check_good(operation, body)

    def test_r1027_headers_that_must_be_understood_are_refused_before_anything_happens(self):
        for operation in OPERATIONS:
            body = self.envelope(operation, InviteeEmailAddress="never@example.org").replace(
                b"<soap:Body>", b'<soap:Header><x:y xmlns:x="urn:x" soap:mustUnderstand="1"/></soap:Header><soap:Body>')
            self.assertEqual(self.fault_code(operation, body), (500, "MustUnderstand"))
        self.assertNotIn("never@example.org", str(self.service.cli("invitation", "list")))

    def test_r1015_r2725_faults_say_what_comes_first(self):
        for operation in OPERATIONS:
            other = self.envelope(operation).replace(SOAP_11.encode(), b"urn:another-soap")
            self.assertEqual(self.fault_code(operation, other), (500, "VersionMismatch"))
            unknown = self.envelope(operation).replace(f"tns:{operation}".encode(), b"tns:Nothing")
            self.assertEqual(self.fault_code(operation, unknown), (500, "Client"))
            both = unknown.replace(b"<soap:Body>", b'<soap:Header><x:y xmlns:x="urn:x" soap:mustUnderstand="1"/>'
                                                   b"</soap:Header><soap:Body>")
            self.assertEqual(self.fault_code(operation, both), (500, "MustUnderstand"))

    def test_r1113_r1114_r1115_http_statuses_say_what_http_is_for(self):
        for operation, path in OPERATIONS.items():
            self.assertEqual(self.post(operation, b"<broken").status, 400)
            self.assertEqual(self.service.request("GET", path).status, 405)
            self.assertEqual(self.service.request("PUT", path, b"x").status, 405)
            self.assertEqual(self.post(operation, self.envelope(operation),
                                       headers={"Content-Type": "application/json"}).status, 415)


if __name__ == "__main__":
    official_schemas.folder_or_skip()
    end_to_end.main()
