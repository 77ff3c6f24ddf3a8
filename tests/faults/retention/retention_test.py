"""Retention with the real program: what ended long ago is exported and goes, what lives stays; and a kill -9 between
the export and the deletion, or right after it, loses nothing.

Time is not awaited: rows are made older while the service is stopped.
"""

import json
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import captured_mail
import end_to_end
import postgres
from invited_service import NO_RATES, Service, wait_until

DAY_MS = 86_400_000
TIMES = {
    "invitation": ("created_at", "sent_at", "expires_at", "settled_at"),
    "outbox_message": ("queued_at", "not_before", "due_at", "expires_at", "finished_at"),
    "attempt": ("started_at", "finished_at"),
    "audit_event": ("at",),
}


class Sqlite:
    """The file of a service that is stopped."""

    def settings(self):
        return {}

    def query(self, service, sql):
        with sqlite3.connect(service.state_dir / "invited.db") as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows

    def check(self, service):
        broken = self.query(service, "PRAGMA foreign_key_check")
        assert broken == [], broken


class Postgres:
    def __init__(self, cluster, name):
        self._server = cluster.primary
        self._name = name
        self._url = self._server.create_database(name)

    def settings(self):
        return {"database": self._url}

    def query(self, _service, sql):
        return self._server.query(sql, self._name)

    def check(self, service):
        """No foreign keys there: nothing may refer to what is gone."""
        for child, column, parent in (("outbox_message", "invitation_id", "invitation"),
                                      ("attempt", "message_id", "outbox_message")):
            orphans = self.query(service, f"SELECT {column} FROM {child} WHERE {column} IS NOT NULL AND {column} NOT IN "
                                          f"(SELECT id FROM {parent})")
            assert orphans == [], (child, orphans)


def exported(folder, history):
    """Every line of the history's files; one that is not whole fails the test."""
    return [json.loads(line) for file in sorted(folder.glob(f"{history}-*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()]


class Scenarios:
    OLD = [f"old-{number}@example.org" for number in range(120)]

    def aged_service(self):
        """One with invitations of two months ago, their mails sent; stopped."""
        self.database = self.make_database()
        service = Service.serve({**NO_RATES, **self.database.settings()})
        for invitee in self.OLD:
            self.assertFalse(service.send_invite(invitee).fault)
        wait_until(lambda: not service.cli("mail", "list", "--state", "queued", "--limit", "1"), 60, "an empty queue")
        service.stop()
        for table, columns in TIMES.items():
            self.database.query(service, f"UPDATE {table} SET " + ", ".join(f"{c} = {c} - {60 * DAY_MS}" for c in columns))
        return service

    def counts(self, service):
        self.database.check(service)
        return {table: int(self.database.query(service, f"SELECT count(*) FROM {table}")[0][0]) for table in TIMES}

    def configure(self, service, **settings):
        self.exports = service.folder / "exports"
        service.settings |= {f"retention.{name}": value for name, value in settings.items()}
        service.settings["retention.export_dir"] = str(self.exports)
        service.write_config()

    def test_what_ended_long_ago_is_exported_and_goes(self):
        with self.aged_service() as service:
            before = self.counts(service)
            service.start()
            self.assertFalse(service.send_invite("fresh@example.org").fault)
            fresh = captured_mail.await_mail(service.mail_dir, "fresh@example.org")
            service.stop()
            self.assertEqual(self.counts(service)["invitation"], before["invitation"] + 1, "by default all is kept")

            self.configure(service, invitations="30d", attempts="30d", audit_events="30d")
            service.start()
            done = service.process.await_log(r"\bretention\.done\b", 120)
            self.assertRegex(done, rf"invitations={len(self.OLD)} mails=0 attempts=0 .* audit_events={before['audit_event']}")
            self.assertEqual([i["invitee_email"] for i in service.cli("invitation", "list", "--limit", "1000")],
                             ["fresh@example.org"])
            self.assertEqual([m["recipient_email"] for m in service.cli("mail", "list", "--limit", "1000")],
                             ["fresh@example.org"])
            self.assertFalse(service.send_invite(self.OLD[0]).fault, "who was invited long ago can be invited anew")
            service.stop()

            lines = exported(self.exports, "invitations")
            self.assertEqual(sorted(line["invitee_email"] for line in lines), sorted(self.OLD))
            for line in lines:
                self.assertEqual(line["role_uuids"], [line["role_uuid"]])
                self.assertEqual((line["metadata"], line["redirect_url"]), (None, None))
            for line in lines:
                self.assertEqual(line["state"], "expired")
                self.assertEqual([(m["state"], len(m["attempts"])) for m in line["mails"]], [("sent", 1)])
            self.assertEqual(len(exported(self.exports, "audit_events")), before["audit_event"])
            secrets = [service.environment_password]
            for mail in captured_mail.mails_to(service.mail_dir, self.OLD[1]) + [fresh]:
                secrets.append(mail.token)
            self.assertEqual(len(secrets), 3)
            for file in self.exports.iterdir():
                self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)
                text = file.read_text(encoding="utf-8")
                for secret in secrets:
                    self.assertNotIn(secret, text)

    def killed_at(self, place):
        with self.aged_service() as service:
            before = self.counts(service)
            self.configure(service, invitations="30d", audit_events="30d")
            service.launch({"INVITED_FAILPOINT": f"{place}:2"})
            self.assertEqual(service.process.wait(), -9)
            left = self.counts(service)
            gone = before["invitation"] - left["invitation"]
            first = [line["invitee_email"] for line in exported(self.exports, "invitations")]
            self.assertGreater(gone, 0)
            self.assertGreater(left["invitation"], 0)
            self.assertGreaterEqual(len(set(first)), gone, "deleted, not exported")

            # As a kill in the middle of the writing would leave it.
            [file] = self.exports.glob("invitations-*.jsonl")
            with open(file, "a", encoding="utf-8") as torn:
                torn.write('{"created_at":"20')
            service.start()
            service.process.await_log(r"\bretention\.done\b", 120)
            service.stop()
            self.assertEqual(self.counts(service), {table: 0 for table in TIMES})
            lines = [line["invitee_email"] for line in exported(self.exports, "invitations")]
            self.assertEqual(set(lines), set(self.OLD))
            self.assertEqual(len(exported(self.exports, "audit_events")), before["audit_event"])
            return len(lines) - len(set(lines))

    def test_killed_between_export_and_deletion_it_exports_that_step_twice(self):
        self.assertEqual(self.killed_at("retention_exported"), 50)

    def test_killed_after_the_deletion_it_goes_on_where_it_was(self):
        self.assertEqual(self.killed_at("retention_erased"), 0)


class RetentionOnSqlite(Scenarios, unittest.TestCase):
    def make_database(self):
        return Sqlite()


class RetentionOnPostgres(Scenarios, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why_not = None if postgres.binaries() else "PostgreSQL's server is not installed (apt-get install postgresql)"
        if why_not:
            print(f"\n{'=' * 100}\nNOT TESTED on PostgreSQL: {why_not}\n{'=' * 100}", file=sys.stderr, flush=True)
            raise unittest.SkipTest(why_not)
        cls.cluster = postgres.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)

    def make_database(self):
        return Postgres(self.cluster, "retention_" + self.id().rsplit(".", 1)[1][:40])


if __name__ == "__main__":
    end_to_end.main()
