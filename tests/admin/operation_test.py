"""The command line on a bad day: no room for what it prints, streams that are closed, names typed wrong, another user's
files, a database that another version or another instance serves. Nothing may be lost, made or changed in silence."""

import http.server
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
import json_clients
from invited_service import NO_RATES, Service, binary, free_port, toml, wait_until

NOBODY = 65534


def run(*arguments, env=None, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([binary(), *map(str, arguments)], stderr=subprocess.PIPE, timeout=60, check=False,
                          env={**clean, **(env or {})}, **options)


def told(result):
    return result.stderr.decode()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="invited-operation-")))
        self.state_dir = self.folder / "state"
        self.config_file = self.folder / "invited.toml"
        self.config_file.write_text(toml({"state_dir": str(self.state_dir), "http.listen": f"127.0.0.1:{free_port()}",
                                          "mail.transport": "directory", "mail.from": "invitations@invited.example",
                                          **NO_RATES}))

    def run_here(self, *arguments, **options):
        return run(*arguments, "--config", self.config_file, **options)

    def json(self, *arguments, **options):
        result = self.run_here(*arguments, "--json", **options)
        self.assertEqual(result.returncode, 0, told(result))
        return json.loads(result.stdout)

    def add_app(self):
        self.json("app", "add", "--name", "Planner", "--url", "https://planner.example.org")
        self.json("environment", "add", "--app", "Planner", "--name", "Production")

    def findings(self, *arguments):
        result = self.run_here("check", *arguments, "--json")
        return result.returncode, {one["check"]: one for one in json.loads(result.stdout)}


