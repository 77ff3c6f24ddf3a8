"""One core behind five front doors: what is invited through each of them (SOAP, our own JSON, GoRules, Medusa, Base44) is
read, sent again and taken back through every other that can; the mail is the same, and so is what becomes of it.
"""

import itertools
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import json_clients
import postgres
import soap_client
from invited_service import NO_RATES, Service, wait_until


class Door:
    """Plain HTTP as each kind of client makes it; the clients' own packages are in tests/interop."""

    def __init__(self, service, token):
        self.service, self.token = service, token

    def call(self, method, path, body=None):
        response = self.service.request(method, path, None if body is None else json.dumps(body),
                                        {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        if response.status >= 300:
            raise AssertionError(f"{method} {path}: {response.status} {response.text}")
        return json.loads(response.text) if response.body else None


class Soap(Door):
    """Only invites; calling again sends again, after a minute or with another role."""

    def invite(self, email):
        self.send(email, self.service.role_uuid)

    def resend(self, email):
        self.send(email, self.service.other_role_uuid)

    def send(self, email, role):
        answer = soap_client.send_invite(self.service.port, {
            "EnvironmentUUID": self.service.environment_uuid, "EnvironmentPassword": self.service.environment_password,
            "RoleUUID": role, "InviteeEmailAddress": email, "InviterEmailAddress": self.service.inviter_email})
        assert not answer.fault, answer


class V1(Door):
    def find(self, email):
        found = self.call("GET", f"/api/v1/invitations?email={email}")["invitations"]
        return found[0] if found and found[0]["state"] == "pending" else None

    def invite(self, email):
        self.call("POST", "/api/v1/invitations", {"email": email, "roles": [self.service.role_uuid]})

    def reads(self, email):
        found = self.find(email)
        return found["email"] if found else None

    def resend(self, email):
        self.call("POST", f"/api/v1/invitations/{self.find(email)['id']}/resend", {})

    def revoke(self, email):
        self.call("DELETE", f"/api/v1/invitations/{self.find(email)['id']}")


class GoRules(Door):
    def find(self, email):
        found = self.call("GET", f"/api/invitations?search={email}&status=pending")["results"]
        return found[0] if found else None

    def invite(self, email):
        self.call("POST", "/api/users", {"emails": [email]})

    def reads(self, email):
        found = self.find(email)
        return found["email"] if found else None

    def resend(self, email):
        self.call("POST", f"/api/users/{self.find(email)['user']['id']}/invitation")

    def revoke(self, email):
        self.call("DELETE", f"/api/invitations/{self.find(email)['id']}")


class Medusa(Door):
    def find(self, email):
        found = self.call("GET", f"/admin/invites?email={email}")["invites"]
        return found[0] if found else None

    def invite(self, email):
        self.call("POST", "/admin/invites", {"email": email})

    def reads(self, email):
        found = self.find(email)
        return found["email"] if found else None

    def resend(self, email):
        self.call("POST", f"/admin/invites/{self.find(email)['id']}/resend")

    def revoke(self, email):
        self.call("DELETE", f"/admin/invites/{self.find(email)['id']}")


class Base44(Door):
    """Only invites; inviting again sends again."""

    def invite(self, email):
        self.call("POST", "/api/apps/APP1/users/invite-user", {"user_email": email, "role": "user"})

    def resend(self, email):
        self.call("POST", "/api/apps/APP1/users/invite-user", {"user_email": email, "role": "admin"})


class DoorsTest(unittest.TestCase):
    @classmethod
    def settings(cls):
        return NO_RATES

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(cls.settings()))
        for dialect, name, role in (("gorules", "default", cls.service.role_name),
                                    ("medusa", "default", cls.service.role_name),
                                    ("base44", "user", cls.service.role_name),
                                    ("base44", "admin", cls.service.other_role_name)):
            cls.service.cli("role", "map", "--app", cls.service.app_uuid, "--dialect", dialect, "--name", name,
                            "--role", role)
        token = json_clients.add_token(cls.service)
        cls.doors = [door(cls.service, token) for door in (Soap, V1, GoRules, Medusa, Base44)]
        cls.numbers = itertools.count(1)

    def email(self):
        return f"person{next(self.numbers)}@example.org"

    def pairs(self, verb):
        for first in self.doors:
            for second in self.doors:
                if first is not second and hasattr(second, verb):
                    yield first, second, self.email()

    def state(self, email):
        found, = self.service.cli("invitation", "list", "--email", email)
        return found["state"]

    def test_what_is_invited_through_one_is_read_through_every_other(self):
        for first, second, email in self.pairs("reads"):
            with self.subTest(invited=type(first).__name__, read=type(second).__name__):
                self.assertIsNone(second.reads(email))
                first.invite(email)
                self.assertEqual(second.reads(email), email)

    def test_and_sent_again(self):
        for first, second, email in self.pairs("resend"):
            with self.subTest(invited=type(first).__name__, sent_again=type(second).__name__):
                first.invite(email)
                old, = captured_mail.await_mails(self.service.mail_dir, email, 1)
                second.resend(email)
                mails = captured_mail.await_mails(self.service.mail_dir, email, 2)
                new, = [mail for mail in mails if mail.link != old.link]
                # The mail lies there a moment before it is recorded as having left.
                wait_until(lambda: "newer" in self.service.person().open(old.link).text, what="the newer mail's record")
                self.assertEqual(self.service.person().open(new.link).status, 200)

    def test_and_taken_back(self):
        for first, second, email in self.pairs("revoke"):
            with self.subTest(invited=type(first).__name__, revoked=type(second).__name__):
                first.invite(email)
                mail = captured_mail.await_mail(self.service.mail_dir, email)
                second.revoke(email)
                self.assertEqual(self.state(email), "revoked")
                for door in self.doors:
                    if hasattr(door, "reads"):
                        self.assertIsNone(door.reads(email), type(door).__name__)
                self.assertNotIn("<form", self.service.person().open(mail.link).text)

    def test_whoever_was_invited_through_any_is_in(self):
        for door in self.doors:
            with self.subTest(invited=type(door).__name__):
                email = self.email()
                door.invite(email)
                person = self.service.person()
                page = person.open(captured_mail.await_mail(self.service.mail_dir, email).link)
                self.assertEqual(page.status, 200)
                self.assertIn(self.service.role_name, page.text)


class DoorsOnPostgresTest(DoorsTest):
    @classmethod
    def settings(cls):
        cluster = postgres.Cluster()
        cls.addClassCleanup(cluster.close)
        return {**NO_RATES, "database": cluster.url}


if __name__ == "__main__":
    postgres.need()
    end_to_end.main()
