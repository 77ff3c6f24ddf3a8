"""H15 on the program's own routes: each method on the SOAP path, on an invitation's page and on the probe. What a path
does not answer is refused with the methods that it does, in the words of the path, and changes nothing; then the
connection's next request is answered, unless what follows might be taken for one.

usage: methods_test.py [unittest options]
"""

import pathlib
import sys
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support")]

from lxml import etree

import captured_mail
import end_to_end
import soap_client
from invited_service import NO_RATES, Service
from raw_test import Connection

SOAP_PATH = "/ws/InviteAPI/1/soap1"
FAULT, PAGE = "text/xml; charset=utf-8", "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
# With or without a body, each. Method names are case-sensitive.
OTHERS = ("OPTIONS", "TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "post", "get")


class EachMethod(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        assert not cls.service.send_invite("guest@example.org").fault
        link = captured_mail.await_mail(cls.service.mail_dir, "guest@example.org").link
        cls.page_path = urllib.parse.urlsplit(link).path
        # A good call, were the method a POST.
        cls.call = soap_client.envelope(cls.service.invite_parameters("never@example.org")).encode()

    def check(self, method, path, body, status, allow, media_type):
        """One request and, on the same connection, the next."""
        ends = bool(body) or method == "CONNECT"
        head = f"{method} {path} HTTP/1.1\r\nHost: a\r\n"
        if body:
            head += f"Content-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        with self.subTest(f"{method} {path}, {len(body)} bytes"), Connection(self.service.port) as connection:
            connection.send(head.encode() + b"\r\n" + body)
            answer = connection.receive(to_head=method == "HEAD")
            self.assertEqual(answer.status_line.split()[1], str(status), answer)
            self.assertEqual(answer.headers.get("allow", ""), allow, answer)
            self.assertEqual(answer.headers["content-type"], media_type, answer)
            if media_type == FAULT and status == 405:
                self.assertEqual(etree.fromstring(answer.body).xpath("string(//*[local-name()='Code'])"),
                                 "malformed_request")
            self.assertEqual(answer.headers.get("connection", "") == "close", ends, answer)
            if ends:
                self.assertTrue(connection.is_closed_by_service())
            else:
                connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(connection.receive().body, b"alive\n")

    def check_others(self, path, allow, media_type):
        for method in OTHERS:
            for body in (b"", self.call):
                self.check(method, path, body, 405, allow, media_type)
        [invited] = self.service.cli("invitation", "list")
        self.assertEqual((invited["invitee_email"], invited["state"]), ("guest@example.org", "pending"))

    def test_h15_on_the_soap_path(self):
        # What is there to be read is behind ?wsdl.
        for method in ("GET", "HEAD"):
            self.check(method, SOAP_PATH, b"", 405, "POST", TEXT)
            self.check(method, SOAP_PATH + "?wsdl", b"", 200, "", FAULT)
        self.check_others(SOAP_PATH, "POST, GET, HEAD", FAULT)

    def test_h15_on_an_invitations_page(self):
        for method in ("GET", "HEAD"):
            self.check(method, self.page_path, b"", 200, "", PAGE)
        for body in (b"", self.call):
            self.check("POST", self.page_path, body, 405, "GET, HEAD", PAGE)
        self.check_others(self.page_path, "GET, HEAD", PAGE)

    def test_h15_on_the_probe(self):
        for method in ("GET", "HEAD"):
            self.check(method, "/healthz", b"", 200, "", TEXT)
        for body in (b"", self.call):
            self.check("POST", "/healthz", body, 405, "GET, HEAD", TEXT)
        self.check_others("/healthz", "GET, HEAD", TEXT)

    def test_targets_that_are_no_path_lead_nowhere(self):
        self.check("OPTIONS", "*", b"", 404, "", PAGE)
        self.check("CONNECT", "127.0.0.1:80", b"", 404, "", PAGE)


if __name__ == "__main__":
    end_to_end.main()
