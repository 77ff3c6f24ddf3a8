"""O13, first half: `invited backup` while the service is under load. What was answered before it began is in it, it is one
moment's state, it is whole; and the callers hardly notice."""

import contextlib
import hashlib
import json
import pathlib
import shutil
import sqlite3
import statistics
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "load"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from call_log import DONE
from deployment import OnSqlite
from operator_commands import run

import end_to_end
from invited_service import CommandFailed, Service, wait_until
from loop_disk import small_disk

RATE = end_to_end.rounds(300, 1000)
BACKUPS = end_to_end.rounds(3, 50)


def open_copy(backup):
    return sqlite3.connect(f"file:{backup / 'invited.db'}?mode=ro&immutable=1", uri=True)


def p99(calls):
    return statistics.quantiles([call.seconds for call in calls], n=100)[98] if len(calls) > 1 else 0.0


class BackupUnderLoad(unittest.TestCase):
    def check_copy(self, backup, made, before, stored_ever):
        self.assertEqual(sorted(file.name for file in backup.iterdir()), ["invited.db", "keys.json", "manifest.json"])
        self.assertEqual({file.name: oct(file.stat().st_mode & 0o777) for file in backup.iterdir()},
                         dict.fromkeys(["invited.db", "keys.json", "manifest.json"], "0o600"))
        self.assertEqual(oct(backup.stat().st_mode & 0o777), "0o700")
        manifest = json.loads((backup / "manifest.json").read_text())
        for part in ("database", "keys"):
            content = (backup / manifest[part]["file"]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), manifest[part]["sha256"])
        with open_copy(backup) as copy:
            self.assertEqual(copy.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(copy.execute("PRAGMA foreign_key_check").fetchall(), [])
            invitations = set(copy.execute("SELECT environment_id, invitee_key FROM invitation"))
            self.assertEqual(manifest["counts"]["invitations"], len(invitations))
            self.assertEqual(made["counts"], manifest["counts"])
            [without_mail] = copy.execute("SELECT count(*) FROM invitation WHERE NOT EXISTS (SELECT 1 FROM "
                                          "outbox_message WHERE invitation_id = invitation.id)").fetchone()
            [without_event] = copy.execute("SELECT count(*) FROM invitation WHERE NOT EXISTS (SELECT 1 FROM audit_event "
                                           "WHERE subject_id = invitation.id)").fetchone()
            self.assertEqual((without_mail, without_event), (0, 0), "half of a transaction")
            notices = set(copy.execute("SELECT environment_id, recipient_key FROM outbox_message "
                                       "WHERE kind = 'already_has_access'"))
            self.assertEqual(copy.execute("SELECT instance FROM incarnation").fetchall(), [("backup",)])
        missing = before - invitations - notices
        self.assertEqual(missing, set(), "answered before the backup began, and not in it")
        self.assertEqual(invitations - stored_ever, set(), "in it, and never asked for")

    def test_o13_it_holds_what_was_answered_before_and_the_callers_hardly_notice(self):
        with OnSqlite() as deployment:
            [service] = deployment.services
            target = service.folder / "backups"
            target.mkdir()
            backups, during = [], []
            with deployment.callers(rate=RATE):
                deployment.log.await_more(2 * RATE)
                quiet = deployment.log.calls()
                for number in range(BACKUPS):
                    count = deployment.log.count()
                    made = service.cli("backup", "--to", str(target / f"backup-{number}"))
                    during += deployment.log.calls()[count:]
                    deployment.log.await_more(20)
                    backups.append((made, count))
            # After the load: a check takes longer the more there is, and there would be more and more.
            calls = deployment.log.calls()
            stored_ever = {call.intention for call in calls}
            for made, count in backups:
                before = {call.intention for call in calls[:count] if call.outcome == DONE}
                self.check_copy(pathlib.Path(made["backup"]), made, before, stored_ever)
                shutil.rmtree(made["backup"])
            sizes = [made["bytes"] for made, _ in backups]
            seconds = [made["seconds"] for made, _ in backups]
            print(f"\n  {BACKUPS} backups of {max(sizes) / 2**20:.1f} MiB at {RATE} calls/s, each in "
                  f"{max(seconds):.2f} s at most: p99 of the calls {p99(quiet) * 1000:.0f} ms without, "
                  f"{p99(during) * 1000:.0f} ms during them ({len(during)} calls)", flush=True)
            self.assertEqual(list(target.glob("*.partial")), [])
            deployment.assert_whole(self)

    def test_other_commands_are_answered_meanwhile_and_a_second_backup_is_told_to_wait(self):
        """By the admin socket itself: the command line would wait for its own."""
        with OnSqlite() as deployment:
            [service] = deployment.services
            with deployment.callers(rate=RATE):
                deployment.log.await_more(RATE)
            results = []
            threads = [threading.Thread(target=lambda i=i: results.append(
                run(service, "backup", "--json", "--to", str(service.folder / f"at-once-{i}")))) for i in range(4)]
            for thread in threads:
                thread.start()
            service.cli("app", "list")
            for thread in threads:
                thread.join()
            made = [result for result in results if result.returncode == 0]
            self.assertGreaterEqual(len(made), 1)
            for result in results:
                if result.returncode != 0:
                    self.assertIn("A backup is under way already", result.stderr)
            for result in made:
                self.assertTrue(pathlib.Path(json.loads(result.stdout)["backup"], "manifest.json").exists())


class BackupInQuiet(unittest.TestCase):
    def test_without_the_service_it_is_the_same_and_changes_nothing(self):
        with Service.serve() as service:
            service.send_invite("one@example.org")
            service.stop()
            before = {f.name: f.read_bytes() for f in service.state_dir.iterdir() if f.is_file() and f.suffix != ".lock"}
            made = service.cli("backup", "--to", str(service.folder / "offline"))
            self.assertEqual(made["counts"]["invitations"], 1)
            after = {f.name: f.read_bytes() for f in service.state_dir.iterdir() if f.is_file() and f.suffix != ".lock"}
            self.assertEqual({n: c for n, c in after.items() if not n.endswith(("-wal", "-shm"))},
                             {n: c for n, c in before.items() if not n.endswith(("-wal", "-shm"))})
            service.start()

    def test_without_the_service_a_damaged_log_is_refused_and_not_left_out(self):
        """What SQLite cannot read of a log it leaves out without a word: the backup would be the newest, and short."""
        with Service.serve() as service:
            for number in range(8):
                service.cli("account", "add", "--email", f"p{number}@example.org", "--name", f"Person {number}")
            service.kill()
            log = service.state_dir / "invited.db-wal"
            with log.open("r+b") as file:
                bytes_ = file.read()
                # In the third of them, where its address stands in the log for the first time.
                at = bytes_.index(b"p2@example.org")
                file.seek(at)
                file.write(b"q")
            refused = run(service, "backup", "--to", str(service.folder / "backup"))
            self.assertEqual(refused.returncode, 1, refused.stdout)
            self.assertIn("damaged", refused.stderr)
            self.assertFalse((service.folder / "backup").exists())

    def test_into_a_folder_it_is_named_after_the_time_and_nothing_is_overwritten(self):
        with Service.serve() as service:
            target = service.folder / "backups"
            target.mkdir()
            made = pathlib.Path(service.cli("backup", "--to", str(target))["backup"])
            self.assertEqual(made.parent, target)
            self.assertRegex(made.name, r"^invited-\d{4}-\d\d-\d\dT\d{6}Z$")
            content = {file.name: file.read_bytes() for file in made.iterdir()}
            file = service.folder / "a-file"
            file.write_text("mine")
            for place in (file, service.folder / "nowhere" / "deep"):
                with self.assertRaises(CommandFailed):
                    service.cli("backup", "--to", str(place))
            self.assertEqual(file.read_text(), "mine")
            inside = run(service, "backup", "--to", str(made))  # removing the old one would remove both
            self.assertEqual(inside.returncode, 1)
            self.assertIn("is a backup itself", inside.stderr)
            self.assertEqual({name: (made / name).read_bytes() for name in content}, content)

    def test_a_disk_without_room_is_said_in_numbers_that_can_be_read(self):
        with Service.serve() as service:
            service.stop()
            service.settings["storage.disk_watermark"] = "1024GiB"
            service.write_config()
            refused = run(service, "backup", "--to", str(service.folder / "backup"))
            self.assertEqual(refused.returncode, 1)
            self.assertRegex(refused.stderr, r" has \d+ MiB free, and 20971\d\d MiB are needed")
            self.assertFalse((service.folder / "backup").exists())

    def test_it_needs_as_much_room_as_the_database_has_in_it_however_long_the_log(self):
        with small_disk("2m") as stick, Service.serve() as service:
            service.send_invite("guest@example.org")
            log = service.state_dir / "invited.db-wal"
            self.assertGreater(log.stat().st_size, 3 << 20, "room that is written ahead")
            for number in range(2):
                made = service.cli("backup", "--to", str(stick / f"backup-{number}"))
                self.assertEqual(made["counts"]["invitations"], 1)

    def test_what_does_not_fit_is_refused_in_numbers_before_anything_is_copied(self):
        with small_disk("4m") as stick, Service.serve() as service:
            service.stop()
            with contextlib.closing(sqlite3.connect(service.state_dir / "invited.db")) as database:
                database.execute("CREATE TABLE ballast AS SELECT zeroblob(8 << 20)")
                database.commit()
            refused = run(service, "backup", "--to", str(stick / "backup"))
            self.assertEqual(refused.returncode, 1)
            self.assertIn(f"{stick / 'backup.partial'} has 3 MiB free, and 9 MiB are needed: name another folder with --to",
                          refused.stderr)
            self.assertEqual(list(stick.iterdir()), [])

    def test_a_disk_without_links_will_do(self):
        with Service.serve() as service:
            service.send_invite("guest@example.org")
            service.stop()
            poor = {"LD_PRELOAD": str(end_to_end.BUILD_DIR / "tests" / "poor_disk.so")}
            target = service.folder / "stick"
            for exit_status in (0, 1):  # nothing is overwritten there either
                made = run(service, "backup", "--to", str(target), environment=poor)
                self.assertEqual(made.returncode, exit_status, made.stderr)
            self.assertEqual(sorted(file.name for file in target.iterdir()), ["invited.db", "keys.json", "manifest.json"])
            self.assertEqual(run(service, "restore", "--from", str(target), "--replace", "--after-restore").returncode, 0)

    def test_killed_in_the_middle_it_leaves_no_backup_and_the_next_one_tidies_up(self):
        for failpoint in ("backup_copied", "backup_before_rename"):
            with self.subTest(failpoint), Service.serve() as service:
                target = service.folder / "backups"
                target.mkdir()
                service.stop()
                service.launch({"INVITED_FAILPOINT": failpoint})
                service.await_ready()
                failed = run(service, "backup", "--to", str(target))
                self.assertEqual(failed.returncode, 1)
                self.assertEqual(service.process.wait(), -9)
                [left] = target.iterdir()
                self.assertTrue(left.name.endswith(".partial"), left)
                self.assertEqual(oct(left.stat().st_mode & 0o777), "0o700")
                service.start()
                made = service.cli("backup", "--to", str(target))
                self.assertEqual([str(path) for path in target.iterdir()], [made["backup"]])

    def test_stopping_the_service_gives_the_backup_up(self):
        """SIGTERM while it is at it: nothing half done keeps the name, and the service ends in good order."""
        with Service.serve() as service:
            target = service.folder / "backups"
            target.mkdir()
            running = threading.Thread(target=run, args=(service, "backup", "--to", str(target)))
            running.start()
            wait_until(lambda: any(target.iterdir()), what="the backup's folder")
            service.stop()
            running.join()
            for left in target.iterdir():
                self.assertTrue((left / "manifest.json").exists(), f"{left} is not whole")

    def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(self):
        with Service.serve() as service:
            failed = run(service, "backup", "--to", "/proc/backup")
            self.assertEqual(failed.returncode, 1)
            self.assertRegex(failed.stderr, "/proc.*(name another folder|Name a folder)")


if __name__ == "__main__":
    end_to_end.main()
