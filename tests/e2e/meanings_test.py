"""What a valid SendInvite does, by what was there before: new, repeated, re-sent, another role, known account, access
already, after decline, revocation and expiry; letter case; two callers at once; Idempotency-Key."""

import concurrent.futures
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service, wait_until

PASSWORD = "seventeen quiet otters dance"
# The window in which a call counts as repeated is closed, so that tests need not wait a minute for the next one.
AT_ONCE = {**NO_RATES, "invitation.repeat_window": "0s"}


class MeaningsTest(unittest.TestCase):
    SETTINGS = AT_ONCE

    @classmethod
    def setUpClass(cls):
        cls.service = Service.serve(cls.SETTINGS)

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__(None, None, None)

    def invite(self, invitee, **changes):
        answer = self.service.send_invite(invitee, **changes)
        self.assertFalse(answer.fault, answer)

    def mail(self, invitee, number=1):
        return captured_mail.await_mail(self.service.mail_dir, invitee, number)

    def mail_count(self, invitee):
        """After everything that is owed was sent."""
        wait_until(lambda: not [m for m in self.service.cli("mail", "list") if m["state"] == "queued"], what="idle mail")
        return len(captured_mail.mails_to(self.service.mail_dir, invitee))

    def invitations(self, invitee):
        return [i for i in self.service.cli("invitation", "list") if i["invitee_email"].lower() == invitee.lower()]

    def states(self, invitee):
        return sorted(entry["state"] for entry in self.invitations(invitee))

    def accept(self, mail, name="Some One"):
        person = self.service.person()
        page = person.open(mail.link)
        values = {"password": PASSWORD}
        if "name" in page.form("/accept").fields:
            values.update({"name": name, "password_again": PASSWORD})
        done = person.submit(page, "/accept", values)
        self.assertEqual(done.status, 200, done.text)
        return done

    def decline(self, mail):
        person = self.service.person()
        done = person.submit(person.open(mail.link), "/decline")
        self.assertEqual(done.status, 200, done.text)

    def roles_of(self, email):
        return sorted(entry["role_name"] for entry in self.service.cli("access", "list") if entry["email"] == email)


class WithinAMinute(MeaningsTest):
    SETTINGS = NO_RATES

    def test_the_same_call_again_is_the_same_invitation_and_one_mail(self):
        for _ in range(3):
            self.invite("again@example.org")
        self.assertEqual(self.states("again@example.org"), ["pending"])
        self.assertEqual(self.mail_count("again@example.org"), 1)

    def test_letter_case_of_the_address_makes_no_second_person(self):
        self.invite("Letter.Case@example.org")
        self.invite("lETTER.cASE@EXAMPLE.ORG")
        self.assertEqual(self.states("letter.case@example.org"), ["pending"])
        self.assertEqual(self.mail_count("letter.case@example.org"), 1)

    def test_another_role_replaces_the_pending_one_and_is_sent(self):
        self.invite("role@example.org")
        old = self.mail("role@example.org")
        self.invite("role@example.org", RoleUUID=self.service.other_role_uuid)
        new = self.mail("role@example.org", 2)
        self.assertIn(self.service.other_role_name, new.text)
        [invitation] = self.invitations("role@example.org")
        self.assertEqual((invitation["role_uuid"], invitation["generation"]), (self.service.other_role_uuid, 2))
        self.assertIsNone(self.service.person().open(old.link).form("/accept"))
        self.accept(new)
        self.assertEqual(self.roles_of("role@example.org"), [self.service.other_role_name])

    def test_many_callers_at_the_same_moment_make_one_invitation(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.service.send_invite("parallel@example.org"), range(100)))
        self.assertEqual([answer for answer in answers if answer.fault], [])
        self.assertEqual(self.states("parallel@example.org"), ["pending"])
        self.assertEqual(self.mail_count("parallel@example.org"), 1)

    def test_callers_at_the_same_moment_for_different_roles_make_one_invitation(self):
        roles = [self.service.role_uuid, self.service.other_role_uuid]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: self.service.send_invite("torn@example.org", RoleUUID=roles[n % 2]),
                                    range(20)))
        self.assertEqual([answer for answer in answers if answer.fault], [])
        self.assertEqual(self.states("torn@example.org"), ["pending"])


