"""GoRules' calls against the real program, as its users make them (its API has no client package for these), and the
answers against GoRules' own description of them. And the lines of the project's README, as they stand there.
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


class GoRulesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="invited-gorules-")))
        json_clients.link_packages(cls.folder)
        cls.service.cli("role", "map", "--app", cls.service.app_uuid, "--dialect", "gorules", "--name", "default",
                        "--role", cls.service.role_name)
        cls.service.cli("access", "grant", "--environment", cls.service.environment_uuid, "--email",
                        cls.service.inviter_email, "--role", cls.service.role_uuid)
        cls.token = json_clients.add_token(cls.service)

    def call(self, method, path, body=None, token=None):
        """The status, and the JSON of the answer (None: it has no body)."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = self.service.request(method, path, None if body is None else json.dumps(body), headers)
        return response.status, json.loads(response.text) if response.text else None

    def expect_fits(self, *answers):
        """Each: a schema's name, and the JSON."""
        shutil.copy(HERE / "validate.mjs", self.folder)
        result = subprocess.run(["node", "validate.mjs", str(HERE)], cwd=self.folder, capture_output=True, text=True,
                                timeout=60, check=False,
                                input=json.dumps([{"schema": schema, "value": value} for schema, value in answers]))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(json.loads(result.stdout), [[] for _ in answers])

    def accept(self, email):
        mail = captured_mail.await_mail(self.service.mail_dir, email)
        person = self.service.person()
        password = "lighthouse piano cargo"
        done = person.submit(person.open(mail.link), "/accept",
                             {"name": "Ada Lovelace", "password": password, "password_again": password})
        self.assertEqual(done.status, 200)

    def test_the_check_would_notice(self):
        shutil.copy(HERE / "validate.mjs", self.folder)
        bad = [{"schema": "inviteUsers", "value": [{"id": "1", "email": "x", "status": "sent"}]},
               {"schema": "InvitationPage", "value": {"results": [{}]}}]
        result = subprocess.run(["node", "validate.mjs", str(HERE)], cwd=self.folder, capture_output=True, text=True,
                                timeout=60, input=json.dumps(bad), check=True)
        self.assertTrue(all(len(problems) > 3 for problems in json.loads(result.stdout)), result.stdout)

    def test_answers_fit_the_description(self):
        emails = [f"fit{number}@example.org" for number in range(10)]
        status, invited = self.call("POST", "/api/users", {"emails": emails})
        self.assertEqual((status, [one["email"] for one in invited]), (200, emails))
        self.accept(emails[0])
        status, again = self.call("POST", "/api/users", {"emails": [emails[0], self.service.inviter_email]})
        self.assertEqual((status, [one["status"] for one in again]), (200, ["accepted", "accepted"]))
        status, resent = self.call("POST", f"/api/users/{invited[1]['userId']}/invitation")
        self.assertEqual((status, resent["id"]), (200, invited[1]["id"]))
        captured_mail.await_mails(self.service.mail_dir, emails[1], 2)
        lists = [self.call("GET", path)[1] for path in ("/api/invitations?search=fit", "/api/users?perPage=500",
                                                        "/api/invitations?search=fit&status=accepted",
                                                        "/api/users?isService=true")]
        self.assertEqual([len(page["results"]) for page in lists[::2]], [10, 1])
        self.expect_fits(("inviteUsers", invited), ("inviteUsers", again), ("InvitationShort", resent),
                         ("InvitationPage", lists[0]), ("UserPage", lists[1]), ("InvitationPage", lists[2]),
                         ("UserPage", lists[3]))

    def test_an_invitation_can_be_taken_back(self):
        _, (invited,) = self.call("POST", "/api/users", {"emails": ["rex@example.org"]})
        mail = captured_mail.await_mail(self.service.mail_dir, "rex@example.org")
        self.assertEqual(self.call("DELETE", f"/api/invitations/{invited['id']}"), (204, None))
        self.assertEqual(self.service.person().open(mail.link).status, 404)
        self.assertEqual(self.call("GET", "/api/invitations?search=rex")[1]["results"], [])

    def test_refusals_have_a_status_and_a_sentence(self):
        for body, token, status, code in (({"emails": ["x"]}, None, 400, "invalid_email_address"),
                                          ({"emails": ["x@example.org"] * 11}, None, 400, "invalid_parameter"),
                                          ({}, None, 400, "missing_parameter"),
                                          ({"emails": ["x@example.org"]}, "wrong", 401, "authentication_failed")):
            answered, answer = self.call("POST", "/api/users", body, token)
            self.assertEqual((answered, answer["statusCode"], answer["code"]), (status, status, code))
            self.assertRegex(answer["message"], r"^[A-Z\"].{15,}[.]$")
        self.assertEqual(self.call("PUT", "/api/users", {})[1]["statusCode"], 405)
        self.assertEqual(self.call("GET", "/api/projects")[1]["statusCode"], 404)
        self.assertEqual(self.service.request("POST", "/api/users", "{}", {"Content-Type": "text/plain"}).status, 415)

    def test_the_lines_of_the_readme(self):
        result = subprocess.run(["sh", "-euc", json_clients.block_of_readme("sh gorules")], cwd=self.folder,
                                capture_output=True, text=True, timeout=60, check=False,
                                env={**os.environ, "INVITED_URL": self.service.base_url, "INVITED_TOKEN": self.token})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        stored = next(one for one in self.service.cli("invitation", "list") if one["invitee_email"] == "ada@example.org")
        self.assertEqual(stored["state"], "revoked")
        self.assertEqual(result.stdout.count(stored["invitation_uuid"]) > 1, True, result.stdout)


if __name__ == "__main__":
    json_clients.need_package("ajv")
    end_to_end.main()
