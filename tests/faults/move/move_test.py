"""`invited migrate-store` with the real program: killed with -9 at chosen places and at random moments, and run again until
everything is there; refused while the service runs, and where a row was changed."""

import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import captured_mail
import end_to_end
import postgres
from invited_service import NO_RATES, Service, binary

EVENTS = 9_000  # a thousand travel at once
PASSWORD = "seven brown foxes leap over it"


class MoveToPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        postgres.need()
        cls.cluster = postgres.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)

    def filled(self):
        service = Service.serve({**NO_RATES})
        for number in range(12):
            self.assertFalse(service.send_invite(f"o'hara{number}@example.org").fault)
        captured_mail.await_mail(service.mail_dir, "o'hara11@example.org")
        return service

    @staticmethod
    def many_events(service):
        with sqlite3.connect(service.state_dir / "invited.db") as database:
            database.execute("INSERT INTO audit_event (at, actor, action, subject_id, detail) WITH RECURSIVE n (i) AS "
                             "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 1795163400000 + i / 7, 'operator',"
                             " 'thing.done', (SELECT id FROM app), 'a \"quoted\" \\ {text}, ' || i || char(10) || 'ü' FROM n",
                             (EVENTS,))
        database.close()

    def command(self, service, url):
        return [binary(), "migrate-store", "--from", f"sqlite:{service.state_dir}/invited.db", "--to", url, "--json"]

    def move(self, service, url, failpoint=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
        return subprocess.run(self.command(service, url), capture_output=True, text=True, timeout=120, check=False,
                              env={**clean, **({"INVITED_FAILPOINT": failpoint} if failpoint else {})})

    def moved(self, service, url):
        result = self.move(service, url)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def counts(self, service):
        database = sqlite3.connect(f"file:{service.state_dir}/invited.db?mode=ro", uri=True)
        names = [name for [name] in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                 if name not in ("schema_version", "writer_probe")]
        found = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
        database.close()
        return found

    def test_killed_wherever_it_is_the_next_run_goes_on(self):
        url = self.cluster.primary.create_database("moved")
        with self.filled() as service:
            refused = self.move(service, url)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(str(service.process.child.pid), refused.stderr, "the file is in use")
            service.stop()
            self.many_events(service)
            expected = self.counts(service)

            for chunk in (1, 4, 9, 12):
                self.assertEqual(self.move(service, url, f"store_move_chunk:{chunk}").returncode, -9)
            for _ in range(end_to_end.rounds(3, 200)):
                child = subprocess.Popen(self.command(service, url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    child.wait(random.uniform(0.02, 0.6))  # the random moment is what is tested
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
            first = self.moved(service, url)
            self.assertEqual({table["table"]: table["rows"] for table in first}, expected)
            there = {name: int(self.cluster.primary.value(f"SELECT count(*) FROM {name}", "moved")) for name in expected}
            self.assertEqual(there, expected)
            self.assertEqual(self.moved(service, url), first, "once more changes nothing")
            self.assertEqual(self.counts(service), expected, "nor does it change the file")

            [[key]] = self.cluster.primary.query("UPDATE account SET name = 'Mallory' RETURNING id", "moved")
            refused = self.move(service, url)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn(f"The table account has a row that differs in name: id = {key}", refused.stderr)

    def test_what_it_says_is_enough_to_go_on_and_tells_no_password(self):
        url = self.cluster.primary.create_database("told").replace("invited@", "invited:unseen-secret@")
        with self.filled() as service:
            service.stop()
            result = subprocess.run(self.command(service, url)[:-1], capture_output=True, text=True, timeout=120,
                                    check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn('database = "postgresql://invited@127.0.0.1', result.stdout)
            self.assertIn(str(service.state_dir), result.stdout)
            self.assertNotIn("unseen-secret", result.stdout + result.stderr)

    def test_the_service_goes_on_with_postgres_where_it_was_and_not_with_the_file(self):
        url = self.cluster.primary.create_database("served")
        with self.filled() as service:
            link = captured_mail.await_mail(service.mail_dir, "o'hara3@example.org").link
            service.stop()
            self.moved(service, url)
            service.settings["database"] = url
            service.write_config()
            service.start()
            self.assertEqual(len(service.cli("invitation", "list")), 12)
            person = service.person()
            done = person.submit(person.open(link), "/accept", {"name": "Oona O'Hara", "password": PASSWORD,
                                                                "password_again": PASSWORD})
            self.assertEqual(done.status, 200, done.text)
            self.assertFalse(service.send_invite("after@example.org").fault)
            captured_mail.await_mail(service.mail_dir, "after@example.org")
            service.stop()
            refused = self.move(service, url)
            self.assertEqual(refused.returncode, 1)
            self.assertRegex(refused.stderr, "The table [a-z_]+ has a row")

            del service.settings["database"]
            service.write_config()
            service.launch()
            self.assertNotEqual(service.process.wait(), 0, "the file's mails would be sent twice")
            self.assertIn("--after-restore", service.process.log_text())

    def test_wrong_addresses_are_told_which_are_right(self):
        for source, target, says in (("/var/lib/x.db", "postgresql://h/d", "--from must name a SQLite file: sqlite:"),
                                     ("sqlite:", "postgresql://h/d", "--from must name a SQLite file: sqlite:"),
                                     ("sqlite:/nowhere/x.db", "mysql://h/d", "--to must name a PostgreSQL database"),
                                     ("sqlite:/nowhere/x.db", "postgresql://h/d", "There is no SQLite file")):
            result = subprocess.run([binary(), "migrate-store", "--from", source, "--to", target], capture_output=True,
                                    text=True, timeout=60, check=False)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(says, result.stderr)


if __name__ == "__main__":
    end_to_end.main()
