"""What operators do: the commands, with the service running and without, and what a restart must not change."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, CommandFailed, Process, Service, binary, wait_until

PASSWORD = "seventeen quiet otters dance"
LISTINGS = ("app", "environment", "role", "account", "access", "invitation", "mail", "audit")
# As in a deployment package: Mendix writes much more into it.
METADATA = {
    "RuntimeVersion": "9.24.0.2965", "ProjectName": "Timesheets",
    "AdminUserRole": "Administrator", "AdminUser": "MxAdmin",
    "Roles": {
        "53f5d6fa-6da9-4a71-b011-454ec052cce8": {"Name": "Administrator", "ManageableRoles": []},
        "6d8a3c5e-1f0b-4a6e-8a0f-b3a5a0f6d1c2": {"Name": "Nutzer für Größe", "ManageableRoles": []},
    },
}


class CommandsWork(unittest.TestCase):
    def test_the_same_with_the_service_running_and_without(self):
        with Service.serve(NO_RATES) as service:
            service.send_invite("listed@example.org")
            captured_mail.await_mail(service.mail_dir, "listed@example.org")
            wait_until(lambda: service.cli("mail", "list", "--state", "sent"), what="the outcome")
            running = {noun: service.cli(noun, "list") for noun in LISTINGS}
            service.stop()
            stopped = {noun: service.cli(noun, "list") for noun in LISTINGS}
            self.assertEqual(running, stopped)
            for noun, listing in running.items():
                self.assertIsInstance(listing, list)
                self.assertTrue(all(isinstance(entry, dict) for entry in listing) and listing, noun)
            added = service.cli("account", "add", "--email", "offline@example.org", "--name", "Off Line")
            service.start()
            self.assertIn(added, service.cli("account", "list"))

    def test_the_roles_of_a_deployment_package_are_taken_over(self):
        with Service.serve(NO_RATES) as service:
            package = service.folder / "metadata.json"
            package.write_text(json.dumps(METADATA), encoding="utf-8")
            app = service.cli("app", "add", "--name", "From Mendix", "--url", "https://mendix.example.org")["app_uuid"]
            first = service.cli("role", "import", "--app", app, str(package))
            again = service.cli("role", "import", "--app", app, str(package))
            self.assertEqual((first["added"], again["added"], again["unchanged"]), (2, 0, 2))
            roles = {role["role_uuid"]: role["name"] for role in service.cli("role", "list", "--app", app)}
            self.assertEqual(roles, {uuid: role["Name"] for uuid, role in METADATA["Roles"].items()})
            environment = service.cli("environment", "add", "--app", app, "--name", "acceptance")
            uuid = "6d8a3c5e-1f0b-4a6e-8a0f-b3a5a0f6d1c2"
            service.cli("access", "grant", "--environment", environment["environment_uuid"], "--email",
                        service.inviter_email, "--role", "administrator")
            answer = service.send_invite("mendix@example.org", RoleUUID=uuid,
                                         EnvironmentUUID=environment["environment_uuid"],
                                         EnvironmentPassword=environment["environment_password"])
            self.assertFalse(answer.fault, answer)
            self.assertIn("Nutzer für Größe", captured_mail.await_mail(service.mail_dir, "mendix@example.org").text)

    def test_what_is_wrong_is_said_in_a_sentence_and_an_exit_status(self):
        with Service.serve(NO_RATES) as service:
            for arguments, status in ((["access", "grant", "--environment", "nowhere", "--email", "a@example.org",
                                        "--role", "x"], 1),
                                      (["account", "add", "--email", "no address", "--name", "x"], 1),
                                      (["account", "add", "--email", service.inviter_email, "--name", "Twice"], 1),
                                      (["app", "add", "--name", "www.evil.example", "--url", "https://x.example"], 1),
                                      (["app", "add", "--name", "x", "--url", "javascript:alert(1)"], 1),
                                      (["mail", "show", "00000000-0000-0000-0000-000000000001"], 1),
                                      (["app", "burn"], 2), (["account", "add", "--name", "x"], 2)):
                with self.subTest(arguments), self.assertRaises(CommandFailed) as caught:
                    service.cli(*arguments)
                self.assertEqual(caught.exception.returncode, status)
                self.assertEqual(caught.exception.stdout, "")
                self.assertGreater(len(caught.exception.stderr), 20)

    def test_people_get_tables(self):
        with Service.serve(NO_RATES) as service:
            for noun in LISTINGS:
                result = subprocess.run([binary(), noun, "list", "--config", str(service.config_file)],
                                        capture_output=True, text=True, timeout=30, check=True)
                templates = re.compile(r"\{(token|public_url|account_uuid)\}")  # the only braces for people
                self.assertNotIn("{", templates.sub("", result.stdout), noun)
                self.assertTrue(result.stdout.strip(), noun)

    def test_a_passwords_file_that_others_can_read_stops_the_start(self):
        """O12: the same for a missing and an empty one."""
        with Service.serve(NO_RATES) as service:
            service.stop()
            keys = service.state_dir / "keys.json"
            content = keys.read_bytes()

            def start_fails(why):
                process = Process(["serve", "--config", str(service.config_file)], service.folder / "other.log")
                self.assertEqual(process.wait(), 1, why)
                self.assertIn("keys.json", process.log_text(), why)
            keys.chmod(0o644)
            start_fails("readable by others")
            keys.unlink()
            start_fails("missing beside a database")
            keys.touch(0o600)
            start_fails("empty")
            keys.write_bytes(content)
            service.start()


class ARestartChangesNothing(unittest.TestCase):
    def test_links_passwords_and_forms_that_are_open_still_work(self):
        with Service.serve(NO_RATES) as service:
            service.send_invite("restart@example.org")
            mail = captured_mail.await_mail(service.mail_dir, "restart@example.org")
            person = service.person()
            page = person.open(mail.link)
            service.stop()
            service.start()
            done = person.submit(page, "/accept", {"name": "Re Start", "password": PASSWORD, "password_again": PASSWORD})
            self.assertEqual(done.status, 200, done.text)
            self.assertFalse(service.send_invite("restart2@example.org").fault)
            # Called again with the answer lost in between: still the same invitation.
            service.stop()
            service.start()
            self.assertFalse(service.send_invite("restart2@example.org").fault)
            [invitation] = service.cli("invitation", "list", "--email", "restart2@example.org")
            self.assertEqual(invitation["generation"], 1)

    def test_a_demo_that_is_started_again_goes_on(self):
        with Service.demo() as service:
            self.assertFalse(service.send_invite("before@example.org").fault)
            captured_mail.await_mail(service.mail_dir, "before@example.org")
            service.stop()
            service.start()
            self.assertFalse(service.send_invite("after@example.org").fault)
            captured_mail.await_mail(service.mail_dir, "after@example.org")
            self.assertEqual(len(service.cli("invitation", "list")), 2)

    def test_it_ends_well_under_load(self):
        """O01, once: every call is answered with success, refused as unavailable, or not taken; none is lost."""
        import concurrent.futures
        import http.client
        with Service.serve(NO_RATES) as service:
            outcomes = {}

            def call(number):
                try:
                    answer = service.send_invite(f"load{number}@example.org")
                    outcomes[number] = answer.code if answer.fault else "done"
                except (OSError, http.client.HTTPException):
                    outcomes[number] = "not taken"
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                calls = [pool.submit(call, number) for number in range(400)]
                wait_until(lambda: len(outcomes) > 50, what="load")
                service.stop()
                concurrent.futures.wait(calls)
            self.assertLessEqual(set(outcomes.values()), {"done", "unavailable", "not taken"})
            service.start()
            stored = {i["invitee_email"] for i in service.cli("invitation", "list")}
            self.assertEqual(stored, {f"load{n}@example.org" for n, outcome in outcomes.items() if outcome == "done"})


if __name__ == "__main__":
    end_to_end.main()
