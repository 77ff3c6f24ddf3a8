"""Which link works when, with the real program: a mail that has to wait, one that has left, an older link, a slash behind
a link, pages in the reader's language."""

import pathlib
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service, wait_until

SIGN_UP = {"name": "Some One", "password": "seventeen quiet otters dance", "password_again": "seventeen quiet otters dance"}
LIMITED = {name: value for name, value in NO_RATES.items() if "mailbox" not in name}


class WhileTheNewerMailWaits(unittest.TestCase):
    """One mail a minute goes to a mailbox: the second one has to wait."""

    def invited(self, service, invitee):
        self.assertFalse(service.send_invite(invitee).fault)
        link = captured_mail.await_mail(service.mail_dir, invitee).link
        wait_until(lambda: service.cli("mail", "list", "--state", "sent"), what="the outcome")
        return link

    def send_again(self, service, invitee):
        [invitation] = service.cli("invitation", "list", "--email", invitee)
        service.cli("invitation", "resend", invitation["invitation_uuid"])
        self.assertEqual(len(service.cli("mail", "list", "--state", "queued")), 1)

    def test_the_older_link_is_accepted_and_the_newer_mail_stays_here(self):
        with Service.serve({**LIMITED, "invitation.repeat_window": "0s"}) as service:
            link = self.invited(service, "waiting@example.org")
            self.send_again(service, "waiting@example.org")
            again = service.send_invite("waiting@example.org", RoleUUID=service.other_role_uuid)
            self.assertFalse(again.fault, again)
            person = service.person()
            page = person.open(link)
            self.assertEqual(page.status, 200)
            self.assertIn(service.other_role_name, page.text)
            self.assertEqual(person.submit(page, "/accept", SIGN_UP).status, 200)
            self.assertEqual([a["role_name"] for a in service.cli("access", "list") if a["email"] == "waiting@example.org"],
                             [service.other_role_name], "what the invitation grants by now")
            self.assertEqual(service.cli("mail", "list", "--state", "queued"), [])
            self.assertEqual(len(captured_mail.read_all(service.mail_dir)), 1)

    def test_revoking_ends_the_older_link_too(self):
        with Service.serve(LIMITED) as service:
            link = self.invited(service, "revoked@example.org")
            self.send_again(service, "revoked@example.org")
            self.assertEqual(service.person().open(link).status, 200)
            [invitation] = service.cli("invitation", "list", "--email", "revoked@example.org")
            service.cli("invitation", "revoke", invitation["invitation_uuid"])
            self.assertEqual(service.person().open(link).status, 404)

    def test_once_it_has_left_the_older_link_is_over(self):
        with Service.serve(NO_RATES) as service:
            link = self.invited(service, "left@example.org")
            [invitation] = service.cli("invitation", "list", "--email", "left@example.org")
            service.cli("invitation", "resend", invitation["invitation_uuid"])
            newer = captured_mail.await_mail(service.mail_dir, "left@example.org", 2).link
            page = wait_until(lambda: (lambda page: page if page.status == 404 else None)(service.person().open(link)))
            self.assertIn("newest mail", page.text)
            self.assertEqual(service.person().open(newer).status, 200)

    def test_an_expired_link_does_not_open_again(self):
        with Service.serve({**LIMITED, "invitation.lifetime": "2s"}) as service:
            link = self.invited(service, "late@example.org")
            page = wait_until(lambda: (lambda page: page if page.status == 404 else None)(service.person().open(link)))
            person = service.person()
            self.assertEqual(person.submit(person.open(link), "/fresh", {}).status, 200)
            self.assertEqual(service.person().open(link).status, 404)
            self.assertIn("expired", page.text)


class EveryReader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service.serve(NO_RATES)

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__(None, None, None)

    def test_gets_the_pages_of_the_listener_in_their_language(self):
        for method, path, status in (("GET", "/nothing/here", 404), ("DELETE", "/sign-in", 405), ("GET", "/i/x/y/z", 404),
                                     ("POST", "/sign-in", 413)):
            for language in ("de", "fr", "nl", "es", "en"):
                with self.subTest(method=method, path=path, language=language):
                    body = "x" * 20000 if status == 413 else None
                    headers = {"Accept-Language": language, "Content-Type": "application/x-www-form-urlencoded"}
                    answer = self.service.request(method, path, body, headers)
                    self.assertEqual(answer.status, status)
                    self.assertIn(f'lang="{language}"', answer.text)

    def test_gets_to_the_invitation_where_a_program_wrote_a_slash_behind_the_link(self):
        self.service.send_invite("slash@example.org")
        link = captured_mail.await_mail(self.service.mail_dir, "slash@example.org").link
        path = urllib.parse.urlsplit(link).path
        answer = self.service.request("GET", path + "/")
        self.assertEqual((answer.status, answer.headers["Location"]), (303, path))


if __name__ == "__main__":
    end_to_end.main()
