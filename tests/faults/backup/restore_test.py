"""O13, second half, and O14: a backup is put back. Old links are dead, mails that were owed are held, new ones flow; without
--after-restore nothing starts, however the old database came there; killed at any place it can be done again."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "load"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import links
from operator_commands import refused_start, run

import captured_mail
import end_to_end
import postgres
from invited_service import NO_RATES, Service, wait_until
from smtp_relay import Relay

REMEDY = "--after-restore"


def move_to(service, folder):
    """The service, stopped, with another state folder."""
    service.settings["state_dir"] = str(folder)
    service.state_dir = folder
    service.write_config()


def copy_database(service, target):
    """By hand, with the service stopped: it has left no log behind."""
    assert not list(service.state_dir.glob("*-wal")), "a log that is not written back"
    shutil.copy2(service.state_dir / "invited.db", target)


class RestoreTest(unittest.TestCase):
    def test_o13_after_a_restore_old_links_are_dead_and_owed_mails_are_held_until_let_go(self):
        with Relay(tls="off") as relay, Service.serve({**NO_RATES, **relay.settings()}) as service:
            service.send_invite("sent@example.org")
            old = relay.await_mail("sent@example.org")
            relay.stop()
            service.send_invite("owed@example.org")
            wait_until(lambda: [m for m in service.cli("mail", "list", "--state", "queued") if m["last_error"]],
                       what="the first attempt")
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            self.assertEqual(made["counts"]["queued_mails"], 1)
            relay.start()
            service.cli("mail", "retry", "--all")
            late = relay.await_mail("owed@example.org")  # sent after the backup, which believes that it is owed
            service.stop()

            move_to(service, service.folder / "restored")
            restored = service.cli("restore", "--from", made["backup"])
            self.assertFalse(restored["accepted"])
            self.assertEqual(restored["made_at"], made["made_at"])
            for _ in range(2):
                self.assertIn(REMEDY, refused_start(service))
            check = run(service, "check")
            self.assertEqual(check.returncode, 1)
            self.assertIn(REMEDY, check.stdout)

            service.start(arguments=["--after-restore"])
            self.assertIn("restore.accepted", service.process.log_text())
            for mail in (old, late):
                page = service.person().open(mail.link)
                self.assertEqual(page.status, 404)
                self.assertIsNone(page.form("/accept"))
                self.assertIn("invit", page.text.lower())
            [owed] = [m for m in service.cli("mail", "list", "--state", "queued")]
            self.assertEqual((owed["recipient_email"], owed["held_after_restore"]), ("owed@example.org", True))
            self.assertIn("may have been sent", owed["last_error"])
            shown = run(service, "mail", "list")
            self.assertIn("1 mails are held", shown.stdout)
            self.assertIn("invited mail release", shown.stdout)

            # New ones flow, past the held one, and their links work.
            self.assertFalse(service.send_invite("new@example.org").fault)
            new = relay.await_mail("new@example.org")
            self.assertEqual(links.follow(service, [new])[1], [])
            self.assertEqual(len(relay.mails("owed@example.org")), 1, "a held mail has left")

            # A restart keeps the hold, and needs no flag; left in, the flag does nothing.
            service.stop()
            service.start(arguments=["--after-restore"])
            self.assertIn("restore.not_seen", service.process.log_text())
            self.assertEqual([m["held_after_restore"] for m in service.cli("mail", "list", "--state", "queued")], [True])
            self.assertEqual(service.person().open(new.link).status, 404)  # used; its epoch is still good:
            self.assertFalse(service.send_invite("newer@example.org").fault)
            self.assertEqual(service.person().open(relay.await_mail("newer@example.org").link).status, 200)

            self.assertEqual(service.cli("invitation", "resend", "--after-restore"), {"resent": 2})
            fresh = [relay.await_mail("sent@example.org", 2), relay.await_mail("owed@example.org", 2)]
            self.assertTrue({mail.message_id for mail in fresh}.isdisjoint({old.message_id, late.message_id}))
            self.assertEqual(service.person().open(old.link).status, 404)
            self.assertEqual(links.follow(service, fresh)[1], [])
            self.assertEqual(service.cli("invitation", "resend", "--after-restore"), {"resent": 0})
            self.assertEqual(service.cli("mail", "release", "--all"), {"released": 0})
            actions = {event["action"] for event in service.cli("audit", "list")}
            self.assertLessEqual({"restore.accepted", "invitation.resent"}, actions)

    def test_held_mails_are_let_go_as_new_mails_or_dropped(self):
        with Relay(tls="off") as relay, Service.serve({**NO_RATES, **relay.settings()}) as service:
            relay.stop()
            for name in ("first", "second", "third"):
                service.send_invite(f"{name}@example.org")
            service.send_invite(service.inviter_email, RoleUUID=service.other_role_uuid)  # has it: a notice
            wait_until(lambda: len(service.cli("mail", "list", "--state", "queued")) == 4, what="the queue")
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            service.stop()
            restored = service.cli("restore", "--from", made["backup"], "--replace", "--after-restore")
            self.assertEqual(restored["held_mails"], 4)
            self.assertTrue(pathlib.Path(restored["replaced"], "invited.db").exists())
            self.assertTrue(pathlib.Path(restored["replaced"], "keys.json").exists())
            relay.start()
            service.start()
            held = {m["recipient_email"]: m for m in service.cli("mail", "list", "--state", "queued")}
            first = service.cli("mail", "release", held["first@example.org"]["message_uuid"])
            self.assertEqual(first["state"], "cancelled")  # another mail takes its place
            mail = relay.await_mail("first@example.org")
            self.assertNotIn(first["message_id"], mail.message_id)
            self.assertEqual(links.follow(service, [mail])[1], [])
            dropped = service.cli("mail", "cancel", held["second@example.org"]["message_uuid"])
            self.assertEqual(dropped["state"], "cancelled")
            notice = service.cli("mail", "release", held[service.inviter_email]["message_uuid"])
            self.assertIn(notice["message_id"], relay.await_mail(service.inviter_email).message_id)
            self.assertEqual(service.cli("mail", "cancel", "--held"), {"cancelled": 1})
            self.assertEqual(relay.mails("second@example.org") + relay.mails("third@example.org"), [])
            self.assertEqual(len(service.cli("invitation", "list", "--state", "pending")), 2)

    def test_what_was_revoked_since_the_backup_is_good_again_and_the_steps_say_so(self):
        with Service.serve() as service:
            token = service.cli("token", "add", "--environment", service.environment_uuid, "--account",
                                service.inviter_email, "--name", "lost")
            hook = service.cli("webhook", "add", "--environment", service.environment_uuid, "--url",
                               "https://hooks.example.org/")
            made = service.cli("backup", "--to", str(service.folder / "backup"))

            def status():
                bearer = {"Authorization": "Bearer " + token["api_token"]}
                return service.request("GET", "/api/v1/roles", headers=bearer).status

            service.cli("token", "revoke", token["token_uuid"])
            service.cli("webhook", "rotate-secret", hook["webhook_uuid"])
            self.assertEqual(status(), 401)
            service.stop()
            restored = run(service, "restore", "--from", made["backup"], "--replace", "--after-restore")
            self.assertEqual(restored.returncode, 0, restored.stderr)
            service.start()
            self.assertEqual(status(), 200)
            for step in ("token revoke", "environment disable", "secrets of webhooks", "People have the passwords of then"):
                self.assertIn(step, restored.stdout + restored.stderr)
            service.cli("token", "revoke", token["token_uuid"])
            self.assertEqual(status(), 401)

    def test_new_keys_end_every_link_that_the_old_ones_made_as_the_readme_has_it(self):
        with Service.serve(NO_RATES) as service:
            service.send_invite("ada@example.org")
            old = captured_mail.await_mail(service.mail_dir, "ada@example.org").link
            token = service.cli("token", "add", "--environment", service.environment_uuid, "--account",
                                service.inviter_email, "--name", "app")["api_token"]
            self.assertEqual(service.person().open(old).status, 200)
            service.stop()
            file = service.state_dir / "keys.json"
            keys = json.loads(file.read_text(encoding="utf-8"))
            new = "openssl rand 32 | basenc --base64url | tr -d '=\\n'"
            readme = pathlib.Path(__file__).resolve().parents[3] / "README.md"
            self.assertIn(new, " ".join(readme.read_text(encoding="utf-8").split()))
            for holder, name in [(keys, "csrf_key"), *((one, "key") for one in keys["token_keys"])]:
                holder[name] = subprocess.run(new, shell=True, capture_output=True, text=True, check=True).stdout
            file.write_text(json.dumps(keys), encoding="utf-8")
            self.assertTrue(service.cli("restore", "--after-restore")["accepted"])
            service.start()
            self.assertEqual(service.person().open(old).status, 404)
            self.assertEqual(service.cli("invitation", "resend", "--after-restore"), {"resent": 1})
            bearer = {"Authorization": "Bearer " + token}
            self.assertEqual(service.request("GET", "/api/v1/roles", headers=bearer).status, 200)
            self.assertFalse(service.send_invite("bob@example.org").fault)

    def test_a_folder_with_a_database_is_refused_and_so_is_what_is_no_backup(self):
        with Service.serve() as service:
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            running = run(service, "restore", "--from", made["backup"], "--replace")
            self.assertEqual(running.returncode, 1)
            self.assertIn("pid", running.stderr)
            service.stop()
            refused = run(service, "restore", "--from", made["backup"])
            self.assertEqual(refused.returncode, 1)
            self.assertIn("--replace", refused.stderr)
            service.start()
            service.stop()
            above = run(service, "restore", "--from", str(service.folder))
            self.assertIn("is no backup", above.stderr)
            target = pathlib.Path(made["backup"])
            with open(target / "invited.db", "r+b") as database:
                database.seek(5000)
                database.write(b"\xff")
            damaged = run(service, "restore", "--from", made["backup"], "--replace")
            self.assertEqual(damaged.returncode, 1)
            self.assertIn("SHA-256", damaged.stderr)
            service.start()  # nothing was changed

    def test_a_journal_that_a_killed_first_start_left_is_moved_aside_with_its_database(self):
        """The next one to open the database would have rolled it back into what was just restored."""
        with Service.serve() as service:
            service.send_invite("one@example.org")
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            service.stop()
            (service.state_dir / "invited.db-journal").write_bytes(b"of another database")
            service.cli("restore", "--from", made["backup"], "--replace", "--after-restore")
            self.assertFalse((service.state_dir / "invited.db-journal").exists())
            [aside] = service.state_dir.glob("replaced-*")
            self.assertEqual((aside / "invited.db-journal").read_bytes(), b"of another database")
            service.start()
            self.assertEqual([i["invitee_email"] for i in service.cli("invitation", "list")], ["one@example.org"])


class CopiedByHandTest(unittest.TestCase):
    """O14."""

    def test_o14_an_older_database_is_refused_until_it_is_accepted(self):
        with Service.serve(NO_RATES) as service:
            service.send_invite("one@example.org")
            link = captured_mail.await_mail(service.mail_dir, "one@example.org").link
            service.stop()
            old = service.folder / "old.db"
            copy_database(service, old)
            service.start()
            service.send_invite("two@example.org")
            service.stop()
            shutil.copy2(old, service.state_dir / "invited.db")
            self.assertIn(REMEDY, refused_start(service))
            for command in (("mail", "list"), ("app", "list")):
                self.assertIn(REMEDY, run(service, *command).stderr)
            accepted = service.cli("restore", "--after-restore")
            self.assertTrue(accepted["accepted"])
            service.start()
            self.assertEqual(service.person().open(link).status, 404)
            self.assertFalse(service.send_invite("three@example.org").fault)
            fresh = captured_mail.await_mail(service.mail_dir, "three@example.org")
            self.assertEqual(service.person().open(fresh.link).status, 200)

    def test_a_backup_that_is_copied_by_hand_is_refused(self):
        with Service.serve() as service:
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            service.stop()
            shutil.copy2(pathlib.Path(made["backup"], "invited.db"), service.state_dir / "invited.db")
            self.assertIn("is a backup", refused_start(service))
            elsewhere = service.folder / "elsewhere"
            shutil.copytree(made["backup"], elsewhere)
            elsewhere.chmod(0o700)
            move_to(service, elsewhere)
            self.assertIn("is a backup", refused_start(service))
            service.start(arguments=["--after-restore"])

    def test_keys_of_another_folder_are_refused(self):
        with Service.serve() as service, Service.serve() as other:
            service.stop()
            kept = (service.state_dir / "keys.json").read_bytes()
            shutil.copy2(other.state_dir / "keys.json", service.state_dir / "keys.json")
            for arguments in ((), ("--after-restore",)):
                self.assertIn("is not the one of this database", refused_start(service, *arguments))
            (service.state_dir / "keys.json").write_bytes(kept)
            service.start()

    def test_the_whole_folder_may_move(self):
        with Service.serve() as service:
            service.stop()
            moved = service.folder / "moved"
            shutil.copytree(service.state_dir, moved, ignore=shutil.ignore_patterns("*.sock"))
            moved.chmod(0o700)
            move_to(service, moved)
            service.start()


class KilledTest(unittest.TestCase):
    """kill -9 between the steps."""

    def test_a_start_that_is_killed_between_folder_and_database_locks_nobody_out(self):
        with Service.serve() as service:
            service.stop()
            for failpoint in ("incarnation_noted", "incarnation_stored"):
                for _ in range(2):
                    service.launch({"INVITED_FAILPOINT": failpoint})
                    self.assertEqual(service.process.wait(), -9)
                service.start()
                service.stop()
            fresh = service.folder / "fresh"
            for failpoint in ("incarnation_noted", "incarnation_stored"):  # in the very first start, too
                move_to(service, fresh / failpoint)
                service.launch({"INVITED_FAILPOINT": failpoint})
                self.assertEqual(service.process.wait(), -9)
                service.start()
                service.stop()

    def test_a_restore_that_is_killed_is_refused_until_it_is_run_again(self):
        with Service.serve(NO_RATES) as service:
            service.send_invite("one@example.org")
            made = service.cli("backup", "--to", str(service.folder / "backup"))
            service.stop()
            for failpoint in ("restore_noted", "restore_moved_aside", "restore_keys_written",
                              "restore_database_written"):
                for replace in ((), ("--replace",)):
                    with self.subTest(failpoint, replace=replace):
                        folder = service.folder / f"{failpoint}{len(replace)}"
                        if replace:
                            shutil.copytree(service.folder / "state", folder,
                                            ignore=shutil.ignore_patterns("*.sock"))
                            folder.chmod(0o700)
                        move_to(service, folder)
                        killed = run(service, "restore", "--from", made["backup"], *replace, failpoint=failpoint)
                        self.assertEqual(killed.returncode, -9)
                        self.assertIn("was broken off", refused_start(service))
                        again = service.cli("restore", "--from", made["backup"], "--after-restore")
                        self.assertTrue(again["accepted"])
                        self.assertEqual(len(service.cli("invitation", "list")), 1)
            service.start()

    def test_an_acceptance_that_is_killed_can_be_said_again(self):
        for failpoint, refused in (("after_restore_keys", True), ("after_restore_database", False)):
            with self.subTest(failpoint), Service.serve() as service:
                made = service.cli("backup", "--to", str(service.folder / "backup"))
                service.stop()
                move_to(service, service.folder / "restored")
                service.cli("restore", "--from", made["backup"])
                service.launch({"INVITED_FAILPOINT": failpoint}, ["--after-restore"])
                self.assertEqual(service.process.wait(), -9)
                if refused:
                    self.assertIn(REMEDY, refused_start(service))
                    service.start(arguments=["--after-restore"])
                else:
                    service.start()


class OnPostgresTest(unittest.TestCase):
    """Its database is restored with its own tools; here, by a copy within the server."""

    def test_o14_each_instance_refuses_the_older_database_until_it_is_accepted_and_the_keys_are_copied(self):
        with postgres.Cluster() as cluster, Service.serve({**NO_RATES, "database": cluster.url}) as one, \
                one.beside() as other:
            parts = urllib.parse.urlsplit(cluster.url)
            name = parts.path.strip("/")
            one.send_invite("one@example.org")
            link = captured_mail.await_mail(one.mail_dir, "one@example.org").link
            other.start()
            other.stop()
            made = one.cli("backup", "--to", str(one.folder / "backup"))
            self.assertIn("pg_dump", made["note"])
            self.assertEqual(sorted(file.name for file in pathlib.Path(made["backup"]).iterdir()),
                             ["keys.json", "manifest.json"])
            one.stop()
            cluster.primary.query(f'CREATE DATABASE older TEMPLATE "{name}" OWNER "{parts.username}"')
            for service in (one, other):
                service.start()
                service.stop()
            cluster.primary.query(f'DROP DATABASE "{name}"')
            cluster.primary.query(f'ALTER DATABASE older RENAME TO "{name}"')
            for service in (one, other):
                self.assertIn(REMEDY, refused_start(service))
            one.start(arguments=["--after-restore"])
            self.assertEqual(one.person().open(link).status, 404)
            self.assertIn("copy it from the one that was told --after-restore", refused_start(other))
            shutil.copy2(one.state_dir / "keys.json", other.state_dir)
            other.start()
            other.send_invite("two@example.org")


if __name__ == "__main__":
    end_to_end.main()
