"""Base44's own client package against the real program: both of its invite calls, the bulk call of its REST API, calls
made again, refused calls. What it throws must be fit to print. And the lines of the project's README, as they stand there.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import captured_mail
import end_to_end
import json_clients
from invited_service import NO_RATES, Service


class Base44Test(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="invited-base44-")))
        json_clients.link_packages(cls.folder)
        for dialect, name, role in (("base44", "user", cls.service.role_name),
                                    ("base44", "admin", cls.service.other_role_name),
                                    ("base44-runtime", "user", cls.service.role_name)):
            cls.service.cli("role", "map", "--app", cls.service.app_uuid, "--dialect", dialect, "--name", name,
                            "--role", role)
        cls.token = json_clients.add_token(cls.service)
        cls.limited = json_clients.add_token(cls.service, "--role-ceiling", cls.service.role_uuid)

    def call(self, *calls):
        """Each: name, arguments, and a token (None: anonymous; left out: a good one)."""
        question = [{"call": name, "arguments": list(given), "token": token[0] if token else self.token}
                    for name, given, *token in calls]
        shutil.copy(HERE / "client.mjs", self.folder)
        result = subprocess.run(["node", "client.mjs"], cwd=self.folder, capture_output=True, text=True, timeout=120,
                                input=json.dumps({"serverUrl": self.service.base_url, "calls": question}), check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def invitation(self, email):
        return next(one for one in self.service.cli("invitation", "list") if one["invitee_email"] == email)

    def test_both_calls_invite_and_their_mails_arrive(self):
        answers = self.call(("users.inviteUser", ["users@example.org", "user"]),
                            ("auth.inviteUser", ["auth@example.org", "admin"]),
                            ("raw.inviteUser", ["raw@example.org", "user"]))
        for answer, email, role, name in zip(answers, ("users@example.org", "auth@example.org", "raw@example.org"),
                                             ("user", "admin", "user"),
                                             (self.service.role_name, self.service.other_role_name,
                                              self.service.role_name)):
            self.assertTrue(answer["done"], answer)
            stored = self.invitation(email)
            self.assertEqual(answer["answer"] | {"created_date": "", "expires_at": ""},
                             {"id": stored["invitation_uuid"], "user_email": email, "email": email, "role": role,
                              "status": "pending", "created_date": "", "expires_at": ""})
            self.assertEqual(stored["role_name"], name)
            mail = captured_mail.await_mail(self.service.mail_dir, email)
            self.assertEqual(self.service.person().open(mail.link).status, 200)

    def test_inviting_again_sends_again(self):
        first, = self.call(("users.inviteUser", ["again@example.org", "user"]))
        # Not within the window in which a call made again is the same call: another role.
        again, = self.call(("auth.inviteUser", ["again@example.org", "admin"]))
        self.assertTrue(again["done"], again)
        self.assertEqual(again["answer"]["id"], first["answer"]["id"])
        captured_mail.await_mails(self.service.mail_dir, "again@example.org", 2)

    def test_several_are_invited_at_once_or_nobody(self):
        done, refused = self.call(("raw.inviteUsers", [["jane@example.org", "sam@example.org"], "user"]),
                                  ("raw.inviteUsers", [["kim@example.org", "nobody"], "user"]))
        self.assertEqual([one["email"] for one in done["answer"]["invitations"]],
                         ["jane@example.org", "sam@example.org"])
        self.assertEqual((refused["status"], refused["code"]), (400, "invalid_email_address"))
        self.assertNotIn("kim@example.org", [one["invitee_email"] for one in self.service.cli("invitation", "list")])

    def test_refusals_can_be_branched_on_and_printed(self):
        cases = [(("users.inviteUser", ["x@example.org", "user"], "wrong"), 401, "authentication_failed"),
                 (("users.inviteUser", ["x@example.org", "user"], None), 401, "authentication_failed"),
                 (("auth.inviteUser", ["x@example.org", "admin"], self.limited), 403, "role_not_allowed"),
                 (("users.inviteUser", ["no address", "user"]), 400, "invalid_email_address"),
                 (("users.inviteUser", ["", "user"]), 400, "missing_parameter"),
                 (("auth.inviteUser", ["x@example.org", "owner"]), 400, "unknown_role"),
                 (("users.inviteUser", ["x@example.org", "admin"]), 400, "unknown_role")]
        for (call, status, code), thrown in zip(cases, self.call(*(case[0] for case in cases))):
            with self.subTest(call=call[:2], code=code):
                self.assertEqual((thrown["done"], thrown["name"], thrown["status"], thrown["code"]),
                                 (False, "Base44Error", status, code), thrown)
                self.assertRegex(thrown["printed"], r"^[A-Z\"].{15,}[.]$")
                self.assertEqual(thrown["data"]["message"], thrown["printed"])

    def test_the_package_can_ask_who_it_is(self):
        me, yes, no = self.call(("auth.me", []), ("auth.isAuthenticated", []), ("auth.isAuthenticated", [], None))
        self.assertEqual(me["answer"]["email"], self.service.inviter_email)
        self.assertEqual((yes["answer"], no["answer"]), (True, False))

    def test_the_lines_of_the_readme(self):
        (self.folder / "invite.mjs").write_text(json_clients.block_of_readme("js invite.mjs"), encoding="utf-8")
        result = subprocess.run(["node", "invite.mjs"], cwd=self.folder, capture_output=True, text=True, timeout=60,
                                env={**os.environ, "INVITED_URL": self.service.base_url, "INVITED_TOKEN": self.token},
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(self.invitation("ada@example.org")["invitation_uuid"], result.stdout)


if __name__ == "__main__":
    json_clients.need_package("@base44/sdk")
    end_to_end.main()
