"""D02, D03, D04, O04: killed at every place where it matters, once exactly there and again and again under load.

INVITED_FAILPOINT=name:count ends the process, as kill -9 does, the count-th time that it passes the place
(src/base/failpoint.h)."""

import http.client
import http.server
import pathlib
import random
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment import OnPostgres, OnSqlite

import captured_mail
import end_to_end
import postgres
from invited_service import NO_RATES, Service, wait_until
from smtp_relay import Relay

# Passed under load, in the order of a call's life.
PLACES = ("before_commit", "after_commit", "mail_before_send", "mail_before_final_dot", "mail_after_send")
ROUNDS = end_to_end.rounds(1, 40)


class KilledAtEveryPlaceUnderLoad(unittest.TestCase):
    """One instance is killed; where there is another one, it goes on."""

    def kill_at_every_place(self, deployment, rounds_with_an_app):
        with deployment.callers(rate=400):
            for place in PLACES * ROUNDS:
                service = random.choice(deployment.services)
                deployment.log.await_more(20)
                service.stop()
                service.launch({"INVITED_FAILPOINT": f"{place}:{random.randint(1, 30)}"})
                deployment.await_death(service)
                deployment.start(service)
            for _ in range(ROUNDS):
                self.kill_while_the_relay_has_the_mail_and_has_not_said_so(deployment)
            deployment.log.await_more(50)
        self.kill_between_an_apps_answer_and_noting_it(deployment, rounds_with_an_app)
        deployment.assert_whole(self)

    def kill_while_the_relay_has_the_mail_and_has_not_said_so(self, deployment):
        """After the final dot, before its 250."""
        service = random.choice(deployment.services)
        deployment.log.await_more(20)
        mails = [random.randint(1, 10)]

        def kill(_):
            mails[0] -= 1
            if mails[0] == 0:
                service.process.child.kill()
        deployment.relay.before_answer = kill
        deployment.await_death(service)
        deployment.relay.before_answer = None
        deployment.start(service)

    def kill_between_an_apps_answer_and_noting_it(self, deployment, rounds):
        service, *others = deployment.services
        for other in others:  # it would make the call
            other.stop()
        with ToldApp() as app:
            environment = deployment.world.environments[0]
            role = next(iter(environment.app.roles))
            service.cli("environment", "set", environment.uuid, "--refresh-url", app.url)
            for number in range(rounds):
                email = f"told-{number}@example.org"
                account = service.cli("account", "add", "--email", email, "--name", "Told Tilly")["account_uuid"]
                service.stop()
                service.cli("access", "grant", "--environment", environment.uuid, "--email", email, "--role", role)
                deployment.world.access.add((account, environment.uuid, role))
                service.launch({"INVITED_FAILPOINT": "call_made"})
                deployment.await_death(service)
                deployment.start(service)
                wait_until(lambda: len(service.cli("refresh", "list", "--state", "done")) == number + 1, 60, "the call")
                self.assertEqual(app.told, 2 * (number + 1))  # once more for each kill
            service.cli("environment", "set", environment.uuid, "--refresh-url", "")
        for other in others:
            deployment.start(other)


class OnOneSqlite(KilledAtEveryPlaceUnderLoad):
    def test_nothing_acknowledged_is_lost(self):
        with OnSqlite() as deployment:
            self.kill_at_every_place(deployment, ROUNDS)


class OnPostgresOfTwo(KilledAtEveryPlaceUnderLoad):
    @classmethod
    def setUpClass(cls):
        postgres.need()

    def test_nothing_acknowledged_is_lost(self):
        with OnPostgres() as deployment:
            # A call to an app is made again when its lease is over, after 14 s; only SQLite's only instance knows better.
            self.kill_at_every_place(deployment, end_to_end.rounds(0, 5))

    def test_in_each_migration_the_next_start_completes_it(self):
        """O04."""
        with postgres.Cluster() as cluster:
            self.assertGreaterEqual(kill_in_each_migration(self, {"database": cluster.url}), 1)


