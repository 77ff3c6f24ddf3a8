"""What must not leave: XML makes the program open and connect to nothing (X02, X03, X48), and after a run with
everything in it no secret stands in the log, the database, a fault or a command's output (A12)."""

import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import soap_client
from invited_service import NO_RATES, Service, wait_until

PASSWORD = "seventeen quiet otters dance"


class Tracer:
    """strace on the running program: which files it opens, whom it connects to."""

    def __init__(self, pid, file):
        self.file = file
        self.child = subprocess.Popen(["strace", "-f", "-e", "trace=open,openat,connect,sendto", "-o", str(file), "-p",
                                       str(pid)], stderr=subprocess.PIPE, text=True)
        self.first = self.child.stderr.readline()

    @property
    def works(self):
        return "attached" in self.first

    def end(self):
        self.child.send_signal(signal.SIGINT)
        self.child.communicate(timeout=20)
        return self.file.read_text(errors="replace")


class XmlReachesNothing(unittest.TestCase):
    def setUp(self):
        self.contacts = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()
        self.addCleanup(self.listener.close)

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.contacts.append(connection.getpeername())
            connection.close()

    def test_neither_files_nor_hosts(self):
        address = f"http://127.0.0.1:{self.port}/x"
        with Service.serve(NO_RATES) as service:
            good = soap_client.envelope(service.invite_parameters("x02@example.org"))
            body = good.split("?>", 1)[1]
            refused = {
                "X02": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + body.replace("x02@", "&x;@"),
                "X02 in a value": body.replace("x02@", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;@'),
                "X03": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{address}">%p;]>' + body,
                "X03 as external subset": f'<!DOCTYPE a SYSTEM "{address}">' + body,
                "stylesheet": f'<?xml-stylesheet href="{address}"?>' + body,
                "XInclude": body.replace("<tns:SendInvite>", '<tns:SendInvite><xi:include xmlns:xi='
                                         '"http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
            }
            ignored = {
                "X48": body.replace("<soap:Body>", '<soap:Header xmlns:wsa="http://www.w3.org/2005/08/addressing">'
                                    f"<wsa:ReplyTo><wsa:Address>{address}</wsa:Address></wsa:ReplyTo></soap:Header>"
                                    "<soap:Body>"),
                "schemaLocation": body.replace("<soap:Envelope ", '<soap:Envelope xmlns:xsi="http://www.w3.org/2001/'
                                               f'XMLSchema-instance" xsi:schemaLocation="x {address}" '),
            }
            tracer = Tracer(service.process.child.pid, service.folder / "strace") if shutil.which("strace") else None
            if tracer is None or not tracer.works:
                print(f"\nNOT TESTED: strace cannot attach here ({tracer.first.strip() if tracer else 'not installed'}); "
                      "only the listening socket is watched", file=sys.stderr, flush=True)
                tracer = None
            for name, text in refused.items():
                answer = soap_client.post(service.port, text)
                self.assertEqual((answer.status, answer.code), (400, "malformed_request"), name)
                self.assertNotIn(b"root:", answer.response.body)
            for name, text in ignored.items():
                answer = soap_client.post(service.port, text)
                self.assertIn(answer.status, (200, 400), name)
            for query in ("?xsd=../../etc/passwd", "?wsdl=../../etc/passwd", "?wsdl&xsd=/etc/passwd"):
                answer = service.request("GET", soap_client.PATH + query)
                self.assertNotIn(b"root:", answer.body)
                self.assertIn(answer.status, (200, 404), query)
            # The mail of the accepted ones goes out meanwhile: what it opens lies in the service's own folder.
            wait_until(lambda: not service.cli("mail", "list", "--state", "queued"), what="an empty queue")
            if tracer:
                calls = tracer.end()
                self.assertIn(".eml", calls)  # it was watched
                self.assertNotIn("/etc/passwd", calls)
                self.assertNotIn(f"htons({self.port})", calls)
                self.assertNotRegex(calls, r"connect\([^)]*AF_INET")
        self.assertEqual(self.contacts, [])


class NoSecretLeaves(unittest.TestCase):
    def test_after_everything_was_done_once(self):
        settings = {**NO_RATES, "log.level": "debug", "invitation.repeat_window": "0s"}
        secrets, answers = {}, []
        with Service.serve(settings) as service:
            secrets["environment password"] = service.environment_password
            secrets["wrong environment password"] = "a wrong environment password"
            secrets["person's password"] = PASSWORD
            secrets["person's wrong password"] = "not the right otters at all"
            secrets["short password"] = "fourteen chars"
            answers.append(service.send_invite("first@example.org").response.body)
            answers.append(service.send_invite("x@example.org", EnvironmentPassword="a wrong environment password")
                           .response.body)
            answers.append(soap_client.post(service.port, soap_client.envelope(
                service.invite_parameters("x@example.org")).replace("</soap:Body>", "")).response.body)
            answers.append(service.send_invite("x@example.org", InviteeEmailAddress=service.environment_password)
                           .response.body)
            first = captured_mail.await_mail(service.mail_dir, "first@example.org")
            person = service.person()
            page = person.open(first.link)
            secrets["form value"] = page.form("/accept").fields["csrf"]
            for password in ("fourteen chars", PASSWORD):
                page = person.submit(page, "/accept", {"name": "First", "password": password, "password_again": password})
                self.assertNotIn(password, page.response.text)
            service.send_invite("first@example.org", RoleUUID=service.other_role_uuid)
            second = captured_mail.await_mail(service.mail_dir, "first@example.org", 2)
            page = person.open(second.link)
            for password in ("not the right otters at all", PASSWORD):
                page = person.submit(page, "/accept", {"password": password})
                self.assertEqual(page.status, 422 if password != PASSWORD else 200)
            self.assertEqual(person.open(first.link + "x").status, 404)
            service.send_invite("third@example.org")
            third = captured_mail.await_mail(service.mail_dir, "third@example.org")
            person.submit(person.open(third.link), "/decline")
            self._live_with_an_account(service, secrets, answers)
            for number, mail in enumerate((first, second, third)):
                secrets[f"token {number}"] = mail.token
                secrets[f"end of token {number}"] = mail.token[-43:]
            secrets["rotated password"] = service.cli("environment", "rotate-password", service.environment_uuid)[
                "environment_password"]
            answers.append(repr(service.cli("account", "show", "--email", "first@example.org")).encode())
            for noun in ("app", "environment", "role", "account", "access", "invitation", "mail", "audit"):
                answers.append(repr(service.cli(noun, "list")).encode())
            files = {file.name: file.read_bytes() for file in service.state_dir.iterdir()
                     if file.is_file() and file.name != "keys.json"}
            service.stop()
            files.update({f"{file.name} after the stop": file.read_bytes() for file in service.state_dir.iterdir()
                          if file.is_file() and file.name != "keys.json"})
            files["the log"] = service.log_file.read_bytes()
            files["what it answered"] = b"\n".join(answers)
            self.assertGreater(len(files["the log"]), 500)
            self.assertTrue(any(b"SQLite format 3" in data for data in files.values()))
            found = [(secret, name) for name, data in files.items() for secret, value in secrets.items()
                     if value.encode() in data]
            self.assertEqual(found, [])
            for file in service.state_dir.iterdir():
                self.assertEqual(file.stat().st_mode & 0o077, 0, f"{file.name} can be read by others")

    @staticmethod
    def _live_with_an_account(service, secrets, answers):
        """Signs in, edits the profile, forgets the password, chooses a new one and signs out."""
        email, new_password = "first@example.org", "velvet tractor umbrella noon"
        person = service.person()
        base = service.base_url.rstrip("/")
        person.submit(person.open(base + "/sign-in"), "/sign-in", {"email": email, "password": "not the right otters at all"})
        profile = person.submit(person.open(base + "/sign-in"), "/sign-in", {"email": email, "password": PASSWORD})
        secrets["session"] = person.cookies["invited_session"]
        secrets["form value of the profile"] = profile.form("/profile").fields["csrf"]
        answers.append(person.submit(profile, "/profile", {"job_title": "Harbour pilot"}).response.body.replace(
            profile.form("/profile").fields["csrf"].encode(), b""))
        person.submit(person.open(base + "/forgot-password"), "/forgot-password", {"email": email})
        link = captured_mail.await_mail(service.mail_dir, email, 3).reset_link
        secrets["reset token"] = link.rsplit("/", 1)[1]
        secrets["end of the reset token"] = link[-43:]
        secrets["new password"] = new_password
        chosen = {"password": new_password, "password_again": new_password}
        answers.append(person.submit(person.open(link), link.rsplit("/", 1)[1], chosen).response.body)
        answers.append(person.open(link).response.body)
        page = person.submit(person.open(base + "/sign-in"), "/sign-in", {"email": email, "password": new_password})
        secrets["second session"] = person.cookies["invited_session"]
        answers.append(person.submit(page, "/sign-out").response.body)


if __name__ == "__main__":
    end_to_end.main()