class LaterOn(MeaningsTest):
    def test_a_pending_one_is_sent_again_and_the_old_link_is_dead(self):
        self.invite("resent@example.org")
        old = self.mail("resent@example.org")
        [before] = self.invitations("resent@example.org")
        self.invite("resent@example.org")
        new = self.mail("resent@example.org", 2)
        [after] = self.invitations("resent@example.org")
        self.assertEqual(after["invitation_uuid"], before["invitation_uuid"])
        self.assertEqual((before["generation"], after["generation"]), (1, 2))
        self.assertGreater(after["expires_at"], before["expires_at"])
        self.assertNotEqual(old.message_id, new.message_id)
        dead = self.service.person().open(old.link)
        self.assertEqual((dead.status, dead.form("/accept")), (404, None))
        self.assertEqual(self.service.person().open(new.link).status, 200)

    def test_an_account_without_the_role_signs_in_to_accept_and_keeps_its_password(self):
        self.invite("member@example.org")
        self.accept(self.mail("member@example.org"), "Mem Ber")
        self.invite("Member@example.org", RoleUUID=self.service.other_role_uuid)
        mail = self.mail("member@example.org", 2)
        self.assertIn("account that you already have", mail.text)
        person = self.service.person()
        page = person.open(mail.link)
        form = page.form("/accept")
        self.assertEqual(set(form.fields) - {"csrf"}, {"password"})
        # Fields of the other form change nothing (T08): the password stays, and it must be right.
        refused = person.submit(page, "/accept", {"name": "Mallory", "password": "another password altogether",
                                                  "password_again": "another password altogether"})
        self.assertEqual(refused.status, 422, refused.text)
        self.assertEqual(self.roles_of("member@example.org"), [self.service.role_name])
        self.accept(mail)
        self.assertEqual(self.roles_of("member@example.org"), ["Manager", "Team member"])
        [account] = [a for a in self.service.cli("account", "list") if a["email"] == "member@example.org"]
        self.assertEqual(account["name"], "Mem Ber")

    def test_an_account_with_the_role_gets_a_notice_once(self):
        self.invite("has@example.org")
        self.accept(self.mail("has@example.org"))
        for _ in range(3):
            self.invite("has@example.org")
        self.assertEqual(self.mail_count("has@example.org"), 2)
        notice = self.mail("has@example.org", 2)
        self.assertIn("already have access", notice.subject)
        self.assertNotIn("/i/", notice.text + notice.html)
        self.assertEqual(self.states("has@example.org"), ["accepted"])

    def test_after_a_decline_a_new_invitation_is_made(self):
        self.invite("declined@example.org")
        first = self.mail("declined@example.org")
        self.decline(first)
        self.assertEqual(self.states("declined@example.org"), ["declined"])
        self.invite("declined@example.org")
        self.accept(self.mail("declined@example.org", 2))
        self.assertEqual(self.states("declined@example.org"), ["accepted", "declined"])
        self.assertEqual(self.service.person().open(first.link).status, 404)

    def test_after_a_revocation_a_new_invitation_is_made(self):
        self.invite("revoked@example.org")
        first = self.mail("revoked@example.org")
        [invitation] = self.invitations("revoked@example.org")
        self.service.cli("invitation", "revoke", invitation["invitation_uuid"])
        gone = self.service.person().open(first.link)
        self.assertEqual((gone.status, gone.forms), (404, []))
        self.invite("revoked@example.org")
        self.accept(self.mail("revoked@example.org", 2))
        self.assertEqual(self.states("revoked@example.org"), ["accepted", "revoked"])

    def test_an_operator_can_send_it_again(self):
        self.invite("operator@example.org")
        old = self.mail("operator@example.org")
        [invitation] = self.invitations("operator@example.org")
        self.service.cli("invitation", "resend", invitation["invitation_uuid"])
        new = self.mail("operator@example.org", 2)
        self.assertEqual(self.service.person().open(old.link).status, 404)
        self.accept(new)

    def test_a_person_entered_by_the_operator_signs_up_with_the_name_filled_in(self):
        self.service.cli("account", "add", "--email", "entered@example.org", "--name", "En Tered")
        self.invite("entered@example.org")
        page = self.service.person().open(self.mail("entered@example.org").link)
        self.assertEqual(page.form("/accept").fields["name"], "En Tered")

    def test_a_role_added_later_by_hand_can_be_revoked(self):
        self.invite("access@example.org")
        self.accept(self.mail("access@example.org"))
        self.service.cli("access", "revoke", "--environment", self.service.environment_uuid, "--email",
                         "access@example.org", "--role", self.service.role_uuid)
        self.assertEqual(self.roles_of("access@example.org"), [])
        self.invite("access@example.org")
        self.accept(self.mail("access@example.org", 2))
        self.assertEqual(self.roles_of("access@example.org"), [self.service.role_name])


