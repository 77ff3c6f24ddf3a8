"""`invited invite` on a machine that has only an address and an API token: one person, a file of many, a dry run, what is
refused and what an operator is told then.
"""

import json
import os
import pathlib
import subprocess
import sys
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

    def test_the_token_is_in_no_log(self):
        self.invite("--role", self.service.role_uuid, "log@example.org")
        self.assertNotIn(self.token, self.service.process.log_text())


if __name__ == "__main__":
    end_to_end.main()