class WhatIsPrinted(Case):
    def test_a_password_that_nobody_could_read_is_no_success(self):
        self.add_app()
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = self.run_here("environment", "rotate-password", "Production", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left on device", told(result))
        self.assertIn("made anew", told(result))

    def test_nor_is_one_where_standard_output_is_closed(self):
        self.add_app()
        command = f"exec {binary()} environment rotate-password Production --config {self.config_file} >&-"
        result = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not be written", told(result))

    def test_a_closed_stream_does_not_turn_a_file_into_the_log(self):
        """The lock file took the number of standard error; the next process read a pid out of the log's lines."""
        with Service.configured(NO_RATES) as service:
            service.add_app("Planner", "en")
            with subprocess.Popen(["sh", "-c", f"exec {binary()} serve --config {service.config_file} 2>&-"]) as process:
                try:
                    wait_until(service.is_ready, what="readiness")
                    self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/2"), "/dev/null")
                finally:
                    process.terminate()
            self.assertEqual((service.state_dir / "invited.db.lock").read_text().strip().isdigit(), True)

    def test_no_row_is_printed_twice_while_others_are_added(self):
        with Service.serve(NO_RATES) as service:
            token = json_clients.add_token(service)

            def invite(name, count):
                lines = "\n".join(f"{name}{i}@example.org" for i in range(count))
                done = run("invite", "--role", service.role_uuid, "--file", "-", input=lines.encode(),
                           env={"INVITED_API_URL": service.base_url, "INVITED_API_TOKEN": token})
                self.assertEqual(done.returncode, 0, told(done))

            invite("before", 2500)
            adding = threading.Thread(target=invite, args=("meanwhile", 2500))
            adding.start()
            while adding.is_alive():
                ids = [one["invitation_uuid"] for one in service.cli("invitation", "list")]
                self.assertEqual(len(ids), len(set(ids)))
            adding.join()


class NamesTypedWrong(Case):
    def test_only_what_a_service_begins_with_makes_one(self):
        for arguments in (("mail", "retry", "--all"), ("environment", "disable", "Production"), ("mail", "release", "--all"),
                          ("role", "add", "--app", "Planner", "--name", "User"), ("webhook", "remove", "x")):
            with self.subTest(arguments=arguments):
                result = run(*arguments, "--state-dir", self.folder / "typo")
                self.assertEqual(result.returncode, 1)
                self.assertIn("There is no database", told(result))
                self.assertFalse((self.folder / "typo").exists())

    def test_a_variable_that_is_not_set_does_not_mean_the_service_of_the_machine(self):
        for option in ("--config", "--state-dir"):
            result = run("app", "list", option, "")
            self.assertEqual(result.returncode, 2, told(result))
            self.assertIn(option, told(result))
        result = run("app", "list", env={"INVITED_STATE_DIR": ""})
        self.assertEqual(result.returncode, 1)
        self.assertIn("state_dir", told(result))

    def test_an_empty_value_is_not_taken_for_none(self):
        """What a script does whose variable is not set: it must not mean all of them, none of them, or a new one."""
        self.add_app()
        for arguments, option in ((("webhook", "replay", "--all", "--webhook", ""), "--webhook"),
                                  (("mail", "retry", "--all", "--message", ""), "--message"),
                                  (("invitation", "list", "--email", ""), "--email"),
                                  (("mail", "list", "--state", ""), "--state"),
                                  (("access", "list", "--environment", ""), "--environment"),
                                  (("mail", "list", "--limit", ""), "--limit"), (("mail", "list", "--limit", "0"), "--limit"),
                                  (("mail", "list", "--offset", ""), "--offset"),
                                  (("environment", "add", "--app", "Planner", "--name", "Test", "--uuid", ""), "--uuid"),
                                  (("account", "add", "--email", "a@example.org", "--name", "A", "--uuid", ""), "--uuid")):
            with self.subTest(arguments=arguments):
                result = self.run_here(*arguments)
                self.assertNotEqual(result.returncode, 0, result.stdout)
                self.assertIn(option, told(result))
        self.assertEqual(len(self.json("environment", "list")), 1)
        self.assertEqual(self.json("account", "list"), [])
        self.assertEqual(self.json("app", "set", "Planner", "--redirect-url", "")["redirect_urls"], [], "here it has a meaning")

    def test_what_is_not_text_is_told_in_a_sentence(self):
        self.add_app()
        latin = self.run_here("account", "set-password", "--email", "a@example.org", "--password-stdin",
                              input="passé et présent\n".encode("latin-1"))
        self.assertIn("not valid UTF-8", told(latin))
        for to in ("", b"bk\xff"):
            result = run("backup", "--config", self.config_file, "--to", os.fsdecode(to))
            self.assertEqual(result.returncode, 1)
            self.assertIn("--to", told(result))
        self.assertIn("is a folder", told(self.run_here("role", "import", "--app", "Planner", self.folder)))

    def test_a_name_is_one_roles(self):
        self.add_app()
        self.json("role", "add", "--app", "Planner", "--name", "User")
        again = self.run_here("role", "add", "--app", "Planner", "--name", "User")
        self.assertEqual(again.returncode, 1)
        self.assertIn("already", told(again))
        package = self.folder / "metadata.json"
        package.write_text(json.dumps({"Roles": {"68c60000-0000-4000-8000-000000000001": {"Name": "User"}}}))
        imported = self.json("role", "import", "--app", "Planner", package)
        self.assertEqual(imported["ambiguous_names"], ["User"])
        mine = next(role for role in self.json("role", "list") if not role["role_uuid"].startswith("68c6"))
        self.assertEqual(self.json("role", "set", mine["role_uuid"], "--app", "Planner", "--name", "Member")["name"], "Member")
        self.assertIn("already", told(self.run_here("role", "set", "Member", "--app", "Planner", "--name", "User")))
        for name, complaint in (("Planner.example.com", "Planner.example.com"), ("", "68c60000")):
            package.write_text(json.dumps({"Roles": {"68c60000-0000-4000-8000-000000000002": {"Name": name}}}))
            self.assertIn(complaint, told(self.run_here("role", "import", "--app", "Planner", package)))


class Backups(Case):
    def test_somebodys_folder_of_the_same_name_stays(self):
        self.add_app()
        theirs = self.folder / "today.partial" / "thesis.txt"
        theirs.parent.mkdir()
        theirs.write_text("precious")
        result = self.run_here("backup", "--to", self.folder / "today")
        self.assertEqual(result.returncode, 1)
        self.assertIn("today.partial", told(result))
        self.assertEqual(theirs.read_text(), "precious")

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can make files for another user")
    def test_what_root_backs_up_is_all_the_services_users(self):
        self.add_app()
        backups = self.folder / "backups"
        backups.mkdir(mode=0o700)
        os.chown(backups, NOBODY, NOBODY)
        made = pathlib.Path(self.json("backup", "--to", backups)["backup"])
        owners = {file.name: file.stat().st_uid for file in [made, *made.iterdir()]}
        self.assertEqual(set(owners.values()), {NOBODY}, owners)

    def test_a_damaged_manifest_is_refused_before_anything_is_moved(self):
        self.add_app()
        backup = pathlib.Path(self.json("backup", "--to", self.folder / "backup")["backup"])
        manifest = backup / "manifest.json"
        whole = json.loads(manifest.read_text())
        for damage in ({"keys": {**whole["keys"], "epoch": "1"}}, {"keys": {**whole["keys"], "epoch": -1}},
                       {"version": 1, "format": 2}, {"counts": [1]}):
            manifest.write_text(json.dumps({**whole, **damage}))
            refused = self.run_here("restore", "--from", backup, "--replace", "--after-restore")
            self.assertEqual(refused.returncode, 1, damage)
            self.assertIn("manifest.json is damaged", told(refused))
        self.json("app", "list")
        self.assertEqual(list(self.state_dir.glob("replaced-*")), [])

    def test_the_next_step_after_a_restore_names_the_same_service(self):
        self.add_app()
        backup = self.json("backup", "--to", self.folder / "backup")["backup"]
        [step] = self.json("restore", "--from", backup, "--replace")["next"]
        self.assertTrue(step.endswith(f"invited restore --after-restore --config {self.config_file}"), step)
        steps = " ".join(self.json("restore", "--after-restore")["next"])
        # What is as it was then, and dangerous where it was changed for a reason.
        for command in ("access revoke", "account disable", "invitation revoke", "token revoke", "account set-password"):
            self.assertIn(command, steps)
        self.json("app", "list")


class Versions(Case):
    def set_schema(self, version):
        with sqlite3.connect(self.state_dir / "invited.db") as database:
            database.execute("DELETE FROM schema_version WHERE version > ?", (version,))
        database.close()

    def schema(self):
        with sqlite3.connect(self.state_dir / "invited.db") as database:
            [(version,)] = database.execute("SELECT MAX(version) FROM schema_version").fetchall()
        database.close()
        return version

    def test_who_only_asks_does_not_upgrade(self):
        self.add_app()
        newest = self.schema()
        self.set_schema(newest - 1)
        for arguments in (("app", "list"), ("app", "add", "--name", "Other", "--url", "https://o.example.org")):
            result = self.run_here(*arguments)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"schema version {newest - 1}", told(result))
            self.assertIn("backup", told(result))
        code, findings = self.findings()
        self.assertEqual((code, findings["database"]["outcome"]), (0, "warning"), findings)
        self.json("backup", "--to", self.folder / "backup")
        self.assertEqual(self.schema(), newest - 1)

    def test_a_file_beside_an_instance_on_postgresql_is_not_its_database(self):
        self.add_app()
        note = {"version": 1, "instance": "0192aaaa-0000-4000-8000-000000000001", "epoch": 1, "current": None, "next": None,
                "restore": "none", "database": "postgresql"}
        (self.state_dir / "incarnation.json").write_text(json.dumps(note))
        for arguments in (("app", "list"), ("restore", "--after-restore"), ("backup", "--to", self.folder / "backup")):
            with self.subTest(arguments=arguments):
                result = run(*arguments, "--state-dir", self.state_dir)
                self.assertEqual(result.returncode, 1)
                self.assertIn("instance on PostgreSQL", told(result))
                self.assertIn("--config", told(result))
        self.assertEqual(json.loads((self.state_dir / "keys.json").read_text())["epoch"], 1)