class AnIdempotencyKeyNamesTheCall(MeaningsTest):
    def send(self, invitee, key, **changes):
        return self.service.send_invite(invitee, headers={"Idempotency-Key": key}, **changes)

    def test_a_hundred_in_parallel_are_one_invitation_with_equal_answers(self):
        """D31. The repeat window is closed here: only the key makes them one."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.send("key@example.org", "7f2c"), range(100)))
        self.assertEqual({(answer.status, answer.response.body) for answer in answers},
                         {(200, answers[0].response.body)})
        self.assertEqual(self.mail_count("key@example.org"), 1)
        [invitation] = self.invitations("key@example.org")
        self.assertEqual(invitation["generation"], 1)

    def test_another_call_under_the_same_key_is_refused(self):
        self.assertFalse(self.send("one@example.org", "a key").fault)
        answer = self.send("two@example.org", "a key")
        self.assertEqual((answer.code, answer.parameter), ("idempotency_mismatch", "Idempotency-Key"))
        self.assertEqual(self.invitations("two@example.org"), [])


class WhenItExpires(MeaningsTest):
    SETTINGS = {**AT_ONCE, "invitation.lifetime": "4s"}

    def expired_mail(self, invitee):
        self.invite(invitee)
        mail = self.mail(invitee)
        wait_until(lambda: self.states(invitee) == ["expired"], what="expiry")
        return mail

    def test_the_page_offers_a_fresh_link_to_the_same_address(self):
        mail = self.expired_mail("late@example.org")
        person = self.service.person()
        page = person.open(mail.link)
        self.assertEqual((page.status, page.form("/accept")), (404, None))
        sent = person.submit(page, "/fresh")
        self.assertEqual(sent.status, 200, sent.text)
        fresh = self.mail("late@example.org", 2)
        self.accept(fresh)
        self.assertEqual(self.states("late@example.org"), ["accepted"])

    def test_a_new_call_makes_a_new_invitation(self):
        mail = self.expired_mail("expired@example.org")
        self.invite("expired@example.org")
        self.accept(self.mail("expired@example.org", 2))
        self.assertEqual(self.states("expired@example.org"), ["accepted", "expired"])
        self.assertEqual(self.service.person().open(mail.link).status, 404)

    def test_accepting_is_refused_a_moment_after_the_end(self):
        self.invite("slow@example.org")
        mail = self.mail("slow@example.org")
        person = self.service.person()
        page = person.open(mail.link)
        self.assertEqual(page.status, 200)
        wait_until(lambda: self.states("slow@example.org") == ["expired"], what="expiry")
        late = person.submit(page, "/accept", {"name": "Slow", "password": PASSWORD, "password_again": PASSWORD})
        self.assertEqual(late.status, 404, late.text)
        self.assertEqual(self.roles_of("slow@example.org"), [])


if __name__ == "__main__":
    end_to_end.main()
