"""The checker can fail: what a short, faultless run left behind is doctored in every way that the checker is there
for, and each must be named."""

import base64
import copy
import pathlib
import re
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment import OnSqlite

import checker
import end_to_end
from call_log import DONE, REFUSED, UNKNOWN
from captured_mail import Mail
from links import PASSWORD
from stored import SqliteDatabase, Stored


class EveryDoctoredAccountIsNamed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        checker.MAILS_READ = checker.TOKENS_SOUGHT = sys.maxsize
        cls.deployment = OnSqlite()
        with cls.deployment.callers(connections=4):
            cls.deployment.log.await_more(150)
        report = cls.deployment.judge(links_followed=2)
        assert not report.findings, report.text()
        cls.world = cls.deployment.world
        cls.calls = cls.deployment.log.calls()
        cls.mails = cls.deployment.relay.mails()
        cls.keys = checker.key_file_secrets(cls.deployment.services[0].state_dir / "keys.json")
        cls.file = cls.deployment.database().file

    @classmethod
    def tearDownClass(cls):
        cls.deployment.__exit__(None, None, None)

    # --- what is doctored -----------------------------------------------------------------------------------

    def findings(self, *statements, calls=None, mails=None, allowed_copies=0, log=b"", file=None):
        """The kinds that are found after these statements have changed the database."""
        doctored = self.file.with_name("doctored.db")
        shutil.copy(file or self.file, doctored)
        self.addCleanup(doctored.unlink, missing_ok=True)
        connection = sqlite3.connect(doctored)
        connection.execute("DROP TRIGGER invitation_keeps_invitee")  # it refuses what is to be found here
        changed = connection.total_changes
        for statement, values in statements:
            connection.execute(statement, values)
        self.assertTrue(not statements or connection.total_changes > changed, "nothing was doctored")
        connection.commit()
        connection.close()
        accepted = self.accepted()
        report = checker.check(self.world, self.calls if calls is None else calls,
                               Stored.read(SqliteDatabase(doctored)), self.mails if mails is None else mails, accepted,
                               allowed_copies, {"a log": log}, self.keys)
        return report.kinds

    def accepted(self):
        keys = {uuid: key for key, uuid in self.deployment.stored.accounts.items()}
        followed = [i for i in self.deployment.stored.invitations if i.state == "accepted"]
        return [checker.Accepted(i.id, i.invitee_key) for i in followed if i.invitee_key in keys.values()]

    def a_call(self, outcome=DONE, **wanted):
        """The only one for its person, who has no access yet."""
        people = [call.intention[1] for call in self.calls]
        followed = {one.email_key for one in self.accepted()}
        return next(call for call in self.calls
                    if call.outcome == outcome and people.count(call.intention[1]) == 1
                    and call.intention[1] not in followed
                    and all(getattr(call, name) == value for name, value in wanted.items()))

    def invitation(self, call):
        return next(i for i in self.deployment.stored.invitations if (i.environment, i.invitee_key) == call.intention)

    def message(self, call):
        return next(m for m in self.deployment.stored.messages if m.invitation == self.invitation(call).id)

    def mail(self, call):
        return next(mail for mail in self.mails if checker.message_id(mail) == self.message(call).id)

    def without(self, call):
        return [mail for mail in self.mails if mail is not self.mail(call)]

    @staticmethod
    def changed(mail, old, new):
        made = Mail(mail.bytes.replace(old, new))
        made.envelope_from, made.envelope_to = mail.envelope_from, mail.envelope_to
        assert made.bytes != mail.bytes
        return made

    def answered(self, call, outcome):
        """The log with another answer to that call."""
        other = copy.copy(call)
        other.outcome = outcome
        return [other if one is call else one for one in self.calls]

    @staticmethod
    def lose(invitation, message):
        """A transaction that was not kept."""
        return [("DELETE FROM attempt WHERE message_id = ?", (message.id,)),
                ("DELETE FROM outbox_message WHERE id = ?", (message.id,)),
                ("DELETE FROM audit_event WHERE subject_id = ?", (invitation.id,)),
                ("DELETE FROM invitation WHERE id = ?", (invitation.id,))]

    # --- and what must be said ------------------------------------------------------------------------------

    def test_nothing_is_found_where_nothing_was_doctored(self):
        self.assertEqual(self.findings(), set())

    def test_a_lost_invitation(self):
        call = self.a_call()
        lost = self.lose(self.invitation(call), self.message(call))
        self.assertEqual(self.findings(*lost, mails=self.without(call)), {checker.LOST})
        self.assertEqual(self.findings(*lost), {checker.LOST, checker.MAIL_WITHOUT_INVITATION})

    def test_unknown_may_be_both_or_neither_but_not_half(self):
        call = self.a_call(key="")
        unknown = self.answered(call, UNKNOWN)
        lost = self.lose(self.invitation(call), self.message(call))
        self.assertEqual(self.findings(calls=unknown), set())
        self.assertEqual(self.findings(*lost, calls=unknown, mails=self.without(call)), set())
        self.assertEqual(self.findings(*lost, calls=unknown), {checker.MAIL_WITHOUT_INVITATION})
        self.assertEqual(self.findings(*lost[:2], calls=unknown, mails=self.without(call)), {checker.NO_MAIL})

    def test_a_second_invitation(self):
        invitation = self.invitation(self.a_call())
        columns = ("environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, generation, created_at, sent_at, "
                   "expires_at, settled_at")
        second = (f"INSERT INTO invitation (id, state, {columns}) SELECT 'second', 'revoked', {columns} FROM invitation "
                  "WHERE id = ?", (invitation.id,))
        self.assertIn(checker.TWICE, self.findings(second))

    def test_an_invitation_that_was_refused_or_never_asked_for(self):
        call = self.a_call()
        self.assertEqual(self.findings(calls=self.answered(call, REFUSED)), {checker.STORED_THOUGH_REFUSED})
        self.assertEqual(self.findings(calls=[one for one in self.calls if one is not call]), {checker.UNASKED})

    def test_a_wrong_call_that_was_done(self):
        call = next(call for call in self.calls if call.wrong)
        self.assertIn(checker.DONE_THOUGH_WRONG, self.findings(calls=self.answered(call, DONE)))

    def test_no_mail(self):
        self.assertEqual(self.findings(mails=self.without(self.a_call())), {checker.NO_MAIL})

    def test_a_mail_that_is_still_owed(self):
        message = self.message(self.a_call())
        self.assertEqual(self.findings(("UPDATE outbox_message SET state = 'queued' WHERE id = ?", (message.id,))),
                         {checker.UNFINISHED})

    def test_a_mail_without_its_row(self):
        mail = self.mail(self.a_call())
        stray = self.changed(mail, checker.message_id(mail).encode(), b"00000000-0000-7000-8000-000000000001")
        self.assertEqual(self.findings(mails=self.mails + [stray]), {checker.MAIL_WITHOUT_INVITATION})

    def test_a_second_message_for_one_invitation(self):
        call = self.a_call()
        other = self.a_call(environment=next(e.uuid for e in self.world.environments if e.uuid != call.environment))
        moved = ("UPDATE outbox_message SET invitation_id = ? WHERE id = ?", (self.invitation(call).id, self.message(other).id))
        self.assertLessEqual({checker.SECOND_MESSAGE, checker.NO_MAIL, checker.CROSSED}, self.findings(moved))

    def test_copies_that_differ_or_are_too_many(self):
        mail = self.mail(self.a_call())
        self.assertEqual(self.findings(mails=self.mails + [mail], allowed_copies=1), set())
        self.assertEqual(self.findings(mails=self.mails + [mail]), {checker.TOO_MANY_COPIES})
        self.assertEqual(self.findings(mails=self.mails + [self.changed(mail, b"Subject:", b"Subject: ")], allowed_copies=1),
                         {checker.COPIES_DIFFER})

    def test_whatever_crosses_environments(self):
        call = self.a_call(environment=self.world.environments[0].uuid)
        other = self.a_call(environment=self.world.environments[2].uuid)
        invitation = self.invitation(call)
        with self.subTest("role"):
            self.assertIn(checker.CROSSED, self.findings(("UPDATE invitation SET role_id = ? WHERE id = ?",
                                                          (other.role, invitation.id))))
        with self.subTest("inviter"):
            self.assertIn(checker.CROSSED, self.findings(("UPDATE invitation SET inviter_id = ? WHERE id = ?",
                                                          (self.world.inviters[1].account_uuid, invitation.id))))
        with self.subTest("environment"):
            self.assertLessEqual({checker.LOST, checker.UNASKED, checker.CROSSED},
                                 self.findings(("UPDATE invitation SET environment_id = ? WHERE id = ?",
                                                (other.environment, invitation.id))))
        with self.subTest("recipient"):
            mail = copy.copy(self.mail(call))
            mail.envelope_to = [other.invitee]
            self.assertEqual(self.findings(mails=self.without(call) + [mail]), {checker.CROSSED})
        with self.subTest("what the mail says"):
            identity = checker.message_id(self.mail(other)).encode()
            mail = self.changed(self.mail(other), identity, self.message(call).id.encode())
            mail.envelope_to = [call.invitee]
            self.assertEqual(self.findings(mails=self.without(call) + [mail]), {checker.CROSSED})
        with self.subTest("access"):
            account = next(iter(self.deployment.stored.accounts.values()))
            self.assertEqual(self.findings(("INSERT INTO access (account_id, environment_id, role_id, granted_at) "
                                            "VALUES (?, ?, ?, 0)", (account, call.environment, "another"))), {checker.CROSSED})

    def test_an_accepted_invitation_without_access(self):
        one = self.accepted()[0]
        account = self.deployment.stored.accounts[one.email_key]
        self.assertEqual(self.findings(("DELETE FROM access WHERE account_id = ?", (account,))), {checker.LINK})

    def test_an_event_that_is_missing(self):
        self.assertEqual(self.findings(("DELETE FROM audit_event WHERE subject_id = ?",
                                        (self.invitation(self.a_call()).id,))), {checker.NOT_AUDITED})

    def test_an_idempotency_key_that_was_forgotten(self):
        call = next(call for call in self.calls if call.key and call.outcome == DONE)
        self.assertEqual(self.findings(("DELETE FROM idempotency_record WHERE key = ?", (call.key,))),
                         {checker.KEY_FORGOTTEN})

    def test_each_secret_in_a_log_or_in_the_database(self):
        for secret in (self.world.environments[1].password, self.mail(self.a_call()).token, *self.keys.values()):
            self.assertEqual(self.findings(log=b"request " + secret.encode() + b" done"), {checker.SECRET})
        padded = list(self.keys.values())[0].replace("-", "+").replace("_", "/")
        self.assertEqual(len(base64.b64decode(padded + "=" * (-len(padded) % 4))), 32)  # these are the keys
        stored = ("UPDATE account SET name = ?", (self.world.environments[0].password,))
        self.assertEqual(self.findings(stored), {checker.SECRET})
        self.assertNotIn(PASSWORD, self.world.secrets().values())

    def test_a_damaged_database(self):
        identity = self.invitation(self.a_call()).id.encode()
        sound = self.file.read_bytes()
        damaged = self.file.with_name("damaged.db")
        self.addCleanup(damaged.unlink, missing_ok=True)
        kinds = set()
        for place in re.finditer(identity, sound):  # in tables and in their indexes
            content = bytearray(sound)
            content[place.start()] ^= 1
            damaged.write_bytes(content)
            kinds |= self.findings(file=damaged)
        self.assertIn(checker.DAMAGED, kinds)
        self.assertEqual(self.findings(("UPDATE invitation SET environment_id = 'nowhere' WHERE id = ?", (identity.decode(),)))
                         & {checker.DAMAGED}, {checker.DAMAGED})


if __name__ == "__main__":
    end_to_end.main()
