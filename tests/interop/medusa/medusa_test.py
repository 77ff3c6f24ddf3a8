"""Medusa's own client package against the real program: every call of its that touches invites, good and refused, and the
whole life: invite, list, re-send, register, accept, sign in, by token and by session. And the lines of the project's README, as
they stand there.
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

PASSWORD = "violet harbour ladder 71"
INVITE = {"id", "email", "accepted", "token", "expires_at", "metadata", "created_at", "updated_at", "deleted_at"}


class MedusaTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="invited-medusa-")))
        json_clients.link_packages(cls.folder)
        for name, role in (("default", cls.service.role_name), ("editor", cls.service.other_role_name)):
            cls.service.cli("role", "map", "--app", cls.service.app_uuid, "--dialect", "medusa", "--name", name,
                            "--role", role)
        cls.token = json_clients.add_token(cls.service, "--links")
        cls.admin = {"as": "admin", "apiKey": cls.token}

    def call(self, *calls, base_url=None):
        """Each: client, name, arguments…"""
        question = [{"client": client, "call": name, "arguments": given} for client, name, *given in calls]
        shutil.copy(HERE / "client.mjs", self.folder)
        result = subprocess.run(["node", "client.mjs"], cwd=self.folder, capture_output=True, text=True, timeout=120,
                                input=json.dumps({"baseUrl": base_url or self.service.base_url, "calls": question}),
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def answers(self, *calls, **more):
        results = self.call(*calls, **more)
        for result in results:
            self.assertTrue(result["done"], result)
        return [result["answer"] for result in results]

    def test_the_whole_life(self):
        email = "ada@example.org"
        person = {"as": "ada", "auth": {"type": "jwt", "jwtTokenStorageMethod": "memory"}}
        made, listed, sent, _, user, _, providers, hers, refreshed = self.answers(
            (self.admin, "admin.invite.create", {"email": email, "roles": ["default"], "metadata": {"team": "Quay"}}),
            (self.admin, "admin.invite.list", {"q": "ADA@", "limit": 5}),
            (self.admin, "admin.invite.resend", "$0.invite.id"),
            (person, "auth.register", "user", "emailpass", {"email": email, "password": PASSWORD}),
            (person, "admin.invite.accept",
             {"invite_token": "$2.invite.token", "first_name": "Ada", "last_name": "Lovelace"}),
            (person, "auth.login", "user", "emailpass", {"email": email, "password": PASSWORD}),
            (self.admin, "client.fetch", "/auth/user/providers"),
            (person, "admin.invite.list"),
            (person, "auth.refresh"))
        self.assertEqual(set(made["invite"]), INVITE)
        self.assertEqual(made["invite"]["metadata"], {"team": "Quay"})
        self.assertEqual((listed["count"], listed["limit"], listed["invites"][0]["id"]), (1, 5, made["invite"]["id"]))
        self.assertEqual(listed["invites"][0]["token"], "")
        self.assertEqual(sent["invite"]["id"], made["invite"]["id"])
        self.assertNotEqual(sent["invite"]["token"], made["invite"]["token"])
        self.assertEqual((user["user"]["email"], user["user"]["first_name"]), (email, "Ada"))
        self.assertEqual(providers["providers"][0]["id"], "emailpass")
        self.assertNotIn(email, [one["email"] for one in hers["invites"]])
        self.assertTrue(refreshed)
        access = self.service.cli("access", "list", "--environment", self.service.environment_uuid)
        self.assertIn((email, self.service.role_name), [(one["email"], one["role_name"]) for one in access])

    def test_the_mail_has_a_link_that_works_too(self):
        made, = self.answers((self.admin, "admin.invite.create", {"email": "mail@example.org"}))
        mail = captured_mail.await_mail(self.service.mail_dir, "mail@example.org")
        self.assertEqual(self.service.person().open(mail.link).status, 200)
        self.assertIn(made["invite"]["id"].removeprefix("invite_").isalnum(), (True,))

    def test_refusals_are_medusas_own(self):
        anonymous = {"as": "anonymous"}
        wrong = {"as": "wrong", "apiKey": "sk_wrong"}
        limited = {"as": "limited",
                   "apiKey": json_clients.add_token(self.service, "--role-ceiling", self.service.role_uuid)}
        self.answers((self.admin, "admin.invite.create", {"email": "twice@example.org"}))
        nobody = "invite_00000000000000000000000000"
        cases = [
            ((anonymous, "admin.invite.list"), 401, "Unauthorized"),
            ((wrong, "admin.invite.list"), 401, "Unauthorized"),
            ((limited, "admin.invite.create", {"email": "x@example.org", "roles": ["editor"]}), 403, "may not be granted"),
            ((self.admin, "admin.invite.create", {"email": "twice@example.org"}), 400,
             "Invite with email: twice@example.org, already exists."),
            ((self.admin, "admin.invite.create", {"email": self.service.inviter_email}), 400,
             f"User account for following email(s) already exist: {self.service.inviter_email}"),
            ((self.admin, "admin.invite.create", {"email": "x@example.org", "roles": ["r1", "r2"]}), 400,
             "The following role IDs do not exist: r1, r2"),
            ((self.admin, "admin.invite.create", {}), 400, "Invalid request: Field 'email' is required"),
            ((self.admin, "admin.invite.create", {"email": 5}), 400,
             "Invalid request: Expected type: 'string' for field 'email', got: '5'"),
            ((self.admin, "admin.invite.create", {"email": "x@example.org", "foo": 1}), 400,
             "Invalid request: Unrecognized fields: 'foo'"),
            ((self.admin, "admin.invite.retrieve", nobody), 404, f"Invite with id: {nobody} was not found"),
            ((self.admin, "admin.invite.resend", nobody), 400, f"The following invites do not exist: {nobody}"),
            ((self.admin, "admin.invite.accept", {"invite_token": "forged"}), 401, "Unauthorized"),
        ]
        for (call, status, message), thrown in zip(cases, self.call(*(case[0] for case in cases))):
            with self.subTest(call=call[1:], status=status):
                self.assertEqual((thrown["done"], thrown["name"], thrown["status"]), (False, "FetchError", status), thrown)
                self.assertIn(message, thrown["message"])

    def test_deleting_is_answered_and_final(self):
        made, shown, deleted, again = self.answers(
            (self.admin, "admin.invite.create", {"email": "gone@example.org"}),
            (self.admin, "admin.invite.retrieve", "$0.invite.id", {"fields": "email,rbac_roles.id"}),
            (self.admin, "admin.invite.delete", "$0.invite.id"),
            (self.admin, "admin.invite.delete", "$0.invite.id"))
        self.assertEqual(shown["invite"], {"id": made["invite"]["id"], "email": "gone@example.org",
                                           "rbac_roles": [{"id": "default"}]})
        for answer in (deleted, again):
            self.assertEqual(answer, {"id": made["invite"]["id"], "object": "invite", "deleted": True})

    def test_lists_as_the_dashboard_asks(self):
        emails = [f"list{i}@example.com" for i in range(4)]
        self.answers(*((self.admin, "admin.invite.create", {"email": email}) for email in emails))
        dashboard = {"limit": 2, "offset": 1, "q": "@example.com", "order": "-email",
                     "created_at": {"$gte": "2020-01-01T00:00:00.000Z"},
                     "fields": "id,email,accepted,token,expires_at,created_at,updated_at,rbac_roles.id,rbac_roles.name"}
        page, chosen = self.answers((self.admin, "admin.invite.list", dashboard),
                                    (self.admin, "admin.invite.list", {"email": emails[:2], "order": "email"}))
        self.assertEqual((page["count"], page["offset"], page["limit"]), (4, 1, 2))
        self.assertEqual([one["email"] for one in page["invites"]], [emails[2], emails[1]])
        self.assertEqual(page["invites"][0]["rbac_roles"], [{"id": "default", "name": self.service.role_name}])
        self.assertEqual([one["email"] for one in chosen["invites"]], emails[:2])

    def test_nobody_accepts_with_another_address(self):
        eve = {"as": "eve", "auth": {"type": "jwt", "jwtTokenStorageMethod": "memory"}}
        made, _, refused = self.call(
            (self.admin, "admin.invite.create", {"email": "victim@example.org"}),
            (eve, "auth.register", "user", "emailpass", {"email": "eve@example.org", "password": PASSWORD}),
            (eve, "admin.invite.accept", {"invite_token": "$0.invite.token", "email": "victim@example.org"}))
        self.assertTrue(made["done"], made)
        self.assertEqual((refused["done"], refused["status"], refused["message"]), (False, 401, "Unauthorized"))

    def test_a_base_url_may_name_the_environment(self):
        base_url = f"{self.service.base_url}/environments/{self.service.environment_uuid}"
        listed, = self.answers((self.admin, "admin.invite.list"), base_url=base_url)
        self.assertIn("invites", listed)

    def test_the_lines_of_the_readme(self):
        (self.folder / "medusa.mjs").write_text(json_clients.block_of_readme("js medusa.mjs"), encoding="utf-8")
        result = subprocess.run(["node", "medusa.mjs"], cwd=self.folder, capture_output=True, text=True, timeout=60,
                                env={**os.environ, "INVITED_URL": self.service.base_url, "INVITED_TOKEN": self.token},
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("invite_", result.stdout)
        captured_mail.await_mail(self.service.mail_dir, "grete@example.org")


if __name__ == "__main__":
    json_clients.need_package("@medusajs/js-sdk")
    end_to_end.main()
