"""Every refusal of SendInvite over the wire, in the order of the contract's checks, in SOAP 1.1 and 1.2."""

import contextlib
import http.client
import pathlib
import select
import socket
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import soap_client
from invited_service import NO_RATES, Service
from soap_client import SOAP_11, SOAP_12

UNKNOWN = "4e3b7d32-51c4-4a4b-9f8e-0a4a1b2c3d4e"
# What differs from a good call, the code in the fault's detail, the parameter that it names. A call that is wrong in
# several ways is told of the first of them in the order of the checks.
REFUSED = [
    ("unknown environment", {"EnvironmentUUID": UNKNOWN}, "authentication_failed", ""),
    ("environment that is no UUID", {"EnvironmentUUID": "production"}, "authentication_failed", ""),
    ("no environment", {"EnvironmentUUID": None}, "authentication_failed", ""),
    ("blank environment", {"EnvironmentUUID": " "}, "authentication_failed", ""),
    ("wrong password", {"EnvironmentPassword": "wrong"}, "authentication_failed", ""),
    ("no password", {"EnvironmentPassword": None}, "authentication_failed", ""),
    ("wrong password before everything else", {"EnvironmentPassword": "wrong", "RoleUUID": None,
     "InviteeEmailAddress": "nobody", "InviterEmailAddress": ""}, "authentication_failed", ""),
    ("no role", {"RoleUUID": None}, "missing_parameter", "RoleUUID"),
    ("blank role", {"RoleUUID": " \n"}, "missing_parameter", "RoleUUID"),
    ("no invitee", {"InviteeEmailAddress": None}, "missing_parameter", "InviteeEmailAddress"),
    ("empty invitee", {"InviteeEmailAddress": ""}, "missing_parameter", "InviteeEmailAddress"),
    ("no inviter", {"InviterEmailAddress": None}, "missing_parameter", "InviterEmailAddress"),
    ("a missing parameter before a bad address", {"InviteeEmailAddress": "nobody", "InviterEmailAddress": ""},
     "missing_parameter", "InviterEmailAddress"),
    ("invitee that is no address", {"InviteeEmailAddress": "nobody"}, "invalid_email_address", "InviteeEmailAddress"),
    ("two invitees", {"InviteeEmailAddress": "a@example.org, b@example.org"}, "invalid_email_address",
     "InviteeEmailAddress"),
    ("invitee with a line break", {"InviteeEmailAddress": "a@example.org\nBcc: b@example.org"},
     "invalid_email_address", "InviteeEmailAddress"),
    ("inviter that is no address", {"InviterEmailAddress": "@example.org"}, "invalid_email_address",
     "InviterEmailAddress"),
    ("a bad address before access", {"InviteeEmailAddress": "a b@example.org",
     "InviterEmailAddress": "stranger@example.org"}, "invalid_email_address", "InviteeEmailAddress"),
    ("inviter unknown", {"InviterEmailAddress": "stranger@example.org"}, "inviter_without_access",
     "InviterEmailAddress"),
    ("inviter known, without access", {"InviterEmailAddress": "known@example.org"}, "inviter_without_access",
     "InviterEmailAddress"),
    ("access before the role", {"InviterEmailAddress": "stranger@example.org", "RoleUUID": UNKNOWN},
     "inviter_without_access", "InviterEmailAddress"),
    ("role unknown", {"RoleUUID": UNKNOWN}, "unknown_role", "RoleUUID"),
    ("role that is no UUID", {"RoleUUID": "User"}, "unknown_role", "RoleUUID"),
    ("role of another app", {"RoleUUID": "OTHER_APP"}, "unknown_role", "RoleUUID"),
]
# Bodies and the HTTP status: 400 where the message is no SOAP message that may be looked into, else a plain Client fault.
MALFORMED = [
    ("not XML", "SendInvite please", 400),
    ("mismatched tags", "<a><b></a></b>", 400),
    ("no envelope", '<SendInvite xmlns="http://www.example.com/"/>', 400),
    ("document type", "<!DOCTYPE x []>" + soap_client.envelope({}).split("?>", 1)[1], 400),
    ("other operation", soap_client.envelope({}, operation="DeleteEverything"), 500),
    ("unknown element", soap_client.envelope({"EnvironmentUUID": UNKNOWN, "Colour": "blue"}), 500),
    ("element twice", soap_client.envelope({"EnvironmentUUID": UNKNOWN}).replace(
        "</EnvironmentUUID>", "</EnvironmentUUID><EnvironmentUUID>x</EnvironmentUUID>"), 500),
]