class Check(Case):
    def test_a_proxy_that_nobody_named_is_warned_of(self):
        code, findings = self.findings("--public-url", "https://invite.example.com")
        self.assertEqual(findings["configuration"]["outcome"], "warning")
        _, named = self.findings("--public-url", "https://invite.example.com", "--http-trusted-proxies", "127.0.0.1")
        self.assertNotIn("http.trusted_proxies", json.dumps(named))
        self.assertEqual(code, 0, findings)

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can make files for another user")
    def test_root_is_told_what_the_services_user_may_not_read(self):
        self.folder.chmod(0o755)
        self.state_dir.mkdir(mode=0o700)
        os.chown(self.state_dir, NOBODY, NOBODY)
        secret = self.folder / "smtp-password"
        secret.write_text("lighthouse")
        secret.chmod(0o600)
        _, findings = self.findings("--mail-user", "me", "--mail-password-file", secret)
        self.assertEqual(findings["mail.password_file"]["outcome"], "failed")
        self.assertIn("65534", findings["mail.password_file"]["message"])
        os.chown(secret, NOBODY, NOBODY)
        _, findings = self.findings("--mail-user", "me", "--mail-password-file", secret)
        self.assertNotIn("mail.password_file", findings)

    def test_a_folder_for_exports_that_cannot_be_written(self):
        file = self.folder / "file"
        file.touch()
        for folder, outcome in ((file, "failed"), (self.folder / "nowhere" / "exports", "failed"),
                                (self.folder / "exports", "ok"), (f"{self.folder}/exports/", "ok"), (self.folder, "ok")):
            code, findings = self.findings("--retention-export-dir", folder)
            self.assertEqual(findings["retention.export_dir"]["outcome"], outcome, folder)
            self.assertEqual(code, int(outcome == "failed"), findings)
        self.assertNotIn("retention.export_dir", self.findings()[1])

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can make folders for another user")
    def test_root_is_told_where_the_services_user_may_not_write_exports(self):
        self.folder.chmod(0o755)
        exports = self.folder / "exports"
        for folder in (self.state_dir, exports):
            folder.mkdir(mode=0o700)
        os.chown(self.state_dir, NOBODY, NOBODY)
        _, findings = self.findings("--retention-export-dir", exports)
        self.assertEqual(findings["retention.export_dir"]["outcome"], "failed")
        os.chown(exports, NOBODY, NOBODY)
        _, findings = self.findings("--retention-export-dir", exports)
        self.assertEqual(findings["retention.export_dir"]["outcome"], "ok")

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can be kept out as somebody else")
    def test_what_could_not_be_tried_is_not_said_to_be_so(self):
        self.folder.chmod(0o755)
        self.add_app()
        program = self.folder / "invited"
        shutil.copy(binary(), program)
        checked = subprocess.run([program, "check", "--config", self.config_file, "--json"], check=False, user=NOBODY,
                                 capture_output=True, group=NOBODY, extra_groups=[], env={}, timeout=60)
        findings = {one["check"]: one for one in json.loads(checked.stdout)}
        self.assertEqual(findings["state_dir"]["outcome"], "failed")
        self.assertIn("not tried", findings["database"]["message"])
        self.assertNotIn("http.listen", findings)

    def test_a_disk_that_is_short_is_told(self):
        self.add_app()
        watermark = 1 << 40
        disk = os.statvfs(self.state_dir)
        self.assertLess(disk.f_bavail * disk.f_frsize, watermark, "this test needs a disk with less than the largest watermark")
        with Service.serve({**NO_RATES}) as service:
            for state_dir in (self.state_dir, service.state_dir):
                code, findings = self.findings("--state-dir", state_dir, "--storage-disk-watermark", watermark)
                self.assertEqual((code, findings["disk"]["outcome"]), (1, "failed"), findings)
                self.assertIn("storage.disk_watermark", findings["disk"]["message"])
        _, findings = self.findings("--storage-disk-watermark", "1")
        self.assertNotIn("disk", findings)

    def test_a_stranger_at_the_public_url_is_told(self):
        """A page for everything, with status 200, as many web servers have one."""
        class Stranger(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<h1>Welcome!</h1>")

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
            threading.Thread(target=stranger.serve_forever, daemon=True).start()
            public_url = f"http://127.0.0.1:{stranger.server_port}"
            with Service.serve({"public_url": public_url}) as service:
                result = run("check", "--config", service.config_file, "--json")
            stranger.shutdown()
        finding = next(one for one in json.loads(result.stdout) if one["check"] == "public_url")
        self.assertEqual((result.returncode, finding["outcome"]), (1, "failed"))
        self.assertIn("something else", finding["message"])

    def test_a_file_without_authorities_is_told(self):
        key = self.folder / "key.pem"
        key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        for file in (key, self.folder):
            for setting in ("refresh.ca_file", "webhook.ca_file"):
                code, findings = self.findings("--" + setting.replace(".", "-").replace("_", "-"), file)
                self.assertEqual((code, findings[setting]["outcome"]), (1, "failed"), (file, findings))
                self.assertIn("PEM", findings[setting]["message"])


class TheServicesUser(Case):
    """What a user who is not root meets, as the service's own is none."""

    def run_as_nobody(self, *arguments, **options):
        self.folder.chmod(0o755)
        program = self.folder / "invited"
        shutil.copy(binary(), program)
        return subprocess.run([program, *map(str, arguments)], check=False, user=NOBODY, group=NOBODY, extra_groups=[],
                              env={}, timeout=60, capture_output=True, **options)

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can be kept out as somebody else")
    def test_a_port_of_the_system_is_told_with_what_gives_the_right_to_it(self):
        first_free = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first_free <= 1:
            self.skipTest("NOT TESTED: here anybody may listen on any port")
        self.state_dir.mkdir(mode=0o700)
        os.chown(self.state_dir, NOBODY, NOBODY)
        for command in ("serve", "check"):
            result = self.run_as_nobody(command, "--config", self.config_file, "--http-listen", "127.0.0.1:1")
            said = (result.stdout + result.stderr).decode()
            self.assertEqual(result.returncode, 1)
            self.assertIn("CAP_NET_BIND_SERVICE", said)
            self.assertNotIn("stop what listens there", said)
            self.assertEqual(said.count("127.0.0.1:1:"), 1, said)

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can be kept out as somebody else")
    def test_a_file_in_a_folder_that_is_closed_is_not_said_to_be_missing(self):
        closed = self.folder / "etc"
        closed.mkdir(mode=0o700)
        shutil.copy(self.config_file, closed / "invited.toml")
        for arguments in (("--config", closed / "invited.toml"), ("--state-dir", closed)):
            result = self.run_as_nobody("app", "list", *arguments)
            self.assertEqual(result.returncode, 1)
            self.assertIn("invited.toml", told(result))
            self.assertIn("Permission denied", told(result))
            self.assertNotIn("no such file", told(result))

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can be kept out as somebody else")
    def test_a_limit_on_threads_is_told_with_what_raises_it(self):
        self.state_dir.mkdir(mode=0o700)
        os.chown(self.state_dir, NOBODY, NOBODY)
        result = self.run_as_nobody("serve", "--config", self.config_file,
                                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (20, 20)))
        self.assertEqual(result.returncode, 1)
        for part in ("thread", "ulimit -u", "http.workers"):
            self.assertIn(part, told(result))


