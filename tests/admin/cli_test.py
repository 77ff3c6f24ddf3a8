"""The command line of the real program: what it prints, its exit codes, its commands with and without the running
service, `demo`, `check`, `settings`."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
import unittest

from cryptography.hazmat.primitives import serialization

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
import web_client
from invited_service import NO_RATES, CommandFailed, Process, Service, binary, free_port, toml, wait_until

from smtp_relay import Authority

UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
PASSWORD = "lighthouse piano cargo"


def run(*arguments, stdin="", env=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
    return subprocess.run([binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**clean, **(env or {})}, check=False)


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="invited-cli-") as name:
        yield pathlib.Path(name)


class Stopped:
    """A configured service that does not run: commands open its store themselves."""

    def __init__(self, where):
        self.state_dir = where / "state"
        self.config_file = where / "invited.toml"
        listen = f"127.0.0.1:{free_port()}"
        self.public_url = f"http://{listen}"  # what the service says of itself where none is configured
        self.config_file.write_text(toml({"state_dir": str(self.state_dir), "http.listen": listen,
                                          "mail.transport": "directory", "mail.from": "invitations@invited.example",
                                          **NO_RATES}))

    def run(self, *arguments, stdin=""):
        return run(*arguments, "--config", str(self.config_file), stdin=stdin)

    def json(self, *arguments, stdin=""):
        result = self.run(*arguments, "--json", stdin=stdin)
        if result.returncode != 0:
            raise CommandFailed(arguments, result)
        return json.loads(result.stdout)


class Commands:
    """The same tests for both ways. `self.json(…)` runs a command and returns what it printed."""

    def test_add_commands_print_one_object_and_listings_arrays_of_them(self):
        app = self.json("app", "add", "--name", "Harbour Planner", "--url", "https://planner.example.org")
        self.assertRegex(app["app_uuid"], UUID)
        self.assertEqual((app["name"], app["url"], app["language"]), ("Harbour Planner", "https://planner.example.org", "en"))
        self.assertRegex(app["created_at"], TIME)
        self.assertIn(app, self.json("app", "list"))

        role = self.json("role", "add", "--app", "harbour planner", "--name", "Planner")
        self.assertRegex(role["role_uuid"], UUID)
        self.assertEqual((role["name"], role["app_uuid"], role["app_name"]), ("Planner", app["app_uuid"], "Harbour Planner"))
        self.assertEqual(self.json("role", "list", "--app", app["app_uuid"]), [role])

        environment = self.json("environment", "add", "--app", app["app_uuid"], "--name", "Production")
        self.assertRegex(environment["environment_uuid"], UUID)
        self.assertRegex(environment["environment_password"], r"^[\w-]{43}$")
        [listed] = [entry for entry in self.json("environment", "list") if entry["app_uuid"] == app["app_uuid"]]
        self.assertEqual(listed["environment_uuid"], environment["environment_uuid"])
        self.assertNotIn("environment_password", listed)
        self.assertIs(listed["disabled"], False)

        account = self.json("account", "add", "--email", "grace@example.org", "--name", "Grace Hopper")
        self.assertRegex(account["account_uuid"], UUID)
        self.assertEqual((account["email"], account["name"], account["has_password"]),
                         ("grace@example.org", "Grace Hopper", False))
        self.assertIn(account, self.json("account", "list"))

        access = self.json("access", "grant", "--environment", environment["environment_uuid"], "--email",
                           "grace@example.org", "--role", role["role_uuid"])
        self.assertEqual((access["email"], access["role_uuid"], access["environment_uuid"]),
                         ("grace@example.org", role["role_uuid"], environment["environment_uuid"]))
        self.assertTrue(access.pop("changed"))
        self.assertEqual(self.json("access", "list", "--environment", environment["environment_uuid"]), [access])
        self.json("access", "revoke", "--environment", environment["environment_uuid"], "--email", "grace@example.org",
                  "--role", "planner")
        self.assertEqual(self.json("access", "list", "--environment", environment["environment_uuid"]), [])

        actions = [event["action"] for event in self.json("audit", "list", "--limit", "7")]
        self.assertEqual(actions, ["access.withdrawn", "access.granted", "account.created", "environment.added",
                                   "role.added", "app.added"][:len(actions)] + actions[6:])

    def test_passwords_come_from_standard_input_only(self):
        self.json("app", "add", "--name", "Ferry", "--url", "https://ferry.example.org")
        brought = self.json("environment", "add", "--app", "Ferry", "--name", "Old", "--uuid",
                            "{6C2E6F0A-0000-4000-8000-000000000002}", "--password-stdin", stdin="as it was before\n")
        self.assertEqual(brought["environment_uuid"], "6c2e6f0a-0000-4000-8000-000000000002")
        self.assertIsNone(brought["environment_password"])
        self.json("account", "add", "--email", "ada@example.org", "--name", "Ada", "--password-stdin", stdin=PASSWORD)
        changed = self.json("account", "set-password", "--email", "ada@example.org", "--password-stdin",
                            stdin=PASSWORD + " two\r\n")
        self.assertIs(changed["has_password"], True)
        for stdin, complaint in (("", "no password"), ("short", "15"), ("password" * 3, "guess")):
            with self.assertRaises(CommandFailed) as refused:
                self.json("account", "set-password", "--email", "ada@example.org", "--password-stdin", stdin=stdin)
            self.assertEqual(refused.exception.returncode, 1)
            self.assertIn(complaint, refused.exception.stderr)

    def test_roles_are_imported_from_a_deployment_package(self):
        app = self.json("app", "add", "--name", "Imported", "--url", "https://imported.example.org")
        with folder() as where:
            file = where / "metadata.json"
            file.write_text(json.dumps({"Roles": {
                "53f5d6fa-6da9-4a71-b011-454ec052cce8": {
                    "Name": "Administrator", "ManageableRoles": ["8e4f1c2a-0000-4000-8000-000000000002"]},
                "8e4f1c2a-0000-4000-8000-000000000002": {"Name": "User"}}}))
            done = self.json("role", "import", "--app", app["app_uuid"], str(file))
            self.assertEqual((done["added"], done["renamed"], done["unchanged"]), (2, 0, 0))
            again = self.json("role", "import", "--app", app["app_uuid"], str(file))
            self.assertEqual((again["added"], again["renamed"], again["unchanged"]), (0, 0, 2))
            roles = {role["role_uuid"]: role for role in self.json("role", "list", "--app", app["app_uuid"])}
            administrator = roles["53f5d6fa-6da9-4a71-b011-454ec052cce8"]
            self.assertEqual((administrator["name"], administrator["manageable_role_uuids"]),
                             ("Administrator", ["8e4f1c2a-0000-4000-8000-000000000002"]))
            for content, complaint in (("PK", "not JSON"), ("{}", "no \"Roles\""), (None, "cannot be read")):
                if content is None:
                    file.unlink()
                else:
                    file.write_text(content)
                with self.assertRaises(CommandFailed) as refused:
                    self.json("role", "import", "--app", app["app_uuid"], str(file))
                self.assertIn(complaint, refused.exception.stderr)
                self.assertIn(str(file), refused.exception.stderr)

    def test_an_app_says_where_people_may_be_sent_and_who_may_invite_to_what(self):
        app = self.json("app", "add", "--name", "Sluice", "--url", "https://sluice.example.org")
        changed = self.json("app", "set", "sluice", "--name", "Sluice gate", "--url", "https://lock.example.org", "--language",
                            "de", "--redirect-url", "https://lock.example.org/a", "--redirect-url",
                            "http://127.0.0.1:3000/b", "--grants", "manageable")
        self.assertEqual({**app, "name": "Sluice gate", "url": "https://lock.example.org", "language": "de",
                          "redirect_urls": ["https://lock.example.org/a", "http://127.0.0.1:3000/b"],
                          "grants": "manageable"}, changed)
        self.assertEqual(self.json("app", "show", app["app_uuid"]), changed)
        self.assertIn("https://lock.example.org/a, http://127.0.0.1:3000/b", self.text("app", "show", "Sluice gate"))
        self.assertEqual(self.json("app", "set", "--app", "Sluice gate", "--redirect-url", "")["redirect_urls"], [])

    def test_tokens_are_made_listed_and_revoked(self):
        self.json("app", "add", "--name", "Dredger", "--url", "https://dredger.example.org")
        for role in ("User", "Chief"):
            self.json("role", "add", "--app", "Dredger", "--name", role)
        self.json("environment", "add", "--app", "Dredger", "--name", "Dredger live")
        self.json("account", "add", "--email", "digger@example.org", "--name", "Digger")
        self.json("access", "grant", "--environment", "Dredger live", "--email", "digger@example.org", "--role", "User")
        for ceiling in (["--role-ceiling", "User,Chief"], ["--role-ceiling", "User", "--role-ceiling", "Chief"]):
            added = self.json("token", "add", "--environment", "Dredger live", "--account", "digger@example.org",
                              "--name", "nightly", *ceiling, "--expires", "90d", "--links")
            self.assertRegex(added["api_token"], r"^invited_[\w-]{49}$")
            self.assertRegex(added["token_uuid"], UUID)
            self.assertRegex(added["expires_at"], TIME)
            self.assertEqual((added["role_ceiling"], added["links"]), (["User", "Chief"], True))
        listed = self.json("token", "list", "--environment", "Dredger live")
        self.assertEqual(listed[0], {name: value for name, value in added.items() if name != "api_token"})
        shown = self.text("token", "list")
        self.assertIn("nightly", shown)
        self.assertNotIn("invited_", shown)
        self.assertEqual(self.json("token", "revoke", added["token_uuid"])["state"], "revoked")
        for wrong, complaint in ((["--expires", "0s"], "future"), (["--expires", "soon"], "duration"),
                                 (["--role-ceiling", ""], "names no role")):
            with self.assertRaises(CommandFailed) as refused:
                self.json("token", "add", "--environment", "Dredger live", "--account", "digger@example.org", *wrong)
            self.assertIn(complaint, refused.exception.stderr)

    def test_roles_get_the_names_of_dialects(self):
        self.json("app", "add", "--name", "Tug", "--url", "https://tug.example.org")
        self.json("role", "add", "--app", "Tug", "--name", "Chief")
        words = ("--app", "Tug", "--dialect", "base44", "--name", "admin")
        mapped = self.json("role", "map", *words, "--role", "chief")
        self.assertEqual(self.json("role", "mappings", "--app", "Tug"), [mapped])
        self.assertIn("base44", self.text("role", "mappings"))
        self.assertEqual(self.json("role", "unmap", *words)["name"], "admin")
        self.assertEqual(self.json("role", "mappings", "--app", "Tug"), [])

    def test_environments_are_rotated_disabled_and_enabled_by_uuid_or_name(self):
        self.json("app", "add", "--name", "Tower", "--url", "https://tower.example.org")
        first = self.json("environment", "add", "--app", "Tower", "--name", "Tower live")
        rotated = self.json("environment", "rotate-password", "Tower live", "--overlap", "2h")
        self.assertEqual(rotated["environment_uuid"], first["environment_uuid"])
        self.assertNotEqual(rotated["environment_password"], first["environment_password"])
        self.assertEqual(len(rotated["passwords"]), 2)
        self.assertEqual(rotated["old_password_until"], rotated["passwords"][1]["valid_until"])
        with self.assertRaisesRegex(CommandFailed, "--force"):
            self.json("environment", "rotate-password", "Tower live")
        self.json("environment", "rotate-password", "Tower live", "--force")
        self.assertIsNone(self.json("environment", "rotate-password", "Tower live", "--overlap", "0s")["old_password_until"])
        self.assertIs(self.json("environment", "disable", first["environment_uuid"])["disabled"], True)
        self.assertIs(self.json("environment", "enable", "--environment", "tower LIVE")["disabled"], False)

    def test_accounts_are_disabled_and_enabled(self):
        self.json("account", "add", "--email", "eve@example.org", "--name", "Eve")
        self.assertIs(self.json("account", "disable", "--email", "EVE@example.org")["disabled"], True)
        self.assertIs(self.json("account", "enable", "--email", "eve@example.org")["disabled"], False)

    def test_an_environment_says_how_the_app_knows_people_and_where_it_is_told_of_changes(self):
        self.json("app", "add", "--name", "Quay", "--url", "https://quay.example.org")
        added = self.json("environment", "add", "--app", "Quay", "--name", "Quay live")
        self.assertEqual((added["openid_template"], added["refresh_url"], added["refresh_namespace"]),
                         ("{public_url}/id?id={account_uuid}", None, "http://home.mendix.com/"))
        url = f"http://127.0.0.1:{free_port()}/ws/RefreshAPI"
        changed = self.json("environment", "set", "quay LIVE", "--name", "Quay production", "--openid-template",
                            "{public_url}/people/{account_uuid}", "--refresh-url", url, "--refresh-namespace",
                            "http://www.example.com")
        self.assertEqual((changed["name"], changed["openid_template"], changed["refresh_url"], changed["refresh_namespace"]),
                         ("Quay production", "{public_url}/people/{account_uuid}", url, "http://www.example.com"))
        [listed] = [e for e in self.json("environment", "list") if e["environment_uuid"] == added["environment_uuid"]]
        self.assertEqual(listed, changed)
        self.assertIn(url, self.text("environment", "list"))
        cleared = self.json("environment", "set", "--environment", "Quay production", "--refresh-url", "")
        self.assertEqual((cleared["refresh_url"], cleared["name"]), (None, "Quay production"))
        # The public URL counts: with it, an OpenID of this template is too long, without it, it would not be.
        length = 400 - 36 - len("https://") - 5
        with self.assertRaises(CommandFailed) as refused:
            self.json("environment", "set", "Quay production", "--openid-template",
                      "{public_url}" + "/" * length + "{account_uuid}")
        self.assertIn("400", refused.exception.stderr)

    def test_people_have_profiles(self):
        self.json("account", "add", "--email", "vera@example.org", "--name", "Vera")
        options = {"--name": "Véra & Co <漢>", "--job-title": "Harbour pilot", "--department": "Pilots", "--company": "Harbour",
                   "--company-id": "H-7", "--location": "Rotterdam", "--country": "NL", "--phone": "+31 20 123 4567",
                   "--website": "www.example.org", "--linkedin": "https://www.linkedin.example/in/vera",
                   "--twitter": "@vera", "--skype": "vera.pilot", "--avatar-url": "https://www.example.org/vera.png",
                   "--avatar-thumbnail-url": "https://www.example.org/vera-small.png", "--bio": "Two\nlines"}
        changed = self.json("account", "set", "--email", "VERA@example.org",
                            *(part for option in options.items() for part in option))
        self.assertEqual(changed["name"], options.pop("--name"))
        options["--website"] = "https://www.example.org"
        self.assertEqual(changed["profile"], {name[2:].replace("-", "_"): value for name, value in options.items()})
        self.assertEqual(self.json("account", "show", "--email", "vera@example.org"), changed)
        self.assertEqual(changed["roles"], [])
        cleared = self.json("account", "set", "--email", "vera@example.org", "--phone", "", "--country", "BE")
        self.assertEqual((cleared["profile"]["phone"], cleared["profile"]["country"], cleared["profile"]["bio"]),
                         (None, "BE", "Two\nlines"))
        shown = self.text("account", "show", "--email", "vera@example.org")
        self.assertRegex(shown, r"(?m)^  job title +Harbour pilot$")
        self.assertNotRegex(shown, r"(?m)^  phone ")

    def test_a_person_is_shown_with_roles_and_openids(self):
        app = self.json("app", "add", "--name", "Lock", "--url", "https://lock.example.org")
        self.json("role", "add", "--app", "Lock", "--name", "Keeper")
        self.json("environment", "add", "--app", "Lock", "--name", "Lock live")
        account = self.json("account", "add", "--email", "luc@example.org", "--name", "Luc")
        self.json("access", "grant", "--environment", "Lock live", "--email", "luc@example.org", "--role", "Keeper")
        [role] = self.json("account", "show", "--email", "luc@example.org")["roles"]
        self.assertEqual((role["role_name"], role["environment_name"], role["app_name"]), ("Keeper", "Lock live", app["name"]))
        self.assertEqual(role["openid"], f"{self.public_url()}/id?id={account['account_uuid']}")
        self.assertIn(role["openid"], self.text("account", "show", "--email", "luc@example.org"))

    def test_calls_to_apps_are_listed_and_shown(self):
        self.json("app", "add", "--name", "Pier", "--url", "https://pier.example.org")
        self.json("role", "add", "--app", "Pier", "--name", "Keeper")
        environment = self.json("environment", "add", "--app", "Pier", "--name", "Pier live")
        self.json("environment", "set", "Pier live", "--refresh-url", f"http://127.0.0.1:{free_port()}/ws/RefreshAPI")
        self.json("account", "add", "--email", "pia@example.org", "--name", "Pia")
        self.json("access", "grant", "--environment", "Pier live", "--email", "pia@example.org", "--role", "Keeper")
        [call] = self.json("refresh", "list", "--state", "queued")
        self.assertRegex(call["refresh_uuid"], UUID)
        self.assertEqual((call["email"], call["environment_uuid"], call["state"]),
                         ("pia@example.org", environment["environment_uuid"], "queued"))
        shown = self.json("refresh", "show", call["refresh_uuid"])
        self.assertEqual(shown["email"], "pia@example.org")
        self.assertIsInstance(shown["attempts"], list)
        self.assertIn("pia@example.org", self.text("refresh", "list"))
        self.assertEqual(self.json("refresh", "retry", call["refresh_uuid"])["state"], "queued")
        self.assertEqual(self.json("refresh", "retry", "--all"), {"retried": 0})
        # Nobody listens there; it is taken away for the other tests, and the call with it.
        self.json("environment", "set", "Pier live", "--refresh-url", "")

    def test_columns_stand_below_each_other_whatever_the_writing(self):
        for name in ("Wide 東京 太郎", "Narrow Name"):
            self.json("account", "add", "--email", f"{name.split()[0]}@wide.example", "--name", name)
        listing = self.text("account", "list").splitlines()
        columns = {sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[:re.search(r"\bno +no ", line).start()])
                   for line in listing if "@wide.example" in line}
        self.assertEqual(len(columns), 1, listing)

    def test_webhooks_are_added_listed_and_their_deliveries_shown(self):
        self.json("app", "add", "--name", "Mole", "--url", "https://mole.example.org")
        self.json("role", "add", "--app", "Mole", "--name", "Keeper")
        self.json("environment", "add", "--app", "Mole", "--name", "Mole live")
        self.json("account", "add", "--email", "mia@example.org", "--name", "Mia")
        added = self.json("webhook", "add", "--environment", "Mole live", "--url", "https://hooks.example.invalid/in",
                          "--event", "access.granted", "--event", "access.withdrawn")
        self.assertRegex(added["secret"], r"^whsec_[A-Za-z0-9+/]{43}=$")
        self.assertEqual(added["events"], ["access.granted", "access.withdrawn"])
        self.assertEqual(self.json("webhook", "show-secret", added["webhook_uuid"])["secret"], added["secret"])
        every = self.json("webhook", "add", "--environment", "Mole live", "--url", "https://hooks.example.invalid/all")
        self.assertIsNone(every["events"])
        self.assertRegex(self.text("webhook", "list"), r"https://hooks\.example\.invalid/all +all ")
        self.assertRegex(self.text("webhook", "disable", every["webhook_uuid"]), r"(?m)^  events +all$")
        self.json("webhook", "remove", every["webhook_uuid"])
        listing = self.text("webhook", "list")
        self.assertIn("https://hooks.example.invalid/in", listing)
        self.assertNotIn("whsec_", listing)
        self.json("access", "grant", "--environment", "Mole live", "--email", "mia@example.org", "--role", "Keeper")
        [owed] = self.json("webhook", "deliveries", "--webhook", added["webhook_uuid"])
        self.assertEqual((owed["event"], owed["webhook_uuid"]), ("access.granted", added["webhook_uuid"]))
        self.assertIn("mia@example.org", self.text("webhook", "show", owed["delivery_uuid"]))
        self.assertIn("access.granted", self.text("webhook", "deliveries"))
        self.assertIn("whsec_", self.text("webhook", "rotate-secret", added["webhook_uuid"]))
        self.assertEqual(self.json("webhook", "replay", "--all"), {"replayed": 0})
        self.json("webhook", "disable", added["webhook_uuid"])
        self.json("webhook", "enable", added["webhook_uuid"])
        self.json("webhook", "remove", added["webhook_uuid"])
        self.assertEqual([one for one in self.json("webhook", "list") if one["webhook_uuid"] == added["webhook_uuid"]], [])

    def test_what_is_refused_says_why_and_exits_with_1(self):
        self.json("account", "add", "--email", "twice@example.org", "--name", "Twice")
        nobody = "6c2e6f0a-0000-4000-8000-0000000000ff"
        for arguments, complaint in (
                (("account", "add", "--email", "TWICE@example.org", "--name", "Twice"), "already"),
                (("account", "add", "--email", "not an address", "--name", "X"), "name@example.org"),
                (("app", "add", "--name", "X", "--url", "javascript:x"), "https://"),
                (("role", "list", "--app", "no such app"), "invited app list"),
                (("environment", "disable", nobody), nobody),
                (("environment", "rotate-password", "x", "--overlap", "5"), "needs its unit"),
                (("invitation", "show", nobody), "no invitation"),
                (("invitation", "show", "x"), "not a UUID"),
                (("invitation", "list", "--state", "lost"), "pending"),
                (("mail", "show", nobody), "no mail"),
                (("mail", "retry"), "--all"),
                (("mail", "list", "--state", "lost"), "quarantined"),
                (("environment", "set", nobody, "--name", "X"), nobody),
                (("environment", "set", nobody), "--refresh-url"),
                (("account", "show", "--email", "nobody@example.org"), "invited account list"),
                (("account", "set", "--email", "twice@example.org"), "--job-title"),
                (("account", "set", "--email", "twice@example.org", "--phone", "call me"), "digits"),
                (("account", "set", "--email", "twice@example.org", "--website", "javascript:x"), "https://www.example.org"),
                (("account", "set", "--email", "twice@example.org", "--company", "x" * 101), "at most 100"),
                (("refresh", "show", nobody), "no call"),
                (("refresh", "show", "x"), "not a UUID"),
                (("refresh", "retry"), "--all"),
                (("refresh", "list", "--state", "sent"), "cancelled")):
            with self.assertRaises(CommandFailed) as refused:
                self.json(*arguments)
            self.assertEqual(refused.exception.returncode, 1, arguments)
            self.assertEqual(refused.exception.stdout, "", arguments)
            self.assertIn(complaint, refused.exception.stderr, arguments)
            self.assertTrue(refused.exception.stderr.startswith("invited: "), refused.exception.stderr)

    def test_json_listings_are_complete_and_limits_hold(self):
        # One audit event each: more than people are shown at once, and more than the service gives in one answer.
        self.json("app", "add", "--name", "Many Roles", "--url", "https://many.example.org")
        with folder() as where:
            file = where / "metadata.json"
            file.write_text(json.dumps({"Roles": {f"53f5d6fa-6da9-4a71-b011-{number:012d}": {"Name": "One Of Many"}
                                                  for number in range(1100)}}))
            self.json("role", "import", "--app", "Many Roles", str(file))
        events = [event for event in self.json("audit", "list") if event["action"] == "role.added"]
        self.assertGreaterEqual(len({event["subject_uuid"] for event in events}), 1100)
        self.assertEqual(len(self.json("audit", "list", "--limit", "5")), 5)
        self.assertEqual(self.json("audit", "list", "--limit", "2", "--offset", "1"), self.json("audit", "list")[1:3])
        shown = self.text("audit", "list")
        self.assertEqual(len(shown.splitlines()), 101, "a header and what a person can take in")

    def test_people_get_tables_and_lines(self):
        self.json("app", "add", "--name", "Für Leute", "--url", "https://leute.example.org")
        table = self.text("app", "list")
        self.assertIn("APP UUID", table.splitlines()[0])
        columns = {line.index("http") for line in table.splitlines() if "http" in line}
        self.assertEqual(len(columns), 1, table)
        added = self.text("environment", "add", "--app", "Für Leute", "--name", "Live")
        self.assertRegex(added, r"environment UUID +[0-9a-f-]{36}\n")
        self.assertRegex(added, r"environment password +[\w-]{43}\n")
        self.assertIn("shown this once", added)
        self.assertEqual(self.text("invitation", "list", "--state", "declined"), "Nothing to list.\n")


class CommandsWhileTheServiceDoesNotRun(Commands, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.service = Stopped(cls.stack.enter_context(folder()))

    def json(self, *arguments, stdin=""):
        printed = self.service.json(*arguments, stdin=stdin)
        self.assertFalse((self.service.state_dir / "admin.sock").exists())
        self.assertFalse((self.service.state_dir / "invited.db-wal").exists(), "the store is left clean")
        return printed

    def public_url(self):
        return self.service.public_url

    def text(self, *arguments):
        result = self.service.run(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout


class CommandsWhileTheServiceRuns(Commands, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.service = cls.stack.enter_context(Service.serve(NO_RATES))

    def json(self, *arguments, stdin=""):
        return self.service.cli(*arguments, stdin=stdin)

    def public_url(self):
        return self.service.base_url

    def text(self, *arguments):
        result = run(*arguments, "--config", str(self.service.config_file))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_the_socket_and_the_files_are_for_their_owner_only(self):
        for name in ("admin.sock", "keys.json", "invited.db"):
            mode = stat.S_IMODE((self.service.state_dir / name).stat().st_mode)
            self.assertEqual(mode, 0o600, name)
        self.assertEqual(stat.S_IMODE(self.service.state_dir.stat().st_mode), 0o700)


class TheRunningServiceHeedsCommandsAtOnce(unittest.TestCase):
    def test_a_disabled_environment_and_a_rotated_password(self):
        with Service.serve(NO_RATES) as service:
            self.assertFalse(service.send_invite("one@example.org").fault)
            service.cli("environment", "disable", service.environment_uuid)
            self.assertEqual(service.send_invite("two@example.org").code, "authentication_failed")
            service.cli("environment", "enable", service.environment_uuid)
            self.assertFalse(service.send_invite("two@example.org").fault)
            rotated = service.cli("environment", "rotate-password", service.environment_uuid, "--overlap", "0s")
            self.assertEqual(service.send_invite("three@example.org").code, "authentication_failed")
            service.environment_password = rotated["environment_password"]
            self.assertFalse(service.send_invite("three@example.org").fault)

    def test_invitations_are_shown_resent_and_revoked(self):
        with Service.serve(NO_RATES) as service:
            self.assertFalse(service.send_invite("ada@example.org").fault)
            [invitation] = service.cli("invitation", "list", "--email", "ADA@example.org")
            self.assertEqual((invitation["state"], invitation["generation"]), ("pending", 1))
            uuid = invitation["invitation_uuid"]
            self.assertEqual(service.cli("invitation", "show", uuid), invitation)
            self.assertEqual(service.cli("invitation", "resend", uuid)["generation"], 2)
            wait_until(lambda: len(list(service.mail_dir.glob("*.eml"))) == 2 or
                       [mail["state"] for mail in service.cli("mail", "list")] == ["sent", "cancelled"],
                       what="the second mail")
            self.assertEqual(service.cli("invitation", "revoke", uuid)["state"], "revoked")
            self.assertEqual(service.cli("invitation", "list", "--state", "pending"), [])
            [mail, _] = service.cli("mail", "list")
            shown = service.cli("mail", "show", mail["message_uuid"])
            self.assertEqual(shown["recipient_email"], "ada@example.org")
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["sent"])

    def test_mail_that_failed_is_listed_with_the_reason_and_retried(self):
        with folder() as where:
            blocked = where / "mail"
            blocked.write_text("a file where the folder should be")
            with Service.serve({**NO_RATES, "mail.directory": str(blocked)}) as service:
                service.mail_dir = blocked
                self.assertFalse(service.send_invite("ada@example.org").fault)
                mail = wait_until(lambda: next((m for m in service.cli("mail", "list") if m["hold"]), None),
                                  what="the hold")
                self.assertEqual(mail["state"], "queued")
                self.assertTrue(mail["hold"]["explanation"])
                shown = run("mail", "list", "--config", str(service.config_file))
                self.assertIn("The queue is held since", shown.stdout)
                check = run("check", "--config", str(service.config_file), "--json")
                self.assertEqual(check.returncode, 1)
                self.assertIn("mail queue", [finding["check"] for finding in json.loads(check.stdout)])
                blocked.unlink()
                self.assertIs(service.cli("mail", "retry", "--all")["hold_lifted"], True)
                wait_until(lambda: service.cli("mail", "show", mail["message_uuid"])["state"] == "sent", what="the mail")


    def test_a_call_that_an_app_does_not_take_is_shown_with_the_reason(self):
        with Service.serve(NO_RATES) as service, socket.socket() as app:
            app.bind(("127.0.0.1", 0))  # taken, but nobody listens: every call is refused
            url = f"http://127.0.0.1:{app.getsockname()[1]}/ws/RefreshAPI"
            service.cli("environment", "set", service.environment_uuid, "--refresh-url", url)
            service.cli("access", "grant", "--environment", service.environment_uuid, "--email", service.inviter_email,
                        "--role", service.role_uuid)
            call = wait_until(lambda: next((c for c in service.cli("refresh", "list") if c["attempt_count"] > 0), None),
                              what="the first attempt")
            self.assertTrue(call["last_error"])
            self.assertEqual((call["refresh_url"], call["email"]), (url, service.inviter_email))
            shown = service.cli("refresh", "show", call["refresh_uuid"])
            self.assertEqual(shown["attempts"][0]["outcome"], "deferred")
            self.assertIsNone(shown["attempts"][0]["http_status"])
            # It waits for its next try, a minute later: by hand it is made now.
            service.cli("refresh", "retry", call["refresh_uuid"])
            wait_until(lambda: len(service.cli("refresh", "show", call["refresh_uuid"])["attempts"]) > 1,
                       what="the second attempt")


class CommandsCanBeInterrupted(unittest.TestCase):
    def test_while_they_wait_for_a_password(self):
        with folder() as where:
            service = Stopped(where)
            command = subprocess.Popen([binary(), "account", "add", "--email", "a@b.example", "--name", "A", "--password-stdin",
                                        "--config", str(service.config_file)], stdin=subprocess.PIPE)
            with command:
                # It reads its input: asleep in read, with nothing to do.
                wait_until(lambda: pathlib.Path(f"/proc/{command.pid}/wchan").read_text().startswith(("pipe", "anon_pipe"))
                           or "S (" in pathlib.Path(f"/proc/{command.pid}/status").read_text(), what="the prompt")
                command.send_signal(signal.SIGINT)
                self.assertEqual(command.wait(10), -signal.SIGINT)


class CommandsNeverCollideWithTheService(unittest.TestCase):
    def test_while_it_starts_stops_and_dies(self):
        with Service.serve(NO_RATES) as service:
            for how in (signal.SIGTERM, signal.SIGKILL) * 3:
                service.process.child.send_signal(how)
                # It is stopping, gone, or its socket lies there without anybody: every time there is an answer.
                self.assertEqual([app["app_uuid"] for app in service.cli("app", "list")], [service.app_uuid])
                service.process.wait()
                self.assertEqual(len(service.cli("account", "list")), 1)
                service.launch()
                self.assertEqual(len(service.cli("app", "list")), 1)
                service.await_ready()

    def test_a_second_service_is_refused_and_told_the_first_ones_pid(self):
        with Service.serve() as service:
            for elsewhere in ([], ["--listen", "127.0.0.1:0"]):
                second = run("serve", "--config", str(service.config_file), *elsewhere)
                self.assertEqual(second.returncode, 1)
                self.assertIn(f"pid {service.process.child.pid}", second.stderr)
            self.assertEqual(service.request("GET", "/readyz").status, 200)


class TheDemo(unittest.TestCase):
    MEMBERS = ["base_url", "wsdl_url", "environment_uuid", "environment_password", "role_uuid", "role_name",
               "inviter_email", "mail_dir", "mail_url", "api_token", "api_url"]

    def start(self, where, *arguments, env=None):
        process = Process(["demo", "--json", *arguments], where / "log", env)
        facts = json.loads(process.await_output(r"^\{"))
        return process, facts

    def test_prints_exactly_one_line_when_ready_and_ends_on_sigterm_and_sigint(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with folder() as where:
                process, facts = self.start(where, "--listen", "127.0.0.1:0", "--state-dir", str(where / "demo"))
                self.assertEqual(list(facts), self.MEMBERS)
                port = int(facts["base_url"].rsplit(":", 1)[1])
                self.assertEqual(web_client.request(port, "GET", "/readyz").status, 200)
                self.assertEqual(web_client.request(port, "GET", "/healthz").status, 200)
                self.assertTrue(pathlib.Path(facts["mail_dir"]).is_dir())
                self.assertEqual(process.end(how), 0)
                self.assertEqual(len(process.output_text().strip().splitlines()), 1)

    def test_a_kept_folder_starts_again_with_the_same_credentials(self):
        with folder() as where:
            found = []
            for _ in range(2):
                process, facts = self.start(where, "--listen", "127.0.0.1:0", "--state-dir", str(where / "demo"))
                found.append({name: facts[name] for name in self.MEMBERS if not name.endswith("_url")})
                self.assertEqual(process.end(), 0)
            self.assertEqual(found[0], found[1])
            self.assertEqual(stat.S_IMODE((where / "demo" / "demo.json").stat().st_mode), 0o600)
            self.assertEqual(len(json.loads(run("app", "list", "--state-dir", str(where / "demo"), "--json").stdout)), 1)

    def test_a_temporary_folder_goes_with_the_demo(self):
        with folder() as where:
            process, facts = self.start(where, "--listen", "127.0.0.1:0", env={"TMPDIR": str(where)})
            state = pathlib.Path(facts["mail_dir"]).parent
            self.assertEqual(state.parent, where)
            self.assertEqual(json.loads(run("app", "list", "--state-dir", str(state), "--json").stdout)[0]["name"],
                             "Harbour Planner")
            self.assertEqual(process.end(), 0)
            self.assertFalse(state.exists())

    def test_a_folder_of_a_version_without_tokens_gets_one(self):
        with folder() as where:
            for _ in range(2):
                process, facts = self.start(where, "--listen", "127.0.0.1:0", "--state-dir", str(where / "demo"))
                self.assertEqual(process.end(), 0)
                known = json.loads((where / "demo" / "demo.json").read_text())
                self.assertEqual(known.pop("api_token"), facts["api_token"])
                (where / "demo" / "demo.json").write_text(json.dumps(known))
            tokens = json.loads(run("token", "list", "--state-dir", str(where / "demo"), "--json").stdout)
            self.assertEqual([token["state"] for token in tokens], ["valid", "valid"])
            mappings = json.loads(run("role", "mappings", "--state-dir", str(where / "demo"), "--json").stdout)
            self.assertEqual(len(mappings), 12)

    def test_a_folder_in_which_the_set_up_was_broken_off_is_set_up(self):
        with folder() as where:
            process, _ = self.start(where, "--listen", "127.0.0.1:0", "--state-dir", str(where / "demo"))
            process.end(signal.SIGKILL)
            (where / "demo" / "demo.json").unlink()
            process, _ = self.start(where, "--listen", "127.0.0.1:0", "--state-dir", str(where / "demo"))
            self.assertEqual(process.end(), 0)

    def test_another_services_database_is_left_alone(self):
        with folder() as where:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            refused = run("demo", "--listen", "127.0.0.1:0", "--state-dir", str(service.state_dir))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("not the demo's", refused.stderr)
            self.assertEqual(len(service.json("app", "list")), 1)

    def test_a_taken_address_is_told_and_names_the_flag(self):
        with socket.socket() as taken, folder() as where:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            refused = run("demo", "--listen", address, "--state-dir", str(where / "demo"))
            self.assertEqual(refused.returncode, 1)
            self.assertIn(address, refused.stderr)
            self.assertIn("--listen", refused.stderr)
            # Nobody asked for the default address: the demo finds another and says so.
            process, facts = self.start(where, "--state-dir", str(where / "demo"), env={"INVITED_HTTP_LISTEN": address})
            self.assertNotIn(address, facts["base_url"])
            self.assertIn("--listen", process.log_text())
            self.assertEqual(process.end(), 0)


class TheConfiguration(unittest.TestCase):
    def serve(self, settings, *arguments, env=None):
        with folder() as where:
            file = where / "invited.toml"
            file.write_text(toml({"state_dir": str(where / "state"), **settings}))
            return run("serve", "--config", str(file), *arguments, env=env)

    def test_an_unknown_key_stops_the_start_and_is_named(self):
        result = self.serve({"mail.hots": "relay.example"})
        self.assertEqual(result.returncode, 1)
        self.assertIn("mail.hots", result.stderr)
        self.assertIn("Did you mean mail.host?", result.stderr)

    def test_every_problem_is_named_with_where_it_came_from(self):
        result = self.serve({"mail.port": 0}, "--http-workers", "0", env={"INVITED_MAIL_FROM": "a@b.example\r\nBcc: x"})
        self.assertEqual(result.returncode, 1)
        for part in ("mail.port", "line 2", "http.workers (--http-workers)", "mail.from (INVITED_MAIL_FROM)"):
            self.assertIn(part, result.stderr)

    def test_what_the_service_needs_is_asked_for(self):
        result = self.serve({})
        self.assertEqual(result.returncode, 1)
        for key in ("mail.from", "mail.host"):
            self.assertIn(key, result.stderr)

    def test_lost_keys_stop_the_start(self):
        with folder() as where:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            keys = service.state_dir / "keys.json"
            content = keys.read_text()
            for spoil, complaint in ((keys.unlink, "restore it from your backup"),
                                     (lambda: (keys.touch(0o600), keys.write_text("")), "restore it from your backup"),
                                     (lambda: (keys.write_text(content), keys.chmod(0o644)), "chmod 600")):
                spoil()
                for arguments in (("serve",), ("app", "list")):
                    result = service.run(*arguments)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(complaint, result.stderr)
            keys.chmod(0o600)
            self.assertEqual(len(service.json("app", "list")), 1)

    def test_a_misspelt_folder_is_not_taken_for_an_empty_service(self):
        with folder() as where:
            result = run("app", "list", "--state-dir", str(where / "none"))
            self.assertEqual(result.returncode, 1)
            self.assertIn("no database", result.stderr)
            self.assertFalse((where / "none").exists())

    def test_unsafe_settings_are_warned_of_at_start(self):
        settings = {"public_url": "http://invite.example.com", "mail.tls": "off", "mail.transport": "smtp",
                    "mail.host": "relay.example"}
        with Service.serve(settings) as service:
            for setting in ("public_url", "mail.tls"):
                service.process.await_log(rf"warning config\.unsafe setting={re.escape(setting)} remedy=")

    def test_the_settings_are_listed_for_people_programs_and_the_readme(self):
        entries = json.loads(run("settings", "--json").stdout)
        names = [entry["name"] for entry in entries]
        self.assertIn("mail.host", names)
        people = run("settings").stdout
        markdown = run("settings", "--markdown").stdout
        for name in names:
            self.assertIn(name, people)
            self.assertIn(f"| `{name}` |", markdown)
        self.assertIn(markdown, (end_to_end.SOURCE_DIR / "README.md").read_text())


@unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can make files for another user")
class RootForAnotherUser(unittest.TestCase):
    def test_all_that_a_command_makes_belongs_to_the_owner_of_the_state_folder(self):
        with folder() as where:
            service = Stopped(where)
            service.state_dir.mkdir(mode=0o700)
            os.chown(service.state_dir, 65534, 65534)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            owners = {file.name: file.stat().st_uid for file in service.state_dir.iterdir()}
            self.assertIn("invited.db", owners)
            self.assertIn("invited.db.lock", owners)
            self.assertEqual(set(owners.values()), {65534}, owners)


class ReadOnly(unittest.TestCase):
    def test_a_command_says_at_once_that_nothing_can_be_written(self):
        user = [] if os.geteuid() == 0 else ["-r"]
        if subprocess.run(["unshare", *user, "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("NOT TESTED: only who may mount can make a folder read-only")
        with folder() as where:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
            began = time.monotonic()
            done = subprocess.run(["unshare", *user, "-m", "sh", "-c", script, "sh", str(service.state_dir), binary(), "app",
                                   "list", "--config", str(service.config_file)], check=False, capture_output=True, text=True,
                                  timeout=60)
            self.assertLess(time.monotonic() - began, 4, "it waits five seconds for a service that starts or ends")
            self.assertEqual(done.returncode, 1)
            self.assertIn("Read-only file system", done.stderr)


class Check(unittest.TestCase):
    def findings(self, *arguments):
        result = run("check", *arguments, "--json")
        return result.returncode, {finding["check"]: finding for finding in json.loads(result.stdout)}

    def test_a_service_that_runs_well(self):
        with Service.serve() as service:
            code, findings = self.findings("--config", str(service.config_file))
            self.assertEqual(code, 0, findings)
            self.assertEqual({finding["outcome"] for finding in findings.values()}, {"ok"}, findings)
            self.assertEqual(set(findings), {"configuration file", "configuration", "state_dir", "keys", "database", "relay",
                                             "public_url"})
            self.assertEqual(findings["configuration file"]["message"], f"read from {service.config_file}")
            self.assertIn(service.base_url, findings["public_url"]["message"])
            people = run("check", "--config", str(service.config_file))
            self.assertEqual(people.returncode, 0)
            self.assertRegex(people.stdout, r"(?m)^ok +database +the running service takes writes$")

    def test_a_service_that_does_not_answer_has_its_port_by_right(self):
        with folder() as where:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            # Stands for one that hangs: it has the port and the socket, and hangs up instead of answering.
            with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as commands:
                commands.bind(str(service.state_dir / "admin.sock"))
                commands.listen()

                def hang_up():
                    with commands.accept()[0] as connection:
                        connection.recv(4096)

                hanging = threading.Thread(target=hang_up, daemon=True)
                hanging.start()
                code, findings = self.findings("--config", str(service.config_file), "--http-listen",
                                               "127.0.0.1:%d" % port.getsockname()[1])
            self.assertEqual(code, 1)
            self.assertEqual(findings["database"]["outcome"], "failed")
            self.assertIn("ended before it answered", findings["database"]["message"])
            self.assertNotIn("http.listen", findings)
            self.assertIn("does not answer", findings["public_url"]["message"])

    def test_says_where_it_would_look_where_it_read_no_file(self):
        with folder() as where:
            _, findings = self.findings("--state-dir", str(where))
            self.assertIn("no file was read: --config names one", findings["configuration file"]["message"])

    def test_it_changes_nothing_before_the_first_start(self):
        with folder() as where:
            service = Stopped(where)
            code, findings = self.findings("--config", str(service.config_file))
            self.assertEqual(findings["state_dir"]["outcome"], "warning")
            self.assertFalse(service.state_dir.exists() and any(service.state_dir.iterdir()), os.listdir(where))
            self.assertEqual(code, 0, findings)

    def test_says_what_is_wrong_and_how_to_mend_it(self):
        with folder() as where:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            service.state_dir.chmod(0o755)
            (service.state_dir / "keys.json").chmod(0o644)
            code, findings = self.findings("--config", str(service.config_file), "--mail-transport", "smtp", "--mail-host",
                                           "127.0.0.1", "--mail-port", str(free_port()))
            self.assertEqual(code, 1)
            self.assertIn("chmod 700", findings["state_dir"]["message"])
            self.assertIn("chmod 600", findings["keys"]["message"])
            self.assertEqual(findings["relay"]["outcome"], "failed")
            self.assertIn("mail.", findings["relay"]["message"])

    def tls_findings(self, service, certificate, key):
        code, findings = self.findings("--config", str(service.config_file), "--http-tls-certificate", str(certificate),
                                       "--http-tls-key", str(key))
        return code, findings["tls"]

    def test_tries_certificate_and_key_and_names_the_setting(self):
        with folder() as where:
            service = Stopped(where)
            good, other = (Authority(where / name, lifetime=datetime.timedelta(days=90)).certificate_file
                           for name in ("good", "other"))
            good.chmod(0o600)
            self.assertEqual(self.tls_findings(service, good, good)[1]["outcome"], "ok")
            for certificate, key, setting, reason in (
                    (where / "none.pem", good, "http.tls_certificate", "No such file"),
                    (service.config_file, good, "http.tls_certificate", "no start line"),
                    (good, where / "none.pem", "http.tls_key", "No such file"),
                    (good, other, "http.tls_key", "mismatch")):
                code, finding = self.tls_findings(service, certificate, key)
                self.assertEqual((code, finding["outcome"]), (1, "failed"), reason)
                self.assertIn(setting, finding["message"])
                self.assertIn(reason, finding["message"])
                self.assertIn("PEM", finding["message"])
            sealed = where / "sealed.pem"
            key = serialization.load_pem_private_key(good.read_bytes()[good.read_bytes().index(b"-----BEGIN PRIVATE"):], None)
            sealed.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                 serialization.BestAvailableEncryption(b"secret")))
            code, finding = self.tls_findings(service, good, sealed)  # and nobody is asked for the pass phrase
            self.assertEqual((code, finding["outcome"]), (1, "failed"))
            self.assertIn("without a pass phrase", finding["message"])

    def test_a_certificate_that_ends_soon_or_has_ended_is_told(self):
        with folder() as where:
            service = Stopped(where)
            for lifetime, outcome in ((datetime.timedelta(days=10), "warning"), (datetime.timedelta(hours=1), "failed")):
                file = Authority(where / outcome, lifetime=lifetime).certificate_file
                file.chmod(0o600)
                _, finding = self.tls_findings(service, file, file)
                self.assertEqual(finding["outcome"], outcome)
                self.assertIn("http.tls_certificate end", finding["message"])

    def test_an_address_that_is_taken_and_authorities_that_cannot_be_read_are_told(self):
        with folder() as where, socket.create_server(("127.0.0.1", 0)) as taken:
            service = Stopped(where)
            code, findings = self.findings("--config", str(service.config_file), "--http-listen",
                                           f"127.0.0.1:{taken.getsockname()[1]}", "--webhook-ca-file", str(where / "none"))
            self.assertEqual(code, 1)
            self.assertEqual(findings["http.listen"]["outcome"], "failed")
            self.assertIn("No such file", findings["webhook.ca_file"]["message"])

    @unittest.skipIf(os.geteuid() != 0, "NOT TESTED: only root can be kept out as somebody else")
    def test_a_state_folder_that_this_user_may_not_enter_is_told(self):
        with folder() as where:
            where.chmod(0o755)
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            program = where / "invited"
            shutil.copy(binary(), program)
            checked = subprocess.run([program, "check", "--config", str(service.config_file), "--json"], check=False,
                                     capture_output=True, text=True, user=65534, group=65534, extra_groups=[], env={})
            findings = {finding["check"]: finding for finding in json.loads(checked.stdout)}
            self.assertEqual(checked.returncode, 1)
            self.assertEqual(findings["state_dir"]["outcome"], "failed")
            self.assertIn("Permission denied", findings["state_dir"]["message"])

    def test_a_public_url_that_leads_elsewhere_is_told(self):
        with Service.serve({"public_url": f"http://127.0.0.1:{free_port()}"}) as service:
            code, findings = self.findings("--config", str(service.config_file))
            self.assertEqual(code, 1)
            self.assertEqual(findings["public_url"]["outcome"], "failed")

    def test_an_app_that_cannot_be_told_of_changed_roles_is_warned_of(self):
        with folder() as where, socket.socket() as app:
            service = Stopped(where)
            service.json("app", "add", "--name", "Real", "--url", "https://real.example.org")
            environment = service.json("environment", "add", "--app", "Real", "--name", "Live")["environment_uuid"]
            app.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{app.getsockname()[1]}/ws/RefreshAPI"
            service.json("environment", "set", "Live", "--refresh-url", url)
            code, findings = self.findings("--config", str(service.config_file))
            self.assertEqual((code, findings["refresh_url"]["outcome"]), (0, "warning"), findings)
            for part in ("Real", "Live", url, f"invited environment set {environment} --refresh-url"):
                self.assertIn(part, findings["refresh_url"]["message"])
            app.listen()
            code, findings = self.findings("--config", str(service.config_file))
            self.assertEqual((code, findings["refresh_url"]["outcome"]), (0, "ok"), findings)
            connection, _ = app.accept()
            with connection:
                connection.settimeout(10)
                self.assertEqual(connection.recv(1), b"", "it calls nobody")
            service.json("environment", "set", "Live", "--refresh-url", url.replace("http", "https", 1))
            plain = threading.Thread(target=lambda: app.accept()[0].close())
            plain.start()
            code, findings = self.findings("--config", str(service.config_file))
            plain.join()
            self.assertEqual((code, findings["refresh_url"]["outcome"]), (0, "warning"), "no TLS there")
            service.json("environment", "disable", "Live")
            _, findings = self.findings("--config", str(service.config_file))
            self.assertNotIn("refresh_url", findings)

    def test_a_demo_checks_well(self):
        with Service.demo() as service:
            code, findings = self.findings("--state-dir", str(service.state_dir))
            self.assertEqual(code, 0, findings)


class Usage(unittest.TestCase):
    def test_wrong_usage_exits_with_2_and_names_what_is_missing(self):
        for arguments, complaint in ((("app",), "subcommand"), ((), "subcommand"), (("app", "add"), "--name"),
                                     (("app", "frobnicate"), "frobnicate"), (("app", "list", "--frob"), "--frob"),
                                     (("frob",), "frob"), (("invitation", "show"), "invitation"),
                                     (("account", "list", "--limit", "many"), "--limit"),
                                     (("serve", "--mail-hots", "x"), "--mail-hots")):
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(complaint, result.stderr, arguments)
            self.assertEqual(result.stdout, "", arguments)

    def test_every_command_has_help_that_teaches(self):
        top = run("--help")
        self.assertEqual(top.returncode, 0)
        self.assertIn("invited demo", top.stdout)
        self.assertRegex(run("--version").stdout, r"^invited \d+\.\d+\.\d+\n$")
        for noun in ("app", "environment", "role", "account", "access", "token", "invitation", "mail", "refresh", "audit"):
            listed = run(noun, "--help")
            self.assertEqual(listed.returncode, 0)
            verbs = re.findall(r"(?m)^  ([a-z-]+) {2,}", listed.stdout.split("Subcommands:")[1])
            self.assertIn("list", verbs)
            for verb in verbs:
                text = run(noun, verb, "--help").stdout
                self.assertIn(f"invited {noun} {verb}", text)
                self.assertIn("Example:", text)
                self.assertIn("--json", text)
                self.assertIn("--state-dir", text)
        for noun, verb, words in (("environment", "set", "--openid-template"), ("environment", "set", "--refresh-url"),
                                  ("environment", "set", "{account_uuid}"), ("account", "set", "--avatar-thumbnail-url"),
                                  ("account", "set", "at most 2000 characters"), ("account", "set", "only operators"),
                                  ("account", "set-password", "sessions"), ("app", "set", "--redirect-url"),
                                  ("app", "set", "manageable"), ("role", "map", "base44-runtime"),
                                  ("role", "map", "default"), ("token", "add", "--role-ceiling"),
                                  ("token", "add", "left out: never"), ("refresh", "list", "cancelled")):
            self.assertIn(words, run(noun, verb, "--help").stdout, (noun, verb))
        for command in ("serve", "demo", "check"):
            self.assertIn("Example", run(command, "--help").stdout)
        self.assertIn("--mail-host", run("serve", "--help").stdout)


if __name__ == "__main__":
    end_to_end.main()
