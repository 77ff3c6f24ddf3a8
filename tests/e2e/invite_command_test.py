"""`invited invite` on a machine that has only an address and an API token: one person, a file of many, a dry run, what is
refused and what an operator is told then.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import invited_service
import json_clients
from invited_service import NO_RATES, Service


class InviteCommandTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.token = json_clients.add_token(cls.service, "--role-ceiling", cls.service.role_uuid)

    def invite(self, *arguments, token=None, url=None, given=""):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
        environment |= {"INVITED_API_URL": url or self.service.base_url, "INVITED_API_TOKEN": token or self.token}
        return subprocess.run([invited_service.binary(), "invite", *arguments], env=environment, input=given,
                              capture_output=True, text=True, timeout=60, check=False)

    def invited(self):
        return {one["invitee_email"] for one in self.service.cli("invitation", "list")}

    def test_invites_one_person(self):
        done = self.invite("--role", self.service.role_name, "one@example.org")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"one@example.org +invited")
        captured_mail.await_mail(self.service.mail_dir, "one@example.org")

    def test_invites_a_file_of_many_and_says_who_was_refused(self):
        emails = [f"many{i}@example.org" for i in range(230)]
        lines = "# our people\n\n" + "\n".join(emails[:120] + ["no address"] + emails[120:]) + "\n"
        done = self.invite("--role", self.service.role_uuid, "--file", "-", "--json", given=lines)
        self.assertEqual(done.returncode, 1, done.stderr)
        results = json.loads(done.stdout)
        self.assertEqual([one["email"] for one in results if one["verdict"] == "refused"], ["no address"])
        self.assertEqual(len(results), 231)
        for email in (emails[0], emails[119], emails[229]):
            captured_mail.await_mail(self.service.mail_dir, email)

    def test_a_dry_run_only_tells(self):
        done = self.invite("--role", self.service.role_uuid, "--dry-run", "dry@example.org")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("new", done.stdout)
        self.assertNotIn("dry@example.org", self.invited())

    def test_refusals_say_what_to_do(self):
        role = ("--role", self.service.role_uuid)
        cases = [(self.invite(*role, "x@example.org", token="wrong"), "token"),
                 (self.invite(*role), "--file"),
                 (self.invite(*role, "x@example.org", url="ftp://example.org"), "--url"),
                 (self.invite(*role, "--file", "/nowhere", "x@example.org"), "--file"),
                 (self.invite(*role, "--expires", "soon", "x@example.org"), "--expires"),
                 (self.invite(*role, "x@example.org", url=f"http://127.0.0.1:{invited_service.free_port()}"),
                  "cannot be reached")]
        for done, word in cases:
            with self.subTest(word=word):
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(word, done.stderr)
        beyond = self.invite("--role", self.service.other_role_uuid, "x@example.org")
        self.assertEqual(beyond.returncode, 1)
        self.assertIn("may not be granted", beyond.stdout)
        self.assertNotIn("x@example.org", self.invited())

    def test_a_file_of_another_program_is_read(self):
        """Some write a mark before the first address."""
        done = self.invite("--role", self.service.role_uuid, "--file", "-", given="\ufeffmarked@example.org\nnext@example.org\n")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertIn("marked@example.org", self.invited())

    def test_a_call_is_never_too_long(self):
        self.service.cli("app", "set", self.service.app_uuid, "--redirect-url", "https://app.example.org/")
        url = "https://app.example.org/" + "x" * 600
        lines = "\n".join(f"long{i}@example.org" for i in range(150))
        done = self.invite("--role", self.service.role_uuid, "--redirect-url", url, "--file", "-", "--json", given=lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([one["email"] for one in json.loads(done.stdout)], lines.split("\n"))

    def test_what_answers_otherwise_than_invited_is_told(self):
        for answer in ("{}", "[]", '{"results":5}', '{"results":[{}]}', '{"results":[{"email":1,"verdict":"invited"}]}', "7"):
            with self.subTest(answer=answer), Stranger(200, answer) as url:
                done = self.invite("--role", self.service.role_uuid, "x@example.org", url=url)
                self.assertEqual(done.returncode, 1)
                self.assertIn("not as invited does", done.stderr)
                self.assertNotIn("json.exception", done.stderr)
        with Stranger(400, '{"code":"x","detail":7}') as url:
            self.assertIn("was refused", self.invite("--role", self.service.role_uuid, "x@example.org", url=url).stderr)

    def test_what_was_done_before_a_failure_is_told(self):
        """The answer to the second call is another's."""
        first = json.dumps({"results": [{"email": f"a{i}@example.org", "verdict": "invited"} for i in range(100)]})
        with Stranger(200, first, "{}") as url:
            lines = "\n".join(f"a{i}@example.org" for i in range(120))
            done = self.invite("--role", self.service.role_uuid, "--file", "-", "--json", given=lines, url=url)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(json.loads(done.stdout)), 100)
        self.assertIn("Of 120 addresses 100 were handled", done.stderr)

    def test_the_token_is_in_no_log(self):
        self.invite("--role", self.service.role_uuid, "log@example.org")
        self.assertNotIn(self.token, self.service.process.log_text())


class Stranger:
    """Some other program at the address: gives these answers, the last one again and again."""

    def __init__(self, status, *answers):
        left = list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers["Content-Length"]))
                body = (left.pop(0) if len(left) > 1 else left[0]).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class RatesTest(unittest.TestCase):
    def test_waits_where_the_service_takes_no_more_for_now(self):
        rates = {**NO_RATES, "rates.inviter_per_hour": "3600"}  # one a second, beyond those that it takes at once
        with Service.serve(rates) as service:
            token = json_clients.add_token(service)
            environment = {"INVITED_API_URL": service.base_url, "INVITED_API_TOKEN": token}

            def invite(name, count, *options):
                lines = "\n".join(f"{name}{i}@example.org" for i in range(count))
                return subprocess.run([invited_service.binary(), "invite", "--role", service.role_uuid, "--file", "-", "--json",
                                       *options], env=environment, input=lines, capture_output=True, text=True, timeout=120,
                                      check=False)

            hasty = invite("hasty", 3610)
            self.assertEqual(hasty.returncode, 1)
            self.assertIn("--wait", hasty.stderr)
            patient = invite("patient", 2, "--wait")
            self.assertEqual(patient.returncode, 0, patient.stderr)
            self.assertEqual([one["verdict"] for one in json.loads(patient.stdout)], ["invited", "invited"])
            self.assertIn("are left", patient.stderr)


if __name__ == "__main__":
    end_to_end.main()