class ToldApp(http.server.ThreadingHTTPServer):
    """An app that counts how often it is told that roles changed."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.server.told += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        self.told = 0
        self.url = f"http://127.0.0.1:{self.server_port}/ws/RefreshAPI"
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    def __exit__(self, *rest):
        self.shutdown()
        self._thread.join()
        super().__exit__(*rest)


def kill_in_each_migration(test, settings=None):
    """One after the other, so that each start finds what the one before it left between two migrations. Returns how many."""
    service = Service("serve", {})
    service.settings = {"state_dir": str(service.state_dir), "http.listen": "127.0.0.1:0", "mail.transport": "directory",
                        "mail.from": "invitations@invited.example", **(settings or {})}
    service.write_config()
    with service:
        deaths = 0
        while True:
            # The first one of this start was the last but one of the start before.
            service.launch({"INVITED_FAILPOINT": f"migration_before_commit:{2 if deaths else 1}"})
            try:
                service.process.await_log(r"\bservice\.started\b")
                break
            except AssertionError:
                test.assertEqual(service.process.wait(), -9)
                deaths += 1
        test.assertEqual(service.cli("app", "list"), [])
        service.cli("app", "add", "--name", "Planner", "--url", "https://planner.example.org/")
        test.assertEqual(len(service.cli("app", "list")), 1)
    return deaths


class KilledAtAnExactPlace(unittest.TestCase):
    def call_until_it_dies_of(self, service, failpoint, name):
        """Starts it so that it dies after a while at that place, and calls until it does. Returns the invitee of the call
        that got no answer: mostly the call whose commit it was, at times another (the mail worker commits too)."""
        service.launch({"INVITED_FAILPOINT": f"{failpoint}:40"})
        service.await_ready()
        for number in range(200):
            invitee = f"{name}-{number}@example.org"
            try:
                self.assertFalse(service.send_invite(invitee).fault)
            except (OSError, http.client.HTTPException):
                self.assertEqual(service.process.wait(), -9)
                return invitee
        self.fail("it lives on: this build has no failpoints (INVITED_FAILPOINTS)")

    def rows(self, service, invitee):
        return [i for i in service.cli("invitation", "list") if i["invitee_email"] == invitee]

    def await_idle(self, service):
        wait_until(lambda: not service.cli("mail", "list", "--state", "queued", "--limit", "1"), 60, "an empty queue")

    def test_before_the_commit_leaves_neither_row_nor_mail(self):
        """D03."""
        with Service.serve(NO_RATES) as service:
            for attempt in range(20):  # until it was the call's own commit
                service.stop()
                invitee = self.call_until_it_dies_of(service, "before_commit", f"d03-{attempt}")
                service.start()
                if not self.rows(service, invitee):
                    break
            self.await_idle(service)
            self.assertEqual(self.rows(service, invitee), [])
            self.assertEqual(captured_mail.mails_to(service.mail_dir, invitee), [])
            self.assertFalse(service.send_invite(invitee).fault)
            captured_mail.await_mail(service.mail_dir, invitee)

    def test_between_commit_and_reply_the_same_call_again_is_the_same_invitation(self):
        """D02."""
        with Service.serve(NO_RATES) as service:
            before = []
            for attempt in range(20):  # until it was the call's own commit
                service.stop()
                invitee = self.call_until_it_dies_of(service, "after_commit", f"d02-{attempt}")
                service.start()
                before = self.rows(service, invitee)
                if before:
                    break
            self.assertEqual(len(before), 1)
            self.assertFalse(service.send_invite(invitee).fault)
            self.assertEqual(self.rows(service, invitee), before)
            self.await_idle(service)
            self.assertEqual(len([m for m in service.cli("mail", "list") if m["recipient_email"] == invitee]), 1)
            self.assertEqual(len(captured_mail.mails_to(service.mail_dir, invitee)), 1)

    def test_between_the_relays_answer_and_noting_it_one_more_copy_leaves_with_equal_bytes(self):
        """D04, with a relay that keeps every copy."""
        with Relay(tls="off") as relay, Service.serve(NO_RATES | relay.settings()) as service:
            service.stop()
            service.launch({"INVITED_FAILPOINT": "mail_after_send"})
            service.await_ready()
            self.assertFalse(service.send_invite("d04@example.org").fault)
            relay.await_mail("d04@example.org")
            self.assertEqual(service.process.wait(), -9)
            [message] = service.cli("mail", "list")
            self.assertEqual(message["state"], "queued")
            service.start()
            second = relay.await_mail("d04@example.org", 2)
            self.await_idle(service)
            copies = relay.mails()
            self.assertEqual([mail.message_id for mail in copies], [second.message_id] * 2)
            self.assertEqual(copies[0].bytes, copies[1].bytes)
            self.assertEqual(service.cli("mail", "list", "--state", "sent")[0]["deaths"], 1)

    def test_before_the_final_dot_the_mail_leaves_once_after_the_restart(self):
        for place in ("mail_before_send", "mail_before_final_dot"):
            with self.subTest(place), Relay(tls="off") as relay, Service.serve(NO_RATES | relay.settings()) as service:
                service.stop()
                service.launch({"INVITED_FAILPOINT": place})
                service.await_ready()
                self.assertFalse(service.send_invite("early@example.org").fault)
                self.assertEqual(service.process.wait(), -9)
                self.assertEqual(relay.mails(), [])
                service.start()
                relay.await_mail("early@example.org")
                self.await_idle(service)
                self.assertEqual(len(relay.mails()), 1)

    def test_in_each_migration_the_next_start_completes_it(self):
        """O04."""
        self.assertGreaterEqual(kill_in_each_migration(self), 2)


if __name__ == "__main__":
    end_to_end.main()