class TheLog(Case):
    def test_what_is_short_is_told_with_its_remedy(self):
        """The limit on open files that many a system has, and a disk with less room than the mark."""
        settings = {**NO_RATES, "storage.disk_watermark": str(1 << 40)}
        with Service.configured(settings, command_prefix=("prlimit", "--nofile=1024:1024")) as service:
            service.start()
            self.assertIn("LimitNOFILE", service.process.await_log(r"warning http\.few_descriptors"))
            run("app", "add", "--config", service.config_file, "--name", "Planner", "--url", "https://planner.example.org")
            self.assertIn("storage.disk_watermark", service.process.await_log(r"error storage\.disk_short"))

    def test_a_signal_without_a_meaning_here_ends_nothing(self):
        """SIGUSR1 is what logrotate's configurations send to have a log opened again."""
        with Service.serve() as service:
            service.process.child.send_signal(signal.SIGUSR1)
            self.assertIn("SIGUSR1", service.process.await_log(r"warning service\.signal_ignored"))
            self.assertEqual(service.request("GET", "/readyz").status, 200)
            service.process.child.send_signal(signal.SIGUSR1)
            self.assertEqual(service.process.end(), 0)

    def test_a_reload_says_what_it_took_up_and_what_not(self):
        with Service.serve() as service:
            service.process.child.send_signal(signal.SIGHUP)
            line = service.process.await_log(r"service\.reloaded")
            self.assertIn("restart", line)