class EveryRefusalHasItsCode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service.serve(NO_RATES)
        cls.service.cli("account", "add", "--email", "known@example.org", "--name", "Known Without Access")
        other = cls.service.cli("app", "add", "--name", "Another app", "--url", "https://other.example.org")
        cls.other_role = cls.service.cli("role", "add", "--app", other["app_uuid"], "--name", "User")["role_uuid"]

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__(None, None, None)

    def test_in_the_order_of_the_checks_with_the_parameter_named(self):
        for name, changes, code, parameter in REFUSED:
            for soap, fault_code, status in ((SOAP_11, "SOAP-ENV:Client", 500), (SOAP_12, "SOAP-ENV:Sender", 400)):
                with self.subTest(name, soap=soap):
                    changes = {key: self.other_role if value == "OTHER_APP" else value
                               for key, value in changes.items()}
                    answer = self.service.send_invite("refused@example.org", soap, **changes)
                    self.assertTrue(answer.fault, answer)
                    self.assertEqual(answer.soap, soap)
                    self.assertEqual((answer.code, answer.parameter, answer.fault_code, answer.status),
                                     (code, parameter, fault_code, status))
                    self.assertRegex(answer.message, r"^[A-Z].{20,}\.$")
                    if parameter:
                        self.assertTrue(answer.message)

    def test_what_cannot_be_understood_is_a_client_fault(self):
        for name, body, status in MALFORMED:
            with self.subTest(name):
                answer = soap_client.post(self.service.port, body)
                self.assertEqual((answer.status, answer.code, answer.fault_code),
                                 (status, "malformed_request", "SOAP-ENV:Client"))

    def test_no_refusal_leaves_anything_behind(self):
        refused = [entry for entry in self.service.cli("invitation", "list")
                   if entry["invitee_email"] == "refused@example.org"]
        self.assertEqual(refused, [])
        self.assertEqual(captured_mail.mails_to(self.service.mail_dir, "refused@example.org"), [])

    def test_an_address_with_an_invisible_blank_is_explained(self):
        answer = self.service.send_invite("pasted@example.org ")
        self.assertEqual((answer.code, answer.parameter), ("invalid_email_address", "InviteeEmailAddress"))
        self.assertIn("without blanks", answer.message)

    def test_a_disabled_environment_is_refused_as_an_unknown_one(self):
        before = self.service.send_invite("x@example.org", EnvironmentUUID=UNKNOWN)
        added = self.service.cli("environment", "add", "--app", self.service.app_uuid, "--name", "to be disabled")
        self.service.cli("environment", "disable", added["environment_uuid"])
        disabled = self.service.send_invite("x@example.org", EnvironmentUUID=added["environment_uuid"],
                                            EnvironmentPassword=added["environment_password"])
        self.assertEqual(disabled.response.body, before.response.body)

    def test_a_password_equal_to_the_uuid_is_explained_in_the_log(self):
        start = self.service.process.log_length()
        answer = self.service.send_invite("x@example.org", EnvironmentPassword=self.service.environment_uuid)
        self.assertEqual(answer.code, "authentication_failed")
        line = self.service.process.await_log("environment.password_is_uuid", start=start)
        self.assertIn("AppCloudServices.EnvironmentPassword", line)


class TheListenersRefusalsAreFaultsToo(unittest.TestCase):
    def test_in_the_version_of_the_call_and_with_what_to_do(self):
        with Service.serve(NO_RATES) as service:
            good = service.invite_parameters("listener@example.org")
            too_large = {**good, "RoleUUID": "x" * 70_000}
            cases = ((413, too_large, {}, "less than 4 KiB"), (415, good, {"Content-Encoding": "gzip"}, "text/xml"))
            for soap, fault_code in ((SOAP_11, "SOAP-ENV:Client"), (SOAP_12, "SOAP-ENV:Sender")):
                for status, parameters, headers, remedy in cases:
                    with self.subTest(f"{status} in {soap}"):
                        answer = soap_client.send_invite(service.port, parameters, soap, headers)
                        self.assertEqual((answer.status, answer.code, answer.fault_code, answer.soap),
                                         (status, "malformed_request", fault_code, soap))
                        self.assertEqual(answer.response.headers["Content-Type"],
                                         soap_client.soap_headers(soap)["Content-Type"])
                        self.assertIn(remedy, answer.message)
            answer = soap_client.send_invite(service.port, good, headers={"Content-Type": "text/plain"})
            self.assertEqual((answer.status, answer.soap), (415, SOAP_11))
            self.assertIn("text/xml; charset=utf-8", answer.message)

    def test_a_busy_one_says_how_long_to_wait_in_the_fault_too(self):
        with Service.serve({**NO_RATES, "http.max_buffered": "1MiB"}) as service, contextlib.ExitStack() as stack:
            # Calls that never become whole: at a megabyte of them the next is refused.
            half = (f"POST {soap_client.PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
                    f"Content-Length: 60000\r\n\r\n").encode() + b" " * 59_000
            sockets = []
            answered = []
            while not answered and len(sockets) < 40:
                sockets.append(stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=20)))
                sockets[-1].sendall(half)
                answered = select.select(sockets, [], [], 0.1)[0]
            self.assertTrue(answered, "no call was refused")
            response = http.client.HTTPResponse(answered[0])
            response.begin()
            response.body = response.read()
            answer = soap_client.SoapAnswer(response)
            self.assertEqual((answer.status, answer.code, answer.fault_code), (503, "unavailable", "SOAP-ENV:Server"))
            self.assertEqual(answer.retry_after, int(response.headers["Retry-After"]))


