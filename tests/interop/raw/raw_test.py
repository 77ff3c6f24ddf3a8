"""Sends the requests in this folder byte for byte, as clients in the field write them, and compares what comes back
with what stands beside them: see README.md for the files and their form.

usage: raw_test.py [unittest options]
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from lxml import etree

import end_to_end
from invited_service import NO_RATES, Service
from soap_client import FAULT_NAMESPACE, SOAP_11, SOAP_12

WSDL_FOLDER = end_to_end.SOURCE_DIR / "wsdl"
PATIENCE = 30
# What stands in the requests. An app that moves here from elsewhere brings such values along.
ENVIRONMENT_UUID = "0e4f0b7a-7a3b-4a52-9f0e-7c1f1a5d2b11"
PASSWORD = "p&ss<word>é"
MEMBER_UUID = "8d1a6a5e-54c5-4a0e-9f64-9d3c1f5b0a77"
MANAGER_UUID = "c2b7f6de-0c4c-4be0-9c5e-3f2a9d8e7b66"
INVITER = "inviter@example.org"
PLANNER = "planner@example.org"
PILOT = "pilot@example.org"
STRANGER = "stranger@example.org"
PROFILE = {"--job-title": "Pilot <2> & \"guide\"", "--department": "Häfen 港", "--company": "Harbour & Sons",
           "--company-id": "HS-1", "--location": "Rotterdam", "--country": "NL", "--phone": "+31 10 252-1010",
           "--website": "https://harbour.example.org/?a=1&b=2", "--linkedin": "https://www.linkedin.com/in/example",
           "--twitter": "@example", "--skype": "example.pilot", "--bio": "First line\nSecond line",
           "--avatar-url": "https://img.example.org/a.png",
           "--avatar-thumbnail-url": "https://img.example.org/a-small.png"}


class Answer:
    def __init__(self, status_line, headers, body):
        self.status_line, self.headers, self.body = status_line, headers, body

    def __repr__(self):
        lines = [self.status_line, *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join(lines) + "\n\n" + self.body.decode("utf-8", "replace")


def parse_head(text):
    status_line, *lines = text.split("\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return status_line.strip(), headers


def expected_answers(path):
    answers = []
    for block in re.split(r"^----\n", path.read_bytes().decode("utf-8"), flags=re.MULTILINE):
        head, _, body = block.partition("\n\n")
        answers.append(Answer(*parse_head(head.rstrip("\n")), body.encode()))
    return answers


class Connection:
    """One connection: what is sent goes as it is, what comes is taken apart by its Content-Length."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._stream = self._socket.makefile("rb")

    def send(self, data):
        self._socket.sendall(data)

    def receive(self, to_head=False):
        """`to_head`: the request was a HEAD, so no body follows."""
        lines = []
        while line := self._stream.readline().decode("latin-1").rstrip("\r\n"):
            lines.append(line)
        if not lines:
            raise AssertionError("the connection ended where an answer was expected")
        status_line, headers = parse_head("\n".join(lines))
        length = 0 if to_head else int(headers.get("content-length", 0))
        body = self._stream.read(length)
        assert len(body) == length, f"only {len(body)} of {length} bytes came"
        return Answer(status_line, headers, body)

    def is_closed_by_service(self):
        """Waits for the end; nothing may come before it."""
        return self._stream.read(1) == b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._socket.close()


def schema_of(service_name, folder):
    """The schema in a WSDL, as a file that xmllint can validate a message's payload with."""
    document = etree.parse(str(WSDL_FOLDER / f"{service_name}.wsdl"))
    schema = document.find(".//{http://www.w3.org/2001/XMLSchema}schema")
    path = pathlib.Path(folder) / f"{service_name}.xsd"
    path.write_bytes(etree.tostring(schema))
    return path