class WhatIsShown(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))

    def test_all_roles_of_an_invitation(self):
        service = self.service
        token = json_clients.add_token(service)
        invited = run("invite", "--role", service.role_name, "--role", service.other_role_name, "zoe@example.org",
                      env={"INVITED_API_URL": service.base_url, "INVITED_API_TOKEN": token})
        self.assertEqual(invited.returncode, 0, told(invited))
        [listed] = service.cli("invitation", "list", "--email", "zoe@example.org")
        self.assertEqual(listed["role_uuids"], [service.role_uuid, service.other_role_uuid])
        self.assertEqual(listed["role_names"], [service.role_name, service.other_role_name])
        people = run("invitation", "list", "--email", "zoe@example.org", "--config", service.config_file)
        self.assertIn(f"{service.role_name}, {service.other_role_name}", people.stdout.decode())

    def test_why_a_token_is_refused(self):
        service = self.service
        service.cli("account", "add", "--email", "bot@example.org", "--name", "Bot")
        service.cli("access", "grant", "--environment", "production", "--email", "bot@example.org", "--role", service.role_name)
        added = service.cli("token", "add", "--environment", "production", "--account", "bot@example.org")

        def state():
            return next(one["state"] for one in service.cli("token", "list") if one["token_uuid"] == added["token_uuid"])

        self.assertEqual(state(), "valid")
        service.cli("account", "disable", "--email", "bot@example.org")
        self.assertEqual(state(), "account disabled")
        service.cli("account", "enable", "--email", "bot@example.org")
        service.cli("access", "revoke", "--environment", "production", "--email", "bot@example.org", "--role", service.role_name)
        self.assertEqual(state(), "account has no role")
        service.cli("environment", "disable", "production")
        self.assertEqual(state(), "environment disabled")
        service.cli("environment", "enable", "production")


if __name__ == "__main__":
    end_to_end.main()