class AWrongAddressUnderWs(unittest.TestCase):
    def test_is_a_fault_for_programs_and_a_page_for_people(self):
        with Service.serve(NO_RATES) as service:
            parameters = service.invite_parameters("wrong.address@example.org")
            wrong = (soap_client.PATH + "/", "/" + soap_client.PATH, "/ws/InviteAPI/1", "/ws/inviteapi/1/soap1")
            for path in wrong:
                for soap in (SOAP_11, SOAP_12):
                    with self.subTest(f"{path} in {soap}"):
                        answer = soap_client.post(service.port, soap_client.envelope(parameters, soap), soap, path=path)
                        self.assertEqual((answer.status, answer.code, answer.soap), (404, "malformed_request", soap))
                        self.assertIn("/ws-doc/", answer.message)
                page = service.request("GET", path)
                self.assertEqual((page.status, page.headers["Content-Type"]), (404, "text/html; charset=utf-8"))


class UuidsAreNormalised(unittest.TestCase):
    def test_letter_case_braces_and_blanks_around_do_not_matter(self):
        with Service.serve(NO_RATES) as service:
            shapes = [str.upper, lambda text: "{" + text + "}", lambda text: f"\n  {text}\t", 
                      lambda text: " {" + text.upper() + "} "]
            for number, shape in enumerate(shapes):
                with self.subTest(shape(service.role_uuid)):
                    answer = service.send_invite(f"uuid{number}@example.org", RoleUUID=shape(service.role_uuid),
                                                 EnvironmentUUID=shape(service.environment_uuid))
                    self.assertFalse(answer.fault, answer)
            for wrong in (service.role_uuid[:-1], service.role_uuid + "0", "{" + service.role_uuid):
                with self.subTest(wrong):
                    self.assertEqual(service.send_invite("u@example.org", RoleUUID=wrong).code, "unknown_role")


class RatesAreLimited(unittest.TestCase):
    def test_each_inviter_and_the_fault_says_how_long_to_wait(self):
        with Service.serve({"rates.inviter_per_hour": 3}) as service:
            for number in range(3):
                self.assertFalse(service.send_invite(f"rate{number}@example.org").fault)
            for soap in (SOAP_11, SOAP_12):
                answer = service.send_invite("rate4@example.org", soap)
                self.assertEqual(answer.code, "rate_limited")
                self.assertGreater(answer.retry_after, 60)
                self.assertEqual(answer.response.headers["Retry-After"], str(answer.retry_after))
                self.assertIn(str(answer.retry_after), answer.message)
            # A call whose answer was lost costs nothing when it is made again.
            self.assertFalse(service.send_invite("rate2@example.org").fault)

    def test_mail_to_one_mailbox_waits_and_the_caller_learns_nothing(self):
        with Service.serve({"invitation.repeat_window": "0s"}) as service:
            for address in ("box@example.org", "box+tag@example.org", "b.ox@example.org"):
                answer = service.send_invite(address)
                self.assertFalse(answer.fault, answer)
            captured_mail.await_mail(service.mail_dir, "box@example.org")
            waiting = [mail for mail in service.cli("mail", "list") if mail["state"] == "queued"]
            self.assertEqual({mail["recipient_email"] for mail in waiting}, {"box+tag@example.org", "b.ox@example.org"})


class ShortOfDisk(unittest.TestCase):
    def test_new_work_is_refused_and_what_is_owed_goes_on(self):
        """D13."""
        with Service.serve(NO_RATES) as service:
            self.assertFalse(service.send_invite("before@example.org").fault)
            mail = captured_mail.await_mail(service.mail_dir, "before@example.org")
            service.stop()
            service.settings["storage.disk_watermark"] = "1024GiB"
            service.write_config()
            service.start()
            for soap, fault_code in ((SOAP_11, "SOAP-ENV:Server"), (SOAP_12, "SOAP-ENV:Receiver")):
                answer = service.send_invite("after@example.org", soap)
                self.assertEqual((answer.code, answer.fault_code, answer.status), ("unavailable", fault_code, 500))
                self.assertGreater(answer.retry_after, 0)
            person = service.person()
            password = "seventeen quiet otters dance"
            done = person.submit(person.open(mail.link), "/accept", {"name": "Be Fore", "password": password,
                                                                    "password_again": password})
            self.assertEqual(done.status, 200, done.text)
            self.assertEqual([i["invitee_email"] for i in service.cli("invitation", "list")], ["before@example.org"])


if __name__ == "__main__":
    end_to_end.main()
