"""Two instances on one PostgreSQL are one service: what one does the other knows. O03 (the start), A05, D31, T03,
sessions, revoked roles and rates."""

import json
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment_on_postgres import at_once

import end_to_end
import postgres
from invited_service import NO_RATES, CommandFailed, Process, Service, wait_until
from json_clients import add_token
from smtp_relay import Relay

PASSWORD = "seventeen quiet otters dance"
STARTS = end_to_end.rounds(2, 50)
SIGN_UPS = end_to_end.rounds(6, 1000)
DOUBLE_CLICKS = end_to_end.rounds(4, 100)
KNOWN_EVERYWHERE = 5


def person_at(service, person):
    """The same browser, led to that instance."""
    there = service.person()
    there.cookies = dict(person.cookies)
    return there


class StartedAtTheSameMoment(unittest.TestCase):
    """On an empty database: one migrates, the other waits for it."""

    def setUp(self):
        self.cluster = postgres.Cluster()
        self.addCleanup(self.cluster.close)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="invited-starts-"))
        self.addCleanup(shutil.rmtree, self.folder)
        # The keys, made once and brought to each instance, as an operator does it.
        maker = Service("serve")
        maker.settings |= {"state_dir": str(maker.state_dir), "mail.directory": str(maker.folder),
                           "mail.transport": "directory", "mail.from": "i@invited.example"}
        maker.write_config()
        maker.cli("app", "add", "--name", "x", "--url", "https://x.example.org/")
        self.keys = maker.state_dir / "keys.json"
        self.addCleanup(shutil.rmtree, maker.folder)

    def instance(self, url, name):
        service = Service("serve")
        self.addCleanup(shutil.rmtree, service.folder)
        self.addCleanup(lambda: service.process and service.process.end(signal.SIGKILL))
        service.settings |= {"database": url, "state_dir": str(service.state_dir), "http.listen": "127.0.0.1:0",
                             "mail.directory": str(service.folder / "mail"), "mail.transport": "directory",
                             "mail.from": "invitations@invited.example"}
        service.write_config()
        service.state_dir.mkdir(mode=0o700)
        shutil.copy2(self.keys, service.state_dir)
        return service

    def assert_migrated_once(self, database):
        versions = [version for [version] in self.cluster.primary.query("SELECT version FROM schema_version", database)]
        self.assertTrue(versions)
        self.assertEqual(len(versions), len(set(versions)))

    def test_both_are_ready_and_the_schema_is_made_once(self):
        for number in range(STARTS):
            database = f"empty_{number}"
            url = self.cluster.primary.create_database(database)
            services = [self.instance(url, f"{number}-{which}") for which in range(3)]
            results = at_once(*(service.start for service in services))
            self.assertEqual(results, [None] * 3)
            self.assert_migrated_once(database)
            for service in services:
                self.assertEqual(service.process.end(), 0)

    def test_one_that_dies_while_it_migrates_leaves_it_to_the_next(self):
        url = self.cluster.primary.create_database("halfway")
        dying, living = self.instance(url, "dying"), self.instance(url, "living")
        dying.launch({"INVITED_FAILPOINT": "migration_before_commit"})
        self.assertEqual(dying.process.wait(), -signal.SIGKILL)
        living.start()
        self.assert_migrated_once("halfway")
        dying.start()
        for service in (dying, living):
            self.assertEqual(service.process.end(), 0)