class RawRequests(unittest.TestCase):
    """One test for each *.request file; they are made below."""

    @classmethod
    def setUpClass(cls):
        cls.schemas = tempfile.TemporaryDirectory(prefix="invited-raw-")
        cls.addClassCleanup(cls.schemas.cleanup)
        service = cls.enterClassContext(Service.serve(NO_RATES, app_name="Harbour Planner"))
        cls.service = service
        cli = service.cli
        cli("environment", "add", "--app", service.app_uuid, "--name", "brought along", "--uuid", ENVIRONMENT_UUID,
            "--password-stdin", stdin=PASSWORD + "\n")
        cli("role", "add", "--app", service.app_uuid, "--name", "Planner", "--uuid", MEMBER_UUID)
        cli("role", "add", "--app", service.app_uuid, "--name", "Harbour master <é漢&>", "--uuid", MANAGER_UUID)
        cli("account", "add", "--email", INVITER, "--name", "Ina <é漢&> Viter")
        cli("access", "grant", "--environment", ENVIRONMENT_UUID, "--email", INVITER, "--role", MEMBER_UUID)
        cli("environment", "set", ENVIRONMENT_UUID, "--openid-template", "{email}")
        cli("account", "add", "--email", PLANNER, "--name", "Grace <é漢&> Hopper")
        for role in (MEMBER_UUID, MANAGER_UUID):
            cli("access", "grant", "--environment", ENVIRONMENT_UUID, "--email", PLANNER, "--role", role)
        cli("account", "add", "--email", PILOT, "--name", "Ada Lovelace")
        cli("account", "set", "--email", PILOT, *(part for option in PROFILE.items() for part in option))
        cli("access", "grant", "--environment", ENVIRONMENT_UUID, "--email", PILOT, "--role", MEMBER_UUID)
        cli("account", "add", "--email", STRANGER, "--name", "Somebody without access")

    def invitees(self):
        return sorted(invitation["invitee_email"] for invitation in self.service.cli("invitation", "list")
                      if invitation["environment_uuid"] == ENVIRONMENT_UUID)

    def check_payload(self, name, body):
        """Validates what is in a Body against the schema of its service's WSDL, by xmllint."""
        envelope = etree.fromstring(body)
        soap = etree.QName(envelope).namespace
        self.assertIn(soap, (SOAP_11, SOAP_12))
        payload = envelope.find(f"{{{soap}}}Body")[0]
        document = pathlib.Path(self.schemas.name) / f"{name}.xml"
        document.write_bytes(etree.tostring(payload))
        service_name = SERVICE_OF[etree.QName(payload).localname.removesuffix("Response")]
        result = subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                                 str(schema_of(service_name, self.schemas.name)), str(document)],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{result.stderr}\n{body.decode()}")

    def check_fault(self, expected, answer):
        envelope = etree.fromstring(answer.body)
        soap = etree.QName(envelope).namespace
        where = {"s": soap, "f": FAULT_NAMESPACE}
        fault = envelope.xpath("/s:Envelope/s:Body/s:Fault", namespaces=where)[0]
        code = "string(s:Code/s:Value)" if soap == SOAP_12 else "string(faultcode)"
        self.assertEqual(fault.xpath(code, namespaces=where).rpartition(":")[2], expected.headers["fault"])
        self.assertEqual(fault.xpath("string(.//f:Code)", namespaces=where), expected.headers["code"])
        self.assertEqual(fault.xpath("string(.//f:Parameter)", namespaces=where),
                         expected.headers.get("parameter", ""))
        sentence = fault.xpath("string(s:Reason/s:Text)" if soap == SOAP_12 else "string(faultstring)",
                               namespaces=where)
        self.assertGreater(len(sentence), 20)

    def check_answer(self, name, expected, answer):
        self.assertEqual(answer.status_line, expected.status_line, answer)
        if "fault" in expected.headers:
            self.check_fault(expected, answer)
            return
        for header, value in expected.headers.items():
            self.assertEqual(answer.headers.get(header, ""), value, answer)
        self.assertEqual(answer.body.decode().rstrip("\r\n"), expected.body.decode().rstrip("\n"))
        if answer.status_line.endswith(" 200 OK"):
            self.check_payload(name, answer.body)

    def check_file(self, request_file):
        name = request_file.stem
        request = request_file.read_bytes()
        answers = expected_answers(request_file.with_suffix(".answer"))
        if name.endswith("_plain"):  # the contract to the letter; the others take liberties
            self.check_payload(f"{name}_request", request.partition(b"\r\n\r\n")[2])
        before = self.invitees()
        with Connection(self.service.port) as connection:
            if answers[0].status_line == "HTTP/1.1 100 Continue":
                head, _, body = request.partition(b"\r\n\r\n")
                connection.send(head + b"\r\n\r\n")
                self.check_answer(name, answers.pop(0), connection.receive())
                connection.send(body)
            else:
                connection.send(request)
            closed, invites = False, []
            for expected in answers:
                closed = expected.headers.pop("then", "") == "closed"
                if "invites" in expected.headers:
                    invites.append(expected.headers.pop("invites"))
                self.check_answer(name, expected, connection.receive())
            if closed:
                self.assertTrue(connection.is_closed_by_service(), "the connection is kept")
            else:
                connection.send(b"GET /healthz HTTP/1.1\r\nHost: invite.example.org\r\n\r\n")
                self.assertEqual(connection.receive().status_line, "HTTP/1.1 200 OK", "the next request fails")
        invited = [address for address in self.invitees() if address not in before]
        self.assertEqual(invited, sorted(invites))


SERVICE_OF = {"SendInvite": "InviteAPI", "GetRolesForOpenID": "PermissionsAPI", "GetUserProfile": "ProfileService",
              "GetDisplayName": "ProfileService-1"}


def add_tests():
    for request_file in sorted(HERE.glob("*.request")):
        def test(self, request_file=request_file):
            self.check_file(request_file)
        setattr(RawRequests, f"test_{request_file.stem}", test)


if __name__ == "__main__":
    add_tests()
    end_to_end.main()