class TwoInstances(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = postgres.Cluster()
        cls.relay = Relay(tls="off").start()
        cls.one = Service.serve({**NO_RATES, **cls.relay.settings(), "database": cls.cluster.url})
        cls.other = cls.one.beside()
        cls.other.start()

    @classmethod
    def tearDownClass(cls):
        for service in (cls.other, cls.one):
            service.__exit__(None)
        cls.relay.stop()
        cls.cluster.close()

    def value(self, sql):
        return self.cluster.primary.value(sql)

    def invite(self, service, invitee, **changes):
        answer = service.send_invite(invitee, **changes)
        self.assertFalse(answer.fault, answer)

    def test_the_same_people_invited_in_bulk_in_opposite_orders_hold_nobody_up(self):
        headers = {"Authorization": "Bearer " + add_token(self.one), "Content-Type": "application/json"}
        people = [f"bulk-{number}@example.org" for number in range(60)]
        self.one.cli("role", "map", "--app", self.one.app_uuid, "--dialect", "base44", "--name", "user", "--role",
                     self.one.role_name)

        def calls(service, emails):
            """Each dialect that invites many, one after the other."""
            answers = []
            for _ in range(4):
                for path, body in [
                        ("/api/v1/invitations/bulk",
                         {"invitations": [{"email": email, "roles": [self.one.role_name]} for email in emails]}),
                        ("/api/apps/any/users/invite-users", {"user_emails": emails, "role": "user"})]:
                    answers.append(service.request("POST", path, json.dumps(body).encode(), headers).status)
            return answers

        results = at_once(*(lambda s=service, e=emails: calls(s, e) for service in (self.one, self.other)
                            for emails in (people, people[::-1])))
        self.assertEqual({status for answers in results for status in answers}, {200})
        self.assertNotIn("deadlock detected", self.cluster.primary.log(since_start=True))

    def form(self, service, invitee):
        """A browser with the form of the invitee's link, at that instance; and the page."""
        mail = self.relay.await_mail(invitee)
        person = service.person()
        page = person.open(service.base_url + mail.link[mail.link.index("/i/"):])
        self.assertIsNotNone(page.form("/accept"), page.text)
        return person, page

    def signed_up(self, service, invitee):
        self.invite(service, invitee)
        person, page = self.form(service, invitee)
        done = person.submit(page, "/accept", {"name": "Ada", "password": PASSWORD, "password_again": PASSWORD})
        self.assertEqual(done.status, 200, done.text)
        return person

    def signed_in(self, service, email):
        self.signed_up(service, email)
        person = service.person()
        page = person.open(service.base_url + "/sign-in")
        page = person.submit(page, "/sign-in", {"email": email, "password": PASSWORD})
        self.assertIsNotNone(page.form("/sign-out"), page.text)
        return person

    def is_signed_in(self, service, person):
        """Whether that instance takes the browser's session."""
        return person_at(service, person).open(service.base_url + "/profile").status == 200

    # --- the same thing at the same moment ------------------------------------------------------------------

    def test_d31_a_hundred_equal_calls_at_once_are_one_invitation(self):
        for key in ("", "one key for all"):
            with self.subTest(key=key):
                invitee = f"d31{len(key)}@example.org"
                headers = {"Idempotency-Key": key} if key else {}
                answers = at_once(*([lambda: self.one.send_invite(invitee, headers=headers),
                                     lambda: self.other.send_invite(invitee, headers=headers)] * 50))
                self.assertEqual({answer.response.body for answer in answers}, {answers[0].response.body})
                self.assertFalse(answers[0].fault, answers[0])
                self.relay.await_mail(invitee)
                self.assertEqual(self.value(f"SELECT count(*) FROM invitation WHERE invitee_key = '{invitee}'"), "1")
                wait_until(lambda: self.value("SELECT count(*) FROM outbox_message WHERE state = 'queued'"
                                              f" AND recipient_key = '{invitee}'") == "0")
                self.assertEqual(len(self.relay.mails(invitee)), 1)

    def sign_up_at_both(self, invitee, passwords):
        """The statuses of two forms of one link, sent at the same moment, each to an instance of its own."""
        self.invite(self.one, invitee)
        forms = [self.form(self.one, invitee), self.form(self.other, invitee)]
        pages = at_once(*(lambda person=person, page=page, password=password: person.submit(
            page, "/accept", {"name": "Tess", "password": password, "password_again": password})
                          for (person, page), password in zip(forms, passwords)))
        self.assertEqual(self.value(f"SELECT count(*) FROM account WHERE email_key = '{invitee}'"), "1")
        self.assertEqual(self.value("SELECT count(*) FROM access JOIN account ON account.id = account_id "
                                    f"WHERE email_key = '{invitee}'"), "1")
        return [page.status for page in pages]

    def test_t03_of_two_sign_ups_at_the_same_moment_one_succeeds(self):
        first = 0
        for number in range(SIGN_UPS):
            statuses = self.sign_up_at_both(f"t03-{number}@example.org", [PASSWORD, PASSWORD[::-1]])
            self.assertEqual(sorted(statuses), [200, 404], number)
            first += statuses[0] == 200
        print(f"\n  {SIGN_UPS} rounds, {first} won by the first instance", flush=True)

    def test_t03_the_same_form_twice_as_a_double_click_sends_it_is_one_sign_up_that_is_answered_twice(self):
        for number in range(DOUBLE_CLICKS):
            statuses = self.sign_up_at_both(f"t03-twice-{number}@example.org", [PASSWORD] * 2)
            self.assertEqual(statuses, [200, 200], number)

    def test_accepting_here_and_revoking_there_at_the_same_moment_have_one_outcome(self):
        values = {"name": "Tess", "password": PASSWORD, "password_again": PASSWORD}
        for number in range(end_to_end.rounds(5, 200)):
            invitee = f"race-{number}@example.org"
            self.invite(self.one, invitee)
            person, page = self.form(self.one, invitee)
            [invitation] = self.other.cli("invitation", "list", "--email", invitee)
            accepted, revoked = at_once(
                lambda: person.submit(page, "/accept", values),
                lambda: self.other.cli("invitation", "revoke", "--invitation", invitation["invitation_uuid"]))
            state = self.value(f"SELECT state FROM invitation WHERE invitee_key = '{invitee}'")
            accounts = self.value(f"SELECT count(*) FROM account WHERE email_key = '{invitee}'")
            if accepted.status == 200:
                self.assertEqual((state, accounts), ("accepted", "1"))
                self.assertIsInstance(revoked, CommandFailed)
            else:
                self.assertEqual((state, accounts), ("revoked", "0"))

    # --- what was revoked is dead everywhere ----------------------------------------------------------------

    def last_success(self, works, revoke):
        """Calls at the other instance all the while; how long after `revoke` began the last one worked."""
        stop = threading.Event()
        successes = []

        def call():
            while not stop.is_set():
                began = time.monotonic()
                if works():
                    successes.append(began)
                time.sleep(0.005)  # one of two cores is for the services

        caller = threading.Thread(target=call)
        caller.start()
        try:
            wait_until(lambda: successes)
            began = time.monotonic()
            revoke()
            # Known everywhere by then; a second more shows that it stays so.
            time.sleep(KNOWN_EVERYWHERE + 1)
        finally:
            stop.set()
            caller.join()
        return round(max(successes) - began, 3)

    def test_a05_a_revoked_credential_is_dead_on_the_other_instance_within_five_seconds(self):
        numbers = iter(range(1_000_000))

        def environment(name):
            made = self.one.cli("environment", "add", "--app", self.one.app_uuid, "--name", name)
            self.one.cli("access", "grant", "--environment", made["environment_uuid"], "--email",
                         self.one.inviter_email, "--role", self.one.other_role_uuid)
            return made["environment_uuid"], made["environment_password"]

        def calls(uuid, password):
            return lambda: not self.other.send_invite(f"a05-{next(numbers)}@example.org", EnvironmentUUID=uuid,
                                                      EnvironmentPassword=password).fault

        disabled, rotated, inviting = environment("disabled"), environment("rotated"), environment("inviting")
        # One that knows them all and then has nothing to do.
        idle = self.one.beside()
        self.addCleanup(idle.__exit__, None)
        idle.start()
        self.assertFalse(idle.send_invite("a05-idle@example.org", EnvironmentUUID=rotated[0],
                                          EnvironmentPassword=rotated[1]).fault)
        wait_until(calls(*disabled), KNOWN_EVERYWHERE)
        wait_until(calls(*rotated), KNOWN_EVERYWHERE)
        wait_until(calls(*inviting), KNOWN_EVERYWHERE)
        person = self.signed_in(self.one, "a05-person@example.org")
        cases = {
            "environment disabled": (calls(*disabled),
                                     lambda: self.one.cli("environment", "disable", "--environment", disabled[0])),
            "password rotated": (calls(*rotated),
                                 lambda: self.one.cli("environment", "rotate-password", "--environment", rotated[0],
                                                      "--overlap", "0s")),
            "inviter's access taken": (calls(*inviting),
                                       lambda: self.one.cli("access", "revoke", "--environment", inviting[0], "--email",
                                                            self.one.inviter_email, "--role",
                                                            self.one.other_role_uuid)),
            "session of a disabled account": (lambda: self.is_signed_in(self.other, person),
                                              lambda: self.one.cli("account", "disable", "--email",
                                                                   "a05-person@example.org")),
        }
        # Side by side: each waits for seconds.
        took = at_once(*(lambda case=case: self.last_success(*case) for case in cases.values()))
        print("\n  last success after the revoke: "
              + ", ".join(f"{name} {seconds}"[:60] for name, seconds in zip(cases, took)), flush=True)
        for name, seconds in zip(cases, took):
            with self.subTest(name):
                self.assertIsInstance(seconds, float)
                self.assertLess(seconds, KNOWN_EVERYWHERE)
        with self.subTest("the first calls at an instance that was idle meanwhile"):
            answers = at_once(*[lambda: idle.send_invite("a05-idle@example.org", EnvironmentUUID=rotated[0],
                                                         EnvironmentPassword=rotated[1])] * 40)
            self.assertEqual({answer.code if answer.fault else "done" for answer in answers}, {"authentication_failed"})

    # --- sessions -------------------------------------------------------------------------------------------

    def test_who_signed_in_here_is_signed_in_there_until_signing_out_anywhere(self):
        person = self.signed_in(self.one, "session@example.org")
        self.assertTrue(self.is_signed_in(self.other, person))
        there = person_at(self.other, person)
        there.submit(there.open(self.other.base_url + "/profile"), "/sign-out")
        for service in (self.one, self.other):
            self.assertFalse(self.is_signed_in(service, person_at(self.one, person)))

    def test_a_form_that_was_shown_here_may_be_sent_there(self):
        """Behind a proxy each request may meet another instance."""
        invitee = "elsewhere@example.org"
        self.invite(self.one, invitee)
        person, page = self.form(self.one, invitee)
        there = person_at(self.other, person)
        page.url = page.url.replace(self.one.base_url, self.other.base_url)
        done = there.submit(page, "/accept", {"name": "Ada", "password": PASSWORD, "password_again": PASSWORD})
        self.assertEqual(done.status, 200, done.text)

    # --- rates ----------------------------------------------------------------------------------------------

    def test_a_limit_that_must_be_global_is_counted_over_all_instances(self):
        limited = [self.one.beside({"rates.inviter_per_hour": 10, "rates.inviter_per_day": 10}) for _ in range(2)]
        try:
            for service in limited:
                service.start()
            answers = [limited[number % 2].send_invite(f"rate-{number}@example.org") for number in range(30)]
            self.assertEqual(sum(not answer.fault for answer in answers), 10)
            self.assertEqual({answer.code for answer in answers if answer.fault}, {"rate_limited"})
        finally:
            for service in limited:
                service.__exit__(None)


if __name__ == "__main__":
    postgres.need()
    end_to_end.main()
